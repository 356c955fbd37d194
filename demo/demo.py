"""Shows what gijit does: real calls on stock PyGObject and on each tier, then a program at work.

    make demo
    .venv/bin/python demo/demo.py --markdown   (the table alone, for a document)

Every figure is measured now, on this machine, as `python -m gijit bench` does it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gijit import _bench, _calls

PROGRAM = Path(__file__).resolve().parent / "program.py"
TIMEOUT = 300


def run_program(env):
    """What the program printed: its result and its time."""
    result = subprocess.run(
        [sys.executable, PROGRAM], env=env, capture_output=True, text=True, timeout=TIMEOUT
    )
    if result.returncode != 0:
        sys.exit(f"{PROGRAM} failed with status {result.returncode}:\n{result.stderr}")
    return result.stdout.splitlines()


def show_program(displayed):
    """Runs `program.py` on stock and with gijit, and shows the promotions that happened."""
    if not displayed:
        print("\nNo display and no xvfb-run: the program, which needs GTK, is left out.")
        return
    print("\nA program that knows nothing of gijit (demo/program.py)\n")
    stock = run_program(_bench.environment("stock"))
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.txt"
        env = {"GIJIT_TRACE": "tier", "GIJIT_TRACE_FILE": str(trace)}
        under = run_program({**_bench.environment("default"), **env})
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
    parser.add_argument("--rounds", type=int, default=5, help="rounds of measuring (5)")
    options = parser.parse_args()
    displayed = under_display()
    begun = time.monotonic()
    try:
        rows = _bench.measure(_calls.available(), options.rounds)
    except _bench.Failed as error:
        sys.exit(str(error))
    if options.markdown:
        print(_bench.markdown(rows))
        return
    print("Calls as users write them, in nanoseconds, on stock PyGObject and on each tier\n")
    print(_bench.text(rows), "", *_bench.summary(rows), sep="\n")
    show_program(displayed)
    print(f"\n{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
