"""``python -m gijit doctor``: what was found and works, what does not and why, and what to do."""

import os
import re
import site
import sys
import sysconfig
import textwrap

MARKS = {True: "ok", False: "NO", None: "--"}
NEEDED = ("Python", "PyGObject", "native side", "install")
"""Without one of these nothing works."""

_REPORT = "please report this, with all that is shown here"
ADVICE = {
    "Python": "use CPython; programs run on PyGObject alone meanwhile",
    "PyGObject": "install PyGObject 3.42 to 3.58 for this Python (Debian: python3-gi); with "
    "another one programs run without gijit",
    "native side": "install gijit anew, for this Python",
    "GLib": "install the typelib of GLib (Debian: gir1.2-glib-2.0)",
    "install": _REPORT,
    "executable memory": "allow this process executable memory (a sandbox, SELinux or systemd's "
    "MemoryDenyWriteExecute may forbid it); calls stay at tier 0 meanwhile",
    "tier 1 (Cranelift)": "see executable memory; else " + _REPORT,
    "tier 2 (LLVM)": "install libgijit_llvm.so of the same gijit; tier 1 is the highest meanwhile",
    **dict.fromkeys(
        ("calls at tier 0", "calls at tier 1", "calls at tier 2"),
        "look at the lines before, and at what GIJIT_ variables are set; else " + _REPORT,
    ),
    "GIJIT=1 at start-up": "install the wheel with pip, or let programs call gijit.install()",
}
"""What to do about a line that says NO."""


def main():
    """Print the report; 0 when gijit can be installed here, else 1."""
    failed = set()
    print("What was found and works here\n")
    for what, ok, detail in _examine():
        print(f"{MARKS[ok]:3} {what:26} {detail}")
        if ok is False:
            failed.add(what)
            print(f"    -> {ADVICE.get(what, _REPORT)}")
    print("\nEnvironment variables\n")
    for ok, line, *details in _environment():
        print(f"{MARKS[ok]:3} {line}")
        for detail in details:
            print(textwrap.fill(detail, 100, initial_indent=" " * 8, subsequent_indent=" " * 8))
    print(f"\n{_verdict(failed)}")
    return 1 if failed.intersection(NEEDED) else 0


def _verdict(failed):
    if failed.intersection(NEEDED):
        return "gijit does not work here, and programs run without it."
    highest = 0 if "tier 1 (Cranelift)" in failed else 1 if "tier 2 (LLVM)" in failed else 2
    works = f"gijit works here, up to tier {highest}"
    if os.environ.get("GIJIT") == "1":
        return f"{works}, and GIJIT=1 turns it on."
    return f"{works}. It is off until GIJIT=1 is set."


def _examine():
    name = sys.implementation.name
    yield "Python", name == "cpython", f"{name} {sys.version.split()[0]}, {sys.executable}"
    from . import _embed

    folder = os.path.dirname(os.path.abspath(__file__))
    try:
        from . import _gijit
    except ImportError as error:
        yield "native side", False, str(error)
        return
    yield "gijit", None, f"{_gijit.version()}, {folder}"
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
        path = start_up_file()
        missing = "no gijit.pth in site-packages"
        yield "GIJIT=1 at start-up", path is not None, path or missing


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


def start_up_file():
    """The ``gijit.pth`` of this very gijit that this interpreter has read at its start, or None."""
    folders = [sysconfig.get_path("purelib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    here = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if sys.flags.no_site or here not in map(os.path.realpath, folders):
        return None
    found = (os.path.join(folder, "gijit.pth") for folder in folders)
    return next(filter(os.path.exists, found), None)


NOTHING_WITHOUT = {
    "GIJIT_TRACE_FILE": ("GIJIT_TRACE", "GIJIT_DUMP"),
    "GIJIT_TRACE_FORMAT": ("GIJIT_TRACE",),
}
"""Variables that change nothing unless one of some others is set."""


def _environment():
    """Every variable of the table with its value, and what is wrong with what is set."""
    try:
        from . import _gijit
    except ImportError:
        return
    set_here = {
        name: os.environ[name]
        for name in sorted(os.environ)
        if name == "GIJIT" or name.startswith("GIJIT_")
    }
    table, wrong = _gijit.environment(list(set_here.items()))
    for line in wrong:
        yield False, line
    for name, needed in NOTHING_WITHOUT.items():
        if set_here.get(name) and not any(map(set_here.get, needed)):
            yield None, f"{name} changes nothing unless {' or '.join(needed)} is set"
    for name, default, allowed, doc in table:
        value = set_here.get(name, "")
        state = f"={value}" if value else f"={default} by default" if default else " is not set"
        yield (True if value else None), name + state, doc, f"Allowed: {allowed}."
