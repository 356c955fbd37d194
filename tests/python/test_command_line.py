"""The command line as a user meets it: `run` is Python itself, `explain` finds what Python calls by
a name, and no command ends in a traceback. What the commands compute is tested beside that."""

import os
import re
import signal
import subprocess
import sys

import pytest
from test_embed import cli, execute

pytest.importorskip("gi")

PROGRAM = """
import sys, __main__
print(sys.argv, __name__, __file__, __package__, __main__.__spec__ is None, sorted(vars(__main__)))
print(sys.path[0], sys.flags.dev_mode, __main__ is sys.modules["__main__"])
class Here: pass
def fail(): raise ValueError("wrong")
how = sys.argv[1] if len(sys.argv) > 1 else ""
if how == "pickle":
    import pickle, multiprocessing
    print(type(pickle.loads(pickle.dumps(Here()))) is Here)
    with multiprocessing.get_context("spawn").Pool(1) as pool: print(pool.map(abs, [-1]))
if how == "raise": fail()
if how == "exit": sys.exit(7)
if how == "text": sys.exit("the end")
if how == "stop": raise KeyboardInterrupt
if how == "later":
    import atexit, threading, time
    atexit.register(lambda: print(__name__, Here.__module__, sys.modules["__main__"] is __main__))
    threading.Thread(target=lambda: (time.sleep(0.1), print(Here.__name__))).start()
"""


@pytest.fixture
def folder(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    for file in (tmp_path / "script.py", package / "__main__.py", package / "module.py"):
        file.write_text(f"if __name__ == '__main__':\n    exec({PROGRAM!r})\n")
    (tmp_path / "plain.py").write_text(PROGRAM)
    (package / "__init__.py").write_text("")
    (tmp_path / "broken.py").write_text("def broken(:\n")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["plain.py", "-x", "--help", "a b"], ["plain.py", "raise"], ["plain.py", "exit"],
        ["plain.py", "text"], ["plain.py", "stop"], ["script.py", "pickle"], ["plain.py", "later"],
        ["-m", "package", "-m", "--", "x"], ["-m", "package.module", "raise"], ["package", "exit"],
        ["missing.py"], ["-m", "missing"], ["broken.py"], ["-", "x"],
    ],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("options", [[], ["-X", "dev", "-u"]], ids=["", "dev"])
def test_run_is_python(folder, arguments, options):
    def outcome(*command):
        done = subprocess.run(
            [sys.executable, *options, *command], cwd=folder, capture_output=True, text=True,
            input="print('from standard input')", timeout=120,
            env={name: v for name, v in os.environ.items() if not name.startswith("GIJIT")},
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    assert outcome("-m", "gijit", "run", *arguments) == outcome(*arguments)


def test_run_turns_gijit_on_here_and_in_children(folder):
    code = (
        "import os, subprocess, sys\nfrom gi.repository import GLib\n"
        "import gijit; print(gijit.installed(), os.environ['GIJIT'], flush=True)\n"
        "if len(sys.argv) == 1: subprocess.run([sys.executable, sys.argv[0], 'child'])\n"
    )
    (folder / "on.py").write_text(code)
    done = cli("run", str(folder / "on.py"), GIJIT="0")
    assert (done.stdout, done.stderr) == ("True 1\nTrue 1\n", "")
    # Without gijit.pth the program runs inside of the process.
    main = "import sys; from gijit._cli import main; sys.exit(main(sys.argv[1:]))"
    done = execute(["-c", main, "run", str(folder / "on.py"), "x"])
    assert (done.stdout, done.stderr) == ("True 1\n", "")


def test_explain_follows_inheritance():
    shown = cli("explain", "Gtk-3.0.Label.show").stdout
    assert "method Gtk.Widget.show, " in shown and "This is Gtk 3.0, of which nothing" in shown
    # Of an interface.
    assert (
        "method Gio.ActionMap.add_action"
        in cli("explain", "Gio.SimpleActionGroup.add_action").stdout
    )
    assert "GObject.Object.get_property" in cli("explain", "Gio.Cancellable.get_property").stdout
    done = cli("explain", "Gtk-3.0.Label.sho")
    assert done.returncode == 2 and "did you mean show" in done.stderr


def test_explain_says_what_an_override_is():
    done = cli("explain", "GLib.idle_add")
    assert done.returncode == 0 and "# GLib.idle_add in Python" in done.stdout
    assert "gi/overrides/GLib.py line" in done.stdout and "calls g_idle_add_full" in done.stdout
    assert "in Python" not in cli("explain", "GLib.ascii_strdown").stdout
    # One that only looks at the result is a callable of the library's.
    assert "in Python" not in cli("explain", "Gtk-3.0.TextBuffer.get_iter_at_line").stdout


@pytest.mark.parametrize(
    "name, status, words",
    [
        ("GObject.Object.connect", 1, "PyGObject's own (C code): gijit leaves it as it is"),
        ("GObject.Object.handler_block", 1, "PyGObject's own (Python code, "),
        ("GLib.KeyFile", 2, "it is a struct; its methods are "),
        ("Gio.FileType", 2, "it is an enumeration"),
        ("GLib.MAXINT8", 2, "it is a constant"),
        ("GLib.FileTest.EXISTS", 1, "no callable but FileTest"),
        ("GLib", 2, "a name is like Gtk.Label.set_text"),
        ("GLib.no.such", 2, "there is no name 'no' in GLib"),
    ],
)
def test_names_that_are_no_callables(name, status, words):
    done = cli("explain", name)
    assert (done.returncode, done.stdout) == (status, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("gijit: ") and words in line


def test_explain_from_python():
    done = execute(["-c", """
import gijit
def attempt(*arguments):
    try: print(gijit.explain(*arguments).splitlines()[0])
    except Exception as error: print(f"{type(error).__name__}: {error}")
from gi.repository import GLib, Gio, GObject
file = Gio.File.new_for_path("/a")
attempt(file.get_path, "plan")
gijit.install()
attempt(file.get_path, "plan"); attempt(Gio.File.new_for_path("/a").get_path, "plan")
attempt("GLib.ascii_strdown", "plan"); attempt("GLib.ascii_strdwn", "plan")
attempt(GLib.idle_add); attempt(GLib.idle_add, "plan"); attempt(GLib.Variant.unpack)
attempt(GLib.KeyFile); attempt(GObject.Object.connect); attempt(len); attempt(None); attempt(3)
attempt(lambda: None)
"""])  # fmt: skip
    assert done.stderr == ""
    no = "is no callable of a GObject library"
    assert done.stdout.splitlines() == [
        "plan Gio.File.get_path = g_file_get_path",
        "plan Gio.File.get_path = g_file_get_path",
        "plan Gio.File.get_path = g_file_get_path",
        "plan GLib.ascii_strdown = g_ascii_strdown",
        "UnknownName: there is no name 'ascii_strdwn' in GLib; "
        "did you mean ascii_strdown or ascii_strtod or ascii_strup?",
        "# GLib.idle_add in Python",
        "plan GLib.idle_add = g_idle_add_full",
        f"TypeError: Variant.unpack, a function, {no}"
        ": it is Python code of PyGObject's, and gijit compiles what that calls",
        f"TypeError: KeyFile, a class, {no}; name one of its methods",
        f"TypeError: GObject.connect, a method_descriptor, {no}",
        f"TypeError: len, a builtin_function_or_method, {no}",
        f"TypeError: a NoneType {no}",
        f"TypeError: a int {no}",
        f"TypeError: <lambda>, a function, {no}",
    ]


def test_promote_says_why_not():
    code = """
import gijit
from gi.repository import GLib
def attempt(tier):
    try: gijit.promote(GLib.ascii_strdown, tier); print(gijit.tier(GLib.ascii_strdown))
    except Exception as error: print(f"{type(error).__name__}: {error}")
for tier in (1, 2, 0, 1, 3, -1, 10**30): attempt(tier)
"""
    wrong = ["ValueError: tier must be 0, 1 or 2"] * 3
    run = lambda **variables: execute(["-c", code], **variables).stdout.splitlines()  # noqa: E731
    # A higher tier stays.
    assert run(GIJIT="1") == ["1", "2", "2", "2", *wrong]
    (one, *_) = run(GIJIT="0")
    assert one.startswith("CompileError: it is PyGObject's own: gijit is not installed")
    (one, *_) = run(GIJIT="1", GIJIT_SKIP="GLib.*")
    assert one == "CompileError: Left out by GIJIT_ONLY or GIJIT_SKIP (excluded by GIJIT_SKIP)"
    (one, two, *_) = run(GIJIT="1", GIJIT_MAX_TIER="1")
    assert (one, two) == ("1", "CompileError: refused: GIJIT_MAX_TIER is 1")
    (one, *_) = run(GIJIT="1", GIJIT_CODE_LIMIT="1")
    assert one == "CompileError: the limit of 1 bytes of machine code (GIJIT_CODE_LIMIT) is reached"


def test_the_version():
    done = execute(["-c", "import gijit; print('gijit', gijit.__version__)"])
    assert done.stdout == cli("--version").stdout and done.stderr == ""
    assert done.stdout.split()[1] in cli("doctor").stdout


def test_output_that_cannot_be_written():
    with open("/dev/full", "w") as full:
        for command in (["doctor"], ["explain", "GLib.free", "--stage", "plan"]):
            done = subprocess.run(
                [sys.executable, "-m", "gijit", *command],
                stdout=full, stderr=subprocess.PIPE, text=True, timeout=120,
            )  # fmt: skip
            assert done.returncode == 1
            assert done.stderr == "gijit: cannot write: No space left on device\n"
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m gijit doctor >&-"],
        stderr=subprocess.PIPE, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_that_is_interrupted_says_nothing():
    code = (
        "import os, signal, threading\nfrom gijit import _cli\n"
        # What runs the tests in the background may ignore the signal.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "raise SystemExit(_cli.main(['bench', '--rounds', '99', 'GLib.free(0)']))\n"
    )
    done = execute(["-c", code])
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "")


def test_coverage_in_both_forms(tmp_path):
    pytest.importorskip("jinja2")
    done = cli("coverage", "GModule", "--json", "--html", str(tmp_path / "page.html"))
    assert done.stdout.startswith('{\n  "namespaces"') and (tmp_path / "page.html").exists()
    table = cli("coverage", "GObject").stdout
    assert re.search(r"\bstruct-by-value +A struct that is returned by value", table)


def test_doctor_says_what_to_do(tmp_path):
    done = cli("doctor", GIJIT_TRACE_FILE="x", GIJIT_TIER1_CALLS="7", GIJIT_MAX_TIER="3")
    assert done.returncode == 0
    assert "--  GIJIT_TRACE_FILE changes nothing unless GIJIT_TRACE or GIJIT_DUMP" in done.stdout
    assert "ok  GIJIT_TIER1_CALLS=7\n        Calls at tier 0 before" in done.stdout
    assert "NO  GIJIT_MAX_TIER=3 is not allowed" in done.stdout
    assert done.stdout.endswith("gijit works here, up to tier 2. It is off until GIJIT=1 is set.\n")
    refuse = "import ctypes; assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0\n"
    done = execute(["-c", refuse + "from gijit import _cli; print(_cli.main(['doctor']))"])
    assert "NO  executable memory" in done.stdout and "-> allow this process exec" in done.stdout
    assert "gijit works here, up to tier 0. " in done.stdout and done.stdout.endswith("\n0\n")
    (tmp_path / "gi.py").write_text("raise ImportError('broken')")
    done = execute(["-c", "import sys; from gijit import _cli; sys.exit(_cli.main(['doctor']))"],
                   PYTHONPATH=str(tmp_path))  # fmt: skip
    assert done.returncode == 1 and "-> install PyGObject 3.42 to 3.58" in done.stdout
    assert done.stdout.endswith("gijit does not work here, and programs run without it.\n")


def test_while_gijit_is_off_the_start_up_file_costs_nothing():
    done = execute(["-X", "importtime", "-c", "pass"])
    assert "site" in done.stderr and "gijit" not in done.stderr
    # What its line does, told without a clock: a few steps that call nothing of ours.
    code = """
import dis, os, sys
from gijit import _doctor
line = compile(open(_doctor.start_up_file()).read(), "gijit.pth", "exec")
print(len(list(dis.get_instructions(line))))
loaded, entered = set(sys.modules), []
def look(frame, event, _):
    if event == "call" and "gijit" in frame.f_code.co_filename:
        entered.append(frame.f_code.co_filename)
sys.setprofile(look)
exec(line)
sys.setprofile(None)
print(set(sys.modules) - loaded, entered)
"""
    done = execute(["-c", code])
    steps, effects = done.stdout.splitlines()
    assert int(steps) <= 25 and effects == "set() ['gijit.pth']"


def test_types_for_checkers():
    code = """
import gijit, inspect, os
assert os.path.exists(os.path.join(os.path.dirname(gijit.__file__), "py.typed"))
for name in gijit.__all__:
    value = getattr(gijit, name)
    assert value.__doc__, name
    if inspect.isfunction(value):
        signature = inspect.signature(value)
        assert signature.return_annotation is not signature.empty, name
        assert all(p.annotation is not p.empty for p in signature.parameters.values()), name
"""
    done = execute(["-c", code])
    assert (done.returncode, done.stderr) == (0, "")
