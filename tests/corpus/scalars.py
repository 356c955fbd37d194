"""Numbers, booleans, characters, enums, flags and types, in each direction, good and bad."""

from gi.repository import GIMarshallingTests as GI
from gi.repository import GLib, GObject, Regress

from . import hooks
from .cases import call, fresh, varied

SIGNED = ("int8", "int16", "int32", "int64", "short", "int", "long", "ssize")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64", "ushort", "uint", "ulong", "size")
BITS = {
    "int8": 8, "int16": 16, "int32": 32, "int64": 64, "short": 16, "int": 32, "long": 64,
    "ssize": 64, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64, "ushort": 16, "uint": 32,
    "ulong": 64, "size": 64,
}  # fmt: skip

for name in SIGNED:
    low, high = -(1 << BITS[name] - 1), (1 << BITS[name] - 1) - 1
    path = f"GIMarshallingTests.{name}"
    call(f"{path}_return_max")
    call(f"{path}_return_min")
    call(f"{path}_out_max")
    call(f"{path}_out_min")
    call(f"{path}_in_max", high)
    call(f"{path}_in_min", low)
    call(f"{path}_in_max", high + 1)
    call(f"{path}_in_min", low - 1)
    call(f"{path}_in_max", 1 << 200)
    call(f"{path}_in_max", hooks.Index(high))
    call(f"{path}_in_max", hooks.Index(high + 1))
    call(f"{path}_in_max", hooks.IntSub(high))
    call(f"{path}_inout_max_min", high)
    call(f"{path}_inout_min_max", low)
    call(f"{path}_inout_min_max", low - 1)

for name in UNSIGNED:
    high = (1 << BITS[name]) - 1
    path = f"GIMarshallingTests.{name}"
    call(f"{path}_return")
    call(f"{path}_out")
    call(f"{path}_in", high)
    call(f"{path}_in", high + 1)
    call(f"{path}_in", -1)
    call(f"{path}_in", hooks.Index(high))
    call(f"{path}_inout", high)
    call(f"{path}_inout", -1)

# Regress has functions that return what they are given.
WRONG = [
    None, True, 1.0, 1.5, float("nan"), float("inf"), "1", "ab", b"a", b"ab", [], (1,), {}, object,
    hooks.Index(5), hooks.Int(), hooks.Float(), hooks.Raising(), hooks.IntSub(5), hooks.FloatSub(5),
    1 + 0j, range(3),
]  # fmt: skip
for type_name in ("int8", "uint8", "int", "uint", "int64", "uint64", "long", "ssize", "size"):
    for wrong in WRONG:
        call(f"Regress.test_{type_name}", wrong)
for type_name in ("double", "float"):
    for number in [*WRONG, 0, -0.0, 1e300, -1e308, 1e-320, 1 << 70, 1 << 2000, 16777217]:
        call(f"Regress.test_{type_name}", number)
for truth in [*WRONG, 0, 2, "", hooks.Truth(), hooks.Sequence()]:
    call("Regress.test_boolean", truth)

for number in (0, 1, -1, 127, 128, -128, -129, 255, 256, 32767, 65535, 1 << 31, 1 << 63, 1 << 64):
    for type_name in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
        call(f"Regress.test_{type_name}", number)

varied("Regress.test_int", (5,), (True,), (hooks.Index(5),), (1 << 40,), ("5",), (None,))
varied("Regress.test_double", (0.5,), (1,), (True,), (hooks.Float(),), (None,), (1 << 2000,))
varied("Regress.test_boolean", (True,), (0,), (None,), ("x",), (hooks.Raising(),), ([],))
varied("Regress.test_int64", (5,), (1 << 62,), (1 << 63,), (-1,), (2.0,), (hooks.IntSub(3),))

for path in ("float", "double"):
    call(f"GIMarshallingTests.{path}_return")
    call(f"GIMarshallingTests.{path}_out")
call("GIMarshallingTests.double_in", GLib.MAXDOUBLE)
call("GIMarshallingTests.double_inout", GLib.MAXDOUBLE)
call("GIMarshallingTests.float_in", GLib.MAXFLOAT)
call("GIMarshallingTests.float_in", GLib.MAXDOUBLE)
call("GIMarshallingTests.float_inout", GLib.MAXFLOAT)

call("GIMarshallingTests.boolean_return_true")
call("GIMarshallingTests.boolean_return_false")
call("GIMarshallingTests.boolean_in_true", True)
call("GIMarshallingTests.boolean_in_true", [1])
call("GIMarshallingTests.boolean_in_false", False)
call("GIMarshallingTests.boolean_in_false", None)
call("GIMarshallingTests.boolean_out_true")
call("GIMarshallingTests.boolean_inout_true_false", True)
call("GIMarshallingTests.boolean_inout_false_true", 0)

call("GIMarshallingTests.time_t_return")
call("GIMarshallingTests.time_t_in", 1234567890)
call("GIMarshallingTests.time_t_in", "now")
call("GIMarshallingTests.time_t_inout", 1234567890)

for char in ("a", "é", "♥", "\U0001f600", "\0", "", "ab", "\ud800", 97, b"a", None):
    call("Regress.test_unichar", char)

# Enums and flags.
for value in (GI.Enum.VALUE3, 42, 3, -1, 1 << 40, None, "x", GI.Flags.VALUE1, 42.0, True):
    # A number that is no member aborts in enum_in; this one takes any and returns its name.
    call("Regress.TestEnum.param", value)
call("Regress.TestEnum.param", Regress.TestEnum.VALUE1)
call("Regress.TestEnum.param", Regress.TestEnum.VALUE2)
# This PyGObject cannot create the class TestEnumUnsigned; the error must be the same.
call("Regress.test_unsigned_enum_param", 0x80000000)
call("Regress.test_unsigned_enum_param", -1)
call("GIMarshallingTests.enum_in", GI.Enum.VALUE3)
call("GIMarshallingTests.enum_in", 42)
call("GIMarshallingTests.enum_in", 3)
call("GIMarshallingTests.enum_in", "VALUE3")
call("GIMarshallingTests.enum_in", None)
call("GIMarshallingTests.enum_out")
call("GIMarshallingTests.enum_returnv")
call("GIMarshallingTests.enum_inout", GI.Enum.VALUE3)
call("GIMarshallingTests.genum_in", GI.GEnum.VALUE3)
call("GIMarshallingTests.genum_in", 42)
call("GIMarshallingTests.genum_in", "VALUE3")
call("GIMarshallingTests.genum_in", GI.Enum.VALUE3)
call("GIMarshallingTests.genum_inout", GI.GEnum.VALUE3)
call("GIMarshallingTests.genum_out")
call("GIMarshallingTests.genum_returnv")
call("GIMarshallingTests.flags_in", GI.Flags.VALUE2)
call("GIMarshallingTests.flags_in", 2)
call("GIMarshallingTests.flags_in", 0x7FFFFFFFF)
call("GIMarshallingTests.flags_in", "VALUE2")
call("GIMarshallingTests.flags_in", None)
call("GIMarshallingTests.flags_in_zero", 0)
call("GIMarshallingTests.flags_in_zero", GI.Flags(0))
call("GIMarshallingTests.flags_inout", GI.Flags.VALUE2)
call("GIMarshallingTests.flags_out")
call("GIMarshallingTests.flags_returnv")
call("GIMarshallingTests.no_type_flags_in", GI.NoTypeFlags.VALUE2)
call("GIMarshallingTests.no_type_flags_in_zero", 0)
call("GIMarshallingTests.no_type_flags_inout", GI.NoTypeFlags.VALUE2)
call("GIMarshallingTests.no_type_flags_returnv")
call("GIMarshallingTests.extra_flags_large_in", GI.ExtraFlags.VALUE2)
call("Regress.global_get_flags_out")
call("GIMarshallingTests.Flags.returnv")
call("GIMarshallingTests.GEnum.returnv")
call("GLib.unichar_type", "a")

# GType arguments take what PyGObject takes for a type.
for kind in (None, GObject.TYPE_INT, int, str, GI.Object, GObject.Object, "GObject", "nope", 3, []):
    call("Regress.test_gtype", kind)
    call("GObject.type_name", kind)


class WithGType:
    __gtype__ = GObject.TYPE_STRING

    def __repr__(self):
        return "WithGType()"


class WithProperty:
    @property
    def __gtype__(self):
        hooks.EVENTS.append("__gtype__")
        return GObject.TYPE_STRING

    def __repr__(self):
        return "WithProperty()"


class WithGetattr:
    def __getattr__(self, name):
        hooks.EVENTS.append(name)
        raise AttributeError(name)

    def __repr__(self):
        return "WithGetattr()"


for kind in (WithGType, WithProperty, WithGetattr, GObject.Object, object):
    call("Regress.test_gtype", kind)
    call("Regress.test_gtype", fresh(kind))
for kind in (GObject.ParamFlags, GObject.ParamFlags.READABLE):
    call("Regress.test_gtype", kind)
call("GIMarshallingTests.gtype_return")
call("GIMarshallingTests.gtype_out")
call("GIMarshallingTests.gtype_in", GObject.TYPE_NONE)
call("GIMarshallingTests.gtype_in", None)
call("GIMarshallingTests.gtype_inout", GObject.TYPE_NONE)
call("GIMarshallingTests.gtype_string_in", str)
call("GObject.type_is_a", GI.Object, GObject.Object)
call("GObject.type_is_a", fresh(GI.Object, int=1), GObject.Object)
