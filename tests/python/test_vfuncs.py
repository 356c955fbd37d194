"""Calls of virtual functions and methods of class structs: that gijit executes them.

What they return is the business of the corpus (`corpus/vfuncs.py`)."""

import pytest
from test_embed import SYNC, program, same_as_stock

pytest.importorskip("gi")

TIERS = [
    {"GIJIT_MAX_TIER": "0"},
    {"GIJIT_MAX_TIER": "1", "GIJIT_TIER1_CALLS": "0", **SYNC},
    {"GIJIT_TIER1_CALLS": "0", "GIJIT_TIER2_CALLS": "0", **SYNC},
]
COUNT = """
    import gijit

    def count(function, times=100):
        before = gijit.stats()["calls"]
        results = {function() for _ in range(times)}
        after = gijit.stats()["calls"]
        return {name: after[name] - before[name] for name in after}, results
"""


@pytest.mark.parametrize("tier", range(3))
def test_chaining_up_is_native(tier):
    wanted = {"tier0": 0, "tier1": 0, "tier2": 0, "pygobject": 0, f"tier{tier}": 200}
    code = """
    from gi.repository import Gio, GLib

    class Stream(Gio.MemoryInputStream):
        def do_skip(self, count, cancellable):
            return Gio.MemoryInputStream.do_skip(self, count, cancellable)

    stream = Stream()
    stream.skip(1, None)
    # One call of the method, one of the virtual function.
    print(count(lambda: stream.skip(5, None)), gijit.tier(Gio.MemoryInputStream.do_skip))
    """
    settings = {"GIJIT": "1", "GIJIT_STATS": "/dev/null", **TIERS[tier]}
    assert program(COUNT + code, **settings) == [f"({wanted}, {{0}}) {tier}"]


@pytest.mark.parametrize("tier", range(3))
def test_methods_of_class_structs_are_native(tier):
    wanted = {"tier0": 0, "tier1": 0, "tier2": 0, "pygobject": 0, f"tier{tier}": 100}
    code = """
    import gi
    gi.require_version("Gtk", "3.0")
    from gi.repository import Gtk

    class Box(Gtk.Box):
        pass

    Box.set_css_name("corpus")
    for get in Box.get_css_name, Gtk.Label.get_css_name:
        get()
        print(count(get), gijit.tier(get))
    """
    settings = {"GIJIT": "1", "GIJIT_STATS": "/dev/null", **TIERS[tier]}
    lines = [f"({wanted}, {{'{name}'}}) {tier}" for name in ("corpus", "label")]
    assert program(COUNT + code, **settings) == lines


def test_virtual_functions_are_found_where_pygobject_has_them():
    same_as_stock("""
        from gi.repository import Gio, GObject
        VFuncInfo = type(Gio.Application.__info__.get_vfuncs()[0])
        for cls in (Gio.Cancellable, Gio.MemoryInputStream, Gio.Application, GObject.Object):
            own = {name: value for name, value in vars(cls).items() if isinstance(value, VFuncInfo)}
            print(cls.__name__, [(name, repr(value)) for name, value in own.items()],
                  [name for name in dir(cls) if name.startswith("do_")])
        class Stream(Gio.MemoryInputStream):
            def do_skip(self, count, cancellable):
                return 7
            def do_input_stream_close_fn(self, cancellable):
                print("closed")
                return True
        print(Stream().skip(1, None), Stream().close(None))
        try:
            class Two(Gio.Application, Gio.ListStore):
                def do_activate(self):
                    pass
        except TypeError as error:
            print(error)
    """)


def test_install_and_uninstall_cover_virtual_functions():
    assert program("""
        import gijit
        from gi.repository import Gio, GObject
        stock = type(Gio.Application.__info__.get_vfuncs()[0])
        def kinds():
            raw = vars(Gio.Cancellable)["do_cancelled"]
            return type(raw) is stock, type(Gio.Cancellable.do_cancelled) is stock
        print(kinds())
        gijit.install()
        held = Gio.MemoryInputStream.do_skip
        print(kinds(), gijit.tier(held))
        gijit.uninstall()
        print(kinds(), held(Gio.MemoryInputStream(), 3, None))
    """) == ["(True, True)", "(False, False) 0", "(True, True) 0"]


def test_explain_tells_the_class_from_the_instance():
    lines = program("""
        import gijit; gijit.install()
        from gi.repository import Gio, GObject
        print(gijit.explain(Gio.MemoryInputStream.do_skip, "plan"), end="")
        print(gijit.explain(Gio.MemoryInputStream.do_skip, "signature"), end="")
        print("via" in gijit.explain(GObject.ObjectClass.override_property, "plan"))
        assert gijit.explain(Gio.MemoryInputStream.do_skip, "asm")
    """)
    assert lines[0] == "plan Gio.InputStream.do_skip = skip"
    assert lines[2:4] == ["  param (class)", "  param (self)"]
    assert any(line.startswith("  call via c0 ptr c1, ") for line in lines)
    start = lines.index("virtual function Gio.InputStream.do_skip, calls the field skip, throws")
    assert lines[start + 1 : start + 4] == [
        "  self: object Gio.InputStream",
        "  in count: guint64",
        "  in cancellable: object Gio.Cancellable, nullable",
    ]
    assert lines[-1] == "False"


def test_what_overrides_hold_is_replaced_by_a_late_install():
    assert program("""
        import sys, types, gi
        gi.require_version("Gtk", "3.0")
        from gi.repository import Gtk, Gdk, GObject
        import gijit
        from gijit import _embed

        def stock(value):
            if type(value) in (staticmethod, classmethod):
                value = value.__func__
            if isinstance(value, types.FunctionType):
                cells = value.__closure__ or ()
                return any(stock(cell.cell_contents) for cell in cells)
            return type(value) in (gi._gi.FunctionInfo, gi._gi.VFuncInfo)

        def count():
            holders = [vars(cls) for cls in _embed._classes()]
            holders += [vars(module) for name, module in list(sys.modules.items())
                        if name.startswith("gi.overrides.")]
            return sum(stock(value) for holder in holders for value in list(holder.values()))

        # A fundamental type, which in PyGObject 3.42 derives from object.
        pspec = GObject.ParamSpec
        before = count()
        gijit.install()
        assert not stock(vars(pspec).get("get_blurb"))
        bound = Gdk.EventTouch.__dict__["new"]
        print(before > 1000, count(), gijit.tier(bound), bound(Gdk.EventType.KEY_PRESS).type)
        gijit.uninstall()
        print(count() == before, gijit.tier(Gdk.EventTouch.__dict__["new"]))
    """) == [
        "True 0 0 <enum GDK_KEY_PRESS of type Gdk.EventType>",
        "True -1",
    ]


@pytest.mark.parametrize("tier", [0, 1, 2])
def test_promoting_keeps_the_deprecation_warning(tier):
    assert program(f"""
        import warnings, gijit
        gijit.install()
        from gi.repository import GLib
        for tier in range({tier} + 1):
            gijit.promote(GLib.basename, tier)
        print(gijit.tier(GLib.basename))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            print([GLib.basename("/a/b") for _ in range(3)])
        print([str(warning.message) for warning in caught], gijit.tier(GLib.basename))
    """) == [str(tier), "['b', 'b', 'b']", f"['GLib.basename is deprecated'] {tier}"]
