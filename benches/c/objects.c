/* Objects: arguments, results with an existing and with a new wrapper, constructors, and a virtual
 * function. */
#include "calls.h"

CALL(action_get_name, 1, OBJECT(0, o), const char *, g_action_get_name(o), from_text(r))
CALL(action_get_enabled, 1, OBJECT(0, o), gboolean, g_action_get_enabled(o), PyBool_FromLong(r))
VOID(simple_action_set_enabled, 2, OBJECT(0, o) BOOLEAN(1, on), g_simple_action_set_enabled(o, on))
CALL(simple_action_new, 2, TEXT(0, s) NOTHING(1), GSimpleAction *, g_simple_action_new(s, NULL),
     from_owned_object(r))
CALL(cancellable_new, 0, , GCancellable *, g_cancellable_new(), from_owned_object(r))
CALL(cancellable_is_cancelled, 1, OBJECT(0, o), gboolean, g_cancellable_is_cancelled(o),
     PyBool_FromLong(r))
CALL(cancellable_get_current, 0, , GCancellable *, g_cancellable_get_current(), from_object(r))
CALL(file_new_for_path, 1, TEXT(0, s), GFile *, g_file_new_for_path(s), from_owned_object(r))
CALL(file_equal, 2, OBJECT(0, o) OBJECT(1, p), gboolean, g_file_equal(o, p), PyBool_FromLong(r))
CALL(file_get_basename, 1, OBJECT(0, o), char *, g_file_get_basename(o), from_owned_text(r))
CALL(file_get_parent, 1, OBJECT(0, o), GFile *, g_file_get_parent(o), from_owned_object(r))
CALL(file_has_uri_scheme, 2, OBJECT(0, o) TEXT(1, s), gboolean, g_file_has_uri_scheme(o, s),
     PyBool_FromLong(r))
CALL(list_model_get_item, 2, OBJECT(0, o) UINT32(1, i), gpointer,
     g_list_model_get_item(o, i), from_owned_object(r))
CALL(list_model_get_n_items, 1, OBJECT(0, o), guint, g_list_model_get_n_items(o),
     PyLong_FromUnsignedLong(r))
CALL(application_get_flags, 1, OBJECT(0, o), GApplicationFlags, g_application_get_flags(o),
     pyg_flags_from_gtype(G_TYPE_APPLICATION_FLAGS, r))
VOID(application_set_flags, 2,
     OBJECT(0, o) INT32(1, flags), g_application_set_flags(o, (GApplicationFlags)flags))
CALL(inet_address_get_family, 1, OBJECT(0, o), GSocketFamily, g_inet_address_get_family(o),
     pyg_enum_from_gtype(G_TYPE_SOCKET_FAMILY, r))
VOID(menu_append, 3, OBJECT(0, o) NULLABLE_TEXT(1, s) NULLABLE_TEXT(2, t), g_menu_append(o, s, t))

FUNCTION(list_store_find, 2, OBJECT(0, o) OBJECT(1, item) guint position = 0; gboolean found;
         NATIVE(found = g_list_store_find(o, item, &position))
         return Py_BuildValue("(NI)", PyBool_FromLong(found), position);)

FUNCTION(input_stream_skip, 3, OBJECT(0, o) UINT64(1, n) NOTHING(2) GError *error = NULL; gssize r;
         GInputStreamClass *parent = g_type_class_peek(G_TYPE_MEMORY_INPUT_STREAM);
         NATIVE(r = parent->skip(o, n, NULL, &error))
         return error ? from_error(error) : PyLong_FromLong(r);)

FUNCTION(cancellable_set_error_if_cancelled, 1, OBJECT(0, o) GError *error = NULL; gboolean r;
         NATIVE(r = g_cancellable_set_error_if_cancelled(o, &error))
         return error ? from_error(error) : PyBool_FromLong(r);)

const Entry objects_entries[] = {
    ENTRY(action_get_name),
    ENTRY(action_get_enabled),
    ENTRY(simple_action_set_enabled),
    ENTRY(simple_action_new),
    ENTRY(cancellable_new),
    ENTRY(cancellable_is_cancelled),
    ENTRY(cancellable_get_current),
    ENTRY(file_new_for_path),
    ENTRY(file_equal),
    ENTRY(file_get_basename),
    ENTRY(file_get_parent),
    ENTRY(file_has_uri_scheme),
    ENTRY(list_model_get_item),
    ENTRY(list_model_get_n_items),
    ENTRY(application_get_flags),
    ENTRY(application_set_flags),
    ENTRY(inet_address_get_family),
    ENTRY(menu_append),
    ENTRY(list_store_find),
    ENTRY(input_stream_skip),
    ENTRY(cancellable_set_error_if_cancelled),
    {NULL, NULL},
};
