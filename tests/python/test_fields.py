"""Attributes of structs and unions: the same values and errors as on stock, and read by gijit.

One program gets and sets every field of every struct of a namespace, again and again, and prints
what it gets. It must print the same on stock and with gijit, installed before or after the classes
are made."""

import subprocess
import sys

import pytest
from test_embed import program, same_as_stock

import build

pytest.importorskip("gi")

NAMESPACES = [
    ("GLib", "2.0"), ("GObject", "2.0"), ("Gio", "2.0"), ("Gdk", "3.0"),
    ("Gdk", "4.0"), ("Gtk", "3.0"), ("Gtk", "4.0"), ("Gst", "1.0"), ("Regress", "1.0"),
    ("GIMarshallingTests", "1.0"),
]  # fmt: skip
INSTALL = {
    "stock": ("", ""),
    "before": ("gijit.install()", ""),
    "after": ("", "gijit.install()"),
    "uninstalled": ("gijit.install()", "gijit.uninstall()"),
}
"""What is done before the classes are made, and when some have been used."""

EVERY = r"""
import importlib, os, re, sys, warnings
import gi, gijit
name, version, before, after = sys.argv[1:]
warnings.simplefilter("ignore")
exec(before)
VALUES = (0, 1, -1, 127, 128, 255, 256, 65536, 2**31, 2**32, 2**63, 2**64, 1.5, 1e300, True, "a",
          "text", "", None, b"x", object, int, ())

def seen(value):
    return re.sub(r"0x[0-9a-f]+", "", repr(value))

def attempt(function, *arguments):
    try:
        return seen(function(*arguments))
    except Exception as error:
        return f"{type(error).__name__}: " + re.sub("0x[0-9a-f]+", "", str(error))

def placed(field):
    # Some typelibs have this number for a place that is not known; stock reads and writes there.
    return field.fget.__self__.get_offset() != 0xFFFF

def structs():
    for name in sorted(dir(namespace)):
        try:
            cls = getattr(namespace, name)
        except Exception:
            continue
        if isinstance(cls, type) and issubclass(cls, (gi._gi.Boxed, gi._gi.Struct)):
            base = gi._gi.Boxed if issubclass(cls, gi._gi.Boxed) else gi._gi.Struct
            try:
                # Zeros, whatever the class's own constructor does.
                yield cls, base.__new__(cls)
            except TypeError:
                pass

gi.require_version(name, version)
namespace = importlib.import_module("gi.repository." + name)
made = list(structs())
for repeat in range(2):
    count = 0
    for cls, value in made:
        fields = [
            (name, field)
            for base in cls.__mro__
            for name, field in vars(base).items()
            if isinstance(field, property) and hasattr(field.fget, "__self__") and placed(field)
        ]
        for name, field in fields:
            count += 1
            read = [attempt(getattr, value, name) for _ in range(3)]
            print(cls.__name__, name, *read, field.__doc__, seen(field))
            print(attempt(getattr, cls, name), attempt(delattr, value, name))
            if read[0] in ("0", "0.0", "False", "''"):
                for given in VALUES:
                    for _ in range(2):
                        set_ = attempt(setattr, value, name, given)
                        print(seen(given), set_, attempt(getattr, value, name))
                print(attempt(setattr, value, name, "" if read[0] == "''" else 0))
            # Instances of other classes, and none.
            for other in (None, 5, made[0][1], made[-1][1], cls):
                if not isinstance(other, cls):
                    print(attempt(field.__get__, other, cls), attempt(field.__set__, other, "x"))
    exec(after)
print(count)
sys.stdout.flush()
# Not by way of the structs' own functions, which want more than zeros.
os._exit(0)
"""


@pytest.mark.parametrize(("name", "version"), NAMESPACES)
def test_every_field_is_as_on_stock(name, version):
    env = {**build.prepare().environment(), "GIJIT": "0"}

    def output(how):
        command = [sys.executable, "-c", EVERY, name, version, *INSTALL[how]]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{how}: {done.stderr}"
        return done.stdout.splitlines()

    stock = output("stock")
    assert int(stock[-1]) > 10
    for how in ("before", "after", "uninstalled"):
        for line, (wanted, found) in enumerate(zip(stock, output(how), strict=True)):
            assert found == wanted, f"{how}, line {line}"


def test_fields_are_read_natively():
    assert program(
        """
    from gi.repository import GLib, GObject
    from gijit._gijit import field_state
    def states(cls, value, names):
        fields = [vars(next(base for base in cls.__mro__ if name in vars(base)))[name]
                  for name in names]
        found = [field_state(field) for field in fields]
        for name in names:
            getattr(value, name)
        return found + [field_state(field) for field in fields]
    print(states(GLib.TimeVal, GLib.TimeVal(), ["tv_sec", "tv_usec"]))
    print(states(GLib.OptionEntry, GLib.OptionEntry(), ["long_name", "short_name", "flags", "arg"]))
    print(states(GObject.Value, GObject.Value(int, 5), ["g_type"]))
    # An array, and the field of an object.
    print(states(GObject.SignalQuery, GObject.SignalQuery(), ["param_types"]))
    class Item(GObject.Object):
        pass
    print(states(GObject.Object, Item(), ["ref_count"]))
    """,
        GIJIT="1",
    ) == [
        "['unknown', 'unknown', 'native', 'native']",
        "['unknown', 'unknown', 'unknown', 'unknown', 'native', 'native', 'native', 'native']",
        "['unknown', 'native']",
        "['unknown', 'stock']",
        "['unknown', 'stock']",
    ]


def test_a_field_is_a_property_to_python():
    same_as_stock(
        """
    import inspect, pydoc, re
    from gi.repository import GLib
    field = vars(GLib.TimeVal)["tv_sec"]
    print(isinstance(field, property), type(field).__name__, type(field).__module__)
    print(inspect.isdatadescriptor(field), inspect.getattr_static(GLib.TimeVal, "tv_sec") is field)
    print(field.fget.__name__, field.fset.__name__, field.fdel, field.__doc__)
    print(GLib.TimeVal.tv_sec is field, repr(field)[:21])
    print(re.sub("0x[0-9a-f]+", "", pydoc.plain(pydoc.render_doc(GLib.TimeVal))))

    # In other classes, and with other functions.
    class Own:
        tv_sec = field
    try:
        Own().tv_sec
    except TypeError as error:
        print(error)
    value = GLib.TimeVal()
    value.tv_sec = 5
    class Derived(GLib.TimeVal):
        tv_usec = field.getter(lambda self: self.tv_sec * 2)
        doubled = property(lambda self: self.tv_sec * 2, doc="Twice.")
    derived = Derived()
    derived.tv_sec = 7
    print(value.tv_sec, derived.tv_sec, derived.tv_usec, derived.doubled, Derived.doubled.__doc__)
    try:
        derived.tv_usec = 1
        print(derived.tv_sec)
    except AttributeError as error:
        print(error)
    GLib.TimeVal.tv_sec = property(lambda self: "patched")
    print(value.tv_sec, derived.tv_sec)
    GLib.TimeVal.tv_sec = field
    print(value.tv_sec, derived.tv_sec)
    """
    )


def test_what_a_field_shows_lives_as_on_stock():
    """Structs in structs, strings and objects."""
    same_as_stock(
        """
    import gc
    import gi
    gi.require_version("Gdk", "3.0")
    from gi.repository import Gdk, GLib
    event = Gdk.Event.new(Gdk.EventType.BUTTON_PRESS)
    button = event.button
    for number in range(3):
        button.x = number
        event.button.y = number * 2
        print(event.button.x, event.button.y, button.x, event.x, button.type, button.state)
        print(event.button.window, event.any.type, type(event.button).__name__)
    rgba = Gdk.RGBA(0.25, 0.5, 0.75, 1)
    copy = rgba.copy()
    rgba.red = 1
    print(rgba.red, copy.red, [getattr(rgba, name) for name in ("green", "blue", "alpha")])
    try:
        1 / 0
    except ZeroDivisionError:
        try:
            GLib.filename_from_uri("x")
        except GLib.Error as error:
            print(error.domain, error.code, error.message)
    del event
    gc.collect()
    """
    )
