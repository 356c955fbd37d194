"""The end of struct wrappers and of variants: as on stock, and without a detour through Python."""

import pytest
from test_embed import program, same_as_stock

pytest.importorskip("gi")

COUNT = """
    import sys
    from gi.repository import GLib
    ended = []
    def look(frame, event, argument):
        if event == "call":
            ended.append(frame.f_code.co_name)
    def count(make):
        value = make()
        ended.clear()
        sys.setprofile(look)
        del value
        sys.setprofile(None)
        return ended.count("__del__")
"""


def test_variant_ends_without_python():
    code = (
        COUNT
        + """
    print(count(lambda: GLib.Variant.new_int32(5)), count(lambda: GLib.Variant("s", "x")))
    """
    )
    assert program(code) == ["1 1"]
    assert program(code, GIJIT="1") == ["0 0"]


def test_late_install_and_uninstall():
    assert program(
        COUNT
        + """
    import gijit
    new = lambda: GLib.Variant.new_int32(5)
    slots = [count(new)]
    gijit.install()
    slots.append(count(new))
    gijit.uninstall()
    slots.append(count(new))
    print(slots)
    """
    ) == ["[1, 0, 1]"]


def test_what_a_program_changes_is_what_runs():
    same_as_stock(
        COUNT
        + """
    class Derived(GLib.Variant):
        pass
    class Own(GLib.Variant):
        def __del__(self):
            print("own")
            super().__del__()
    for cls in (Derived, Own):
        value = GLib.Variant("i", 5)
        value.__class__ = cls
        print(type(value).__name__)
        del value

    value = GLib.Variant.new_int32(5)
    value.unref = lambda: print("attribute of the instance", value_type)
    value_type = value.get_type_string()
    del value

    unref = GLib.Variant.unref
    GLib.Variant.unref = lambda self: (print("other unref"), unref(self))
    GLib.Variant.new_int32(6)
    GLib.Variant.unref = unref

    original = GLib.Variant.__del__
    GLib.Variant.__del__ = lambda self: (print("other __del__"), original(self))
    GLib.Variant.new_int32(7)
    GLib.Variant.__del__ = original
    GLib.Variant.new_int32(8)

    original.__code__ = (lambda self: print("other code")).__code__
    GLib.Variant.new_int32(9)
    del GLib.Variant.__del__
    GLib.Variant.new_int32(10)
    """
    )


def test_errors_of_unref_are_reported_and_pending_ones_kept():
    code = """
    import sys
    from gi.repository import GLib
    sys.unraisablehook = lambda report: print(report.exc_type, report.exc_value, report.object)
    def fail(error):
        def unref(self):
            raise error
        return unref
    unref = GLib.Variant.unref
    for error in (ValueError("bad"), ImportError("gone"), KeyboardInterrupt()):
        GLib.Variant.unref = fail(error)
        GLib.Variant.new_int32(5)
    GLib.Variant.unref = unref
    def outer():
        value = GLib.Variant.new_int32(5)
        raise RuntimeError("from outside")
    try:
        outer()
    except RuntimeError as error:
        print(error)
    """
    assert [line.partition(" at 0x")[0] for line in program(code)] == [
        line.partition(" at 0x")[0] for line in program(code, GIJIT="1")
    ]


def test_every_variant_is_freed_once():
    code = """
    import gc, weakref
    from gi.repository import GLib
    inner = GLib.Variant.new_string("x" * 100)
    for _ in range(1000):
        pair = GLib.Variant.new_variant(inner)
        child = pair.get_variant()
    gone = []
    weakref.finalize(child, gone.append, "child")
    del pair, child
    revived = []
    class Revived(GLib.Variant):
        def __del__(self):
            revived.append(self)
    value = GLib.Variant("s", "again")
    value.__class__ = Revived
    del value
    print(gone, revived[0].get_string(), inner.get_string() == "x" * 100)
    """
    same_as_stock(code)


@pytest.mark.parametrize("tier", ["0", "1", "2"])
def test_structs_that_own_memory_are_freed(tier):
    """A struct that Python allocates is freed with its wrapper."""
    code = """
    import resource
    from gi.repository import GLib
    def grown(make):
        for _ in range(2000):
            make()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(200000):
            make()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    structs = GLib.OptionEntry, GLib.MarkupParser, lambda: GLib.Variant.new_string("text")
    print([grown(make) < 2000 for make in structs])
    """
    calls = {"GIJIT_TIER1_CALLS": "1", "GIJIT_TIER2_CALLS": "50", "GIJIT_COMPILE": "sync"}
    same_as_stock(code, GIJIT_MAX_TIER=tier, **calls)


def test_at_the_end_of_the_interpreter():
    code = """
    import sys
    from gi.repository import GLib
    sys.kept = [GLib.Variant("a{sv}", {"one": GLib.Variant("i", 1)}) for _ in range(10)]
    GLib.kept = GLib.Variant.new_int32(5)
    """
    for variables in ({}, {"GIJIT": "1"}):
        assert program(code, **variables) == []
