"""Shows what gijit does: real calls on stock PyGObject and on each tier, then a program at work.

    make demo
    .venv/bin/python demo/demo.py --markdown   (the table alone, for a document)

Every figure is measured now, on this machine. The modes run in child processes that take turns, so
that a busy moment of the machine does not fall on one of them alone; the table shows the medians.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
TIERS = ("tier0", "tier1", "tier2")
MODES = ("stock", *TIERS)
HEADINGS = ("stock", "tier 0", "tier 1", "tier 2", "speed-up")
TIMEOUT = 300


def environment(mode):
    """The environment of a child: stock, gijit as users run it, or one tier forced."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIJIT")}
    # What the GTK of the demonstration may not do: look for an accessibility bus, and complain.
    env["NO_AT_BRIDGE"] = "1"
    env["GIJIT"] = "0" if mode == "stock" else "1"
    if mode in TIERS:
        env["GIJIT_TIER1_CALLS"] = env["GIJIT_TIER2_CALLS"] = "0"
        env["GIJIT_MAX_TIER"] = mode[-1]
        env["GIJIT_COMPILE"] = "sync"
    return env


def child(script, env):
    """Runs a script of this folder and returns what it printed."""
    result = subprocess.run(
        [sys.executable, HERE / script], env=env, capture_output=True, text=True, timeout=TIMEOUT
    )
    if result.returncode != 0:
        sys.exit(f"{script} failed with status {result.returncode}:\n{result.stderr}")
    return result.stdout


def measure(repeats):
    """{mode: {call: median nanoseconds}}, from children that take turns."""
    runs = {mode: [] for mode in MODES}
    for number in range(repeats):
        for mode in MODES:
            note(f"measuring: round {number + 1} of {repeats}, {mode}")
            runs[mode].append(json.loads(child("measure.py", environment(mode))))
    note("")
    return {
        mode: {title: statistics.median(run[title] for run in done) for title in done[0]}
        for mode, done in runs.items()
    }


def fallbacks():
    """{mode: calls that something else than the forced tier executed}."""
    missed = {}
    for mode in TIERS:
        env = {**environment(mode), "GIJIT_STATS": os.devnull}
        found = json.loads(child("measure.py", env))
        missed[mode] = {title for title, where in found.items() if where != mode}
    return missed


def note(text):
    """A line of progress that the next one replaces; nothing where nobody watches."""
    if sys.stderr.isatty():
        print(f"\r{text:60}\r", end="", file=sys.stderr, flush=True)


def rows(times, missed):
    """The table's rows, as text, and the speed-ups of tier 2 by themselves."""
    table, ratios = [], []
    for title, stock in times["stock"].items():
        cells = [f"{stock:.0f}"]
        for mode in TIERS:
            mark = "*" if title in missed[mode] else ""
            cells.append(f"{times[mode][title]:.0f}{mark}")
        ratios.append(stock / max(1.0, times["tier2"][title]))
        table.append((title, *cells, f"{ratios[-1]:.1f}x"))
    return table, ratios


def print_text(table):
    width = max(len(row[0]) for row in table)
    print(f"{'ns per call':{width}} " + "".join(f"{heading:>10}" for heading in HEADINGS))
    print("-" * (width + 1 + 10 * len(HEADINGS)))
    for title, *cells in table:
        print(f"{title:{width}} " + "".join(f"{cell:>10}" for cell in cells))


def print_markdown(table):
    print("| ns per call | " + " | ".join(HEADINGS) + " |")
    print("|---|" + "---:|" * len(HEADINGS))
    for title, *cells in table:
        print(f"| `{title}` | " + " | ".join(cells) + " |")


def show_program(displayed):
    """Runs `program.py` on stock and with gijit, and shows the promotions that happened."""
    if not displayed:
        print("\nNo display and no xvfb-run: the program, which needs GTK, is left out.")
        return
    print("\nA program that knows nothing of gijit (demo/program.py)\n")
    stock = child("program.py", environment("stock")).splitlines()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.txt"
        env = {**environment("default"), "GIJIT_TRACE": "tier", "GIJIT_TRACE_FILE": str(trace)}
        under = child("program.py", env).splitlines()
        lines = trace.read_text().splitlines()
    print(f"  stock PyGObject   {stock[-1]}   {stock[0]}")
    print(f"  GIJIT=1           {under[-1]}   {under[0]}")
    if stock[0] != under[0]:
        sys.exit("the program's results differ")
    print(f"\n  GIJIT_TRACE=tier gave {len(lines)} lines; the first and the last of them:\n")
    shown = lines if len(lines) <= 16 else [*lines[:10], "...", *lines[-5:]]
    print("".join(f"    {line}\n" for line in shown), end="")


def under_display():
    """Starts this again under xvfb-run where there is no display; True when there is one."""
    if os.environ.get("DISPLAY"):
        return True
    if not shutil.which("xvfb-run"):
        return False
    os.execvp("xvfb-run", ["xvfb-run", "-a", sys.executable, *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", action="store_true", help="print the table alone")
    parser.add_argument("--repeats", type=int, default=5, help="rounds of measuring (5)")
    options = parser.parse_args()
    displayed = under_display()
    begun = time.monotonic()
    if not options.markdown:
        print("Calls as users write them, in nanoseconds, on stock PyGObject and on each tier\n")
    missed = fallbacks()
    table, ratios = rows(measure(options.repeats), missed)
    if options.markdown:
        print_markdown(table)
        return
    print_text(table)
    slower = Counter(ratio < 1 for ratio in ratios)[True]
    print(f"\ntier 2 against stock, geometric mean of {len(ratios)} calls: "
          f"{statistics.geometric_mean(ratios):.1f}x; slower than stock: {slower}")  # fmt: skip
    if any(missed.values()):
        print("* was executed by another tier or by PyGObject itself; see `gijit explain`")
    show_program(displayed)
    print(f"\n{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
