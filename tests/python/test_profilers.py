"""perf and gdb see thunks: names, instructions with their steps, and frames that can be unwound.

Each test runs the real tool and is skipped, with the reason, where that or the kernel's leave is
missing.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NAME = "gijit:GLib.path_get_basename"
PROGRAM = """
import os, signal, sys
import gijit
gijit.install()
from gi.repository import GLib
call = GLib.path_get_basename
call("/a")
gijit.promote(call, int(sys.argv[1]))
# A debugger may stop the program here.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
os.kill(os.getpid(), signal.SIGUSR1)
for _ in range(int(sys.argv[2])):
    call("/a/b")
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def run(command, tmp_path, **variables):
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIJIT")}
    env.update(variables, JITDUMPDIR=str(tmp_path), DEBUGINFOD_URLS="")
    return subprocess.run(
        command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=180,
        errors="replace",
    )  # fmt: skip


# With the thunk a fiftieth of the samples, and a kernel that takes a thousand of them in a second,
# a tenth as many calls leave it out once in fifty runs.
CALLS = "15000000"


def record(tmp_path, kind, program, *options):
    """Profiles the program; gives the file."""
    if shutil.which("perf") is None:
        pytest.skip("perf is not installed (Debian: linux-perf)")
    data = tmp_path / "perf.data"
    done = run(
        ["perf", "record", "-q", "-e", "cpu-clock:u", "-F", "2000", "-k", "mono", *options,
         "-o", str(data), "--", sys.executable, str(program), "2", CALLS],
        tmp_path, GIJIT_PERF=kind,
    )  # fmt: skip
    if done.returncode and "perf_event" in done.stderr:
        pytest.skip("the kernel does not let this user profile (kernel.perf_event_paranoid)")
    assert done.returncode == 0, done.stderr
    return data


def test_perf_map_names_thunks(tmp_path, program):
    data = record(tmp_path, "map", program)
    report = run(["perf", "report", "-i", str(data), "--stdio"], tmp_path)
    assert f"{NAME} [tier 2]" in report.stdout, report.stdout + report.stderr


def test_jitdump_shows_instructions_with_their_steps(tmp_path, program):
    data = record(tmp_path, "jitdump", program)
    injected = tmp_path / "injected.data"
    done = run(["perf", "inject", "--jit", "-i", str(data), "-o", str(injected)], tmp_path)
    if "dwarf support" in done.stderr or ("jit" in done.stderr and done.returncode):
        pytest.skip(f"this perf was built without jitdump: {done.stderr}")
    report = run(["perf", "report", "-i", str(injected), "--stdio"], tmp_path)
    assert f"{NAME} [tier 2]" in report.stdout, report.stdout + report.stderr
    annotated = run(
        ["perf", "annotate", "-i", str(injected), "--stdio", "-s", f"{NAME} [tier 2]"], tmp_path
    )
    assert re.search(r"\bcall\b", annotated.stdout), annotated.stdout + annotated.stderr
    assert re.search(r"call g_path_get_basename", annotated.stdout), annotated.stdout


def test_jitdump_tells_perf_how_to_unwind(tmp_path, program):
    data = record(tmp_path, "jitdump", program, "--call-graph", "dwarf,4096")
    injected = tmp_path / "injected.data"
    run(["perf", "inject", "--jit", "-i", str(data), "-o", str(injected)], tmp_path)
    script = run(["perf", "script", "-i", str(injected), "-F", "ip,sym"], tmp_path)
    stacks = script.stdout.split("\n\n")
    through = [stack for stack in stacks if f"{NAME} [tier 2]" in stack]
    assert through, "no sample inside"
    # What called the thunk is seen beyond it.
    callers = [stack.split(NAME)[1].splitlines()[1:] for stack in through]
    assert any(re.search("Py|main", "".join(lines)) for lines in callers), through[:3]


@pytest.mark.parametrize("tier", ["1", "2"])
def test_gdb_names_thunks_and_unwinds_through_them(tmp_path, program, tier):
    if shutil.which("gdb") is None:
        pytest.skip("gdb is not installed (Debian: gdb)")
    commands = tmp_path / "commands"
    # The breakpoint is made after the signal, since GLib itself and tier 0 call the function, too.
    commands.write_text(
        "set pagination off\nset width 0\nhandle SIGUSR1 stop nopass\nrun\n"
        "break g_path_get_basename\ncontinue\nbt 4\nframe 1\nlist\n"
    )
    done = run(
        ["gdb", "-nx", "-q", "-batch", "-x", str(commands), "--args",
         sys.executable, str(program), tier, "3"],
        tmp_path, GIJIT_PERF="gdb",
    )  # fmt: skip
    if "ptrace" in done.stderr:
        pytest.skip("the kernel does not let this user debug (kernel.yama.ptrace_scope)")
    frames = re.findall(r"^#(\d+) .*", done.stdout, flags=re.MULTILINE)
    assert len(frames) >= 4, done.stdout + done.stderr
    assert re.search(rf"^#1 .* in {NAME} \[tier {tier}\] \(\)", done.stdout, flags=re.MULTILINE)
    assert re.search(r"^#2 .* in .*Py", done.stdout, flags=re.MULTILINE), done.stdout
    assert re.search(r"^\d+\s+call g_path_get_basename$", done.stdout, flags=re.MULTILINE)


def test_a_forked_child_has_a_map_of_its_own(tmp_path):
    done = run(
        [sys.executable, "-c", """
import os, gijit
gijit.install()
from gi.repository import GLib
gijit.promote(GLib.path_get_basename, 1)
parent = os.getpid()
child = os.fork()
if child == 0:
    gijit.promote(GLib.path_get_dirname, 1)
    os._exit(0)
os.waitpid(child, 0)
for pid in (parent, child):
    print(open(f"/tmp/perf-{pid}.map").read())
    print("=====")
    os.unlink(f"/tmp/perf-{pid}.map")
"""],
        tmp_path, GIJIT_PERF="map",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    parent, child, _ = done.stdout.split("=====")
    assert re.search(rf"^[0-9a-f]+ [0-9a-f]+ {NAME} \[tier 1\]$", parent, flags=re.MULTILINE)
    assert NAME in child and "path_get_dirname" in child and "path_get_dirname" not in parent


FRAME = [[], ["push"], ["pop"], ["mov"], ["sub"], ["add"]]


@pytest.mark.parametrize("tier", ["1", "2"])
def test_each_instruction_stands_under_its_step(tmp_path, tier):
    program = PROGRAM + 'print(gijit.explain(call, "asm"))'
    done = run([sys.executable, "-c", program, tier, "1"], tmp_path)
    parts = re.split(r"^; (.*)\n", done.stdout, flags=re.MULTILINE)
    assert parts[0] == "", done.stdout
    steps = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert {"bind", "in c0 filename", "call g_path_get_basename", "out c1 filename"} <= set(steps)
    of_none = [step for step in steps if step.startswith("(")]
    # The frame: registers that are saved, arguments that are moved. Behind the return, ways of
    # giving up share their end. Beside these there are a few constants that steps share.
    usual, _, unusual = done.stdout.partition("  ret\n")
    pieces = re.findall(r"^; \(.*\n((?:[^;\n].*\n?)*)", usual, flags=re.MULTILINE)
    pieces.append(unusual.partition(";")[0])
    lines = [piece.splitlines() for piece in pieces]
    assert all(len(piece) <= 14 for piece in lines), done.stdout
    others = [line for piece in lines[:-1] for line in piece if line.split()[1:2] not in FRAME]
    assert len(others) <= 4, done.stdout
    kinds = {"bind", "count", "record", "guard", "in", "call", "out", "release", "result", "bail"}
    kinds |= {"deopt", *of_none}
    assert all(step in of_none or step.split()[0] in kinds for step in steps), steps.keys()


def test_dump_writes_stages_while_a_program_runs(tmp_path, program):
    stages = "signature,words,plan,profile,ir,clif,llvm,asm,gil"
    done = run(
        [sys.executable, str(program), "2", "1"], tmp_path,
        GIJIT_DUMP=f"{stages}:GLib.path_get_base*",
    )  # fmt: skip
    heads = re.findall(r"^gijit dump: (\w+) of GLib.path_get_basename", done.stderr, re.MULTILINE)
    assert set(heads) == set(stages.split(",")), done.stderr
    file = tmp_path / "trace.txt"
    done = run(
        [sys.executable, str(program), "1", "1"], tmp_path,
        GIJIT_DUMP="plan:GLib.*", GIJIT_TRACE_FILE=str(file),
    )  # fmt: skip
    assert not done.stderr and file.read_text().startswith("gijit dump: plan of GLib.")
    done = run([sys.executable, str(program), "1", "1"], tmp_path, GIJIT_DUMP="plain:GLib.*")
    assert done.stderr.count("\n") == 1 and "GIJIT_DUMP" in done.stderr


def test_a_folder_or_file_that_cannot_be_written_is_one_line(tmp_path, program):
    none = str(tmp_path / "none")
    done = run(
        ["env", f"JITDUMPDIR={none}", sys.executable, str(program), "1", "1"], tmp_path,
        GIJIT_PERF="jitdump",
    )  # fmt: skip
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        f"gijit: GIJIT_PERF=jitdump: cannot write in {none} (JITDUMPDIR): No such"
    )
    for more in ({}, {"GIJIT_TRACE": "tier"}):
        done = run(
            [sys.executable, str(program), "1", "1"], tmp_path,
            GIJIT_DUMP="gil:GLib.none", GIJIT_TRACE_FILE=f"{none}/trace", **more,
        )  # fmt: skip
        unwritable = [line for line in done.stderr.splitlines() if "GIJIT_TRACE_FILE" in line]
        assert len(unwritable) == 1, done.stderr


def test_every_folder_is_private(tmp_path, program):
    run([sys.executable, str(program), "1", "1"], tmp_path, GIJIT_PERF="jitdump")
    (folder,) = Path(tmp_path).glob("gijit-*")
    assert folder.stat().st_mode & 0o777 == 0o700


GUIDE = Path(__file__).resolve().parents[2] / "docs" / "profiling.md"
BLOCKS = dict(
    zip(
        ("map", "jitdump", "explain", "dump", "gdb"),
        re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL),
        strict=True,
    )
)
# What a reader of the guide must see.
SHOWN = {
    "map": r"gijit:GLib.path_get_basename \[tier 2\]",
    "jitdump": r"call g_path_get_basename",
    "explain": r"takes file_name.*; call g_path_get_basename",
    "dump": r"gijit dump: asm of GLib.path_get_basename at tier 2",
    "gdb": r"#1 .* in gijit:GLib.path_get_basename \[tier [12]\].*call g_path_get_basename",
}


@pytest.mark.parametrize("block", BLOCKS)
def test_the_commands_of_the_guide_work(tmp_path, block):
    program = re.search(r"^```python\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "program.py").write_text(program[1])
    for tool in ("perf", "gdb"):
        if f"{tool} " in BLOCKS[block] and shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    done = run(
        ["bash", "-euc", BLOCKS[block]], tmp_path,
        PATH=os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"],
    )  # fmt: skip
    if "perf_event_paranoid" in done.stderr or "ptrace" in done.stderr:
        pytest.skip("the kernel does not let this user profile or debug")
    shown = done.stdout + done.stderr
    assert re.search(SHOWN[block], shown, re.DOTALL), shown
