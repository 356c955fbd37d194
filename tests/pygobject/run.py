"""Runs PyGObject's own test suite on stock PyGObject and under gijit, and compares every outcome.

    .venv/bin/python tests/pygobject/run.py --mode tier2
    .venv/bin/python tests/pygobject/run.py --pygobject 3.50.2 --gtk 4.0 --mode tier1

Stock runs first and its outcomes are the reference. A test whose outcome differs is repeated alone,
on both: if stock agrees with the mode in every repetition, the test is reported as unstable and not
as a difference (the suite has a few tests that depend on timing). The calls that each tier executed
come from `gijit.stats()`; a forced tier must have executed nearly all calls (`LEAST_SHARE`), or
calls that silently fell back to PyGObject would pass for a success. The calls that went to
PyGObject are listed by callable and reason: those that raised, those that gave a deprecation
warning, and the others, which are to be few.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path

import build

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from modes import FORCED, MODES, environment

# What each combination runs in processes of their own, where it is not all in one.
APART = {
    # Stock crashes when these tests share a process with the others.
    ("3.42.2", "4.0"): ["tests/test_overrides_gtk.py"],
}
# What a combination leaves out.
LEFT_OUT = {
    # Tests of asyncio's loop: they have nothing to do with GTK, run in the combination with GTK 3,
    # and some of them wait, on stock as well, for many seconds.
    ("3.50.2", "4.0"): ["tests/test_events.py"],
}
# A forced tier executes 99.84 to 99.86 % of the calls with every PyGObject; the rest are errors and
# deprecated functions. One per cent is left to chance.
LEAST_SHARE = 0.9886
REPETITIONS = 3
# More unstable tests than this are no longer chance.
UNSTABLE_LIMIT = 3
# Of all calls at most this part may go to PyGObject and neither raise nor warn there.
ANSWERED_LIMIT = 0.001
# After so many crashes in one run the rest counts as not run.
CRASH_LIMIT = 10
TIMEOUT = 420


class Run:
    """The outcomes of one mode: `outcomes` by test, the texts of failures, and gijit's figures
    (`stats`, summed over processes, and the names of rejected callables by reason)."""

    def __init__(self, mode):
        self.mode = mode
        self.outcomes = {}
        self.texts = {}
        self.stats = None
        self.rejected = {}
        self.seconds = 0.0

    def counts(self):
        counted = Counter(self.outcomes.values())
        words = ["passed", "failed", "skipped", "xfailed"]
        words += sorted(set(counted) - set(words))
        return ", ".join(f"{counted[word]} {word}" for word in words)


def _interruptible():
    """Tests of Ctrl-C need SIGINT, which background jobs of a shell inherit as ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_suite(suite, mode, gtk="3.0", tests=(), label=""):
    """Runs the suite, or only `tests`, in `mode`; returns a Run. Survives crashes."""
    results = suite.base / "results" / f"gtk{gtk}-{mode}{label}.jsonl"
    results.parent.mkdir(exist_ok=True)
    results.unlink(missing_ok=True)
    env = {
        **environment(mode),
        **suite.environment(),
        "TEST_GTK_VERSION": gtk,
        "GIJIT_SUITE_RESULTS": str(results),
        "PYTHONPATH": f"{Path(__file__).parent}:{suite.lib}",
    }
    command = [
        "dbus-run-session", "--", "xvfb-run", "-a", suite.python, "-X", "faulthandler",
        "-m", "pytest", "-q", "-p", "recorder", "-p", "no:cacheprovider", "--no-header",
        "--rootdir", suite.source, "-c", os.devnull, *suite.pytest_options,
    ]  # fmt: skip
    apart = APART.get((suite.version, gtk), [])
    elsewhere = apart + LEFT_OUT.get((suite.version, gtk), [])
    parts = [["tests", *(f"--ignore={path}" for path in elsewhere)], *([path] for path in apart)]
    run = Run(mode)
    begun = time.monotonic()
    with open(results.with_suffix(".log"), "w") as log:
        for part in [list(tests)] if tests else parts:
            _run_part([*command, *part], suite, env, log)
    _read(results, run)
    run.seconds = time.monotonic() - begun
    if not run.outcomes:
        sys.exit(f"{mode}: no test ran; see {results.with_suffix('.log')}")
    return run


def _run_part(command, suite, env, log):
    """One process, and one more after each crash: the recorder leaves out what has been run."""
    for _ in range(CRASH_LIMIT):
        try:
            status = subprocess.run(
                command, cwd=suite.source, env=env, stdout=log, stderr=log, timeout=TIMEOUT,
                preexec_fn=_interruptible,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            status = -1
        # pytest's own statuses: 0 all passed, 1 some failed, 5 nothing left to run.
        if status in (0, 1, 5):
            break


def _read(results, run):
    if not results.exists():
        return
    for line in results.read_text().splitlines():
        record = json.loads(line)
        if "start" in record:
            run.outcomes[record["start"]] = "crashed"
        elif "id" in record:
            run.outcomes[record["id"]] = record["outcome"]
            run.texts[record["id"]] = record["text"]
        else:
            run.stats = _sum(run.stats, record["stats"])
            for reason, names in record["rejected"].items():
                run.rejected.setdefault(reason, set()).update(names)


def _sum(one, other):
    """Statistics of two processes as one; `one` may be None."""
    if one is None or other is None:
        return one if other is None else other
    if isinstance(one, dict):
        return {key: _sum(one.get(key), other.get(key)) for key in {**one, **other}}
    return one if isinstance(one, str) else one + other


def differences(stock, other):
    """The tests whose outcome in `other` is not stock's: {id: (stock's, other's)}."""
    ids = list(stock.outcomes) + [test for test in other.outcomes if test not in stock.outcomes]
    pairs = {
        test: (stock.outcomes.get(test, "not run"), other.outcomes.get(test, "not run"))
        for test in ids
    }
    return {test: pair for test, pair in pairs.items() if pair[0] != pair[1]}


def settle(suite, mode, gtk, differing):
    """Repeats each differing test alone on both; returns those that agree every time."""
    agreeing = set(differing)
    for number in range(REPETITIONS):
        if not agreeing:
            break
        tests = sorted(agreeing)
        stock = run_suite(suite, "stock", gtk, tests, f"-alone-{mode}-{number}")
        other = run_suite(suite, mode, gtk, tests, f"-alone-{number}")
        agreeing -= set(differences(stock, other))
    return agreeing


def share(run):
    """The part of all native calls that the forced tier of this run executed."""
    calls = run.stats["calls"]
    return calls[run.mode] / max(1, sum(calls.values()))


def compare(suite, stock, mode, gtk="3.0"):
    """Runs `mode`, prints how it compares to `stock`, returns (run, list of what is wrong)."""
    run = run_suite(suite, mode, gtk)
    print(f"\n{mode}: {run.counts()} in {run.seconds:.0f} s (stock: {stock.counts()})")
    differing = differences(stock, run)
    # Only a few are worth repeating one by one; many differences are no matter of chance.
    unstable = settle(suite, mode, gtk, differing) if len(differing) <= 20 else set()
    wrong = []
    if differing:
        width = max(len(test) for test in differing)
        print(f"{'test':{width}}  {'stock':8}  {mode:8}")
    for test, (ours, theirs) in differing.items():
        note = f"  unstable: agrees {REPETITIONS} times alone" if test in unstable else ""
        print(f"{test:{width}}  {ours:8}  {theirs:8}{note}")
        if test not in unstable:
            wrong.append(f"{test}: {ours} on stock, {theirs} in {mode}")
            text = run.texts.get(test, "").strip()
            print("    " + "\n    ".join(text.splitlines()[-12:]) if text else "", end="\n")
    if len(unstable) > UNSTABLE_LIMIT:
        wrong.append(f"{len(unstable)} unstable tests in {mode}: too many for chance")
    wrong += _check_stats(run)
    return run, wrong


def _check_stats(run):
    if run.stats is None:
        return [f"{run.mode}: gijit reported no statistics"]
    calls = run.stats["calls"]
    total = max(1, sum(calls.values()))
    print("calls: " + ", ".join(f"{k} {n} ({n / total:.1%})" for k, n in calls.items()))
    print(f"compiled: {run.stats['compiled']}  deopts: {run.stats['deopts']}")
    for reason, names in sorted(run.rejected.items(), key=lambda item: -len(item[1])):
        _print_list(f"rejected, {reason} ({len(names)})", sorted(names))
    handed = handed_over(run)
    for reason, counted in sorted(handed.items(), key=lambda item: -sum(item[1].values())):
        listed = [f"{name} {n}" for name, n in sorted(counted.items())]
        _print_list(f"handed to PyGObject, {reason} ({sum(counted.values())})", listed)
    answered = sum(sum(handed.get(reason, {}).values()) for reason in ("rejected", "unusual"))
    wrong = []
    if answered > ANSWERED_LIMIT * total:
        wrong = [f"{run.mode}: PyGObject answered {answered} of {total} calls"]
    if run.mode not in FORCED:
        taken = sum(calls[tier] for tier in FORCED)
        return wrong if taken else [*wrong, f"{run.mode}: gijit executed no call"]
    if share(run) < LEAST_SHARE:
        wrong += [f"{run.mode} executed {share(run):.2%} of the calls, not {LEAST_SHARE:.2%}"]
    return wrong


def handed_over(run):
    """The calls that a run handed to PyGObject: {reason: {callable: calls}}."""
    handed = {}
    for name, row in run.stats["callables"].items():
        for reason, calls in row["handed_over"].items():
            handed.setdefault(reason, {})[name] = calls
    return handed


def _print_list(title, items):
    text = f"{title}: {', '.join(items)}"
    print(textwrap.fill(text, 100, subsequent_indent="    ", break_on_hyphens=False))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", action="append", choices=MODES, help="default: all of them")
    parser.add_argument("--pygobject", metavar="VERSION", help="default: the installed one")
    parser.add_argument("--gtk", default="3.0", choices=["3.0", "4.0"])
    options = parser.parse_args()
    suite = build.prepare(options.pygobject)
    stock = run_suite(suite, "stock", options.gtk)
    print(f"PyGObject {suite.version}, GTK {options.gtk}")
    print(f"stock: {stock.counts()} in {stock.seconds:.0f} s")
    problems = []
    for mode in options.mode or MODES:
        if mode == "stock":
            continue
        _, wrong = compare(suite, stock, mode, options.gtk)
        problems += wrong
    print("\n" + "\n".join(problems) if problems else "\nno differences")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
