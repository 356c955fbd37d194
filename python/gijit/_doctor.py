"""``python -m gijit doctor``: what was found, what works here, and what does not and why."""

import glob
import itertools
import os
import re
import site
import sys
import sysconfig


def main():
    """Print the report; 0 when gijit can be installed here, else 1."""
    works = True
    for what, ok, detail in itertools.chain(_examine(), _environment()):
        mark = {True: "ok", False: "NO", None: "--"}[ok]
        print(f"{mark:3} {what:22} {detail}")
        works = works and not (ok is False and what in ("PyGObject", "install"))
    return 0 if works else 1


def _examine():
    yield (
        "Python",
        sys.implementation.name == "cpython",
        (f"{sys.implementation.name} {sys.version.split()[0]}, {sys.executable}"),
    )
    from . import _embed

    yield "gijit", None, os.path.dirname(os.path.abspath(__file__))
    try:
        import gi
    except ImportError as error:
        yield "PyGObject", False, str(error)
        return
    reason = _embed.unsupported(gi)
    yield "PyGObject", not reason, reason or f"{gi.__version__}, {os.path.dirname(gi.__file__)}"
    yield from _libraries()
    if not reason:
        yield from _native(_embed)
        yield from _start_up()


def _libraries():
    """The C libraries that PyGObject has brought along, from the process's own memory map."""
    wanted = re.compile(r"/lib(glib-2\.0|gobject-2\.0|girepository-[12]\.0)\.so[^/]*$")
    try:
        with open("/proc/self/maps") as maps:
            paths = {line.split(maxsplit=5)[-1].strip() for line in maps if "/" in line}
    except OSError as error:
        yield "libraries", None, f"not known: {error}"
        return
    for path in sorted(filter(wanted.search, paths)):
        yield wanted.search(path)[1], None, path
    try:
        from gi.repository import GLib
    except ImportError as error:
        yield "GLib", False, str(error)
        return
    yield "GLib", True, f"{GLib.MAJOR_VERSION}.{GLib.MINOR_VERSION}.{GLib.MICRO_VERSION}"


def _native(embed):
    from . import InstallError

    try:
        native = embed.load()
        embed.install()
    except InstallError as error:
        yield "install", False, str(error)
        return
    yield "install", True, "PyGObject's callables can be replaced"
    yield from native.examine(embed.plugin_path())
    yield from _calls(native)


def _calls(native):
    """One call of each kind of callable at each tier, with the results that they must have."""
    from gi.repository import Gio, GLib

    from . import CompileError

    file = Gio.File.new_for_path("/a")
    stream = Gio.MemoryInputStream()
    calls = (
        ("function", GLib.ascii_strdown, ("A", 1), lambda result: result == "a"),
        ("method", Gio.File.get_path, (file,), lambda result: result == "/a"),
        ("constructor", Gio.Cancellable.new, (), lambda result: not result.is_cancelled()),
        ("virtual function", Gio.MemoryInputStream.do_skip, (stream, 1, None), lambda n: n == 0),
    )
    for tier in range(3):
        wrong = []
        for kind, callable, arguments, is_right in calls:
            try:
                native.promote(callable, tier)
                if not is_right(callable(*arguments)):
                    wrong.append(f"{kind}: wrong result")
            except CompileError as error:
                wrong.append(f"{kind}: {error}")
        right = "one call of each kind: " + ", ".join(kind for kind, *_ in calls)
        yield f"calls at tier {tier}", not wrong, "; ".join(dict.fromkeys(wrong)) or right


def _start_up():
    folders = {sysconfig.get_path("purelib"), *site.getsitepackages(), site.getusersitepackages()}
    found = [path for folder in folders for path in glob.glob(os.path.join(folder, "gijit.pth"))]
    yield (
        "GIJIT=1 at start-up",
        bool(found),
        (found[0] if found else "no gijit.pth in site-packages: call gijit.install() instead"),
    )


def _environment():
    """Every variable of the table with its value, and what is wrong with what is set."""
    try:
        from . import _gijit
    except ImportError as error:
        yield "environment", False, str(error)
        return
    set_here = {
        name: os.environ[name]
        for name in sorted(os.environ)
        if name == "GIJIT" or name.startswith("GIJIT_")
    }
    table, wrong = _gijit.environment(list(set_here.items()))
    for line in wrong:
        yield "environment", False, line
    for name, default, allowed, doc in table:
        value = set_here.get(name, "")
        state = f"={value}" if value else f" is not set, as {default}" if default else " is not set"
        yield "environment", None, f"{name}{state}: {doc} Allowed: {allowed}."
