"""Boxed types, plain structures and unions: construction, fields, in, out, inout, wrong types."""

from gi.repository import GIMarshallingTests as GI
from gi.repository import GLib, GObject, Regress

from .cases import call, fresh, method, script, varied


def simple():
    struct = GI.SimpleStruct()
    struct.long_ = 6
    struct.int8 = 7
    return struct


def boxed():
    struct = GI.BoxedStruct()
    struct.long_ = 42
    return struct


def pointer():
    return GI.pointer_struct_returnv()


def test_boxed():
    return Regress.TestBoxed.new()


def struct_a():
    struct = Regress.TestStructA()
    struct.some_int = 42
    struct.some_int8 = 43
    struct.some_double = 42.5
    return struct


call("GIMarshallingTests.simple_struct_returnv")
call("GIMarshallingTests.boxed_struct_returnv")
call("GIMarshallingTests.boxed_struct_out")
call("GIMarshallingTests.boxed_struct_inout", fresh(boxed))
call("GIMarshallingTests.boxed_struct_inout", fresh(simple))
call("GIMarshallingTests.boxed_struct_inout", None)
call("GIMarshallingTests.pointer_struct_returnv")
call("GIMarshallingTests.union_returnv")
call("GIMarshallingTests.overrides_struct_returnv")
call("GIMarshallingTests.BoxedStruct.new")
call("GIMarshallingTests.BoxedStruct")
call("GIMarshallingTests.BoxedStruct", 1)
call("GIMarshallingTests.BoxedStruct.inv", fresh(boxed))
call("GIMarshallingTests.BoxedStruct.inv", fresh(simple))
call("GIMarshallingTests.BoxedStruct.inv", None)
call("GIMarshallingTests.BoxedStruct.inv", "x")
call("GIMarshallingTests.SimpleStruct.inv", fresh(simple))
call("GIMarshallingTests.SimpleStruct.method", fresh(simple))
call("GIMarshallingTests.SimpleStruct.method", fresh(boxed))
call("GIMarshallingTests.PointerStruct.inv", fresh(pointer))
call("GIMarshallingTests.PointerStruct.inv", fresh(boxed))
call("GIMarshallingTests.Union.inv", fresh(GI.union_returnv))
call("GIMarshallingTests.Union.method", fresh(GI.union_returnv))
call("GIMarshallingTests.Union.method", fresh(boxed))
varied(
    "GIMarshallingTests.BoxedStruct.inv",
    (fresh(boxed),),
    (None,),
    (fresh(simple),),
    (5,),
)

call("Regress.TestBoxed.new")
call("Regress.TestBoxed.new_alternative_constructor1", 5)
call("Regress.TestBoxed.new_alternative_constructor2", 5, 6)
call("Regress.TestBoxed.new_alternative_constructor3", "7")
call("Regress.TestBoxed.new_alternative_constructor3", None)
call("Regress.TestBoxed.copy", fresh(test_boxed))
call("Regress.TestBoxed.equals", fresh(test_boxed), fresh(test_boxed))
call("Regress.TestBoxed.equals", fresh(test_boxed), fresh(boxed))
call("Regress.TestBoxed.equals", fresh(test_boxed), None)
call("Regress.TestBoxedB.new", 5, 6)
call("Regress.TestBoxedB.copy", fresh(Regress.TestBoxedB.new, 1, 2))
call("Regress.TestBoxedC.new")
call("Regress.TestBoxedD.new", "a", 5)
call("Regress.TestBoxedD.get_magic", fresh(Regress.TestBoxedD.new, "abc", 5))
call("Regress.TestSimpleBoxedA.const_return")
call("Regress.TestSimpleBoxedA.copy", fresh(Regress.TestSimpleBoxedA))
call("Regress.TestStructA.clone", fresh(struct_a))
call("Regress.TestStructA.clone", None)
call("Regress.TestStructA.clone", fresh(boxed))
call("Regress.TestStructA.parse", "x")
call("Regress.test_struct_a_parse", "x")
call("Regress.TestStructFixedArray")
method(fresh(test_boxed), "copy")
method(fresh(struct_a), "clone")
call("Regress.LikeXklConfigItem.set_name", fresh(Regress.LikeXklConfigItem), "foo")

# Out arguments that the caller allocates.
method(fresh(GLib.Date.new_dmy, 1, GLib.DateMonth.MAY, 2020), "get_day")
method(fresh(GLib.Date.new_dmy, 1, GLib.DateMonth.MAY, 2020), "get_month")
method(fresh(GLib.Date.new_dmy, 1, GLib.DateMonth.MAY, 2020), "add_days", 30)
method(fresh(GLib.Date.new_dmy, 1, GLib.DateMonth.MAY, 2020), "get_weekday")
method(fresh(GLib.Date.new_dmy, 1, 5, 2020), "compare", fresh(GLib.Date.new_dmy, 2, 5, 2020))
method(fresh(GLib.Date.new_dmy, 1, 5, 2020), "compare", None)
call("GLib.Date.new_dmy", 1, 13, 2020)
call("GLib.Date.new_dmy", 1, GLib.DateMonth.MAY, 2020)
call("GLib.Date.valid_dmy", 31, GLib.DateMonth.APRIL, 2020)
call("GLib.Date.valid_dmy", 300, GLib.DateMonth.APRIL, 2020)
call("GLib.Date.valid_dmy", 30, "APRIL", 2020)


def utc():
    return GLib.DateTime.new_utc(2020, 2, 29, 12, 30, 15.25)


call("GLib.DateTime.new_utc", 2020, 2, 30, 0, 0, 0)
call("GLib.DateTime.new_utc", 2020, 2, 29, 12, 30, 15)
call("GLib.DateTime.new_from_iso8601", "2020-02-29T12:30:15Z", None)
call("GLib.DateTime.new_from_iso8601", "no", None)
for name in ("get_year", "get_month", "get_day_of_month", "get_second", "get_seconds", "get_ymd",
             "to_unix", "get_microsecond", "get_utc_offset", "is_daylight_savings",
             "get_timezone_abbreviation", "format_iso8601"):  # fmt: skip
    method(fresh(utc), name)
method(fresh(utc), "format", "%Y-%m-%d")
method(fresh(utc), "format", None)
method(fresh(utc), "add_days", 1)
method(fresh(utc), "add_days", "1")
method(fresh(utc), "difference", fresh(utc))
method(fresh(utc), "equal", fresh(utc))
method(fresh(utc), "equal", 5)
method(fresh(utc), "compare", fresh(boxed))
method(fresh(GLib.TimeZone.new_utc), "get_identifier")
method(fresh(GLib.Bytes.new, b"abc\0d"), "get_size")
method(fresh(GLib.Bytes.new, b"abc\0d"), "get_data")
method(fresh(GLib.Bytes.new, b"abc"), "equal", fresh(GLib.Bytes.new, b"abc"))
method(fresh(GLib.Bytes.new, b"abc"), "compare", fresh(GLib.Bytes.new, b"abd"))
method(fresh(GLib.Bytes.new, b"abc"), "hash")
for data in (b"abc", b"", bytearray(b"x"), [1, 2], None, "text", memoryview(b"mv"), 5):
    call("GLib.Bytes.new", data)
call("GIMarshallingTests.gbytes_none_in", fresh(GLib.Bytes.new, b"\x001\xff3"))
call("GIMarshallingTests.gbytes_none_in", b"\x001\xff3")
call("GLib.Checksum.new", GLib.ChecksumType.MD5)
call("GLib.compute_checksum_for_string", GLib.ChecksumType.MD5, "abc", -1)
call("GLib.compute_checksum_for_data", GLib.ChecksumType.SHA256, b"abc")
call("GLib.compute_checksum_for_data", 1000, b"abc")
call("GLib.VariantType.new", "as")
call("GLib.VariantType.string_is_valid", "a{")
method(fresh(GLib.VariantType.new, "a{sv}"), "dup_string")
method(fresh(GLib.VariantType.new, "a{sv}"), "is_container")


@script
def fields_after_calls():
    """Fields written and read between calls that work on the same memory."""
    struct = struct_a()
    seen = []
    for number in range(6):
        struct.some_int = number
        copy = struct.clone()
        copy.some_int8 = number
        seen.append([struct.some_int, copy.some_int, copy.some_int8, struct.some_int8])
    return seen


@script
def copies_outlive_their_source():
    """A structure that was returned stays valid when what it came from is gone."""
    kept = [test_boxed().copy() for _ in range(20)]
    for index, struct in enumerate(kept):
        struct.some_int8 = index
    return [struct.some_int8 for struct in kept]


@script
def caller_allocated_value():
    """A GValue that the caller allocates for the callee to fill in."""
    seen = []
    for _ in range(4):
        value = GObject.Value(GObject.TYPE_INT, 3)
        seen.append([value.get_int(), GI.gvalue_out_caller_allocates()])
    return seen


@script
def fields():
    """Numbers, text, enums, objects and structs in the fields of structs and unions."""
    seen = []
    outer, inner, other = Regress.TestStructB(), struct_a(), Regress.TestStructC()
    held, value = test_boxed(), GObject.Value(GObject.TYPE_INT, 3)
    for index in range(4):
        outer.nested_a = inner
        inner.some_int8 = outer.some_int8 = index
        outer.nested_a.some_double = index / 2
        nested = outer.nested_a
        seen.append([nested.some_int, nested.some_int8, nested.some_double, outer.some_int8])
        seen.append([str(inner.some_enum), other.obj, value.g_type.name])
        held.nested_a.some_int = index
        held.some_int8 = index
        seen.append([held.nested_a.some_int, held.some_int8, type(held.nested_a).__name__])
        for wrong in (300, "x", None, 2.5):
            try:
                inner.some_int8 = wrong
                seen.append(inner.some_int8)
            except Exception as error:
                seen.append([type(error).__name__, str(error)])
    return seen
