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


def find_callable(name):
    """The stock info of ``Namespace.function``, ``Namespace.Type.method`` or, for a virtual
    function, ``Namespace.Type.do_name``; the namespace may have a version, as in
    ``Gtk-3.0.Label.new``."""
    from gi._gi import CallableInfo, Repository

    match = re.fullmatch(r"(\w+(?:-[\d.]*\d)?)\.([A-Za-z_][\w.]*)", name)
    if match is None:
        raise UnknownName("callable", name, "; a name is like Gtk.Label.set_text", ())
    namespace = load_namespace(match[1])
    kind, parts = "name", match[2].split(".")
    known = {info.get_name(): info for info in Repository.get_default().get_infos(namespace)}
    where = namespace
    while True:
        part = parts.pop(0)
        info = known.get(part)
        if info is None:
            raise UnknownName(kind, part, f" in {where}", known)
        if not parts:
            break
        where = f"{where}.{part}"
        if not hasattr(info, "get_methods"):
            raise UnknownName("method", parts[0], f": {where} is no type", ())
        kind, known = "method", _members(info)
    if not isinstance(info, CallableInfo):
        methods = sorted(_members(info))
        hint = f"; its methods are {', '.join(methods[:8])} ..." if methods else ""
        raise UnknownName("callable", part, f" in {where}: it is {type(info).__name__}{hint}", ())
    return info
