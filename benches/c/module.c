/* The extension module: all functions of the other files, under the name that the build gives. Each
 * is an object with a vectorcall slot of its own, as gijit's callables are: CPython then does the
 * same on the way to both. */
#undef NO_IMPORT_PYGOBJECT
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pygobject.h>
#include "calls.h"

static PyTypeObject *variant_class;

/* What a wrapper of a variant looks like behind the part that it shares with PyGPointer. */
typedef struct {
  PyGPointer base;
  gboolean free_on_dealloc;
} StructWrapper;

PyObject *from_variant(GVariant *variant)
{
  StructWrapper *wrapper = (StructWrapper *)variant_class->tp_alloc(variant_class, 0);
  if (!wrapper)
    return NULL;
  wrapper->base.pointer = variant;
  wrapper->base.gtype = G_TYPE_VARIANT;
  return (PyObject *)wrapper;
}

static PyObject *set_variant_class(PyObject *module, PyObject *class)
{
  (void)module;
  variant_class = (PyTypeObject *)Py_NewRef(class);
  Py_RETURN_NONE;
}

typedef struct {
  PyObject_HEAD
  vectorcallfunc call;
} Function;

static PyTypeObject function_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = MODULE_NAME ".Function",
    .tp_basicsize = sizeof(Function),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Function, call),
    .tp_call = PyVectorcall_Call,
};

static int add_entries(PyObject *module, const Entry *entry)
{
  for (; entry->name; entry++) {
    Function *function = PyObject_New(Function, &function_type);
    if (!function)
      return -1;
    function->call = entry->call;
    int status = PyModule_AddObjectRef(module, entry->name, (PyObject *)function);
    Py_DECREF(function);
    if (status < 0)
      return -1;
  }
  return 0;
}

static PyMethodDef own_methods[] = {
    {"set_variant_class", set_variant_class, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = MODULE_NAME, .m_size = -1, .m_methods = own_methods};

PyMODINIT_FUNC MODULE_INIT(void)
{
  PyObject *module = PyModule_Create(&definition);
  const Entry *tables[] = {numbers_entries, strings_entries, objects_entries,
                           boxed_entries, containers_entries, gtk_entries};
  if (!module || PyType_Ready(&function_type) < 0 || !pygobject_init(3, 42, 0))
    return NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
    if (add_entries(module, tables[i]) < 0)
      return NULL;
  return module;
}
