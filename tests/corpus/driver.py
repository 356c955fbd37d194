"""Runs the corpus in child processes, one for each mode, and compares them to stock.

    .venv/bin/python tests/corpus/driver.py --mode tier1

A forced tier must have executed at least its recorded share of the calls of the corpus
(`shares.json`; `--bless-share` renews it): a call that fell back to PyGObject behaves like stock
and would otherwise pass for a success.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "pygobject")]
import build
from modes import FORCED, MODES, environment

SHARES = HERE / "shares.json"
# After so many crashes the rest counts as not run.
CRASH_LIMIT = 25
TIMEOUT = 180


class Seen:
    """What one mode did: `cases` by id (a list of observations, or a word), `calls` by id."""

    def __init__(self, mode):
        self.mode = mode
        self.cases = {}
        self.calls = {}

    def total(self):
        """All calls of the corpus, by tier."""
        sums = {}
        for calls in self.calls.values():
            for tier, count in calls.items():
                sums[tier] = sums.get(tier, 0) + count
        return sums

    def share(self):
        sums = self.total()
        return sums.get(self.mode, 0) / max(1, sum(sums.values()))


def run(suite, mode):
    """Runs the corpus in `mode`, going on after crashes; returns a Seen."""
    results = suite.base / "results" / f"corpus-{mode}.jsonl"
    results.parent.mkdir(exist_ok=True)
    results.unlink(missing_ok=True)
    env = {**environment(mode), **suite.environment(), "G_MESSAGES_DEBUG": ""}
    seen = Seen(mode)
    with open(results.with_suffix(".log"), "w") as log:
        for _ in range(CRASH_LIMIT):
            command = [sys.executable, "-X", "faulthandler", HERE / "child.py", results]
            try:
                ended = subprocess.run(command, env=env, stdout=log, stderr=log, timeout=TIMEOUT)
                if ended.returncode:
                    log.write(f"exit status {ended.returncode}\n")
                    log.flush()
            except subprocess.TimeoutExpired:
                log.write("timed out\n")
            if _read(results, seen):
                return seen
            if not seen.cases:
                break
    sys.exit(f"the corpus did not run to its end in {mode}; see {results.with_suffix('.log')}")


def _read(results, seen):
    complete = False
    for line in results.read_text().splitlines() if results.exists() else ():
        record = json.loads(line)
        if "start" in record:
            seen.cases[record["start"]] = "crashed"
        elif "case" in record:
            seen.cases[record["case"]] = record["seen"]
            seen.calls[record["case"]] = record["calls"]
        else:
            complete = True
    return complete


def differences(stock, other):
    """One line for each case in which `other` is not like stock."""
    lines = []
    for id, expected in stock.cases.items():
        found = other.cases.get(id, "not run")
        if expected == found:
            continue
        if isinstance(found, str):
            lines.append(f"{id}: {found}")
            continue
        for number, (ours, theirs) in enumerate(zip(expected, found, strict=True)):
            keys = sorted(set(ours) | set(theirs))
            for key in keys:
                if ours.get(key) != theirs.get(key):
                    lines.append(
                        f"{id}, call {number}, {key}:\n    stock {json.dumps(ours.get(key))}"
                        f"\n    {other.mode} {json.dumps(theirs.get(key))}"
                    )
            if ours != theirs:
                break
    return lines


def check(suite, stock, mode):
    """Runs `mode` and prints how it went; returns (Seen, list of what is wrong)."""
    other = run(suite, mode)
    wrong = differences(stock, other)
    sums = other.total()
    print(f"{mode}: {len(other.cases)} cases, {len(wrong)} differences, calls {sums}")
    if mode in FORCED:
        elsewhere = [id for id, calls in other.calls.items() if not calls[mode]]
        print(f"{mode} executed {other.share():.1%}; cases that it had no part in:")
        print("".join(f"    {id}\n" for id in elsewhere), end="")
        wanted = json.loads(SHARES.read_text())[mode]
        if not sums[mode] or other.share() < wanted:
            wrong.append(f"{mode} executed {other.share():.2%}; {wanted:.2%} is on record")
    elif mode == "warm" and not all(sums[tier] for tier in FORCED):
        wrong.append(f"warm: not every tier executed calls: {sums}")
    elif not sum(sums[tier] for tier in FORCED):
        wrong.append(f"{mode}: gijit executed no call")
    return other, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mode", action="append", choices=MODES, help="default: all of them")
    parser.add_argument("--bless-share", action="store_true", help="record the shares")
    options = parser.parse_args()
    suite = build.prepare()
    stock = run(suite, "stock")
    crashed = [id for id, seen in stock.cases.items() if isinstance(seen, str)]
    print(f"stock: {len(stock.cases)} cases")
    wrong = [f"{id}: crashes on stock" for id in crashed]
    for mode in options.mode or MODES:
        # Stock against itself shows a case that is not deterministic.
        if mode == "stock":
            wrong += differences(stock, run(suite, "stock"))
            continue
        seen, found = check(suite, stock, mode)
        if options.bless_share and mode in FORCED:
            shares = json.loads(SHARES.read_text())
            shares[mode] = round(seen.share() * 0.995, 4)
            SHARES.write_text(json.dumps(shares, indent=2) + "\n")
            found = [text for text in found if "is on record" not in text]
        wrong += found
    print("\n".join(wrong) if wrong else "no differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
