"""The interpreter lock during native calls, on real libraries."""

import subprocess
import sys
import textwrap

import pytest

from modes import environment


def run(code, **variables):
    env = {**environment("tier2"), **variables}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=env, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip


BESIDE = """
import threading, time
from gi.repository import GLib
GLib.usleep(1)
beats = []
stop = threading.Event()
def beat():
    while not stop.wait(0.001):
        beats.append(time.monotonic())
thread = threading.Thread(target=beat)
thread.start()
begun = time.monotonic()
GLib.usleep(200_000)
ended = time.monotonic()
stop.set()
thread.join()
during = [begun, *(moment for moment in beats if begun < moment < ended), ended]
print(len(during) - 2, max(after - before for before, after in zip(during, during[1:])))
"""


def test_other_threads_run_during_a_call_that_is_not_proved():
    result = run(BESIDE)
    beats, _ = result.stdout.split()
    assert int(beats) > 10, result.stderr


def test_other_threads_wait_where_the_user_says_so():
    result = run(BESIDE, GIJIT_GIL="hold:GLib.usleep")
    _, longest = result.stdout.split()
    assert float(longest) > 0.19, result.stderr


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("GLib.Date.get_day", "held"),
        # Taken on trust.
        ("GLib.get_monotonic_time", "held"),
        ("GLib.usleep", "released"),
        # Calls back, through a virtual function.
        ("Gio.Action.get_name", "released"),
        # Takes a lock.
        ("GLib.MainContext.wakeup", "released"),
    ],
)
def test_explain_shows_the_proof_or_what_broke_it(name, lock):
    result = subprocess.run(
        [sys.executable, "-m", "gijit", "explain", name, "--stage", "gil"],
        env=environment("default"), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert f"lock {lock}: " in result.stdout, result.stdout + result.stderr


def test_the_trace_says_what_was_decided():
    code = "from gi.repository import GLib; GLib.Date.new_dmy(1, 2, 2000).get_day(); GLib.usleep(1)"
    result = run(code, GIJIT_TRACE="gil")
    assert "gijit gil: GLib.Date.get_day held: proved: " in result.stderr
    assert "gijit gil: GLib.usleep released: " in result.stderr


SEEN = """
import threading
import gijit
from gi.repository import Gio, GObject

class Model(GObject.Object, Gio.ListModel):
    def do_get_item_type(self):
        return GObject.Object.__gtype__
    def do_get_item(self, position):
        return None
    def do_get_n_items(self):
        # Another thread has to run meanwhile.
        thread = threading.Thread(target=int)
        thread.start()
        thread.join(10)
        return 1 if thread.is_alive() else 7

count = Gio.ListModel.get_n_items
order = {"first": [Gio.ListStore, Model], "last": [Model, Gio.ListStore]}["ORDER"]
models = [make() for make in order]
for _ in range(300):
    found = [count(model) for model in models]
print(found, gijit.explain(count, "gil").splitlines()[0])
"""


def test_a_virtual_function_is_proved_for_the_class_that_was_seen():
    result = run(SEEN.replace("ORDER", "first"))
    assert result.stdout.startswith("[0, 7] lock held for GListStore: proved: "), result


def test_one_that_python_implements_is_not():
    result = run(SEEN.replace("ORDER", "last"))
    assert result.stdout.startswith("[7, 0] lock released: "), result


def test_both_tiers_hold_the_lock_for_the_class():
    code = """
    from gi.repository import Gio
    file = Gio.File.new_for_path("/a")
    for _ in range(200):
        file.get_basename()
    """
    result = run(code, GIJIT_TRACE="gil")
    decided = [line for line in result.stderr.splitlines() if "Gio.File.get_basename" in line]
    assert len(decided) == 2, result.stderr
    assert all("held for GLocalFile: proved: " in line for line in decided)
