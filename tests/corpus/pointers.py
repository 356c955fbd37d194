"""Bare pointers, and numbers that the typelib calls pointers."""

import ctypes

from gi.repository import GLib

from .cases import call, fresh, script, varied


class Indexable:
    def __index__(self):
        return 5


class Number(int):
    pass


class WithInt(int):
    def __int__(self):
        return 7


def capsule(name=None, address=4096):
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new(address, name, None)


NAME = b"name"

for value in (
    None, 0, 1, 4096, -1, -(2**62), 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1,
    True, 1.5, "x", b"x", [1], Indexable(), Number(12), WithInt(12),
):  # fmt: skip
    call("GIMarshallingTests.pointer_in_return", value)
    call("GLib.direct_hash", value)
call("GIMarshallingTests.pointer_in_return", fresh(capsule))
call("GIMarshallingTests.pointer_in_return", fresh(capsule, NAME))
call("GLib.direct_hash")
call("GLib.direct_hash", fresh(capsule))
call("GLib.direct_equal", 5, 5)
call("GLib.direct_equal", 5, 6)
call("GLib.direct_equal", v2=5, v1=5)
call("GLib.direct_equal", None, 0)
call("GLib.direct_equal", None)
call("GLib.str_hash", None)
varied("GLib.direct_hash", (5,), (None,), (Indexable(),), (2**63,), (2**64,), (-1,))

# A gint* with a value is no address that could be read, but NULL is.
for value in ("\0", None, 0, ""):
    call("GLib.unichar_get_mirror_char", "(", value)
for value in (0, None, 1 << 40, "x", 0.5, False):
    call("GLib.IOChannel.get_line_term", fresh(GLib.IOChannel.unix_new, 0), value)
call("GLib.ByteArray.free", fresh(GLib.ByteArray.new), True)


@script
def numbers_in_c_memory():
    """addresses of C memory, read and written through pointer arguments"""
    number = ctypes.c_int(42)
    address = ctypes.addressof(number)
    text = ctypes.create_string_buffer(b"text")
    zone = GLib.TimeZone.new_utc()
    time = ctypes.c_int64(1_600_000_000)
    adjusted = zone.adjust_time(GLib.TimeType.UNIVERSAL, ctypes.addressof(time))
    return [
        GLib.int_hash(address),
        GLib.int_equal(address, address),
        GLib.str_hash(ctypes.addressof(text)),
        GLib.str_equal(ctypes.addressof(text), ctypes.addressof(text)),
        # To newer typelibs the time is a number that goes in and out: the address comes back.
        adjusted == (0, ctypes.addressof(time)) or adjusted,
        time.value,
    ]
