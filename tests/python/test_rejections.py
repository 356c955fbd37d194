"""The closed list: what PyGObject cannot call either, by reason, with an example for each.

gijit rejects the example for that reason, and stock fails as told here and in `docs/rejections.md`:
with an exception, by a signal, or with a result that is not the function's.
"""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_coverage import CLOSED

import build

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "rejections.md").read_text()
TIMEOUT = 60

# Reason, callable, its version, what stock is asked, and how that ends: a signal, or text on stdout
# or stderr.
EXAMPLES = [
    (
        "array-length", "Gio.InputStream.read", "2.0",
        "bytes = GLib.Bytes.new(b'hello')\n"
        "print(Gio.InputStream.read(Gio.MemoryInputStream.new_from_bytes(bytes)))",
        "^5$",
    ),
    (
        "list", "GIMarshallingTests.ghashtable_double_in", "1.0",
        "GIMarshallingTests.ghashtable_double_in({'0': 0.5})",
        signal.SIGSEGV,
    ),
    (
        "nested-array", "GijitUnusual.count_all", "1.0",
        "GijitUnusual.count_all([['a']])",
        "RuntimeError: (Item 0: )?Cannot cleanup item data for array",
    ),
    (
        "foreign-struct", "PangoCairo.Font.get_scaled_font", "1.0",
        "context = PangoCairo.FontMap.get_default().create_context()\n"
        "from gi.repository import Pango\n"
        "context.load_font(Pango.FontDescription.from_string('Sans 10')).get_scaled_font()",
        "TypeError: Couldn't find foreign struct converter for 'cairo.ScaledFont'",
    ),
    (
        "struct-by-value", "Pango.Matrix.transform_rectangle", "1.0",
        "matrix = Pango.Matrix()\nmatrix.transform_rectangle(Pango.Rectangle())",
        signal.SIGSEGV,
    ),
    (
        "caller-allocated", "GLib.unichar_to_utf8", "2.0",
        "GLib.unichar_to_utf8('x')",
        signal.SIGSEGV,
    ),
    (
        "written-string", "GLib.strreverse", "2.0",
        "GLib.strreverse('some text')",
        signal.SIGABRT,
    ),
    (
        "no-symbol", "GIMarshallingTests.Object.full_in", "1.0",
        "GIMarshallingTests.Object.full_in(GIMarshallingTests.Object(int=42))",
        "Could not locate gi_marshalling_tests_object_full_in",
    ),
    (
        "unresolved-type", "Gtk.get_option_group", "3.0",
        "Gtk.get_option_group(False)",
        "TypeError: must be a subtype of gi.Boxed",
    ),
]  # fmt: skip
REASONS = [example[0] for example in EXAMPLES]


def _run(code, *, with_gijit):
    suite = build.prepare()
    environment = {**suite.environment(), "GIJIT": "0", "G_DEBUG": ""}
    start = "import gijit\ngijit.install()\n" if with_gijit else ""
    command = [sys.executable, "-W", "ignore", "-c", start + code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT)


def _imports(name, version):
    namespace = name.split(".")[0]
    return (
        f"import gi\ngi.require_version('{namespace}', '{version}')\n"
        f"from gi.repository import {namespace}, GLib\n"
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=REASONS)
def test_gijit_rejects(example):
    reason, name, version, _, _ = example
    code = f"""
try:
    gijit.promote({name}, 0)
except gijit.CompileError:
    print(*gijit.rejections())
"""
    done = _run(_imports(name, version) + code, with_gijit=True)
    assert done.stdout == f"{reason}\n", done


@pytest.mark.parametrize("example", EXAMPLES, ids=REASONS)
def test_stock_fails(example):
    _, name, version, code, end = example
    done = _run(_imports(name, version) + code, with_gijit=False)
    if isinstance(end, signal.Signals):
        assert done.returncode == -end, done
    else:
        assert re.search(end, done.stdout + done.stderr, re.MULTILINE), done


def test_documented():
    """The document names every reason of the closed list and every example, and no other."""
    assert set(REASONS) == CLOSED
    _, closed = DOCUMENT.split("## The closed list")
    table = re.findall(r"^\| `([a-z-]+)` \|", closed.split("\n## ")[0], re.MULTILINE)
    assert sorted(table) == sorted(CLOSED)
    for reason, name, *_ in EXAMPLES:
        assert re.search(rf"^\| `{reason}` \| `{re.escape(name)}`", DOCUMENT, re.MULTILINE), reason
