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

SHARES = build.record("shares.json")
# The generated calls that are not made, with the reasons. `--bless-generated` finds them.
SKIPPED = build.record("generated.json")
STOCK_RUNS = 8
# After so many crashes the rest counts as not run.
CRASH_LIMIT = 25
TIMEOUT = 180


class Seen:
    """What one mode did: `cases` by id (a list of observations, or a word), `calls` by id, and how
    the process ended in cases that it did not survive."""

    def __init__(self, mode):
        self.mode = mode
        self.cases = {}
        self.calls = {}
        self.ends = {}

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


def run(suite, mode, skipped=None, label=""):
    """Runs the corpus in `mode`, going on after crashes; returns a Seen. With `skipped`, a file of
    cases to leave out, that is the generated corpus, on the lenient libraries."""
    corpus = "generated" if skipped else "corpus"
    results = suite.base / "results" / f"{corpus}-{mode}{label}.jsonl"
    results.parent.mkdir(exist_ok=True)
    results.unlink(missing_ok=True)
    env = {**environment(mode), **suite.environment(lenient=bool(skipped)), "G_MESSAGES_DEBUG": ""}
    seen = Seen(mode)
    with open(results.with_suffix(".log"), "w") as log:
        for _ in range(CRASH_LIMIT):
            command = [sys.executable, "-X", "faulthandler", HERE / "child.py", results]
            command += [skipped] if skipped else []
            try:
                ended = subprocess.run(command, env=env, stdout=log, stderr=log, timeout=TIMEOUT)
                if ended.returncode:
                    log.write(f"exit status {ended.returncode}\n")
                    log.flush()
            except subprocess.TimeoutExpired:
                log.write("timed out\n")
            if read(results, seen):
                return seen
            if not seen.cases:
                break
    sys.exit(f"the corpus did not run to its end in {mode}; see {results.with_suffix('.log')}")


def read(results, seen):
    """Adds what a file of results says to `seen`; whether the corpus ran to its end."""
    complete = False
    for line in results.read_text().splitlines() if results.exists() else ():
        record = json.loads(line)
        if "start" in record:
            seen.cases[record["start"]] = "crashed"
        elif "case" in record:
            seen.cases[record["case"]] = record["seen"]
            seen.calls[record["case"]] = record["calls"]
        elif "ended" in record:
            seen.ends[[*seen.cases][-1]] = record["ended"]
        else:
            complete = True
    return complete


def generated(suite, mode, label=""):
    """Runs the generated corpus in `mode`; returns a Seen."""
    build.prepare_lenient(suite)
    return run(suite, mode, SKIPPED, label)


CORPORA = {"written": run, "generated": generated}


def bless_generated(suite):
    """Finds the generated calls that stock does not survive, or answers differently each time."""
    build.prepare_lenient(suite)
    SKIPPED.write_text("{}\n")
    reasons = {}
    first = None
    for number in range(STOCK_RUNS):
        seen = run(suite, "stock", SKIPPED, f"-bless-{number}")
        for id, what in seen.cases.items():
            if what == "crashed":
                # What stock survived at first damages its memory: none of its calls is safe.
                reasons[id if number == 0 else id.split("(")[0]] = f"ends stock: {seen.ends[id]}"
            elif first and first.cases[id] != what:
                reasons.setdefault(id, "is different each time on stock")
        first = first or seen
        SKIPPED.write_text(json.dumps(reasons, indent=1) + "\n")
        print(f"{len(seen.cases)} calls on stock, {len(reasons)} left out so far", flush=True)


def recorded_share(corpus, mode):
    """The least share of the calls of a corpus that a forced tier executes."""
    return json.loads(SHARES.read_text())[corpus][mode]


def differences(stock, other):
    """One line for each case in which `other` is not like stock."""
    lines = []
    for id, expected in stock.cases.items():
        found = other.cases.get(id, "not run")
        if expected == found:
            continue
        if isinstance(expected, str) or isinstance(found, str):
            words = [seen if isinstance(seen, str) else "ran" for seen in (expected, found)]
            lines.append(f"{id}: {words[0]} on stock, {words[1]} in {other.mode}")
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


def check(suite, stock, mode, corpus="written"):
    """Runs `mode` and prints how it went; returns (Seen, list of what is wrong)."""
    other = CORPORA[corpus](suite, mode)
    wrong = differences(stock, other)
    sums = other.total()
    print(f"{mode}: {len(other.cases)} cases, {len(wrong)} differences, calls {sums}")
    if mode in FORCED:
        elsewhere = [id for id, calls in other.calls.items() if not calls[mode]]
        print(f"{mode} executed {other.share():.1%}; it had no part in {len(elsewhere)} cases")
        if corpus == "written":
            print("".join(f"    {id}\n" for id in elsewhere), end="")
        wanted = recorded_share(corpus, mode)
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
    parser.add_argument("--generated", action="store_true", help="the generated corpus")
    parser.add_argument("--bless-generated", action="store_true", help="record what stock dislikes")
    options = parser.parse_args()
    suite = build.prepare()
    if options.bless_generated:
        return bless_generated(suite)
    corpus = "generated" if options.generated else "written"
    run_corpus = CORPORA[corpus]
    stock = run_corpus(suite, "stock")
    crashed = [id for id, seen in stock.cases.items() if isinstance(seen, str)]
    print(f"stock: {len(stock.cases)} cases")
    wrong = [f"{id}: crashes on stock" for id in crashed]
    for mode in options.mode or MODES:
        # Stock against itself shows a case that is not deterministic.
        if mode == "stock":
            wrong += differences(stock, run_corpus(suite, "stock"))
            continue
        seen, found = check(suite, stock, mode, corpus)
        if options.bless_share and mode in FORCED:
            shares = json.loads(SHARES.read_text())
            shares[corpus][mode] = round(seen.share() * 0.995, 4)
            SHARES.write_text(json.dumps(shares, indent=2) + "\n")
            found = [text for text in found if "is on record" not in text]
        wrong += found
    print("\n".join(wrong) if wrong else "no differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
