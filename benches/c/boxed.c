/* Boxed types, variants, key files: methods, results, out arguments, errors. */
#include "calls.h"

CALL(date_time_get_year, 1, BOXED(0, d), int, g_date_time_get_year(d), PyLong_FromLong(r))
CALL(date_time_get_seconds, 1, BOXED(0, d), double, g_date_time_get_seconds(d),
     PyFloat_FromDouble(r))
CALL(date_time_to_unix, 1, BOXED(0, d), gint64, g_date_time_to_unix(d), PyLong_FromLong(r))
CALL(date_time_difference, 2, BOXED(0, d) BOXED(1, e), GTimeSpan, g_date_time_difference(d, e),
     PyLong_FromLong(r))
CALL(date_time_add_days, 2, BOXED(0, d) INT32(1, n), GDateTime *, g_date_time_add_days(d, n),
     pyg_boxed_new(G_TYPE_DATE_TIME, r, FALSE, TRUE))
CALL(date_time_format, 2, BOXED(0, d) TEXT(1, s), char *, g_date_time_format(d, s),
     from_owned_text(r))
CALL(date_time_new_utc, 6,
     INT32(0, y) INT32(1, m) INT32(2, d) INT32(3, h) INT32(4, i) DOUBLE(5, s), GDateTime *,
     g_date_time_new_utc(y, m, d, h, i, s), pyg_boxed_new(G_TYPE_DATE_TIME, r, FALSE, TRUE))
CALL(date_get_day, 1, BOXED(0, d), GDateDay, g_date_get_day(d), PyLong_FromLong(r))
VOID(date_set_day, 2, BOXED(0, d) UINT8(1, n), g_date_set_day(d, n))
CALL(bytes_get_size, 1, BOXED(0, b), gsize, g_bytes_get_size(b), PyLong_FromSize_t(r))
CALL(variant_n_children, 1, BOXED(0, v), gsize, g_variant_n_children(v), PyLong_FromSize_t(r))
CALL(variant_get_type_string, 1, BOXED(0, v), const char *, g_variant_get_type_string(v),
     from_text(r))
CALL(variant_print, 2, BOXED(0, v) BOOLEAN(1, type), char *, g_variant_print(v, type),
     from_owned_text(r))
CALL(variant_get_child_value, 2, BOXED(0, v) UINT64(1, i), GVariant *,
     g_variant_get_child_value(v, i), from_variant(r))
CALL(variant_new_int32, 1, INT32(0, n), GVariant *, g_variant_ref_sink(g_variant_new_int32(n)),
     from_variant(r))
CALL(variant_new_string, 1, TEXT(0, s), GVariant *, g_variant_ref_sink(g_variant_new_string(s)),
     from_variant(r))
CALL(variant_equal, 2, BOXED(0, v) BOXED(1, w), gboolean, g_variant_equal(v, w),
     PyBool_FromLong(r))
VOID(key_file_set_string, 4, BOXED(0, k) TEXT(1, group) TEXT(2, key) TEXT(3, text),
     g_key_file_set_string(k, group, key, text))

FUNCTION(date_time_get_ymd, 1, BOXED(0, date) int y; int m; int d;
         NATIVE(g_date_time_get_ymd(date, &y, &m, &d))
         return Py_BuildValue("(iii)", y, m, d);)

FUNCTION(variant_get_string, 1, BOXED(0, v) gsize length; const char *text;
         NATIVE(text = g_variant_get_string(v, &length))
         return Py_BuildValue("(sn)", text, (Py_ssize_t)length);)

FUNCTION(key_file_get_integer, 3, BOXED(0, k) TEXT(1, group) TEXT(2, key)
         GError *error = NULL; int r;
         NATIVE(r = g_key_file_get_integer(k, group, key, &error))
         return error ? from_error(error) : PyLong_FromLong(r);)

FUNCTION(key_file_get_string, 3, BOXED(0, k) TEXT(1, group) TEXT(2, key)
         GError *error = NULL; char *r;
         NATIVE(r = g_key_file_get_string(k, group, key, &error))
         return error ? from_error(error) : from_owned_text(r);)

FUNCTION(key_file_get_keys, 2, BOXED(0, k) TEXT(1, group)
         GError *error = NULL; char **r; gsize length;
         NATIVE(r = g_key_file_get_keys(k, group, &length, &error))
         return error ? from_error(error)
                      : Py_BuildValue("(Nn)", from_strv(r), (Py_ssize_t)length);)
ALONE(key_file_get_keys, 2, BOXED(0, k) TEXT(1, group),
      g_strfreev(g_key_file_get_keys(k, group, NULL, NULL)))

const Entry boxed_entries[] = {
    ENTRY(date_time_get_year),
    ENTRY(date_time_get_seconds),
    ENTRY(date_time_to_unix),
    ENTRY(date_time_difference),
    ENTRY(date_time_add_days),
    ENTRY(date_time_format),
    ENTRY(date_time_new_utc),
    ENTRY(date_get_day),
    ENTRY(date_set_day),
    ENTRY(bytes_get_size),
    ENTRY(variant_n_children),
    ENTRY(variant_get_type_string),
    ENTRY(variant_print),
    ENTRY(variant_get_child_value),
    ENTRY(variant_new_int32),
    ENTRY(variant_new_string),
    ENTRY(variant_equal),
    ENTRY(key_file_set_string),
    ENTRY(date_time_get_ymd),
    ENTRY(variant_get_string),
    ENTRY(key_file_get_integer),
    ENTRY(key_file_get_string),
    ENTRY(key_file_get_keys),
    ENTRY(alone_key_file_get_keys),
    {NULL, NULL},
};
