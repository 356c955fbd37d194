/* Strings in and out, borrowed and owned. */
#include "calls.h"

CALL(quark_to_string, 1, UINT32(0, q), const char *, g_quark_to_string(q), from_text(r))
CALL(quark_from_string, 1, TEXT(0, s), GQuark, g_quark_from_string(s), PyLong_FromUnsignedLong(r))
CALL(strcmp0, 2, NULLABLE_TEXT(0, s) NULLABLE_TEXT(1, t), int, g_strcmp0(s, t), PyLong_FromLong(r))
CALL(path_get_basename, 1, TEXT(0, s), char *, g_path_get_basename(s), from_owned_text(r))
CALL(path_is_absolute, 1, TEXT(0, s), gboolean, g_path_is_absolute(s), PyBool_FromLong(r))
CALL(utf8_strup, 2, TEXT(0, s) INT64(1, n), char *, g_utf8_strup(s, n), from_owned_text(r))
CALL(markup_escape_text, 2, TEXT(0, s) INT64(1, n), char *, g_markup_escape_text(s, n),
     from_owned_text(r))
CALL(get_prgname, 0, , const char *, g_get_prgname(), from_text(r))
CALL(hostname_is_ip_address, 1, TEXT(0, s), gboolean, g_hostname_is_ip_address(s),
     PyBool_FromLong(r))
CALL(uri_escape_string, 3, TEXT(0, s) NULLABLE_TEXT(1, t) BOOLEAN(2, utf8), char *,
     g_uri_escape_string(s, t, utf8), from_owned_text(r))
CALL(type_name, 1, GTYPE(0, t), const char *, g_type_name(t), from_text(r))
CALL(type_depth, 1, GTYPE(0, t), guint, g_type_depth(t), PyLong_FromUnsignedLong(r))
CALL(type_from_name, 1, TEXT(0, s), GType, g_type_from_name(s), pyg_type_wrapper_new(r))

FUNCTION(filename_to_uri, 2, TEXT(0, s) NULLABLE_TEXT(1, host) GError *error = NULL; char *r;
         NATIVE(r = g_filename_to_uri(s, host, &error))
         return error ? from_error(error) : from_owned_text(r);)

const Entry strings_entries[] = {
    ENTRY(quark_to_string),
    ENTRY(quark_from_string),
    ENTRY(strcmp0),
    ENTRY(path_get_basename),
    ENTRY(path_is_absolute),
    ENTRY(utf8_strup),
    ENTRY(markup_escape_text),
    ENTRY(get_prgname),
    ENTRY(hostname_is_ip_address),
    ENTRY(uri_escape_string),
    ENTRY(type_name),
    ENTRY(type_depth),
    ENTRY(type_from_name),
    ENTRY(filename_to_uri),
    {NULL, NULL},
};
