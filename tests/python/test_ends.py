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


def test_objects_end_as_on_stock():
    """With references, weak references, toggles, callbacks and new wrappers at the end."""
    same_as_stock(
        """
    import gc, weakref
    import gi
    from gi.repository import Gio, GObject

    class Item(GObject.Object):
        __gtype_name__ = "EndsItem"
        def __init__(self, name):
            super().__init__()
            self.name = name

    def watch(value, name):
        weakref.ref(value)
        value.weak_ref(print, "object gone:", name)
        return weakref.ref(value, lambda _: print("wrapper gone:", name))

    # The object ends with its wrapper, or has another owner; with and without a dict.
    store = Gio.ListStore.new(GObject.Object)
    for keep in (False, True):
        for make in (Gio.SimpleActionGroup, lambda: Gio.SimpleAction.new("a", None), GObject.Object,
                     lambda: Item("item")):
            for attribute in (False, True):
                value = make()
                if keep:
                    store.append(value)
                if attribute:
                    value.attribute = 1
                name = type(value).__name__, keep, attribute
                seen = watch(value, name)
                print(name, value.ref_count)
                del value
                gc.collect()
                print(seen() is None)
    for index in range(store.get_n_items()):
        value = store.get_item(index)
        print(type(value).__name__, vars(value), value.ref_count)
    del value
    # Not all at once: a sequence frees its items in no order.
    while store.get_n_items():
        store.remove(0)
    gc.collect()

    # A class that a program has given to an object whose wrapper goes.
    class Other(Gio.SimpleAction):
        pass
    value = Gio.SimpleAction.new("b", None)
    store.append(value)
    value.__class__ = Other
    del value
    print(type(store.get_item(0)).__name__)
    """
    )


@pytest.mark.parametrize("install", ["import gijit; gijit.install(); gijit.uninstall()", ""])
def test_objects_from_before_and_after(install):
    """Objects of one time end in the other."""
    code = f"""
    import gc
    from gi.repository import Gio, GLib
    before = [Gio.SimpleAction.new(str(n), None) for n in range(3)], GLib.Variant("s", "x")
    {install}
    after = [Gio.SimpleAction.new(str(n), None) for n in range(3)], GLib.Variant("s", "x")
    gone = []
    for action in before[0] + after[0]:
        action.weak_ref(gone.append, action.get_name())
    del action, before, after
    gc.collect()
    print(sorted(gone))
    """
    assert program(code) == ["['0', '0', '1', '1', '2', '2']"]


def test_objects_end_on_other_threads():
    same_as_stock(
        """
    import threading
    from gi.repository import Gio, GLib
    counts = []
    def work():
        for _ in range(2000):
            value = Gio.SimpleAction.new("a", GLib.VariantType("s"))
            value.attribute = value.get_parameter_type()
            Gio.Cancellable.new()
        counts.append(value.ref_count)
    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    print(counts)
    """
    )


def test_an_object_that_ends_is_told_nothing():
    code = """
    import ctypes
    from gi.repository import GLib, GObject
    library = ctypes.CDLL("libgobject-2.0.so.0")
    library.g_object_get_qdata.restype = ctypes.c_void_p
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    quark = GLib.quark_from_string("PyGObject::instance-data")
    @ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
    def ends(data, address):
        print(library.g_object_get_qdata(ctypes.c_void_p(address), quark) is not None)
    item = GObject.Object()
    library.g_object_weak_ref(ctypes.c_void_p(pointer(item.__gpointer__, None)), ends, None)
    del item
    """
    assert program(code) == ["True"]
    assert program(code, GIJIT="1") == ["False"]
