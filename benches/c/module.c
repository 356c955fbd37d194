/* The extension module: all functions of the other files, under the name that the build gives. */
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

static PyMethodDef own_methods[] = {
    {"set_variant_class", set_variant_class, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = MODULE_NAME, .m_size = -1, .m_methods = own_methods};

PyMODINIT_FUNC MODULE_INIT(void)
{
  PyObject *module = PyModule_Create(&definition);
  PyMethodDef *tables[] = {numbers_methods, strings_methods, objects_methods,
                           boxed_methods, containers_methods, gtk_methods};
  if (!module || !pygobject_init(3, 42, 0))
    return NULL;
  for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
    if (PyModule_AddFunctions(module, tables[i]) < 0)
      return NULL;
  return module;
}
