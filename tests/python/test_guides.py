"""The guides: every program and every command in them is run, and what it prints is what they show.

A fenced block ``python`` under a line ``<!-- file: NAME -->`` is a file. In a fenced block
``console`` the lines that begin with ``$`` are commands, and the others are what they print. The
blocks of a guide run one after the other in one empty folder. A number stands for any number,
spaces for any number of spaces, ``...`` for any text; the functions that a proof has met may come
in any order, which is that of the library's machine code. `GIJIT_BLESS=1` writes the outputs anew,
except where they have ``...`` in them.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("gi")
pytest.importorskip("jinja2")

DOCS = Path(__file__).parents[2] / "docs"
README = DOCS.parent / "README.md"
FENCE = re.compile(r"(?:<!-- file: (\S+) -->\n)?```(python|console)\n(.*?)```\n", re.DOTALL)
NUMBER = re.compile(r"0x[0-9a-f]+|-?\d[\d,.]*(?<![,.])")
MET = re.compile(r"(?<= functions, and ).*")
GUIDES = sorted(path for path in DOCS.glob("*.md") if "```console\n" in path.read_text())


def commands(block):
    """``(command, output)`` of a console block."""
    parts = re.split(r"^\$ (.*\n)", block, flags=re.MULTILINE)
    assert parts[0] == "", f"a block begins with {parts[0]!r}"
    return list(zip(map(str.strip, parts[1::2]), parts[2::2], strict=True))


def masked(text):
    text = MET.sub(lambda met: ", ".join(sorted(met[0].split(", "))), text)
    return re.sub(r" +", " ", NUMBER.sub("0", text)).strip()


def fits(shown, printed):
    parts = (re.escape(masked(part)) for part in re.split(r"\.\.\.", shown))
    return re.fullmatch(r"\s*.*\s*".join(parts), masked(printed), re.DOTALL) is not None


def environment(folder):
    """A shell in which `python3` is the Python of this test."""
    bin = folder / "bin"
    bin.mkdir()
    (bin / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (bin / "python3").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIJIT")}
    return {**kept, "PATH": f"{bin}:{kept['PATH']}", "PYTHONUNBUFFERED": "1", "COLUMNS": "100"}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_guide(guide, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    shell = environment(tmp_path)
    bless = os.environ.get("GIJIT_BLESS") == "1"
    wrong = []

    def run(match):
        name, kind, block = match.groups()
        if kind == "python":
            if name:
                (work / name).write_text(block)
            return match[0]
        made = ""
        for command, shown in commands(block):
            done = subprocess.run(
                command, shell=True, cwd=work, env=shell, timeout=120, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            if bless and "..." not in shown:
                shown = done.stdout
            elif not fits(shown, done.stdout):
                wrong.append(f"$ {command}\n{done.stdout}--- shown ---\n{shown}")
            made += f"$ {command}\n{shown}"
        return match[0].replace(block, made)

    text = guide.read_text()
    made = FENCE.sub(run, text)
    if bless and made != text:
        guide.write_text(made)
    assert not wrong, "\n\n".join(wrong)


FENCES = re.compile(r"(<!-- file: \S+ -->\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ELSEWHERE = {"profiling.md": "test_profilers.py runs it", "README.md": "see below"}


def test_every_block_of_every_page_is_run():
    for page in (README, *DOCS.glob("*.md")):
        for marker, kind, block in FENCES.findall(page.read_text()):
            # Without a kind: drawings, in which nothing is to be typed.
            run = kind == "console" or (kind == "python" and marker) or page.name in ELSEWHERE
            assert run or not kind, f"{page.name}: a block of {kind} is not run:\n{block}"


def test_the_commands_of_the_readme(tmp_path):
    (tmp_path / "program.py").write_text(
        "from gi.repository import GLib\nprint(GLib.main_depth())\n"
    )
    (tmp_path / "work").mkdir()
    shell = environment(tmp_path)

    def passes(*command, **options):
        done = subprocess.run(
            command, cwd=tmp_path, env=shell, capture_output=True, text=True, timeout=120, **options
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"

    text = README.read_text()
    targets = set(re.findall(r"^([\w-]+):", (README.parent / "Makefile").read_text(), re.MULTILINE))
    for _, kind, block in FENCES.findall(text):
        if kind == "python":
            passes(sys.executable, "-c", block)
            continue
        for line in (line.partition("#")[0].strip() for line in block.splitlines()):
            if line.startswith("make "):
                assert line.removeprefix("make ") in targets, line
            elif not line.startswith("pip "):
                passes("sh", "-c", line)
    # Each command of the table is understood, as it stands there.
    commands = re.findall(r"^\| `python -m gijit ([^`]*)`", text, re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        code = "import sys; from gijit._cli import _parser; _parser().parse_args(sys.argv[1:])"
        passes(sys.executable, "-c", code, *shlex.split(command))


def test_what_fits():
    assert fits("a 1.5 ms, 2", "a   27 ms, 1,345.2")
    assert fits("one\n...\nlast 3\n", "one\ntwo\nthree\nlast 4\n")
    assert fits("at f+0x47: 2 functions, and a, b", "at f+0xfb: 4 functions, and b, a")
    assert not fits("one 1", "two 1")
    assert not fits("2 functions, and a, b", "2 functions, and a, c")
    assert commands("$ a\nb\n$ c\n") == [("a", "b\n"), ("c", "")]
