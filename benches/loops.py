"""Where the time of whole loops goes, on stock PyGObject and with gijit, as perf sees it.

    .venv/bin/python benches/loops.py

Each loop of `programs.py` runs a few times under `perf record`. What perf sampled while the loop
ran is summed by the library that ran: the interpreter, PyGObject and what it needs for a call
(libffi, libgirepository), gijit and its code, and the libraries that are called. Prints the table
of docs/loops.md.
"""

import collections
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import bench
import programs

RUNS = 5
# perf's own clock needs no counters of the processor, which virtual machines may lack; the
# monotonic one is what the program tells the time by.
RECORD = ("perf", "record", "-q", "-e", "cpu-clock", "-F", "5000", "-k", "mono")
REPORT = ("perf", "report", "--stdio", "-q", "-t", "|", "--sort", "comm,dso")
GROUPS = ("Python", "PyGObject", "gijit", "compiling", "libraries")
BINDING = ("_gi.", "_gi_cairo", "libffi", "libgirepository")
TIMES = "\nprint(begun, time.perf_counter())"


def group(thread, library):
    """What a sample counts as."""
    if thread.startswith("gijit"):
        return "compiling"
    # Code that is in no file, as perf calls it.
    if library.startswith(("_gijit", "libgijit", "[JIT]")):
        return "gijit"
    if library.startswith(BINDING):
        return "PyGObject"
    return "Python" if library.startswith(("python", "libpython")) else "libraries"


def sampled(code, env):
    """The milliseconds that a loop took, and the number of samples of each group."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "perf.data")
        command = [*RECORD, "-o", data, "--", sys.executable, "-c", code]
        ran = subprocess.run(command, env=env, capture_output=True, text=True)
        if ran.returncode:
            sys.exit(ran.stderr)
        begun, ended = map(float, ran.stdout.split()[-2:])
        window = f"{begun:.6f},{ended:.6f}"
        command = [*REPORT, "-F", "sample,comm,dso", "--time", window, "-i", data]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    counts = collections.Counter()
    for line in filter(str.strip, listed.splitlines()):
        count, thread, library = (part.strip() for part in line.split("|"))
        counts[group(thread, library)] += int(count)
    return (ended - begun) * 1000, counts


def calls(code):
    """How many calls a loop makes through PyGObject; those of the imports are among them."""
    with tempfile.NamedTemporaryFile() as file:
        env = {**bench.environment("gijit"), "GIJIT_STATS": file.name}
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
        return sum(json.loads(Path(file.name).read_text())["calls"].values())


def main():
    if not bench.under_display():
        sys.exit("a display is needed: install xvfb")
    print(f"| loop | calls | | ms | {' | '.join(GROUPS)} |")
    print("|---|---:|---|---:" + "|---:" * len(GROUPS) + "|")
    for program in programs.PROGRAMS:
        if not program.name.startswith("loop: "):
            continue
        code = program.code.removesuffix(programs.END) + TIMES
        for variant in ("stock", "gijit"):
            times, counts = [], collections.Counter()
            for _ in range(RUNS):
                taken, found = sampled(code, bench.environment(variant))
                times.append(taken)
                counts += found
            middle, whole = statistics.median(times), counts.total() - counts["compiling"]
            parts = [f"{middle * counts[name] / whole:.1f}" for name in GROUPS]
            name = f"{program.name.removeprefix('loop: ')} | {calls(code):,}"
            name = name if variant == "stock" else " |"
            print(f"| {name} | {variant} | {middle:.1f} | {' | '.join(parts)} |", flush=True)


if __name__ == "__main__":
    main()
