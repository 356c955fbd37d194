"""What each tier can compile of the namespaces that gijit promises to serve whole.

`coverage.json` records how many callables are rejected, by namespace and reason. The numbers may
only go down; `GIJIT_BLESS=1` renews the file. A reason of the closed list is one for which
PyGObject cannot make the call either (`test_rejections.py`); there is no other.
"""

import importlib.util
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import build

RECORD = build.record("coverage.json")
NAMESPACES = """
    GLib-2.0 GObject-2.0 Gio-2.0 GModule-2.0 Gtk-3.0 Gtk-4.0 Gdk-3.0 Gdk-4.0 Gsk-4.0 Graphene-1.0
    Pango-1.0 PangoCairo-1.0 cairo-1.0 GdkPixbuf-2.0 Atk-1.0 Gst-1.0 GstBase-1.0 GstVideo-1.0
    GstAudio-1.0 Json-1.0 Soup-3.0 Rsvg-2.0 Poppler-0.18 Vte-2.91 GtkSource-4 Secret-1 Notify-0.7
    GIMarshallingTests-1.0 Regress-1.0
""".split()
CLOSED = {
    "array-length",
    "caller-allocated",
    "foreign-struct",
    "list",
    "nested-array",
    "no-symbol",
    "struct-by-value",
    "unresolved-type",
    "written-string",
}
# What is rejected besides where gst-python is installed: its overrides put a class of their own in
# the place of Gst.MapInfo, and PyGObject raises that it is no subtype of gi.Struct.
GST_PYTHON = {"unresolved-type": 4}
TIMEOUT = 120


def _cover(environment, namespace):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "gijit", "coverage", "--json", namespace],
        env=environment, capture_output=True, text=True, timeout=TIMEOUT,
    )  # fmt: skip
    if done.returncode:
        return f"exit status {done.returncode}\n{done.stderr}"
    (row,) = json.loads(done.stdout)["namespaces"]
    return row


@pytest.fixture(scope="module")
def rows():
    environment = {name: v for name, v in os.environ.items() if not name.startswith("GIJIT")}
    environment.update(build.prepare().environment())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda namespace: _cover(environment, namespace), NAMESPACES)
        return dict(zip(NAMESPACES, found, strict=True))


@pytest.fixture(scope="module")
def record(rows):
    if os.environ.get("GIJIT_BLESS"):
        rejected = {name: row["rejected"] for name, row in rows.items() if isinstance(row, dict)}
        RECORD.write_text(json.dumps(rejected, indent=1) + "\n")
    return json.loads(RECORD.read_text())


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_coverage(rows, record, namespace):
    row = rows[namespace]
    assert isinstance(row, dict), row
    rejected = row["rejected"]
    # What tier 0 runs, the others compile, and there is no third way.
    assert row["tier0"] == row["tier1"] == row["tier2"] == row["callables"] - sum(rejected.values())
    known = record[namespace]
    if namespace == "Gst-1.0" and importlib.util.find_spec("gi.overrides.Gst"):
        known = {**known, **GST_PYTHON}
    more = {reason: n for reason, n in rejected.items() if n > known.get(reason, 0)}
    assert not more, f"rejected {more}; on record are {known}"


def test_reasons_left(rows):
    """Nothing is rejected for another reason than those of the closed list."""
    total = {}
    for row in rows.values():
        for reason, count in row["rejected"].items():
            total[reason] = total.get(reason, 0) + count
    left = {reason: n for reason, n in sorted(total.items()) if reason not in CLOSED}
    callables = sum(row["callables"] for row in rows.values())
    print(f"{callables} callables, of which are rejected: {total}")
    assert not left
    recorded = json.loads(RECORD.read_text())
    assert set(recorded) == set(NAMESPACES)
