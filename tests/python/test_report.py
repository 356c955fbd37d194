"""The page that `python -m gijit report` makes: what it says, and that a browser shows it."""

import json
import re
import shutil
import subprocess

import pytest
from test_embed import SYNC, cli, execute

pytest.importorskip("gi")
pytest.importorskip("jinja2")

PROGRAM = """
import gijit
from gi.repository import Gio, GLib
file = Gio.File.new_for_path("/a/b")
for _ in range(8):
    for _ in range(2000):
        file.get_basename()
        GLib.ascii_strdown("ABC", 2)
    gijit.flush()
for argument in ["a", None] * 200:
    GLib.strcmp0(argument, "b")
try: Gio.IOModule.query()
except Exception: pass
"""
SAMPLED = (
    '{"ts_us":1,"topic":"sample","event":"sampled","callable":"A.b","host":false,"total_ns":5,'
    '"tier":1,"native_ns":2,"binding_ns":3,"stands_for":1}\n'
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module", params=["json", "chrome"])
def page(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    trace, page = folder / "trace", folder / "out.html"
    done = execute(
        ["-c", PROGRAM],
        GIJIT="1",
        GIJIT_TRACE="all",
        GIJIT_TRACE_FORMAT=request.param,
        GIJIT_TRACE_FILE=str(trace),
        GIJIT_TIER1_CALLS="20",
        GIJIT_TIER2_CALLS="20",
    )
    assert (done.returncode, done.stderr) == (0, "")
    done = cli("report", str(trace), "-o", str(page))
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"{page}: \d+ events\n", done.stdout)
    return page


def section(page, name):
    text = re.search(rf'<section id="{name}">.*?</section>', page.read_text(), re.DOTALL)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_what_it_says(page):
    assert "GLib.ascii_strdown" in section(page, "time")
    assert re.search(r"about [\d.,]+ ms before, [\d.,]+ ms after", section(page, "compared"))
    assert "tier 2" in section(page, "tiers")
    rejected = section(page, "rejected")
    assert "Gio.IOModule.query" in rejected and "one version" in rejected
    assert "KiB of machine code" in section(page, "compile")
    assert "The compiler of tier 2 was loaded in" in section(page, "compile")


def test_it_needs_nothing_else(page):
    assert not re.search(r"(https?:)?//\w|<link|\ssrc=|@import|url\(", page.read_text())


def test_deopts_and_their_advice(tmp_path):
    trace, page = tmp_path / "trace", tmp_path / "out.html"
    done = execute(
        ["-c", "from gi.repository import GLib\n"
         "for n in range(400): GLib.strcmp0('a' if n % 50 < 25 else None, 'b')"],
        GIJIT="1", GIJIT_TRACE="deopt", GIJIT_TRACE_FORMAT="json", GIJIT_TRACE_FILE=str(trace),
        GIJIT_TIER1_CALLS="5", GIJIT_TIER2_CALLS="5", **SYNC,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert cli("report", str(trace), "-o", str(page)).returncode == 0
    assert "compiled it again to fit them" in section(page, "deopts")
    assert "No call was timed" in section(page, "time")


@pytest.mark.skipif(not CHROMIUM, reason="no chromium here (Debian: apt install chromium)")
def test_in_a_browser(page, tmp_path):
    click = """<script>
        const heading = document.querySelectorAll("#time thead th")[1];
        const column = () => [...document.querySelectorAll("#time tbody tr")]
            .map(row => Number(row.cells[1].dataset.value));
        heading.click(); const down = column(); heading.click(); const up = column();
        document.title = JSON.stringify({down, up, plots: document.querySelectorAll("svg").length});
    </script>"""
    copy = tmp_path / "clicked.html"
    copy.write_text(page.read_text().replace("</body>", click + "</body>"))
    shot = tmp_path / "page.png"
    done = subprocess.run(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}",
         f"--screenshot={shot}", "--dump-dom", copy.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = json.loads(re.search("<title>(.*?)</title>", done.stdout)[1])
    assert found["down"] == sorted(found["down"], reverse=True) and len(found["down"]) > 2
    assert found["up"] == sorted(found["up"])
    assert found["plots"] == 5
    assert shot.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gijit tier: A.b 0 -> 1\n", "it is a trace in text"),
        ("", "there is no event in it"),
        ('{"a": 1}\n', "line 1 is no event"),
        ("[1, 2]", "it is no trace of gijit's"),
        ("not at all", "it is no trace of gijit's (line 1 is no event)"),
        ("\0\x01[", "it is no trace of gijit's"),
        ("[\n{},\n", "it is no trace of gijit's"),
        (SAMPLED.replace("5", '"5"'), "an event 'sampled' without a proper 'total_ns'"),
        (SAMPLED.replace('"native_ns":2,', ""), "an event 'sampled' without a proper 'native_ns'"),
        (SAMPLED.replace('"A.b"', "[]"), "an event 'sampled' without a proper 'callable'"),
    ],
)
def test_what_is_no_trace(tmp_path, text, why):
    trace = tmp_path / "trace"
    trace.write_text(text)
    done = cli("report", str(trace), "-o", str(tmp_path / "out.html"))
    assert done.returncode == 2 and why in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.html").exists()


def test_what_a_killed_program_leaves(tmp_path):
    start = {"ts_us": 1, "pid": 1, "tid": 1, "topic": "process", "event": "start", "command": "x"}
    trace = tmp_path / "trace"
    trace.write_text(json.dumps(start) + '\n{"ts_us": 2, "pi')
    assert cli("report", str(trace), "-o", str(tmp_path / "out.html")).returncode == 0
    event = {"ph": "i", "cat": "process", "ts": 1, "pid": 1, "tid": 1, "args": {"event": "start"}}
    # Of a pipe, and of a file that was copied while it was written.
    for rest in (
        ",\n",
        ',\n{"ph": "i", "ca',
        ",\n" + json.dumps(event),
        ",\n" + json.dumps(event) + ",",
    ):
        trace.write_text("[\n" + json.dumps(event) + rest)
        assert cli("report", str(trace), "-o", str(tmp_path / "out.html")).returncode == 0


def test_files_that_are_not_there(tmp_path):
    done = cli("report", str(tmp_path / "none"), "-o", str(tmp_path / "out.html"))
    assert done.returncode == 2 and "No such file" in done.stderr


def test_every_reason_has_advice():
    code = (
        "from gijit import _advice, _gijit\n"
        "print([id for id, _ in _gijit.reasons() if not _advice.about_rejection(id)])\n"
        "known = {*_advice.REASONS, *_advice.OTHERS}\n"
        "print(sorted(known - {id for id, _ in _gijit.reasons()}))\n"
    )
    done = execute(["-c", code])
    assert done.stdout == "[]\n[]\n", done.stderr
