"""Programs at the end of what is allowed: recursion without end, warnings that are errors.

Each runs on stock and on every tier, in a process of its own, and must end the same way: with
PyGObject's exception, not with a crash.
"""

import os
import subprocess
import sys
import textwrap

import pytest

import modes

pytest.importorskip("gi")

TIMEOUT = 120


def run(code, mode):
    """The output of a program that must end well."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=modes.environment(mode), capture_output=True, text=True, timeout=TIMEOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


# No Python function takes part in it: C calls the callable of a library that calls C. CPython 3.12
# and newer have a limit of their own for that, which cannot be set, and before which stock uses up
# the usual 8 MiB of stack.
ENDLESS = """
    import resource, sys
    from gi.repository import Gio

    resource.setrlimit(
        resource.RLIMIT_STACK, (64 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1])
    )
    raised = []
    sys.excepthook = lambda kind, value, traceback: raised.append(f"{kind.__name__}: {value}")
    group = Gio.SimpleActionGroup()
    group.connect("action-added", Gio.ActionGroup.action_added)
    group.connect("action-removed", lambda group, name: group.action_removed(name))
    for limit in (100, 400, 200):
        sys.setrecursionlimit(limit)
        for _ in range(8):
            group.action_added("name")
            group.action_removed("name")
        print(limit, set(raised), len(raised))
"""

# What was converted before the limit was noticed must be given back. The native functions are not
# proved to be short, so that the interpreter lock is released around them.
DEEP = """
    import gc, sys
    from gi.repository import Gio, GLib, GObject

    class Item(GObject.Object):
        pass

    def deep(call):
        try:
            return deep(call)
        except RecursionError:
            pass
        try:
            return call() is not None
        except RecursionError as error:
            return str(error)

    item, file, store = Item(), Gio.File.new_for_path("/a"), Gio.ListStore.new(Item)
    bytes_, array = b"bytes", ["a", "b"]
    compare = lambda *items: 0
    calls = [
        lambda: Gio.File.new_for_path("/x"), lambda: file.get_child("x"),
        lambda: Gio.Cancellable.new(), lambda: Gio.SimpleAction.new("x", None),
        lambda: store.append(item), lambda: store.splice(0, 0, [item, item]),
        lambda: store.sort(compare), lambda: store.sort(compare, item),
        lambda: file.load_contents(None), lambda: file.load_contents_async(None, compare, item),
        lambda: GLib.build_filenamev(array), lambda: GLib.shell_parse_argv("a b"),
        lambda: GLib.environ_setenv(array, "c", "d", True),
        lambda: Gio.ThemedIcon.new_from_names(array),
        lambda: GLib.compute_checksum_for_data(GLib.ChecksumType.MD5, bytes_),
        lambda: Gio.ActionGroup.action_added(Gio.SimpleActionGroup(), "x"),
    ]
    held = [item, file, store, bytes_, array, compare]
    def counts():
        gc.collect()
        return [sys.getrefcount(one) for one in held]
    for call in calls:
        deep(call)
    before = counts()
    for number, call in enumerate(calls):
        print(number, {deep(call) for _ in range(20)})
    print([after - count for count, after in zip(before, counts())], item.ref_count)
"""

# PyGObject forgets that its warning may have raised; CPython notices the result beside it.
WARNING = """
    import functools, warnings
    from gi.repository import Gio, GLib

    warnings.simplefilter("error")
    def attempt(function, *arguments):
        try:
            return function(*arguments)
        except BaseException as error:
            return type(error), str(error), repr(error.__cause__), repr(error.__context__)
    for _ in range(3):
        print(attempt(Gio.io_scheduler_cancel_all_jobs))
        print(attempt(lambda: GLib.Date.new_dmy(99, 1, 2000)))
        print(attempt(functools.partial(GLib.Date.new_dmy, 99), 1, 2000))
"""


# Stock takes some 2.6 KB of stack for each level. A program may run near the end of it.
NESTED = """
    import sys, threading
    from gi.repository import Gio, GObject

    sys.setrecursionlimit(10_000)
    items = [GObject.Object(), GObject.Object()]
    def sort(levels):
        def compare(*items):
            if levels:
                sort(levels - 1)
            return 0
        store = Gio.ListStore.new(GObject.Object)
        for item in items:
            store.append(item)
        store.sort(compare)
    threading.stack_size(1 << 20)
    for _ in range(2):
        thread = threading.Thread(target=sort, args=(250,))
        thread.start()
        thread.join()
    print("done")
"""


@pytest.mark.parametrize("mode", modes.MODES[1:])
@pytest.mark.parametrize(
    "code", [ENDLESS, DEEP, WARNING, NESTED], ids=["endless", "deep", "warning", "nested"]
)
def test_the_limit_is_pygobjects(code, mode):
    assert run(code, mode) == run(code, "stock")


def test_the_command_line_without_pygobject(tmp_path):
    (tmp_path / "gi.py").write_text("raise ModuleNotFoundError('No module named gi', name='gi')")
    for command in (["explain", "GLib.random_int"], ["coverage", "GLib"]):
        done = subprocess.run(
            [sys.executable, "-m", "gijit", *command],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True, text=True, timeout=TIMEOUT,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "gijit: not available here: No module named gi\n"
