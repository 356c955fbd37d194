/* GTK 3. Its headers are not needed: the functions are declared here and the library is linked by its
 * run-time name. */
#include "calls.h"

double gtk_adjustment_get_value(gpointer adjustment);
void gtk_adjustment_set_value(gpointer adjustment, double value);
const char *gtk_label_get_text(gpointer label);
void gtk_label_set_text(gpointer label, const char *text);
gboolean gtk_widget_get_visible(gpointer widget);
int gtk_widget_get_halign(gpointer widget);
void gtk_widget_set_halign(gpointer widget, int align);
GType gtk_align_get_type(void);
gpointer gtk_widget_get_parent(gpointer widget);
void gtk_widget_get_size_request(gpointer widget, int *width, int *height);
GList *gtk_container_get_children(gpointer container);
void gtk_container_foreach(gpointer container, void (*function)(gpointer, gpointer), gpointer data);
int gtk_text_buffer_get_char_count(gpointer buffer);
void gtk_text_buffer_get_iter_at_offset(gpointer buffer, gpointer iter, int offset);
int gtk_text_iter_get_offset(gpointer iter);
GType gtk_text_iter_get_type(void);
void gtk_tree_model_get_value(gpointer model, gpointer iter, int column, GValue *value);
gpointer gtk_label_new(const char *text);
void gtk_list_store_set_value(gpointer store, gpointer iter, int column, GValue *value);
GSList *gtk_radio_button_get_group(gpointer button);
const char *const *gtk_about_dialog_get_authors(gpointer dialog);
int *gtk_tree_path_get_indices_with_depth(gpointer path, int *depth);

CALL(adjustment_get_value, 1, OBJECT(0, o), double, gtk_adjustment_get_value(o),
     PyFloat_FromDouble(r))
VOID(adjustment_set_value, 2, OBJECT(0, o) DOUBLE(1, d), gtk_adjustment_set_value(o, d))
CALL(label_get_text, 1, OBJECT(0, o), const char *, gtk_label_get_text(o), from_text(r))
VOID(label_set_text, 2, OBJECT(0, o) TEXT(1, s), gtk_label_set_text(o, s))
CALL(widget_get_visible, 1, OBJECT(0, o), gboolean, gtk_widget_get_visible(o), PyBool_FromLong(r))
CALL(widget_get_halign, 1, OBJECT(0, o), int, gtk_widget_get_halign(o),
     pyg_enum_from_gtype(gtk_align_get_type(), r))
VOID(widget_set_halign, 2, OBJECT(0, o) INT32(1, align), gtk_widget_set_halign(o, align))
CALL(widget_get_parent, 1, OBJECT(0, o), gpointer, gtk_widget_get_parent(o), from_object(r))
CALL(text_buffer_get_char_count, 1, OBJECT(0, o), int, gtk_text_buffer_get_char_count(o),
     PyLong_FromLong(r))
CALL(text_iter_get_offset, 1, BOXED(0, i), int, gtk_text_iter_get_offset(i), PyLong_FromLong(r))
CALL(label_new, 1, NULLABLE_TEXT(0, s), gpointer, g_object_ref_sink(gtk_label_new(s)),
     from_owned_object(r))

FUNCTION(widget_get_size_request, 1, OBJECT(0, o) int width; int height;
         NATIVE(gtk_widget_get_size_request(o, &width, &height))
         return Py_BuildValue("(ii)", width, height);)

FUNCTION(text_buffer_get_iter_at_offset, 2, OBJECT(0, o) INT32(1, offset)
         guint64 iter[16];
         NATIVE(gtk_text_buffer_get_iter_at_offset(o, iter, offset))
         return pyg_boxed_new(gtk_text_iter_get_type(), iter, TRUE, TRUE);)

FUNCTION(tree_model_get_value, 3, OBJECT(0, o) BOXED(1, iter) INT32(2, column)
         GValue value = G_VALUE_INIT;
         NATIVE(gtk_tree_model_get_value(o, iter, column, &value))
         PyObject *result = pyg_value_as_pyobject(&value, TRUE);
         g_value_unset(&value);
         return result;)
ALONE(tree_model_get_value, 3, OBJECT(0, o) BOXED(1, iter) INT32(2, column),
      GValue value = G_VALUE_INIT; gtk_tree_model_get_value(o, iter, column, &value);
      g_value_unset(&value))

/* A GValue from an int, as PyGObject makes one. */
FUNCTION(list_store_set_value, 4, OBJECT(0, o) BOXED(1, iter) INT32(2, column) INT32(3, number)
         GValue value = G_VALUE_INIT;
         g_value_init(&value, G_TYPE_INT);
         g_value_set_int(&value, number);
         NATIVE(gtk_list_store_set_value(o, iter, column, &value))
         Py_RETURN_NONE;)
ALONE(list_store_set_value, 4, OBJECT(0, o) BOXED(1, iter) INT32(2, column) INT32(3, number)
      GValue value = G_VALUE_INIT; g_value_init(&value, G_TYPE_INT); g_value_set_int(&value, number);,
      gtk_list_store_set_value(o, iter, column, &value))

/* A list of the objects in a GSList; a GList begins as one. */
static PyObject *from_objects(const GSList *item)
{
  PyObject *list = PyList_New(0);
  for (; item; item = item->next) {
    PyObject *object = from_object(item->data);
    PyList_Append(list, object);
    Py_DECREF(object);
  }
  return list;
}

FUNCTION(container_get_children, 1, OBJECT(0, o) GList *children;
         NATIVE(children = gtk_container_get_children(o))
         PyObject *list = from_objects((const GSList *)children);
         g_list_free(children);
         return list;)
ALONE(container_get_children, 1, OBJECT(0, o), g_list_free(gtk_container_get_children(o)))

CALL(radio_button_get_group, 1, OBJECT(0, o), GSList *, gtk_radio_button_get_group(o),
     from_objects(r))
ALONE(radio_button_get_group, 1, OBJECT(0, o), gtk_radio_button_get_group(o))

CALL(about_dialog_get_authors, 1, OBJECT(0, o), const char *const *,
     gtk_about_dialog_get_authors(o), from_lent_strv(r))
ALONE(about_dialog_get_authors, 1, OBJECT(0, o), gtk_about_dialog_get_authors(o))

FUNCTION(tree_path_get_indices, 1, BOXED(0, path) int depth; int *indices;
         NATIVE(indices = gtk_tree_path_get_indices_with_depth(path, &depth))
         PyObject *list = PyList_New(depth);
         for (int i = 0; list && i < depth; i++)
           PyList_SET_ITEM(list, i, PyLong_FromLong(indices[i]));
         return list;)
ALONE(tree_path_get_indices, 1, BOXED(0, path) int depth;,
      gtk_tree_path_get_indices_with_depth(path, &depth))

static void call_python(gpointer widget, gpointer function)
{
  PyGILState_STATE state = PyGILState_Ensure();
  PyObject *argument = from_object(widget);
  Py_XDECREF(PyObject_CallOneArg(function, argument));
  Py_DECREF(argument);
  PyGILState_Release(state);
}

FUNCTION(container_foreach, 2, OBJECT(0, o)
         NATIVE(gtk_container_foreach(o, call_python, args[1]))
         if (PyErr_Occurred()) return NULL;
         Py_RETURN_NONE;)

const Entry gtk_entries[] = {
    ENTRY(adjustment_get_value),
    ENTRY(adjustment_set_value),
    ENTRY(label_get_text),
    ENTRY(label_set_text),
    ENTRY(widget_get_visible),
    ENTRY(widget_get_halign),
    ENTRY(widget_set_halign),
    ENTRY(widget_get_parent),
    ENTRY(text_buffer_get_char_count),
    ENTRY(text_iter_get_offset),
    ENTRY(label_new),
    ENTRY(widget_get_size_request),
    ENTRY(text_buffer_get_iter_at_offset),
    ENTRY(tree_model_get_value),
    ENTRY(alone_tree_model_get_value),
    ENTRY(container_get_children),
    ENTRY(alone_container_get_children),
    ENTRY(list_store_set_value),
    ENTRY(alone_list_store_set_value),
    ENTRY(radio_button_get_group),
    ENTRY(alone_radio_button_get_group),
    ENTRY(about_dialog_get_authors),
    ENTRY(alone_about_dialog_get_authors),
    ENTRY(tree_path_get_indices),
    ENTRY(alone_tree_path_get_indices),
    ENTRY(container_foreach),
    {NULL, NULL},
};
