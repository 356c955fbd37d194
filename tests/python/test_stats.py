"""The statistics, as a table, a file and a dict."""

import json
import re

import pytest
from test_embed import SYNC, execute

pytest.importorskip("gi")

PROGRAM = """
import json, gijit
from gi.repository import Gio, GLib
file = Gio.File.new_for_path("/a/b")
for _ in range(1000): file.get_basename()
for _ in range(100): GLib.ascii_strdown("AB", 2)
for value in ["a"] * 20 + [None] * 5: GLib.strcmp0(value, "b")
try: GLib.ascii_strdown(1)
except TypeError: pass
for _ in range(3):
    try: Gio.IOModule.query()
    except Exception: pass
"""
CLIMB = {"GIJIT_TIER1_CALLS": "10", "GIJIT_TIER2_CALLS": "10", **SYNC}


def run(code="", **variables):
    done = execute(["-c", PROGRAM + code], GIJIT="1", **CLIMB, **variables)
    assert done.returncode == 0, done.stderr
    return done


def row(table, title, name):
    part = table.split(f"{title}:")[1].split("\n\n")[0]
    return re.search(rf"^  {re.escape(name)} +(.*)$", part, re.MULTILINE)[1].split()


def test_the_table():
    table = run(GIJIT_STATS="1").stderr
    assert table.startswith("gijit statistics\n")
    # Calls, per tier, PyGObject, tier now, deopts, bytes, saved.
    basename = row(table, "most called", "Gio.File.get_basename")
    assert basename[0] == "1000" and sum(map(int, basename[1:5])) == 1000
    assert basename[5] == "2" and int(basename[7]) > 0 and basename[9].startswith("ms")
    assert row(table, "most called", "GLib.ascii_strdown")[4] == "1"
    assert row(table, "most called", "GLib.strcmp0")[6] == "5"
    assert row(table, "most called", "Gio.IOModule.query")[:6] == ["3", "0", "0", "0", "3", "PyG"]
    assert row(table, "most time saved", "Gio.File.get_basename") == basename
    assert re.search(r"about [\d.]+ ms saved\. An estimate: ", table)
    assert "rejected: no-symbol" in table


def test_the_dict_is_the_file(tmp_path):
    path = tmp_path / "stats.%p"
    shown = run("print(json.dumps(gijit.stats()))", GIJIT_STATS=str(path)).stdout
    (written,) = tmp_path.iterdir()
    stats = json.loads(written.read_text())
    assert stats == json.loads(shown)
    assert set(stats) >= {"calls", "compiled", "deopts", "rejections", "code_bytes", "callables"}
    assert stats["rejections"] == {"no-symbol": 1}
    basename = stats["callables"]["Gio.File.get_basename"]
    assert sum(basename["calls"].values()) == 1000 and basename["tier"] == 2
    assert basename["saved_ns"] > 0 and not basename["measured"]
    for tier in ("tier0", "tier1", "tier2", "pygobject"):
        calls = [one["calls"][tier] for one in stats["callables"].values()]
        assert sum(calls) == stats["calls"][tier]
    assert stats["callables"]["Gio.IOModule.query"]["rejected"] == "no-symbol"
    assert stats["callables"]["GLib.strcmp0"]["deopts"] == 5
    # And the int in place of a str.
    assert stats["deopts"] == 6


def test_measured_with_samples():
    table = run(GIJIT_STATS="1", GIJIT_TRACE="sample", GIJIT_TRACE_FILE="/dev/null").stderr
    assert row(table, "most called", "Gio.File.get_basename")[-1] == "ms*"


def test_off_by_default():
    done = run("print(gijit.stats()['calls'], gijit.stats()['compiled']['tier2'] > 0)")
    assert done.stdout == "{'tier0': 0, 'tier1': 0, 'tier2': 0, 'pygobject': 0} True\n"
    assert done.stderr == ""
