"""``python -m gijit report``: a trace as a page for people who have never seen a JIT."""

import os
import sys

from . import _advice, _pages, _plots, _tracefile

TIERS = {-1: "PyGObject", 0: "tier 0", 1: "tier 1", 2: "tier 2"}
SHOWN = 20
"""Callables in a plot."""


def main(trace, output):
    """Write the page of ``trace`` to ``output``; 0, 1 when that fails, 2 for no trace."""
    try:
        records = _tracefile.read(trace)
    except OSError as error:
        print(f"gijit: cannot read {trace}: {error.strerror}", file=sys.stderr)
        return 2
    except _tracefile.NoTrace as error:
        print(f"gijit: {trace}: {error}", file=sys.stderr)
        return 2
    try:
        _pages.render("report.html", output, **values(os.path.basename(trace), records))
    except OSError as error:
        print(f"gijit: cannot write {output}: {error.strerror}", file=sys.stderr)
        return 1
    except _pages.NoTemplates as error:
        print(f"gijit: {error}", file=sys.stderr)
        return 1
    print(f"{output}: {len(records)} events")
    return 0


def values(name, records):
    """What the template fills in."""
    found = _tracefile.analyse(records)
    every, seconds = found["callables"], found["seconds"]
    timed = [one for one in every if one.times]
    compared = [one for one in timed if one.before_ns is not None]
    compiled = [one for one in every if one.compilations]
    busy = timed or sorted(every, key=lambda one: -len(one.history))
    return {
        "name": name,
        "found": found,
        "every": every,
        "timed": timed,
        "hints": _advice.about_time(timed),
        "compiled": compiled,
        "tiers": TIERS,
        "rejected": _by_reason(every),
        "deopts": [(one, _advice.about_deopts(one)) for one in every if one.deopts or one.rounds],
        "failures": [
            (one, failure, _advice.about_failure(failure["reason"]))
            for one in every
            for failure in one.failures
        ],
        "binding_ms": sum(one.binding_ns for one in timed) / 1e6,
        "native_ms": sum(one.native_ns for one in timed) / 1e6,
        "before_ms": sum(one.before_ns for one in compared) / 1e6,
        "after_ms": sum(one.binding_ns for one in compared) / 1e6,
        "compile_ms": sum(one.compile_us for one in compiled) / 1e3,
        "code_bytes": sum(one.code_bytes for one in compiled),
        "plots": {
            "binding": _plots.bars(
                [(one.name, [one.binding_ns / 1e6, one.native_ns / 1e6]) for one in timed[:SHOWN]],
                ["binding", "the library itself"],
            ),
            "compared": _plots.bars(
                [
                    row
                    for one in compared[: SHOWN // 2]
                    for row in (
                        (f"{one.name}, before", [one.before_ns / 1e6, 0]),
                        ("with gijit", [0, one.binding_ns / 1e6]),
                    )
                ],
                ["in PyGObject", "with gijit"],
            ),
            "tiers": _plots.strips(
                [(one.name, one.history) for one in busy[:SHOWN] if one.history], seconds, TIERS
            ),
            "queue": _plots.steps(found["queue"], seconds, "jobs"),
            "code": _plots.steps(_code(compiled), seconds, "KiB"),
        },
    }


def _by_reason(every):
    reasons = {}
    for one in every:
        if one.rejected:
            reasons.setdefault(one.rejected, []).append(one)
    try:
        from ._gijit import reasons as texts
    except ImportError:
        known = {}
    else:
        known = dict(texts())
    return [
        (reason, known.get(reason, ""), callables, _advice.about_rejection(reason))
        for reason, callables in sorted(reasons.items(), key=lambda item: -len(item[1]))
    ]


def _code(compiled):
    """Code made so far, over time."""
    made = sorted((each["second"], each["bytes"]) for one in compiled for each in one.compilations)
    total, points = 0, []
    for second, size in made:
        total += size / 1024
        points.append((second, total))
    return points
