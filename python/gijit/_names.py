"""Finding callables by name in the typelibs, for the command line."""

import difflib
import re
from importlib import import_module


class UnknownName(LookupError):
    """A name that no typelib has; the message names what comes near."""

    def __init__(self, kind, name, where, known):
        message = f"there is no {kind} {name!r}{where}"
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
        if near:
            message += f"; did you mean {' or '.join(near)}?"
        super().__init__(message)


def load_namespace(text):
    """Import ``NAMESPACE`` or ``NAMESPACE-VERSION`` and give back the bare name."""
    import gi
    from gi._gi import Repository

    namespace, _, version = text.partition("-")
    repository = Repository.get_default()
    versions = repository.enumerate_versions(namespace)
    if not versions:
        raise UnknownName("namespace", namespace, "", installed_namespaces())
    if version and version not in versions:
        raise UnknownName("version", version, f" of {namespace}", versions)
    gi.require_version(namespace, version or max(versions, key=_version_key))
    import_module(f"gi.repository.{namespace}")
    return namespace


def _version_key(version):
    return [int(part) if part.isdigit() else -1 for part in version.split(".")]


def installed_namespaces():
    """The namespaces of all typelibs that can be found."""
    import glob
    import os

    from gi._gi import Repository

    # The repository does not say where it searches: the folder of GLib's typelib, and the variable.
    repository = Repository.get_default()
    repository.require("GLib")
    folders = [os.path.dirname(repository.get_typelib_path("GLib"))]
    folders += filter(None, os.environ.get("GI_TYPELIB_PATH", "").split(os.pathsep))
    found = (glob.glob(os.path.join(folder, "*.typelib")) for folder in folders)
    return sorted({os.path.basename(path).partition("-")[0] for paths in found for path in paths})


def callables(namespace):
    """Every function, method, constructor and virtual function of a loaded namespace, as stock
    infos."""
    from gi._gi import FunctionInfo, Repository

    for info in Repository.get_default().get_infos(namespace):
        if isinstance(info, FunctionInfo):
            yield info
        else:
            yield from _members(info).values()


def _members(info):
    """The callables of a type by the names that they have as attributes, empty for anything else.

    A method called like a virtual function hides it, as it does in Python.
    """
    methods = getattr(info, "get_methods", tuple)()
    vfuncs = getattr(info, "get_vfuncs", tuple)()
    members = {f"do_{vfunc.get_name()}": vfunc for vfunc in vfuncs}
    members.update((method.get_name(), method) for method in methods)
    return members


def _inherited(info):
    """As ``_members``, with those of the types that ``info`` inherits from."""
    members = {}
    for other in getattr(info, "get_interfaces", tuple)():
        members.update(_inherited(other))
    parent = getattr(info, "get_parent", lambda: None)()
    if parent is not None:
        members.update(_inherited(parent))
    members.update(_members(info))
    return members


class NotOfLibrary(LookupError):
    """A name that is there in Python, but not in the library; the message says what it is."""


KINDS = {
    "ObjectInfo": "a class",
    "InterfaceInfo": "an interface",
    "StructInfo": "a struct",
    "UnionInfo": "a union",
    "EnumInfo": "an enumeration",
    "CallbackInfo": "a type of callbacks",
    "ConstantInfo": "a constant",
}
"""What the kinds of infos that are no callables are called."""


def find_callable(name):
    """The stock info of ``Namespace.function``, ``Namespace.Type.method`` or, for a virtual
    function, ``Namespace.Type.do_name``; the method may be an inherited one. The namespace may have
    a version, as in ``Gtk-3.0.Label.new``.

    :raises UnknownName: when there is no such name.
    :raises NotOfLibrary: when only Python knows it.
    """
    from gi._gi import CallableInfo, Repository

    namespace, path = split(name)
    known = {info.get_name(): info for info in Repository.get_default().get_infos(namespace)}
    kind, where, info = "name", namespace, None
    for index, part in enumerate(path):
        if index and not hasattr(info, "get_methods"):
            raise UnknownName("method", part, f": {where} is no type", ())
        if index:
            kind, known = "method", _inherited(info)
        info = known.get(part)
        if info is None:
            if (value := in_python(namespace, path)) is not None:
                raise NotOfLibrary(_what_python_has(value))
            raise UnknownName(kind, part, f" in {where}", known)
        where = f"{where}.{part}"
    if not isinstance(info, CallableInfo):
        what = KINDS.get(type(info).__name__, type(info).__name__)
        methods = sorted(_members(info))
        hint = f"; its methods are {', '.join(methods[:8])} ..." if methods else ""
        raise UnknownName("callable", path[-1], f": it is {what}{hint}", ())
    return info


def split(name):
    """The namespace, which is loaded, and the names behind it."""
    match = re.fullmatch(r"(\w+(?:-[\d.]*\d)?)\.([A-Za-z_][\w.]*)", name)
    if match is None:
        raise UnknownName("callable", name, "; a name is like Gtk.Label.set_text", ())
    return load_namespace(match[1]), match[2].split(".")


def loaded_version(name):
    """The namespace of ``name`` with the version that is loaded, as in "Gtk 4.0"."""
    from gi._gi import Repository

    namespace, _ = split(name)
    return f"{namespace} {Repository.get_default().get_version(namespace)}"


def in_python(namespace, path):
    """What a program gets for a name of a loaded namespace, or None."""
    value = import_module(f"gi.repository.{namespace}")
    try:
        for part in path:
            value = getattr(value, part)
    except (AttributeError, NotImplementedError):
        return None
    return value


def overridden(namespace, path):
    """``(file, line)`` of the Python function that an override has put in the place of the
    library's callable, or None."""
    value = in_python(namespace, path)
    value = getattr(value, "__func__", value)
    code = getattr(value, "__code__", None)
    if code is None or hasattr(value, "__wrapped__"):
        return None
    return code.co_filename, code.co_firstlineno


def _what_python_has(value):
    code = getattr(getattr(value, "__func__", value), "__code__", None)
    place = f"Python code, {code.co_filename} line {code.co_firstlineno}" if code else "C code"
    if callable(value):
        return f"no function of the library but PyGObject's own ({place}): gijit leaves it as it is"
    return f"no callable but {type(value).__name__}"
