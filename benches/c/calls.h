/* What hand-written C for a Python call consists of: arguments in, the native call, results out.
 *
 * Each file of this folder is compiled twice, with RELEASE_GIL 0 and 1. A function is one line of
 * CALL: its name, the number of arguments, the arguments, the type and the expression of the native
 * call, and how its result becomes a Python object. Arguments are checked as a careful author would
 * check them; None, keywords and subclass hooks are not handled, so this is the least that can do.
 */
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <gio/gio.h>
#define NO_IMPORT_PYGOBJECT
#include <pygobject.h>

#if RELEASE_GIL
#define NATIVE(statement) Py_BEGIN_ALLOW_THREADS statement; Py_END_ALLOW_THREADS
#else
#define NATIVE(statement) statement;
#endif

#define FUNCTION(name, count, ...)                                                        \
  static PyObject *call_##name(PyObject *callable, PyObject *const *args, size_t given,   \
                               PyObject *names)                                           \
  {                                                                                       \
    (void)callable, (void)args;                                                           \
    if (PyVectorcall_NARGS(given) != count || names)                                      \
      return wrong_count(PyVectorcall_NARGS(given), count);                               \
    __VA_ARGS__                                                                           \
  }

#define CALL(name, count, arguments, type, expression, result)                            \
  FUNCTION(name, count, arguments type r; NATIVE(r = expression) return result;)

#define VOID(name, count, arguments, expression)                                          \
  FUNCTION(name, count, arguments NATIVE(expression) Py_RETURN_NONE;)

/* What the library does by itself in a call: the arguments are converted once, `statement` runs as often
 * as the last argument says. */
#define ALONE(name, count, arguments, statement)                                          \
  FUNCTION(alone_##name, (count) + 1, arguments UINT32(count, turns)                      \
           while (turns--) { statement; }                                                 \
           Py_RETURN_NONE;)

/* One row of a file's table: the last row has no name. */
typedef struct {
  const char *name;
  vectorcallfunc call;
} Entry;

#define ENTRY(name) {#name, call_##name}

/* Arguments: CONVERTED declares a variable of the C type, or returns with an exception. */
#define CONVERTED(type, name, place, convert)                                             \
  type name;                                                                              \
  if (!convert(args[place], &name))                                                       \
    return NULL;
#define INT8(place, name) INTEGER(place, name, gint8, G_MININT8, G_MAXINT8)
#define UINT8(place, name) INTEGER(place, name, guint8, 0, G_MAXUINT8)
#define INT16(place, name) INTEGER(place, name, gint16, G_MININT16, G_MAXINT16)
#define UINT16(place, name) INTEGER(place, name, guint16, 0, G_MAXUINT16)
#define INT32(place, name) INTEGER(place, name, gint32, G_MININT32, G_MAXINT32)
#define UINT32(place, name) INTEGER(place, name, guint32, 0, G_MAXUINT32)
#define INT64(place, name) INTEGER(place, name, gint64, G_MININT64, G_MAXINT64)
#define UINT64(place, name) CONVERTED(guint64, name, place, to_uint64)
#define INTEGER(place, name, type, least, most)                                           \
  type name;                                                                              \
  {                                                                                       \
    long value_ = PyLong_AsLong(args[place]);                                             \
    if (value_ == -1 && PyErr_Occurred())                                                 \
      return NULL;                                                                        \
    if (value_ < (long)(least) || value_ > (long)(most))                                  \
      return PyErr_Format(PyExc_OverflowError, "%ld is out of range", value_);            \
    name = (type)value_;                                                                  \
  }
#define DOUBLE(place, name) CONVERTED(double, name, place, to_double)
#define BOOLEAN(place, name) CONVERTED(gboolean, name, place, to_boolean)
#define TEXT(place, name) CONVERTED(const char *, name, place, to_text)
#define NULLABLE_TEXT(place, name) CONVERTED(const char *, name, place, to_nullable_text)
#define OBJECT(place, name) CONVERTED(gpointer, name, place, to_object)
#define BOXED(place, name) CONVERTED(gpointer, name, place, to_boxed)
#define UNICHAR(place, name) CONVERTED(gunichar, name, place, to_unichar)
#define NOTHING(place)                                                                    \
  if (args[place] != Py_None)                                                             \
    return PyErr_Format(PyExc_TypeError, "argument %d must be None", place);
#define GTYPE(place, name)                                                                \
  GType name = pyg_type_from_object(args[place]);                                         \
  if (!name)                                                                              \
    return NULL;

static inline PyObject *wrong_count(Py_ssize_t given, int count)
{
  return PyErr_Format(PyExc_TypeError, "%d arguments are needed, not %zd", count, given);
}

static inline int to_uint64(PyObject *object, guint64 *value)
{
  *value = PyLong_AsUnsignedLong(object);
  return *value != G_MAXUINT64 || !PyErr_Occurred();
}

static inline int to_double(PyObject *object, double *value)
{
  *value = PyFloat_AsDouble(object);
  return *value != -1.0 || !PyErr_Occurred();
}

static inline int to_boolean(PyObject *object, gboolean *value)
{
  *value = PyObject_IsTrue(object);
  return *value >= 0;
}

static inline int to_text(PyObject *object, const char **value)
{
  *value = PyUnicode_AsUTF8(object);
  return *value != NULL;
}

static inline int to_unichar(PyObject *object, gunichar *value)
{
  if (!PyUnicode_Check(object) || PyUnicode_GET_LENGTH(object) != 1) {
    PyErr_SetString(PyExc_TypeError, "one character is needed");
    return 0;
  }
  *value = PyUnicode_READ_CHAR(object, 0);
  return 1;
}

static inline int to_nullable_text(PyObject *object, const char **value)
{
  *value = NULL;
  return object == Py_None || to_text(object, value);
}

static inline int to_object(PyObject *object, gpointer *value)
{
  if (!PyObject_TypeCheck(object, &PyGObject_Type)) {
    PyErr_SetString(PyExc_TypeError, "a GObject is needed");
    return 0;
  }
  *value = ((PyGObject *)object)->obj;
  return 1;
}

/* Boxed values, variants and plain structs: all have their pointer where PyGPointer has it. */
static inline int to_boxed(PyObject *object, gpointer *value)
{
  if (!PyObject_TypeCheck(object, &PyGBoxed_Type) &&
      !PyObject_TypeCheck(object, &PyGPointer_Type)) {
    PyErr_SetString(PyExc_TypeError, "a struct is needed");
    return 0;
  }
  *value = ((PyGPointer *)object)->pointer;
  return 1;
}

static inline PyObject *from_text(const char *text)
{
  return text ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
}

static inline PyObject *from_owned_text(char *text)
{
  PyObject *result = from_text(text);
  g_free(text);
  return result;
}

static inline PyObject *from_owned_object(gpointer object)
{
  return object ? pygobject_new_full(object, TRUE, NULL) : Py_NewRef(Py_None);
}

static inline PyObject *from_object(gpointer object)
{
  return object ? pygobject_new(object) : Py_NewRef(Py_None);
}

static inline PyObject *from_error(GError *error)
{
  pyg_error_check(&error);
  return NULL;
}

/* A list of the strings of a vector that somebody else owns. */
static inline PyObject *from_lent_strv(const char *const *strings)
{
  Py_ssize_t count = 0;
  while (strings && strings[count])
    count++;
  PyObject *list = PyList_New(count);
  for (Py_ssize_t i = 0; list && i < count; i++)
    PyList_SET_ITEM(list, i, PyUnicode_FromString(strings[i]));
  return list;
}

static inline PyObject *from_strv(char **strings)
{
  PyObject *list = from_lent_strv((const char *const *)strings);
  g_strfreev(strings);
  return list;
}

/* A wrapper for a variant, of the class that `set_variant_class` was given; takes the reference. */
PyObject *from_variant(GVariant *variant);

extern const Entry numbers_entries[], strings_entries[], objects_entries[], boxed_entries[],
    containers_entries[], gtk_entries[];
