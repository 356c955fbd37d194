"""Values to call a callable with, right and wrong, by the type that its typelib states.

A pool is a list of pairs (label, value); the label is the value as a case's id shows it. A value is
`fresh` where every call needs its own. The first value of a pool is the one that other arguments
have while one is varied, so it is right, and small.
"""

from functools import cache

from gi.repository import Gio, GLib, GObject

from . import hooks
from .cases import fresh, resolve

BITS = {
    "gint8": -8, "gint16": -16, "gint32": -32, "gint64": -64,
    "guint8": 8, "guint16": 16, "guint32": 32, "guint64": 64,
}  # fmt: skip
# How many values of the item's pool go into containers one by one.
ITEMS = 8


def named(*values):
    """Values that are their own labels."""
    return [(ascii(value), value) for value in values]


def made(label, factory, *args, **kwargs):
    return (label, fresh(factory, *args, **kwargs))


def integers(bits):
    low, high = (-(1 << -bits - 1), (1 << -bits - 1) - 1) if bits < 0 else (0, (1 << bits) - 1)
    right = [42, 0, 1, low, high, *([-1] if bits < 0 else [])]
    wrong = [low - 1, high + 1, 1 << 70, 1.5, float("inf"), "1", b"1", None, True, [], 1 + 0j]
    odd = [("Index(5)", hooks.Index(5)), ("Index(2**70)", hooks.Index(1 << 70))]
    odd += [("IntSub(7)", hooks.IntSub(7)), ("Raising()", hooks.Raising())]
    return named(*right, *wrong) + odd


def floats(single):
    right = [0.5, 0.0, -0.0, 7, -1.5, float("nan"), float("-inf"), True]
    right += [3.4028234663852886e38, 1e-45] if single else [1.7976931348623157e308, 5e-324]
    wrong = [1e300, 1 << 2000, "0.5", None, [], 1j]
    odd = [("Float()", hooks.Float()), ("FloatSub(2.5)", hooks.FloatSub(2.5))]
    return named(*right, *wrong) + odd


def strings(filename):
    right = ["const \u2665 utf8", "", "a", "\U0001f600 \u00e9\u00fc", "x" * 300, None]
    wrong = [b"bytes", b"\xff", "nul\0inside", "\ud800", 5, 1.5, [], ["a"]]
    odd = [("StrSub('s')", hooks.StrSub("s"))]
    if filename:
        odd += [("Path()", hooks.Path()), ("BytesSub(b'/tmp')", hooks.BytesSub(b"/tmp"))]
    return named(*right, *wrong) + odd


BOOLEANS = [
    *named(True, False, None, 0, 2, "", "x", [], 0.0),
    ("Truth()", hooks.Truth()),
    ("Raising()", hooks.Raising()),
]
CHARACTERS = named("a", "\u2665", "\U0001f600", "", "ab", 97, None, b"a", "\ud800")
TYPES = [
    ("TYPE_INT", GObject.TYPE_INT), ("GObject", GObject.Object), ("int", int), ("str", str),
    ("TYPE_INVALID", GObject.TYPE_INVALID), *named(None, 5, "gint", "no such type"),
    ("object()", object()),
]  # fmt: skip
# Other addresses would be followed by somebody.
POINTERS = [*named(None, 0, "x", 1.5, b"b", []), ("object()", object())]
VALUES = [
    made("Value(int, 42)", GObject.Value, GObject.TYPE_INT, 42),
    made("Value(str, 'a')", GObject.Value, GObject.TYPE_STRING, "a"),
    made("Value()", GObject.Value),
    *named(42, -1, 1 << 31, 1 << 63, 1 << 70, 1.5, "text", None, True, ["a", "b"], [], b"b"),
    made("Object()", GObject.Object),
    made("Variant('i', 1)", GLib.Variant, "i", 1),
    ("Object", GObject.Object),
    ("object()", object()),
]
VARIANTS = [
    made("Variant('i', 42)", GLib.Variant, "i", 42),
    made("Variant('s', 'a')", GLib.Variant, "s", "a"),
    made("Variant('a{sv}', {})", GLib.Variant, "a{sv}", {}),
    *named(None, 42, "a", {}),
]
ERRORS = [
    made("Error('a', 'quark', 1)", GLib.Error, "a", "g-file-error-quark", 1),
    *named(None, "a", 1),
]
PARAMS = [
    ("the property of Cancellable", Gio.SocketClient.find_property("timeout")),
    *named(None, "timeout", 5),
]
WRONG_INSTANCES = [
    *named(None, 5, "x", 1.5, []),
    made("Object()", GObject.Object),
    made("FileInfo()", Gio.FileInfo),
    made("Value()", GObject.Value),
]


def nothing(*_args):
    """A callback without a result."""


def seven(*_args):
    return 7


def raising(*_args):
    raise LookupError("from a callback")


CALLBACKS = [
    ("seven", seven), ("nothing", nothing), ("lambda", lambda: 7), ("int", int),
    ("bound method", [].append), *named(None, 5, "x"),
]  # fmt: skip


def interface(info):
    """Values of a class, structure, enum or callback."""
    kind, name = type(info).__name__, f"{info.get_namespace()}.{info.get_name()}"
    if kind == "CallbackInfo":
        return CALLBACKS
    special = {
        "GObject.Value": VALUES,
        "GLib.Variant": VARIANTS,
        "GObject.ParamSpec": PARAMS,
        "GObject.Closure": CALLBACKS,
        "GLib.Bytes": [made("Bytes(b'abc')", GLib.Bytes, b"abc"), *named(None, b"abc", "abc", 5)],
    }
    if name in special:
        return special[name]
    if kind == "EnumInfo":
        return enumeration(name, info)
    return instances(name)


def enumeration(name, info):
    members = [value.get_name() for value in info.get_values()][:2]
    try:
        right = [(f"{name}.{member}", getattr(resolve(name), member.upper())) for member in members]
    except ValueError:
        # PyGObject cannot make the class of an enum with members that are no gint.
        right = []
    other = ("FileType.REGULAR", Gio.FileType.REGULAR)
    flags = ("ApplicationFlags.IS_SERVICE", Gio.ApplicationFlags.IS_SERVICE)
    return [*right, *named(0, 1, 3, 1 << 20, 1 << 31, -1, 1 << 40, 1.0, None, "a"), other, flags]


# How to make what has no constructor without arguments.
MAKERS = {
    "GIMarshallingTests.Object": lambda: resolve("GIMarshallingTests.Object")(int=42),
    "GIMarshallingTests.Interface": lambda: resolve("GIMarshallingTests.InterfaceImpl")(),
    "Regress.TestObj": lambda: resolve("Regress.TestObj").constructor(),
    "Regress.TestInterface": lambda: resolve("Regress.FooObject")(),
    "Regress.FooBuffer": lambda: resolve("Regress.FooBuffer")(),
    "GObject.ParamSpec": lambda: resolve("Gio.SimpleAction").find_property("name"),
    "Regress.TestFundamentalObject": lambda: resolve("Regress.TestFundamentalSubObject").new("a"),
    "Regress.TestFundamentalSubObject": lambda: resolve("Regress.TestFundamentalSubObject").new(
        "a"
    ),
}


def maker(name):
    """A function that makes an instance of the type called `name`."""
    return MAKERS.get(name) or resolve(name)


@cache
def instances(name):
    return [made(f"{name}()", maker(name)), *WRONG_INSTANCES]


def element(type_info):
    return pool(type_info)[:ITEMS]


def sequences(type_info, fixed):
    """Lists of right items, of different lengths, and with one wrong item."""
    items = pool(type_info.get_param_type(0))
    right = [item for item in items[:4] if item[1] is not None]
    lists = [_list(right[:count] * repeat) for count, repeat in [(1, 4), (4, 1), (0, 1), (1, 1)]]
    lists += [_list([right[0]] * fixed)] if fixed > 0 else []
    lists += [_list([right[0], item, right[0]]) for item in items[ITEMS // 2 :][:ITEMS]]
    lists += [_list(right[:2], tuple), _list(right[:2], hooks.ListSub)]
    wrong = [*named(None, 5, "text", b"bytes", {}, [[]]), ("object()", object())]
    wrong += [("bytearray(b'ab')", bytearray(b"ab")), ("memoryview", memoryview(b"abcd"))]
    wrong += [("Sequence(1)", hooks.Sequence(1)), ("Sequence('a')", hooks.Sequence("a"))]
    return [*lists, *wrong]


def _list(items, kind=list):
    label = f"{kind.__name__}({', '.join(label for label, _ in items)})"

    def make():
        return kind(_made(value) for _, value in items)

    return made(label, make)


def tables(type_info):
    keys, values = (pool(type_info.get_param_type(index)) for index in (0, 1))

    def table(label, *pairs):
        return made(label, lambda: {_made(key): _made(value) for key, value in pairs})

    right = [(key[1], values[0][1]) for key in keys[:3] if key[1] is not None]
    found = [table("3 entries", *right), table("no entry"), table("1 entry", *right[:1])]
    for label, value in values[:ITEMS]:
        found.append(table(f"value {label}", (keys[0][1], value)))
    for label, key in keys[4:][:ITEMS]:
        if getattr(type(key), "__hash__", None):
            found.append(table(f"key {label}", (key, values[0][1])))
    return [*found, *named(None, 5, "text", [], ["a"], [("a", "b")])]


def _made(value):
    return value.make() if isinstance(value, fresh) else value


def pool(type_info):
    """The pool of one type."""
    tag = type_info.get_tag_as_string()
    if tag in BITS:
        return integers(BITS[tag])
    if tag in ("gfloat", "gdouble"):
        return floats(tag == "gfloat")
    if tag in ("utf8", "filename"):
        return strings(tag == "filename")
    if tag == "interface":
        return interface(type_info.get_interface())
    if tag == "array":
        # PyGObject 3.52 and later abort when an array of no fixed size is asked.
        newer = hasattr(type_info, "get_array_length_index")
        return sequences(type_info, 0 if newer else type_info.get_array_fixed_size())
    if tag in ("glist", "gslist"):
        return sequences(type_info, 0)
    simple = {
        "gboolean": BOOLEANS, "gunichar": CHARACTERS, "GType": TYPES, "void": POINTERS,
        "error": ERRORS,
    }  # fmt: skip
    return tables(type_info) if tag == "ghash" else simple[tag]
