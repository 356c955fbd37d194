"""Traces as a user gets them: in every format, from several processes, after a bad end."""

import json
import signal

import pytest
from test_embed import SYNC, execute

pytest.importorskip("gi")

PROGRAM = """
import os, sys, gijit
from gi.repository import Gio, GLib
file = Gio.File.new_for_path("/a/b")
for _ in range(4):
    for _ in range(3000):
        file.get_basename()
    gijit.flush()
def fork(work):
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def trace(folder, format, code="", topics="all", name="trace", status=0, **variables):
    """The texts of the files that a program leaves."""
    done = execute(
        ["-c", PROGRAM + code],
        GIJIT="1",
        GIJIT_TRACE=topics,
        GIJIT_TRACE_FORMAT=format,
        GIJIT_TRACE_FILE=str(folder / name),
        **{"GIJIT_TIER2_CALLS": "2000", **variables},
    )
    assert done.returncode == status, done.stderr
    assert done.stderr == ""
    return {path.name: path.read_text() for path in folder.iterdir()}


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def about(records, callable, **fields):
    return [
        record
        for record in records
        if record.get("callable") == callable
        and all(record.get(name) == value for name, value in fields.items())
    ]


def test_text(tmp_path):
    text = trace(tmp_path, "text", topics="tier,compile,queue")["trace"]
    assert "gijit tier: Gio.File.get_basename 0 -> 1 after " in text
    assert "gijit queue: Gio.File.get_basename tier 1 after 50 calls, 1 waiting" in text
    assert "gijit compile: tier 2 loaded in " in text


def test_json(tmp_path):
    records = lines(trace(tmp_path, "json")["trace"])
    assert records[0]["event"] == "start" and "-c" in records[0]["command"]
    assert all(set(record) >= {"ts_us", "pid", "tid", "topic", "event"} for record in records)
    (one,) = about(records, "Gio.File.get_basename", event="compiled", tier=1)
    assert one["bytes"] > 0 and one["lower_us"] + one["compile_us"] >= 0
    # On the thread that compiles; whoever calls is another.
    queued = about(records, "Gio.File.get_basename", event="queued", tier=1)[0]
    assert queued["length"] == 1
    assert one["tid"] != queued["tid"]
    climbs = about(records, "Gio.File.get_basename", event="promoted")
    assert [(climb["from"], climb["to"]) for climb in climbs] == [(0, 1), (1, 2)]
    samples = about(records, "Gio.File.get_basename", event="sampled")
    assert {sample.get("tier") for sample in samples} >= {None, 0, 2}
    for sample in samples:
        assert 0 < sample["total_ns"]
        assert sample["host"] == ("tier" not in sample) == ("native_ns" not in sample)
        if not sample["host"]:
            assert sample["native_ns"] + sample["binding_ns"] == sample["total_ns"]


def test_chrome(tmp_path):
    events = json.loads(trace(tmp_path, "chrome")["trace"])
    assert {event["ph"] for event in events} == {"M", "X", "C", "i"}
    threads = {
        event["args"]["name"]: event["tid"] for event in events if event["name"] == "thread_name"
    }
    compiled = [event for event in events if event["name"] == "compile Gio.File.get_basename"]
    assert [event["args"]["tier"] for event in compiled] == [1, 2]
    assert {event["tid"] for event in compiled} == {threads["gijit-compile"]}
    for event in events:
        assert event["ph"] == "M" or event["ts"] > 0
        assert event["ph"] != "X" or event["dur"] >= 0
    counters = [event["args"]["jobs"] for event in events if event["ph"] == "C"]
    assert max(counters) >= 1 and counters[-1] == 0
    inside = bars_inside_of_each_other(events)
    assert {"lower", "compile", "place"} <= inside["compile Gio.File.get_basename"]
    # How much of a timed call is the library's.
    assert inside["call Gio.File.get_basename"] == {"in the library"}


def bars_inside_of_each_other(events):
    """The names of the bars inside of each bar, by its name. A viewer cannot draw bars of a thread
    that overlap in any other way."""
    inside, open_bars = {}, {}
    bars = [event for event in events if event["ph"] == "X"]
    for bar in sorted(bars, key=lambda bar: (bar["ts"], -bar["dur"])):
        stack = open_bars.setdefault((bar["pid"], bar["tid"]), [])
        # Times are floating point numbers of microseconds: a nanosecond is lost now and then.
        while stack and stack[-1]["ts"] + stack[-1]["dur"] <= bar["ts"] + 0.002:
            stack.pop()
        if stack:
            outer = stack[-1]
            assert bar["ts"] + bar["dur"] <= outer["ts"] + outer["dur"] + 0.002, (bar, outer)
            inside.setdefault(outer["name"], set()).add(bar["name"])
        stack.append(bar)
    return inside


def test_deopts_and_rejections(tmp_path):
    code = """
for argument in ["a"] * 100 + [None] * 100:
    try: GLib.strcmp0(argument, "b")
    except TypeError: pass
try: Gio.IOModule.query()
except Exception: pass
"""
    variables = {**SYNC, "GIJIT_TIER1_CALLS": "5", "GIJIT_TIER2_CALLS": "5"}
    records = lines(trace(tmp_path, "json", code, "deopt,reject", **variables)["trace"])
    failed = about(records, "GLib.strcmp0", event="guard failed")
    assert [record["failures"] for record in failed] == list(range(1, 16))
    (withdrawn,) = about(records, "GLib.strcmp0", event="withdrawn")
    assert (withdrawn["from"], withdrawn["to"], withdrawn["again"]) == (2, 1, True)
    (rejected,) = about(records, "Gio.IOModule.query", event="rejected")
    assert rejected["reason"] == "no-symbol"


@pytest.mark.parametrize("format", ["json", "chrome"])
@pytest.mark.parametrize("name", ["trace", "trace.%p"])
def test_several_processes(tmp_path, format, name):
    code = """
def work():
    for _ in range(200): GLib.ascii_strdown("A", 1)
    gijit.flush()
fork(work); fork(work)
for _ in range(200): GLib.ascii_strup("a", 1)
gijit.flush()
"""
    texts = trace(tmp_path, format, code, name=name)
    assert len(texts) == (1 if name == "trace" else 3)
    read = json.loads if format == "chrome" else lines
    records = [record for text in texts.values() for record in read(text)]
    starts = [
        record["pid"] for record in records if "start" in (record.get("event"), record.get("name"))
    ]
    assert len(set(starts)) == len(starts) == 3
    for file, text in texts.items():
        pids = {record["pid"] for record in read(text)}
        assert len(pids) == 3 or file == f"trace.{pids.pop()}"
    compiled = {
        (record["pid"], record["args"]["callable"] if format == "chrome" else record["callable"])
        for record in records
        if "compiled" in (record.get("event"), record.get("args", {}).get("event"))
    }
    assert sorted(callable for _, callable in compiled) == [
        "GLib.ascii_strdown",
        "GLib.ascii_strdown",
        "GLib.ascii_strup",
        "Gio.File.get_basename",
    ]


@pytest.mark.parametrize("format", ["json", "chrome"])
@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "os.abort()"])
def test_nothing_is_lost_when_a_program_ends_badly(tmp_path, format, end):
    status = {"os._exit(0)": 0, "os.abort()": -signal.SIGABRT}.get(end, -signal.SIGKILL)
    text = trace(tmp_path, format, end, status=status)["trace"]
    records = lines(text) if format == "json" else json.loads(text)
    done = [record.get("args", record) for record in records]
    assert [record["to"] for record in about(done, "Gio.File.get_basename", event="promoted")] == [
        1,
        2,
    ]


def test_threads_share_a_chrome_trace(tmp_path):
    code = """
import threading
def work():
    for _ in range(20000): GLib.ascii_strdown("A", 1); file.get_basename()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    events = json.loads(trace(tmp_path, "chrome", code)["trace"])
    tids = {event["tid"] for event in events if event["name"] == "call GLib.ascii_strdown"}
    assert len(tids) > 1


def test_a_second_run_goes_on_with_the_file(tmp_path):
    first = json.loads(trace(tmp_path, "chrome")["trace"])
    both = json.loads(trace(tmp_path, "chrome")["trace"])
    assert both[: len(first)] == first and len({event["pid"] for event in both}) == 2


def test_a_file_that_is_no_trace_is_left_alone(tmp_path):
    (tmp_path / "trace").write_text("a letter\n")
    done = execute(
        ["-c", PROGRAM + "print('done')"],
        GIJIT="1",
        GIJIT_TRACE="all",
        GIJIT_TRACE_FORMAT="chrome",
        GIJIT_TRACE_FILE=str(tmp_path / "trace"),
    )
    assert done.stdout == "done\n"
    (line,) = done.stderr.splitlines()
    assert line.endswith("trace: it is there and is no Chrome trace, nothing is traced")
    assert (tmp_path / "trace").read_text() == "a letter\n"


def test_timed_calls_give_what_others_give():
    """The slots of timed callables hold another function, and some calls are PyGObject's."""
    code = """
import gijit, warnings
from gi.repository import Gio, GLib
results = set()
for index in range(300):
    results.add((GLib.ascii_strdown("ABC", 2), Gio.File.new_for_path("/a").get_basename()))
    for wrong in ((1,), ("a", "b")):
        try: GLib.ascii_strdown(*wrong)
        except TypeError as error: results.add(str(error))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(30): Gio.io_scheduler_cancel_all_jobs()
print(sorted(map(str, results)), len(caught))
"""
    stock = execute(["-c", code])
    for variables in ({}, SYNC, {"GIJIT_TIER1_CALLS": "0", "GIJIT_TIER2_CALLS": "0", **SYNC}):
        timed = execute(
            ["-c", code],
            GIJIT="1",
            GIJIT_TRACE="sample",
            GIJIT_TRACE_FILE="/dev/null",
            **variables,
        )
        assert (timed.returncode, timed.stdout) == (0, stock.stdout), timed.stderr


def test_a_pattern_that_fits_nothing_is_one_line():
    code = "from gi.repository import GLib; GLib.ascii_strdown('A', 1); print('done')"
    done = execute(["-c", code], GIJIT="1", GIJIT_SKIP="GLib.free,Gtk.Labl.*")
    assert done.stdout == "done\n"
    lines = done.stderr.splitlines()
    assert [line.split(" fits none of the ")[0] for line in lines] == [
        "gijit: GIJIT_SKIP: GLib.free",
        "gijit: GIJIT_SKIP: Gtk.Labl.*",
    ]
    # Nothing was called: nothing is known.
    done = execute(["-c", "import gi"], GIJIT="1", GIJIT_ONLY="Gtk.Labl.*")
    assert done.stderr == ""
