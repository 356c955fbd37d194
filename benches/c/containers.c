/* Arrays, string vectors, bytes and hash tables. */
#include "calls.h"

/* A new vector of the strings in a tuple, each a pointer into its Python string. */
static const char **to_strings(PyObject *tuple)
{
  Py_ssize_t count = PyTuple_GET_SIZE(tuple);
  const char **strings = g_new(const char *, count + 1);
  for (Py_ssize_t i = 0; i < count; i++)
    if (!to_text(PyTuple_GET_ITEM(tuple, i), &strings[i])) {
      g_free(strings);
      return NULL;
    }
  strings[count] = NULL;
  return strings;
}

/* Another thread may change the list while the lock is released, so a tuple holds its strings. */
#define STRINGS(place, name)                                                              \
  if (!PyList_Check(args[place])) {                                                       \
    PyErr_SetString(PyExc_TypeError, "a list is needed");                                 \
    return NULL;                                                                          \
  }                                                                                       \
  PyObject *held = PyList_AsTuple(args[place]);                                           \
  const char **name = held ? to_strings(held) : NULL;                                     \
  if (!name) {                                                                            \
    Py_XDECREF(held);                                                                     \
    return NULL;                                                                          \
  }

#define FREE_STRINGS(name)                                                                \
  g_free(name);                                                                           \
  Py_DECREF(held);

FUNCTION(variant_new_strv, 1, STRINGS(0, strings) GVariant *r;
         NATIVE(r = g_variant_ref_sink(g_variant_new_strv(strings, -1)))
         FREE_STRINGS(strings)
         return from_variant(r);)
ALONE(variant_new_strv, 1, STRINGS(0, strings),
      g_variant_unref(g_variant_ref_sink(g_variant_new_strv(strings, -1))))

FUNCTION(environ_getenv, 2, const char *s; const char *r;
         if (!to_text(args[1], &s)) return NULL;
         STRINGS(0, strings)
         NATIVE(r = g_environ_getenv((char **)strings, s))
         FREE_STRINGS(strings)
         return from_text(r);)
ALONE(environ_getenv, 2, TEXT(1, s) STRINGS(0, strings), g_environ_getenv((char **)strings, s))

FUNCTION(bytes_new, 1, Py_buffer view; GBytes *r;
         if (PyObject_GetBuffer(args[0], &view, PyBUF_SIMPLE) < 0) return NULL;
         NATIVE(r = g_bytes_new(view.buf, (gsize)view.len))
         PyBuffer_Release(&view);
         return pyg_boxed_new(G_TYPE_BYTES, r, FALSE, TRUE);)
ALONE(bytes_new, 1, Py_buffer view;
      if (PyObject_GetBuffer(args[0], &view, PyBUF_SIMPLE) < 0) return NULL;,
      g_bytes_unref(g_bytes_new(view.buf, (gsize)view.len)))

FUNCTION(base64_encode, 1, Py_buffer view; char *r;
         if (PyObject_GetBuffer(args[0], &view, PyBUF_SIMPLE) < 0) return NULL;
         NATIVE(r = g_base64_encode(view.buf, (gsize)view.len))
         PyBuffer_Release(&view);
         return from_owned_text(r);)
ALONE(base64_encode, 1, Py_buffer view;
      if (PyObject_GetBuffer(args[0], &view, PyBUF_SIMPLE) < 0) return NULL;,
      g_free(g_base64_encode(view.buf, (gsize)view.len)))

FUNCTION(shell_parse_argv, 1, TEXT(0, line) GError *error = NULL; int count; char **r;
         NATIVE(g_shell_parse_argv(line, &count, &r, &error))
         return error ? from_error(error)
                      : Py_BuildValue("(ON)", Py_True, from_strv(r));)
ALONE(shell_parse_argv, 1, TEXT(0, line) int count; char **r;,
      g_shell_parse_argv(line, &count, &r, NULL); g_strfreev(r))

FUNCTION(uri_parse_params, 4, TEXT(0, text) INT64(1, length) TEXT(2, separators) UINT32(3, flags)
         GError *error = NULL; GHashTable *r;
         NATIVE(r = g_uri_parse_params(text, length, separators, (GUriParamsFlags)flags, &error))
         if (error) return from_error(error);
         PyObject *dict = PyDict_New();
         GHashTableIter iter; gpointer key; gpointer value;
         g_hash_table_iter_init(&iter, r);
         while (g_hash_table_iter_next(&iter, &key, &value)) {
           PyObject *k = PyUnicode_FromString(key); PyObject *v = PyUnicode_FromString(value);
           PyDict_SetItem(dict, k, v);
           Py_DECREF(k); Py_DECREF(v);
         }
         g_hash_table_unref(r);
         return dict;)
ALONE(uri_parse_params, 4, TEXT(0, text) INT64(1, length) TEXT(2, separators) UINT32(3, flags),
      g_hash_table_unref(g_uri_parse_params(text, length, separators, (GUriParamsFlags)flags, NULL)))

FUNCTION(action_group_list_actions, 1, OBJECT(0, o) char **r;
         NATIVE(r = g_action_group_list_actions(o))
         return from_strv(r);)
ALONE(action_group_list_actions, 1, OBJECT(0, o), g_strfreev(g_action_group_list_actions(o)))

FUNCTION(get_system_data_dirs, 0, const char *const *r;
         NATIVE(r = g_get_system_data_dirs())
         return from_lent_strv(r);)
ALONE(get_system_data_dirs, 0, , g_get_system_data_dirs())

const Entry containers_entries[] = {
    ENTRY(variant_new_strv),
    ENTRY(alone_variant_new_strv),
    ENTRY(environ_getenv),
    ENTRY(alone_environ_getenv),
    ENTRY(bytes_new),
    ENTRY(alone_bytes_new),
    ENTRY(base64_encode),
    ENTRY(alone_base64_encode),
    ENTRY(shell_parse_argv),
    ENTRY(alone_shell_parse_argv),
    ENTRY(uri_parse_params),
    ENTRY(alone_uri_parse_params),
    ENTRY(action_group_list_actions),
    ENTRY(alone_action_group_list_actions),
    ENTRY(get_system_data_dirs),
    ENTRY(alone_get_system_data_dirs),
    {NULL, NULL},
};
