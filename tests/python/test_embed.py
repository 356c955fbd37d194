"""How gijit sits inside PyGObject: install and uninstall, binding, the package's functions, the
command line. Every test runs its program in a process of its own, because installing is for a whole
process. What calls return is the business of the corpus."""

import contextlib
import json
import os
import subprocess
import sys
import textwrap
import threading

import pytest

pytest.importorskip("gi")

SYNC = {"GIJIT_COMPILE": "sync"}


def execute(arguments, **variables):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("GIJIT")
    }
    environment.update(variables)
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300
    )


def program(code, **variables):
    """What a program prints; it must end well and say nothing on stderr."""
    done = execute(["-c", textwrap.dedent(code)], **variables)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


def same_as_stock(code, **variables):
    """Runs a program without and with gijit; both must print the same. Gives what they print."""
    stock = program(code)
    assert program(code, GIJIT="1", **variables) == stock
    return stock


def test_nothing_is_installed_by_itself():
    assert program(
        """
        import sys
        from gi.repository import GLib
        print("gijit" in sys.modules, GLib.random_int.__class__ is __import__("gi")._gi.FunctionInfo)
    """,
        GIJIT_TIER1_CALLS="0",
    ) == ["False True"]


def test_gijit_1_installs_when_gi_is_imported():
    assert program(
        """
        import sys
        print("gi" in sys.modules, "gijit._gijit" in sys.modules)
        import gi
        from gi.repository import GLib
        import gijit
        print(gijit.installed(), gijit.tier(GLib.random_int))
    """,
        GIJIT="1",
    ) == ["False False", "True 0"]


@pytest.mark.parametrize("value", ["maybe", "00", " "])
def test_a_bad_value_is_one_line_and_the_program_runs(value):
    done = execute(["-c", "print('ran')"], GIJIT=value)
    assert done.stdout == "ran\n"
    assert done.stderr == f"gijit: GIJIT={value} is not allowed: expected 0 or 1; using 0\n"


def test_a_failed_install_is_one_line_and_the_program_runs():
    done = execute(
        [
            "-c",
            textwrap.dedent("""
        import gi
        gi.version_info = (9, 99, 0)
        gi.__version__ = "9.99.0"
        from gi.repository import GLib
        print(GLib.ascii_strdown("X", 1))
    """),
        ],
        GIJIT="1",
    )
    assert done.stdout == "x\n"
    assert done.stderr.startswith("gijit: not installed: PyGObject 9.99.0 is newer than")
    assert done.stderr.count("\n") == 1


CENSUS = """
    import gi, gijit
    from gi.repository import Gio, GLib, GObject
    stock = gi._gi.FunctionInfo

    def kinds():
        holders = (GLib.random_int, Gio.File.get_path, Gio.Cancellable.__dict__["new"],
                   GLib.Checksum.__dict__["new"], Gio.ResolverError.__dict__["quark"],
                   GLib.KeyFile.__dict__["__new__"].__func__)
        assert all(isinstance(holder, stock) for holder in holders)
        return {type(holder) is stock for holder in holders}
"""


def test_install_replaces_what_exists_and_uninstall_puts_it_back():
    assert program(
        CENSUS
        + """
    print(kinds())
    gijit.install()
    gijit.install()
    print(kinds(), gijit.installed(), type(GLib.KeyFile.__dict__["new"]) is stock)
    gijit.uninstall()
    gijit.uninstall()
    print(kinds(), gijit.installed(), type(GLib.Dir.__dict__["read_name"]) is stock)
    gijit.install()
    print(kinds())
    """
    ) == ["{True}", "{False} True False", "{True} False True", "{False}"]


def test_a_held_callable_survives_uninstall():
    assert program("""
        import gijit; gijit.install()
        from gi.repository import Gio, GLib
        path = Gio.File.new_for_path("/a/b").get_path
        down = GLib.ascii_strdown
        gijit.uninstall()
        print(path(), down("ABC", -1))
    """) == ["/a/b abc"]


def test_resolved_names_are_kept_without_hiding_overrides_or_deprecations():
    same_as_stock("""
        import warnings
        from gi.repository import GLib, GObject
        print(GLib.Variant("s", "x"), GLib.MainLoop.__module__, GLib.idle_add.__module__)
        for _ in range(2):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                GObject.TYPE_STRING, GObject.STATUS_INPUT if hasattr(GObject, "x") else None
                GObject.markup_escape_text
            print([str(warning.message) for warning in caught])
        GLib.random_int = 7
        print(GLib.random_int)
        del GLib.random_int
        print(callable(GLib.random_int), sorted(dir(GLib)) == sorted(set(dir(GLib))))
    """)


BINDING = """
    from gi.repository import Gio, GLib
    file = Gio.File.new_for_path("/a/b")
    bound = file.get_path
    print(bound(), bound == Gio.File.get_path, bound.__name__, Gio.File.get_path(file))
    print(Gio.File.get_path is Gio.File.get_path, file.get_path is file.get_path)
    class Holder:
        method = Gio.File.get_path
        taken = file.get_path
        static = GLib.ascii_strdown
        made = Gio.Cancellable.new
    print(Holder.taken(), Holder().taken(), Holder().static("A", 1), type(Holder().made()).__name__)
    def attempt(function, *arguments, **keywords):
        try:
            return function(*arguments, **keywords)
        except Exception as error:
            return type(error).__name__, str(error)
    print(attempt(Holder().method)[0], attempt(Holder.method)[0], attempt(bound, 1), attempt(file.get_path, x=1))
    print(file.get_child("c").get_path(), file.get_child(name="c").get_path(),
          Gio.File.get_child(file, name="c").get_path(), attempt(file.get_child))
    many = file.get_relative_path
    print(many(*[file.get_child("d")]), many(**{"descendant": file.get_child("d")}))
    class Derived(Gio.Cancellable):
        pass
    class Cancellable(Gio.Cancellable):
        pass
    print(attempt(Derived.new), type(attempt(Cancellable.new)).__name__, attempt(Derived.__dict__.get, "new"))
    print(type(Gio.Cancellable.new()).__name__, type(Gio.Cancellable.new().new()).__name__)
    print(attempt(Gio.Cancellable.__dict__["new"]), attempt(Gio.Cancellable.new, 1))
    print(GLib.MainContext().acquire(), GLib.MainContext.new() is not None)
"""


@pytest.mark.parametrize(
    "variables",
    [
        {"GIJIT_MAX_TIER": "0"},
        {"GIJIT_MAX_TIER": "1", "GIJIT_TIER1_CALLS": "0", **SYNC},
        {"GIJIT_TIER1_CALLS": "0", "GIJIT_TIER2_CALLS": "0", **SYNC},
    ],
)
def test_binding_is_pygobjects(variables):
    same_as_stock(BINDING, **variables)


def test_references_are_given_back():
    # PyGObject leaks a reference to the class with each object that a constructor makes.
    same_as_stock("""
        import gc, sys
        from gi.repository import Gio
        file = Gio.File.new_for_path("/a")
        method, constructor = Gio.File.get_path, Gio.Cancellable.__dict__["new"]
        def counts():
            gc.collect()
            return [sys.getrefcount(x) for x in (file, method, constructor, Gio.Cancellable, type(method))]
        for _ in range(3): file.get_path(); m = file.get_path; m(); Gio.Cancellable.new()
        del m
        before = counts()
        for _ in range(100):
            file.get_path(); m = file.get_path; m(); n = Gio.Cancellable.new; n(); del m, n
        print([after - count for count, after in zip(before, counts())])
    """)


@pytest.mark.parametrize("resolve", ["", "gijit.tier(Gio.io_scheduler_cancel_all_jobs)"])
def test_the_deprecation_warning_comes_once(resolve):
    code = f"""
        import warnings, gijit
        from gi.repository import Gio
        {resolve}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(3):
                Gio.io_scheduler_cancel_all_jobs()
        print([(str(warning.message), warning.category.__name__) for warning in caught])
    """
    assert program(code, GIJIT="1") == program(code.replace("gijit.tier", "str"))


def test_promote_and_tier():
    assert program("""
        import gijit; gijit.install()
        from gi.repository import Gio, GLib
        file = Gio.File.new_for_path("/a")
        print(gijit.tier(file.get_path))
        gijit.promote(file.get_path, 1)
        print(gijit.tier(Gio.File.get_path), file.get_path())
        gijit.promote(Gio.File.get_path, 2)
        print(gijit.tier(file.get_path), file.get_path())
        for bad in (lambda: gijit.tier(len), lambda: gijit.promote(len, 1),
                    lambda: gijit.promote(file.get_path, 3), lambda: gijit.explain(file.get_path, "x"),
                    lambda: gijit.promote(Gio.IOModule.query, 1)):
            try:
                bad()
            except Exception as error:
                print(type(error).__name__)
        # Its library does not export it.
        print(gijit.tier(Gio.IOModule.query), gijit.rejections())
    """) == [
        "0",
        "1 /a",
        "2 /a",
        "TypeError",
        "TypeError",
        "ValueError",
        "ValueError",
        "CompileError",
        "-1 {'no-symbol': ['Gio.IOModule.query']}",
    ]


def test_stats_count_each_call_once():
    for tier, variables in enumerate(
        [
            {"GIJIT_MAX_TIER": "0"},
            {"GIJIT_MAX_TIER": "1", "GIJIT_TIER1_CALLS": "0", **SYNC},
            {"GIJIT_TIER1_CALLS": "0", "GIJIT_TIER2_CALLS": "0", **SYNC},
        ]
    ):
        done = execute(
            [
                "-c",
                textwrap.dedent("""
            import gijit
            from gi.repository import GLib
            down = GLib.ascii_strdown
            before = gijit.stats()["calls"]
            for _ in range(100): down("A", 1)
            try: down(1)
            except TypeError: pass
            after = gijit.stats()["calls"]
            print({name: after[name] - before[name] for name in after})
        """),
            ],
            GIJIT="1",
            GIJIT_STATS="1",
            **variables,
        )
        wanted = {"tier0": 0, "tier1": 0, "tier2": 0, "pygobject": 1, f"tier{tier}": 100}
        assert done.stdout == f"{wanted}\n"
        assert done.stderr.startswith("gijit statistics\n")


def test_explain_every_stage():
    assert program("""
        import gijit; gijit.install()
        from gi.repository import Gio
        file = Gio.File.new_for_path("/a")
        for stage in gijit.STAGES:
            assert gijit.explain(file.get_path, stage).strip(), stage
        print(gijit.explain(Gio.File.get_path, "plan").splitlines()[0])
    """) == ["plan Gio.File.get_path = g_file_get_path"]


def cli(*arguments, **variables):
    return execute(["-m", "gijit", *arguments], **variables)


def test_cli_run(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, gijit\nfrom gi.repository import GLib\n"
        "print(sys.argv[1:], __name__, sys.path[0], gijit.installed())\nsys.exit(3)\n"
    )
    done = cli("run", str(script), "-x", "--json", "a")
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == f"['-x', '--json', 'a'] __main__ {tmp_path} True\n"
    done = cli("run", "-m", "json.tool", "--help")
    assert done.returncode == 0 and "json" in done.stdout
    assert cli("run", str(tmp_path / "missing.py")).returncode == 2


def test_cli_explain():
    done = cli("explain", "GLib.ascii_strdown")
    assert "takes str: a str" in done.stdout and "tier 0 after 0 calls" in done.stdout
    plan = cli("explain", "GLib.ascii_strdown", "--stage", "plan")
    assert plan.stdout.startswith("plan GLib.ascii_strdown = g_ascii_strdown\n")
    assert "thunk" in cli("explain", "Gio-2.0.File.get_path", "--stage", "ir").stdout
    for name, near in [
        ("GLib.ascii_strdwn", "ascii_strdown"),
        ("Glib.x", "GLib"),
        ("Gio.File.get_pth", "get_path"),
        ("Gio.Fil.get_path", "File"),
    ]:
        done = cli("explain", name)
        assert done.returncode == 2 and near in done.stderr and not done.stdout
    # Its library does not export it.
    assert cli("explain", "Gio.IOModule.query", "--stage", "ir").returncode == 1


def test_cli_coverage():
    done = cli("coverage", "GModule-2.0", "GObject", "--json")
    rows = json.loads(done.stdout)["namespaces"]
    assert [row["namespace"] for row in rows] == ["GModule", "GObject"]
    for row in rows:
        assert row["callables"] == row["tier0"] + sum(row["rejected"].values())
        assert row["tier0"] == row["tier1"] == row["tier2"]
    assert "GObject" in cli("coverage", "GObject").stdout
    done = cli("coverage", "GObjct")
    assert done.returncode == 2 and "GObject" in done.stderr


@pytest.mark.parametrize("command", [["coverage", "GModule"], ["explain", "GLib.ascii_strup"]])
def test_cli_output_that_nobody_reads(command):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as closed:
        done = subprocess.run(
            [sys.executable, "-m", "gijit", *command],
            stdout=closed, stderr=subprocess.PIPE, text=True, timeout=300,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("rich", [True, False])
def test_cli_coverage_shows_progress_on_a_terminal(rich):
    pytest.importorskip("rich")
    hide = "" if rich else "sys.modules['rich.console'] = None; "
    code = f"import sys; {hide}from gijit._cli import main; sys.exit(main(sys.argv[1:]))"
    screen, terminal = os.openpty()
    parts = []

    def read():
        # A terminal that nobody reads is full after 4 KiB. It ends with an error.
        with contextlib.suppress(OSError):
            while part := os.read(screen, 4096):
                parts.append(part)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(terminal) as stderr:
        done = subprocess.run(
            [sys.executable, "-c", code, "coverage", "GObject", "--json"],
            stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=300,
        )  # fmt: skip
    reader.join()
    os.close(screen)
    shown = b"".join(parts).decode()
    assert json.loads(done.stdout)["namespaces"][0]["callables"] > 100
    if rich:
        assert "GObject" in shown and "%" in shown
    else:
        assert "\rGObject: 32/" in shown and shown.endswith("\r\033[K")


def test_cli_coverage_html(tmp_path):
    pytest.importorskip("jinja2")
    page = tmp_path / "coverage.html"
    done = cli("coverage", "GModule", "GObject", "--html", str(page))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "GModule" in page.read_text() and "GObject: left to PyGObject" in page.read_text()
    done = cli("coverage", "GModule", "--html", str(tmp_path / "none" / "x.html"))
    assert done.returncode == 1 and "No such file" in done.stderr


@pytest.mark.parametrize("command", ["run", "explain", "coverage", "report", "doctor"])
def test_cli_help_has_an_example(command):
    done = cli(command, "--help")
    assert done.returncode == 0
    assert f"example: python -m gijit {command}" in done.stdout
    assert command in cli("--help").stdout


def test_cli_doctor():
    done = cli("doctor")
    assert done.returncode == 0
    for word in ("Python", "PyGObject", "tier 1", "tier 2", "executable memory", "int layout"):
        assert word in done.stdout
    for tier in range(3):
        assert f"ok  calls at tier {tier}            one call of each kind" in done.stdout
    assert "--  GIJIT_TIER1_CALLS=50 by default\n        Calls at tier 0" in done.stdout
    wrong = cli("doctor", GIJIT_MAX_TIER="3", GIJIT_STAT="1", GIJIT_TIER1_CALLS="7").stdout
    assert "NO  GIJIT_MAX_TIER=3 is not allowed: expected 0, 1 or 2" in wrong
    assert "NO  GIJIT_STAT is not a variable of gijit" in wrong
    assert "ok  GIJIT_TIER1_CALLS=7\n        Calls at tier 0" in wrong
    without = cli("doctor", GIJIT_SKIP="Gio.*")
    assert "NO  calls at tier 1            method: Left out" in without.stdout
    assert without.returncode == 0


REFUSED = """
    import warnings
    from gi.repository import Gio
    cancellable = Gio.Cancellable()
    warnings.simplefilter("always")

    def outcome(function, *args):
        with warnings.catch_warnings(record=True) as warned:
            try:
                result = function(*args)
            except Exception as error:
                result = repr(error)
        print(result, [str(warning.message) for warning in warned])

    for method in Gio.Cancellable.is_cancelled, Gio.SimpleAction.get_enabled:
        outcome(method)
        outcome(method, None)
        outcome(method, 5)
    outcome(Gio.Cancellable.is_cancelled, cancellable)
    # Deprecated: PyGObject warns once, when it first looks at a method.
    outcome(Gio.Settings.list_keys, None)
    outcome(Gio.Settings.list_keys, None)
    outcome(Gio.Settings.list_keys, 5)
"""


def test_a_first_call_without_an_instance_is_pygobjects_and_the_next_is_not():
    stock = same_as_stock(REFUSED)
    assert len([line for line in stock if "deprecated" in line]) == 1
    after = """
    import gijit
    print(gijit.tier(Gio.Cancellable.is_cancelled))
    """
    assert program(REFUSED + after, GIJIT="1", GIJIT_TIER1_CALLS="0", **SYNC)[-1] == "1"
