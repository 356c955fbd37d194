"""Arrays, lists, hash tables and string vectors, in each direction and with each transfer."""

import array

from gi.repository import GIMarshallingTests as GI
from gi.repository import GLib

from . import hooks
from .cases import call, fresh, method, varied

INTS = [-1, 0, 1, 2]
WORDS = ["0", "1", "2"]
TABLE = {"-1": "1", "0": "0", "1": "-1", "2": "-2"}
NUMBERS = {-1: 1, 0: 0, 1: -1, 2: -2}
HEART = "const ♥ utf8"


def new_list(*items):
    return list(items)


for path in (
    "array_fixed_int_in", "array_fixed_short_in", "array_in", "array_in_guint64_len",
    "array_in_guint8_len", "array_in_len_before", "array_in_len_zero_terminated", "array_int64_in",
    "garray_int_none_in", "glist_int_none_in", "gslist_int_none_in",
):  # fmt: skip
    path = f"GIMarshallingTests.{path}"
    call(path, INTS)
    call(path, tuple(INTS))
    call(path, fresh(new_list, *INTS))
    call(path, hooks.Sequence(*INTS))
    call(path, hooks.ListSub(INTS))
    call(path, range(-1, 3))
    call(path, array.array("q", INTS))
    call(path, memoryview(array.array("b", INTS)))
    call(path, "0123")
    call(path, [-1, "0", 1, 2])
    call(path, [-1, None, 1, 2])
    call(path, [-1, 0, 1 << 70, 2])
    call(path, [-1, 0, hooks.Index(1), 2])
    call(path, [-1, hooks.Raising(), 1, 2])
    call(path, 42)
    call(path, None)
    call(path, {1: 2})
    call(path, fresh(iter, INTS))

varied("GIMarshallingTests.array_in", (INTS,), ((-1, 0, 1, 2),), (["a"],), (None,), (5,), ({},))

for path in (
    "gstrv_in", "array_zero_terminated_in", "garray_utf8_none_in", "gptrarray_utf8_none_in",
    "glist_utf8_none_in", "gslist_utf8_none_in",
):  # fmt: skip
    path = f"GIMarshallingTests.{path}"
    call(path, WORDS)
    call(path, tuple(WORDS))
    call(path, hooks.Sequence(*WORDS))
    call(path, ["0", 1, "2"])
    call(path, ["0", "\ud800", "2"])
    call(path, "012")
    call(path, 42)

for path in (
    "array_return", "array_out", "array_fixed_int_return", "array_fixed_short_return",
    "array_fixed_out", "array_bool_out", "array_unichar_out", "array_zero_terminated_return",
    "array_zero_terminated_return_null", "array_zero_terminated_return_struct",
    "array_zero_terminated_return_unichar", "array_zero_terminated_out", "array_fixed_out_struct",
    "enum_array_return_type", "gstrv_return", "gstrv_out", "garray_int_none_return",
    "garray_uint64_none_return", "garray_utf8_none_return", "garray_utf8_container_return",
    "garray_utf8_full_return", "garray_utf8_none_out", "garray_utf8_container_out",
    "garray_utf8_full_out", "garray_utf8_full_out_caller_allocated",
    "gptrarray_utf8_none_return",
    "gptrarray_utf8_container_return", "gptrarray_utf8_full_return", "gptrarray_utf8_none_out",
    "gptrarray_utf8_container_out", "gptrarray_utf8_full_out", "gptrarray_boxed_struct_full_return",
    "bytearray_full_return", "glist_int_none_return", "glist_uint32_none_return",
    "glist_utf8_none_return", "glist_utf8_container_return", "glist_utf8_full_return",
    "glist_utf8_none_out", "glist_utf8_container_out", "glist_utf8_full_out",
    "gslist_int_none_return", "gslist_utf8_none_return", "gslist_utf8_container_return",
    "gslist_utf8_full_return", "gslist_utf8_none_out", "gslist_utf8_container_out",
    "gslist_utf8_full_out", "ghashtable_int_none_return", "ghashtable_utf8_none_return",
    "ghashtable_utf8_container_return", "ghashtable_utf8_full_return", "ghashtable_utf8_none_out",
    "ghashtable_utf8_container_out", "ghashtable_utf8_full_out", "ghashtable_enum_none_return",
):  # fmt: skip
    call(f"GIMarshallingTests.{path}")

for path in (
    "garray_utf8_none_inout", "garray_utf8_container_inout", "garray_utf8_full_inout",
    "gptrarray_utf8_none_inout", "gptrarray_utf8_container_inout", "gptrarray_utf8_full_inout",
    "glist_utf8_none_inout", "glist_utf8_container_inout", "glist_utf8_full_inout",
    "gslist_utf8_none_inout", "gslist_utf8_container_inout", "gslist_utf8_full_inout",
    "gstrv_inout", "array_zero_terminated_inout",
):  # fmt: skip
    call(f"GIMarshallingTests.{path}", WORDS)
    call(f"GIMarshallingTests.{path}", hooks.Sequence(*WORDS))
    call(f"GIMarshallingTests.{path}", ["0", None, 2])

call("GIMarshallingTests.array_inout", INTS)
call("GIMarshallingTests.array_inout", ["x"])
call("GIMarshallingTests.array_fixed_inout", INTS)
call("GIMarshallingTests.array_return_etc", 5, 9)
call("GIMarshallingTests.array_out_etc", -5, 9)
call("GIMarshallingTests.array_inout_etc", -5, INTS, 9)
call("GIMarshallingTests.array_inout_etc", -5, INTS)
call("GIMarshallingTests.array_inout_etc", -5, last=9, ints=INTS)
call("GIMarshallingTests.array_bool_in", [True, False, True, True])
call("GIMarshallingTests.array_bool_in", [1, 0, "x", [1]])
call("GIMarshallingTests.array_uint64_in", [GLib.MAXUINT64, 0, 1, 2])
call("GIMarshallingTests.array_uint64_in", [-1, 0, 1, 2])
call("GIMarshallingTests.array_unichar_in", HEART)
call("GIMarshallingTests.array_unichar_in", list(HEART))
call("GIMarshallingTests.garray_bool_none_in", [True, False, True, True])
call("GIMarshallingTests.garray_unichar_none_in", HEART)
call("GIMarshallingTests.garray_uint64_none_in", [0, GLib.MAXUINT64])
call("GIMarshallingTests.glist_uint32_none_in", [0, GLib.MAXUINT32])
call("GIMarshallingTests.array_string_in", ["foo", "bar"])
call("GIMarshallingTests.array_string_in", ["foo", b"bar"])
for data in (b"abcd", bytearray(b"abcd"), [97, 98, 99, 100], "abcd", memoryview(b"abcd"), None):
    call("GIMarshallingTests.array_uint8_in", data)
call("GIMarshallingTests.array_uint8_in", [97, 98, 99, 1000])
call("GIMarshallingTests.array_in_nonzero_nonlen", 1, b"abcd")
call("GIMarshallingTests.bytearray_none_in", b"\x001\xff3")
call("GIMarshallingTests.bytearray_none_in", bytearray(b"\x001\xff3"))
call("GIMarshallingTests.bytearray_none_in", 5)
call("GIMarshallingTests.array_enum_in", [GI.Enum.VALUE1, GI.Enum.VALUE2, GI.Enum.VALUE3])
call("GIMarshallingTests.array_flags_in", [GI.Flags.VALUE1, GI.Flags.VALUE2, GI.Flags.VALUE3])
call("GIMarshallingTests.array_enum_in", [GI.Enum.VALUE1, "x", GI.Enum.VALUE3])
call("GIMarshallingTests.multi_array_key_value_in", ["one", "two", "three"], [1, 2, 3])
call("GIMarshallingTests.init_function", [])
call("GIMarshallingTests.init_function", ["hello"])
call("GIMarshallingTests.init_function", ["hello", "world"])
call("GIMarshallingTests.init_function", None)


def boxed(number):
    struct = GI.BoxedStruct()
    struct.long_ = number
    return struct


def simple(number):
    struct = GI.SimpleStruct()
    struct.long_ = number
    struct.int8 = number
    return struct


def three(factory):
    return [factory(1), factory(2), factory(3)]


call("GIMarshallingTests.array_struct_in", fresh(three, boxed))
call("GIMarshallingTests.array_struct_value_in", fresh(three, boxed))
call("GIMarshallingTests.array_struct_take_in", fresh(three, boxed))
call("GIMarshallingTests.array_simple_struct_in", fresh(three, simple))
call("GIMarshallingTests.array_struct_in", [boxed(1), 5, boxed(3)])
call("GIMarshallingTests.array_struct_in", [boxed(1), simple(2), boxed(3)])
call("GIMarshallingTests.array_simple_struct_in", [simple(1), "x", simple(3)])

# Hash tables.
for path in ("ghashtable_utf8_none_in", "ghashtable_utf8_container_in", "ghashtable_utf8_full_in",
             "ghashtable_utf8_none_inout", "ghashtable_utf8_container_inout",
             "ghashtable_utf8_full_inout"):  # fmt: skip
    call(f"GIMarshallingTests.{path}", TABLE)
    call(f"GIMarshallingTests.{path}", {"-1": 1})
    call(f"GIMarshallingTests.{path}", {1: "1"})
    call(f"GIMarshallingTests.{path}", [])
    call(f"GIMarshallingTests.{path}", "text")
call("GIMarshallingTests.ghashtable_int_none_in", NUMBERS)
call("GIMarshallingTests.ghashtable_int_none_in", {-1: 1, "0": 0})
call("GIMarshallingTests.ghashtable_int_none_in", {-1: 1, 0: "0"})
call("GIMarshallingTests.ghashtable_int_none_in", None)
call("Regress.test_ghash_null_in", None)
call("Regress.test_ghash_null_return")
call("Regress.test_ghash_null_out")
call("Regress.test_ghash_nothing_return")
call("Regress.test_ghash_everything_return")
call("Regress.test_ghash_nested_everything_return")
call("Regress.test_ghash_gvalue_return")

for path in (
    "test_array_int_out", "test_array_fixed_size_int_out", "test_array_fixed_size_int_return",
    "test_array_int_full_out", "test_array_int_none_out", "test_array_int_null_out",
    "test_array_struct_out", "test_array_struct_out_full_fixed",
    "test_strv_out", "test_strv_out_c", "test_strv_out_container", "test_strv_outarg",
    "test_glist_nothing_return", "test_glist_container_return", "test_glist_everything_return",
    "test_gslist_nothing_return", "test_gslist_container_return", "test_gslist_everything_return",
    "test_glist_null_out", "test_gslist_null_out", "test_garray_container_return",
    "test_garray_full_return", "test_glist_boxed_none_return",
):  # fmt: skip
    if path.endswith("boxed_none_return"):
        call(f"Regress.{path}", 2)
    else:
        call(f"Regress.{path}")
for type_name in ("gint8", "gint16", "gint32", "gint64"):
    call(f"Regress.test_array_{type_name}_in", [1, 2, 3])
    call(f"Regress.test_array_{type_name}_in", [1, 2, 1 << 64])
call("Regress.test_array_int_in", [])
call("Regress.test_array_int_in", b"abc")
call("Regress.test_array_int_in", range(10))
call("Regress.test_array_int_null_in", None)
call("Regress.test_array_int_inout", [1, 2, 3])
call("Regress.test_array_fixed_size_int_in", [1, 2, 3, 4, 5])
call("Regress.test_array_fixed_size_int_in", [1, 2, 3])
call("Regress.test_array_gtype_in", [int, str])
call("Regress.test_strv_in", ["1", "2", "3"])
call("Regress.test_glist_nothing_in", ["1", "2", "3"])
call("Regress.test_gslist_null_in", None)


def gi_object():
    return GI.Object(int=42)


method(fresh(gi_object), "method_array_in", INTS)
method(fresh(gi_object), "method_array_inout", INTS)
method(fresh(gi_object), "method_array_out")
method(fresh(gi_object), "method_array_return")

# What is read item by item and is neither a list nor a tuple.
for path in (
    "garray_utf8_none_in", "garray_utf8_none_inout", "glist_utf8_none_in", "glist_utf8_none_inout",
    "gptrarray_utf8_none_in", "gslist_utf8_none_in", "gstrv_in",
):  # fmt: skip
    path = f"GIMarshallingTests.{path}"
    call(path, "012")
    call(path, b"012")
    call(path, range(3))
for path in ("GIMarshallingTests.array_unichar_in", "GIMarshallingTests.garray_unichar_none_in"):
    call(path, HEART)
    call(path, HEART.encode())
    call(path, memoryview(HEART.encode()))
call("Regress.test_array_gint8_in", b"\x01\x02\x7f")
call("Regress.test_array_gint8_in", b"\x01\x02\x80")
call("Regress.test_array_gint8_in", memoryview(b"\x01\x02").cast("b", (1, 2)))
call("Regress.test_strv_in", "123")
call("Regress.test_strv_in", fresh(array.array, "u", "123"))
