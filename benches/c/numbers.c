/* Numbers of all widths, booleans, enums and flags. */
#include "calls.h"

CALL(ascii_digit_value, 1, INT8(0, c), int, g_ascii_digit_value(c), PyLong_FromLong(r))
CALL(unichar_isalpha, 1, UNICHAR(0, c), gboolean, g_unichar_isalpha(c), PyBool_FromLong(r))
CALL(bit_storage, 1, UINT64(0, n), guint, g_bit_storage(n), PyLong_FromUnsignedLong(r))
CALL(bit_nth_lsf, 2, UINT64(0, n) INT32(1, i), int, g_bit_nth_lsf(n, i), PyLong_FromLong(r))
CALL(spaced_primes_closest, 1, UINT32(0, n), guint, g_spaced_primes_closest(n),
     PyLong_FromUnsignedLong(r))
CALL(date_is_leap_year, 1, UINT16(0, year), gboolean, g_date_is_leap_year(year),
     PyBool_FromLong(r))
CALL(date_valid_dmy, 3, UINT8(0, day) INT32(1, month) UINT16(2, year), gboolean,
     g_date_valid_dmy(day, month, year), PyBool_FromLong(r))
CALL(date_get_days_in_month, 2, INT32(0, month) UINT16(1, year), guint8,
     g_date_get_days_in_month(month, year), PyLong_FromLong(r))
CALL(get_monotonic_time, 0, , gint64, g_get_monotonic_time(), PyLong_FromLong(r))
CALL(random_double_range, 2, DOUBLE(0, least) DOUBLE(1, most), double,
     g_random_double_range(least, most), PyFloat_FromDouble(r))
CALL(random_int_range, 2, INT32(0, least) INT32(1, most), gint32,
     g_random_int_range(least, most), PyLong_FromLong(r))
CALL(main_depth, 0, , int, g_main_depth(), PyLong_FromLong(r))
CALL(variant_get_byte, 1, BOXED(0, v), guint8, g_variant_get_byte(v), PyLong_FromLong(r))
CALL(variant_get_int16, 1, BOXED(0, v), gint16, g_variant_get_int16(v), PyLong_FromLong(r))
CALL(variant_get_uint16, 1, BOXED(0, v), guint16, g_variant_get_uint16(v), PyLong_FromLong(r))
CALL(variant_get_int32, 1, BOXED(0, v), gint32, g_variant_get_int32(v), PyLong_FromLong(r))
CALL(variant_get_uint32, 1, BOXED(0, v), guint32, g_variant_get_uint32(v),
     PyLong_FromUnsignedLong(r))
CALL(variant_get_int64, 1, BOXED(0, v), gint64, g_variant_get_int64(v), PyLong_FromLong(r))
CALL(variant_get_uint64, 1, BOXED(0, v), guint64, g_variant_get_uint64(v),
     PyLong_FromUnsignedLong(r))
CALL(variant_get_double, 1, BOXED(0, v), double, g_variant_get_double(v), PyFloat_FromDouble(r))
CALL(variant_get_boolean, 1, BOXED(0, v), gboolean, g_variant_get_boolean(v), PyBool_FromLong(r))

const Entry numbers_entries[] = {
    ENTRY(ascii_digit_value),
    ENTRY(unichar_isalpha),
    ENTRY(bit_storage),
    ENTRY(bit_nth_lsf),
    ENTRY(spaced_primes_closest),
    ENTRY(date_is_leap_year),
    ENTRY(date_valid_dmy),
    ENTRY(date_get_days_in_month),
    ENTRY(get_monotonic_time),
    ENTRY(random_double_range),
    ENTRY(random_int_range),
    ENTRY(main_depth),
    ENTRY(variant_get_byte),
    ENTRY(variant_get_int16),
    ENTRY(variant_get_uint16),
    ENTRY(variant_get_int32),
    ENTRY(variant_get_uint32),
    ENTRY(variant_get_int64),
    ENTRY(variant_get_uint64),
    ENTRY(variant_get_double),
    ENTRY(variant_get_boolean),
    {NULL, NULL},
};
