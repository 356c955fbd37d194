/* Assertions that say what failed and return.
 *
 * The test libraries abort when they are given another value than they expect. Built with this header
 * before their own, they can be called with any value: a failed assertion is a line on standard error,
 * which shows the value that arrived and is compared like all else, and ends the function, which would
 * otherwise read an array beyond its end.
 *
 * `return 0` also ends functions that return nothing: GNU C allows it there with a warning, which is an
 * error by default from gcc 14 on. An older gcc, and clang, do not know that warning by its name. */

/* GLib's own functions in headers keep their assertions. */
#include <glib-object.h>
#include <stdio.h>

#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wreturn-mismatch"

#undef g_assert
#undef g_assert_true
#undef g_assert_false
#undef g_assert_null
#undef g_assert_nonnull
#undef g_assert_not_reached
#undef g_assert_cmpint
#undef g_assert_cmpuint
#undef g_assert_cmphex
#undef g_assert_cmpfloat
#undef g_assert_cmpstr
#undef g_assert_no_error

#define LENIENT(condition, ...)                                                   \
  do                                                                              \
    {                                                                             \
      if (!(condition))                                                           \
        {                                                                         \
          fprintf (stderr, "assertion: " __VA_ARGS__);                            \
          fputc ('\n', stderr);                                                   \
          return 0;                                                               \
        }                                                                         \
    }                                                                             \
  while (0)

#define g_assert(condition) LENIENT (condition, "%s", #condition)
#define g_assert_true(condition) LENIENT (condition, "%s", #condition)
#define g_assert_false(condition) LENIENT (!(condition), "%s is false", #condition)
#define g_assert_null(pointer) LENIENT ((pointer) == NULL, "%s is NULL", #pointer)
#define g_assert_nonnull(pointer) LENIENT ((pointer) != NULL, "%s is not NULL", #pointer)
#define g_assert_not_reached() LENIENT (0, "not reached")
#define g_assert_no_error(error) LENIENT ((error) == NULL, "no %s", #error)

#define LENIENT_COMPARE(type, format, a, op, b)                                   \
  do                                                                              \
    {                                                                             \
      type lenient_a = (a), lenient_b = (b);                                      \
      LENIENT (lenient_a op lenient_b, "%s %s %s (" format " and " format ")",    \
               #a, #op, #b, lenient_a, lenient_b);                                \
    }                                                                             \
  while (0)

#define g_assert_cmpint(a, op, b) LENIENT_COMPARE (long long, "%lld", a, op, b)
#define g_assert_cmpuint(a, op, b) LENIENT_COMPARE (unsigned long long, "%llu", a, op, b)
#define g_assert_cmphex(a, op, b) LENIENT_COMPARE (unsigned long long, "%llx", a, op, b)
#define g_assert_cmpfloat(a, op, b) LENIENT_COMPARE (double, "%.17g", a, op, b)
#define g_assert_cmpstr(a, op, b)                                                 \
  do                                                                              \
    {                                                                             \
      const char *lenient_a = (a), *lenient_b = (b);                              \
      LENIENT (g_strcmp0 (lenient_a, lenient_b) op 0, "%s %s %s (%s and %s)",     \
               #a, #op, #b, lenient_a ? lenient_a : "NULL",                       \
               lenient_b ? lenient_b : "NULL");                                   \
    }                                                                             \
  while (0)
