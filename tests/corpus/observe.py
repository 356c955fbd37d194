"""Turns what a call did into plain data (lists, strings, numbers), to be compared."""

import re
import sys

from gi.repository import GLib, GObject

# Field values of structures are compared in these namespaces; elsewhere a structure may hold
# pointers or memory that nobody initialised.
STRUCT_NAMESPACES = ("gi.repository.GIMarshallingTests", "gi.repository.Regress")

# Objects of these types are shared by the whole process, so their reference counts say nothing.
SHARED = (type(None), bool, int, type, type(Ellipsis))

_VARYING = [
    (re.compile(r"0x[0-9a-f]+"), "0x…"),
    (re.compile(r"\((process|[\w.-]+):\d+\)"), r"(\1:…)"),
    (re.compile(r"\d\d:\d\d:\d\d\.\d+"), "…"),
]


def text(message):
    """Text without what differs from process to process: addresses, process ids, the time."""
    for pattern, replacement in _VARYING:
        message = pattern.sub(replacement, message)
    return message


def type_name(value):
    kind = type(value)
    # Classes that PyGObject makes for types unknown to any typelib have no module.
    return f"{getattr(kind, '__module__', None)}.{kind.__qualname__}"


def value(thing, args=(), depth=0):
    """Describes a result: its type and all of its value that can be compared."""
    for index, arg in enumerate(args):
        if arg is thing and not isinstance(thing, (*SHARED, str, bytes, float)):
            return ["argument", index]
    name = type_name(thing)
    if depth > 6:
        return [name, "…"]
    inner = depth + 1
    if isinstance(thing, GObject.GEnum | GObject.GFlags):
        return [name, int(thing), text(repr(thing))]
    if isinstance(thing, list | tuple):
        fields = sorted(set(dir(thing)) - set(dir(type(thing).__mro__[-2])))
        fields = [field for field in fields if not field.startswith("_")]
        return [name, [value(item, args, inner) for item in thing], fields]
    if isinstance(thing, dict):
        items = [[value(k, args, inner), value(v, args, inner)] for k, v in thing.items()]
        return [name, sorted(items, key=repr)]
    if isinstance(thing, GLib.Error):
        return [name, thing.domain, thing.code, thing.message]
    if isinstance(thing, GObject.Object):
        return [name, thing.__gtype__.name, thing.__grefcount__, thing.is_floating()]
    if isinstance(thing, GLib.Variant):
        return [name, thing.print_(True)]
    if isinstance(thing, GObject.GType):
        return [name, thing.name]
    if isinstance(thing, GObject.ParamSpec):
        return [name, thing.name, thing.value_type.name]
    if name.startswith(STRUCT_NAMESPACES) and hasattr(type(thing), "__info__"):
        return [name, _fields(thing, args, inner)]
    if isinstance(thing, str | bytes | bytearray | int | float | complex | type(None)):
        return [name, ascii(thing)]
    return [name]


def _fields(thing, args, depth):
    if not hasattr(thing.__info__, "get_fields"):
        return []
    found = []
    for field in thing.__info__.get_fields():
        # A pointer inside of a structure is an address or None; not comparable across processes.
        if field.get_name() in ("parent", "parent_instance", "pointer", "arr"):
            continue
        try:
            found.append([field.get_name(), value(getattr(thing, field.get_name()), args, depth)])
        except Exception as error:
            found.append([field.get_name(), exception(error)])
    return found


def exception(error):
    """Describes an exception: type, text, the numbers of a GLib.Error, and its context's type."""
    described = [type_name(error), text(ascii(str(error)))]
    if isinstance(error, GLib.Error):
        described += [error.domain, error.code]
    if error.__context__ is not None:
        described.append(["while handling", type_name(error.__context__)])
    if error.__cause__ is not None:
        described.append(["because of", type_name(error.__cause__)])
    return described


def counts(args):
    """The reference counts of each argument: Python's, and the GObject's where there is one.

    Shared objects (None, small integers, types, the empty tuple) count as 0: the interpreter itself
    uses them.
    """
    found = []
    for arg in args:
        shared = isinstance(arg, SHARED) or (isinstance(arg, str | bytes) and len(arg) < 2)
        shared = shared or (type(arg) is tuple and not arg)
        python = 0 if shared else sys.getrefcount(arg)
        native = reference_count(arg) if isinstance(arg, GObject.Object) else 0
        found.append((python, native))
    return found


def reference_count(wrapper):
    """The GObject's own reference count; 0 for a wrapper that has no object."""
    try:
        return wrapper.__grefcount__
    except TypeError:
        return 0


def change(before, after):
    return [[b - a, d - c] for (a, c), (b, d) in zip(before, after, strict=True)]


def mutable(args):
    """The arguments that a call could have changed, as they are now."""
    return [value(arg) for arg in args if isinstance(arg, list | dict | bytearray)]
