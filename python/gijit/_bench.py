"""``python -m gijit bench``: what calls cost on stock PyGObject and on each tier, here and now.

Every mode runs in child processes that take turns, so that a busy moment of the machine does not
fall on one of them alone; the figures are medians. This is for the calls of one's own program; the
comparison with C, ctypes and cffi is ``make bench`` of the source tree.
"""

import json
import os
import statistics
import subprocess
import sys

from ._calls import SETUP, Call, available
from ._progress import Progress

TIERS = ("tier0", "tier1", "tier2")
MODES = ("stock", *TIERS)
HEADINGS = ("stock", "tier 0", "tier 1", "tier 2", "speed-up")
TIMEOUT = 600


class Failed(Exception):
    """A call could not be measured."""


def environment(mode):
    """The environment of a child: "stock", "default" (gijit as users run it), or a tier forced."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIJIT")}
    # What GTK may not do here: look for an accessibility bus, and complain.
    env["NO_AT_BRIDGE"] = "1"
    env["GIJIT"] = "0" if mode == "stock" else "1"
    if mode in TIERS:
        env["GIJIT_TIER1_CALLS"] = env["GIJIT_TIER2_CALLS"] = "0"
        env["GIJIT_MAX_TIER"] = mode[-1]
        env["GIJIT_COMPILE"] = "sync"
    return env


def measure(calls, rounds):
    """The rows of the table, ``[{"call", "stock", "tier0", ..., "executed": {tier: tier}}]``.

    :param calls: a list of ``Call``.
    :param rounds: how often each mode has its turn.
    :raises Failed: when a call raises, with the call and the exception.
    """
    runs = {mode: [] for mode in MODES}
    with Progress("measuring", rounds * len(MODES)) as progress:
        executed = {
            tier: _child(calls, {**environment(tier), "GIJIT_STATS": os.devnull}) for tier in TIERS
        }
        for turn in range(rounds):
            for place, mode in enumerate(MODES):
                runs[mode].append(_child(calls, environment(mode)))
                progress.show(turn * len(MODES) + place + 1)
    return [
        {
            "call": call.title,
            **{mode: statistics.median(run[call.title] for run in runs[mode]) for mode in MODES},
            "executed": {tier: executed[tier][call.title] for tier in TIERS},
        }
        for call in calls
    ]


def _child(calls, env):
    """What ``_timing`` found: {title: figure}."""
    child = subprocess.run(
        [sys.executable, "-m", "gijit._timing"],
        input=json.dumps(calls), env=env, capture_output=True, text=True, timeout=TIMEOUT,
    )  # fmt: skip
    if child.returncode != 0:
        lines = child.stderr.strip().splitlines()
        raise Failed(lines[-1] if lines else f"the calls ended the process ({child.returncode})")
    return json.loads(child.stdout)


def speedup(row):
    """How many times as fast tier 2 is as stock PyGObject. Less than 1 ns counts as 1 ns."""
    return row["stock"] / max(1.0, row["tier2"])


def summary(rows):
    """The lines below the table."""
    ratios = [speedup(row) for row in rows]
    lines = [
        f"tier 2 against stock, geometric mean of {len(rows)} calls: "
        f"{statistics.geometric_mean(ratios):.1f}x; slower than stock: "
        f"{sum(ratio < 1 for ratio in ratios)}"
    ]
    if any(tier != where for row in rows for tier, where in row["executed"].items()):
        lines.append(
            "* was executed by another tier, or by PyGObject itself: `gijit explain` says why"
        )
    return lines


def _cells(row):
    marks = {tier: "" if row["executed"][tier] == tier else "*" for tier in TIERS}
    return [*(f"{row[mode]:.0f}{marks.get(mode, '')}" for mode in MODES), f"{speedup(row):.1f}x"]


def text(rows):
    """The table for a terminal."""
    width = max(len("ns per call"), *(len(row["call"]) for row in rows))
    lines = [f"{'ns per call':{width}} " + "".join(f"{heading:>10}" for heading in HEADINGS)]
    lines.append("-" * len(lines[0]))
    for row in rows:
        lines.append(f"{row['call']:{width}} " + "".join(f"{cell:>10}" for cell in _cells(row)))
    return "\n".join(lines)


def markdown(rows):
    """The table for a document."""
    lines = ["| ns per call | " + " | ".join(HEADINGS) + " |", "|---|" + "---:|" * len(HEADINGS)]
    lines += [f"| `{row['call']}` | " + " | ".join(_cells(row)) + " |" for row in rows]
    return "\n".join(lines)


def main(statements, setup, rounds, as_json):
    """Measure ``statements``, or a choice of calls, and print the table.

    :returns: 0; 1 when a call could not be measured.
    """
    calls = [Call(text, setup or SETUP, text) for text in dict.fromkeys(statements)]
    try:
        rows = measure(calls or available(), rounds)
    except Failed as error:
        print(f"gijit: {error}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps({"calls": rows}, indent=2))
    else:
        print(text(rows), "", *summary(rows), sep="\n")
    return 0
