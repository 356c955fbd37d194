"""Golden files: what a call does in words, thunk IR, CLIF and LLVM IR of a dozen signatures.

The texts name what a thunk calls and leave addresses out, so they are the same in every process.
But for the words they show how CPython's objects lie in memory, which differs between its versions.
What the back ends make depends on the IR alone, so it is compared on one version. `GIJIT_BLESS=1`
writes the files of the running version anew.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
STAGES = ("words", "ir", "clif", "llvm")
CPYTHON = "{}.{}".format(*sys.version_info)
FOLDERS = {
    "words": {CPYTHON: "words"},
    "ir": {"3.11": "ir", "3.13": "ir-3.13"},
    "clif": {"3.11": "clif"},
    "llvm": {"3.11": "llvm"},
}
"""Where the texts of each version of CPython are."""
CALLABLES = (
    "GLib.random_double_range",
    "GLib.random_int_range",
    "GLib.get_monotonic_time",
    "GLib.ascii_digit_value",
    "GLib.unichar_isalpha",
    "GLib.path_get_basename",
    "GLib.utf8_strup",
    "GLib.Date.get_day",
    "GLib.DateTime.get_ymd",
    "GLib.KeyFile.get_integer",
    "Gio.File.new_for_path",
    "Gio.File.get_basename",
    "Gio.File.equal",
    "Gio.SimpleAction.set_enabled",
    "Gio.InputStream.do_skip",
)
# Explains every callable at every stage in one process; the parts are told apart by their heads.
PROGRAM = """
import sys
import gijit
gijit.install()
from gi.repository import Gio, GLib
for name in sys.argv[1:]:
    target = {"GLib": GLib, "Gio": Gio}[name.split(".")[0]]
    for part in name.split(".")[1:]:
        target = getattr(target, part)
    for stage in ("words", "ir", "clif", "llvm"):
        print("=====", name, stage)
        print(gijit.explain(target, stage))
"""


@pytest.fixture(scope="module")
def texts():
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIJIT")}
    child = subprocess.run(
        [sys.executable, "-c", PROGRAM, *CALLABLES],
        env=env, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    parts = re.split(r"^===== (\S+) (\S+)\n", child.stdout, flags=re.MULTILINE)[1:]
    names, stages, bodies = parts[::3], parts[1::3], parts[2::3]
    return {
        (name, stage): normal(text) for name, stage, text in zip(names, stages, bodies, strict=True)
    }


def normal(text):
    """`text` without what differs between processes and machines: addresses and the data layout."""
    text = re.sub(r"\b0x([0-9a-f]{1,4}(_[0-9a-f]{4})+|[0-9a-f]{7,})\b", "ADDRESS", text)
    text = re.sub(r"^target (datalayout|triple).*\n", "", text, flags=re.MULTILINE)
    return text.rstrip() + "\n"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("name", CALLABLES)
def test_text_is_the_golden_one(texts, name, stage):
    if CPYTHON not in FOLDERS[stage]:
        pytest.skip(f"there are texts of CPython {' and '.join(FOLDERS[stage])} only")
    file = GOLDEN / FOLDERS[stage][CPYTHON] / f"{name}.txt"
    if os.environ.get("GIJIT_BLESS") == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(texts[name, stage])
    assert texts[name, stage] == file.read_text()
