"""Compares calls on stock PyGObject, on each tier, in hand-written C, in ctypes and in cffi.

    make bench
    .venv/bin/python benches/bench.py --quick --shapes 'GLib.Variant.*'

Writes build/bench.json, and docs/benchmarks.md when all shapes were measured in full. Worker
processes of all variants take turns, so that a busy moment of the machine does not fall on one of
them alone; figures are medians over all rounds. A call that a forced tier did not execute is
marked.
"""

import argparse
import fnmatch
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import foreign
import programs
import report
from shapes import LINE, SHAPES

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TIERS = ("tier0", "tier1", "tier2")
VARIANTS = (
    "stock", *TIERS, "c-held", "c-released", "ctypes", "cffi", "alone",
    "stock" + LINE, "tier2" + LINE,
)  # fmt: skip
TIMEOUT = 240
# Shapes that one worker measures: few, so that the variants of one shape are close in time.
GROUP = 25


def environment(variant):
    """The environment of a process: one tier forced, gijit as users run it, or gijit off."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIJIT")}
    # What GTK may not do: look for an accessibility bus, and complain.
    env["NO_AT_BRIDGE"] = "1"
    env["GIJIT"] = "0"
    variant = variant.removesuffix(LINE)
    if variant == "gijit":
        env["GIJIT"] = "1"
    if variant in TIERS:
        env |= {"GIJIT": "1", "GIJIT_MAX_TIER": variant[-1], "GIJIT_COMPILE": "sync"}
        # Tier 2 is specialised to what tier 1 saw, as in a program that runs for a while.
        env |= {"GIJIT_TIER1_CALLS": "0", "GIJIT_TIER2_CALLS": "50"}
    return env


def run(variant, script, env, *options):
    """The JSON that a script of this folder printed."""
    command = [sys.executable, HERE / script, *options]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=TIMEOUT)
    if done.returncode != 0:
        sys.exit(f"{script} failed in {variant} with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def worker(variant, numbers, env, *options):
    return run(variant, "worker.py", env, variant, ",".join(map(str, numbers)), *options)


def note(text):
    """A line of progress that the next one replaces; nothing where nobody watches."""
    if sys.stderr.isatty():
        print(f"\r{text:100}\r", end="", file=sys.stderr, flush=True)


def measure(numbers, options):
    """{shape number: {variant: [nanoseconds]}} and {variant: {shape number: why it failed}}."""
    figures = {number: {} for number in numbers}
    failures = {}
    groups = [numbers[start : start + GROUP] for start in range(0, len(numbers), GROUP)]
    for turn, group, variant in itertools.product(range(options.rounds), groups, VARIANTS):
        note(f"measuring: round {turn + 1} of {options.rounds}, {SHAPES[group[0]].name}, {variant}")
        found = worker(variant, group, environment(variant), *timing(options))
        for number, values in found["results"].items():
            figures[int(number)].setdefault(variant, []).extend(values)
        failures.setdefault(variant, {}).update(found["failures"])
    note("")
    return figures, {variant: why for variant, why in failures.items() if why}


def lookups(environments, options):
    """{expression: {variant: figures}} of the lookups in a line."""
    figures = {}
    for turn in range(options.rounds):
        note(f"measuring: round {turn + 1} of {options.rounds}, attribute lookups")
        for variant, env in environments.items():
            found = run(variant, "lookups.py", env, *timing(options))
            for expression, values in found.items():
                figures.setdefault(expression, {}).setdefault(variant, []).extend(values)
    return {
        expression: {variant: summary(values) for variant, values in by_variant.items()}
        for expression, by_variant in figures.items()
    }


def timing(options):
    return "--seconds", str(options.seconds), "--values", str(options.values)


def executed(numbers):
    """{shape number: {tier: what executed the calls}} and {shape number: whether tier 2 holds the
    interpreter lock}, from processes that are not timed."""
    found = {number: {} for number in numbers}
    locks = {}
    for tier in TIERS:
        note(f"checking what executes the calls: {tier}")
        env = {**environment(tier), "GIJIT_STATS": os.devnull}
        for number, where in worker(tier, numbers, env, "--where")["results"].items():
            found[int(number)][tier] = where["tier"]
            locks[int(number)] = where["lock"]
    return found, locks


def summary(values):
    """The median and the distance between the quartiles."""
    quartiles = statistics.quantiles(values, n=4) if len(values) > 1 else [values[0]] * 3
    return {"median": statistics.median(values), "iqr": quartiles[2] - quartiles[0]}


def selected(pattern, displayed):
    return [
        number
        for number, shape in enumerate(SHAPES)
        if fnmatch.fnmatch(shape.name, pattern) and (displayed or not shape.gtk)
    ]


def under_display():
    """Starts this again under xvfb-run where there is no display; True when there is one."""
    if os.environ.get("DISPLAY"):
        return True
    if not shutil.which("xvfb-run"):
        return False
    os.execvp("xvfb-run", ["xvfb-run", "-a", sys.executable, *sys.argv])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round, no document")
    parser.add_argument("--shapes", default="*", metavar="PATTERN", help="only these calls")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of measuring (5)")
    parser.add_argument("--values", type=int, default=3, help="loops per call and round (3)")
    parser.add_argument("--seconds", type=float, default=0.004, help="of each loop (0.004)")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.values, options.seconds = 1, 2, 0.0005
    displayed = under_display()
    numbers = selected(options.shapes, displayed)
    if not numbers:
        sys.exit(f"no call matches {options.shapes!r}")
    begun, load = time.monotonic(), os.getloadavg()[0]
    foreign.build()
    where, locks = executed(numbers)
    figures, failures = measure(numbers, options)
    result = {
        "machine": report.machine(load),
        "failures": failures,
        "shapes": [
            {
                "name": SHAPES[number].name,
                "kind": SHAPES[number].kind,
                "executed": where[number],
                "lock": locks.get(number),
                "ns": {variant: summary(values) for variant, values in figures[number].items()},
            }
            for number in numbers
        ],
    }
    whole = options.shapes == "*" and displayed and not options.quick
    both = {variant: environment(variant) for variant in ("stock", "gijit")}
    result["lookups"] = lookups(both, options)
    note("measuring: whole processes")
    result["programs"] = programs.measure(both, options.rounds) if whole else []
    result["compiling"] = programs.compiling(both["gijit"]) if whole else {}
    result["memory"] = programs.memory(both["gijit"]) if whole else []
    note("")
    result["means"] = report.means(result["shapes"])
    result["seconds"] = round(time.monotonic() - begun)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n")
    text = report.document(result)
    print(text)
    if whole:
        (ROOT / "docs" / "benchmarks.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
