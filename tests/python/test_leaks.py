"""No call of a corpus keeps more memory in a tier than it does on stock, made many times.

Stock leaks in places. Under gijit a call may leak as much, where PyGObject makes it or where what
leaks is the library's; `leaks.json` lists these callables, with bytes and Python's blocks per call.
One that leaks and is not in the list fails the test even when stock leaks too. Stock is asked about
those cases alone that grow in a tier, or end it.

`GIJIT_LEAK_CALLS=10000` makes that many calls of each case, on all tiers; `GIJIT_BLESS=1` renews
the list.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import build
from corpus import driver
from modes import FORCED, environment

RECORD = build.record("leaks.json")
PROGRAM = Path(driver.HERE) / "leaks.py"
CALLS = int(os.environ.get("GIJIT_LEAK_CALLS", "0"))
# A few calls of everything show any block that is kept; tiers 1 and 2 free memory in the same code.
TIERS = FORCED if CALLS else ("tier0", "tier2")
TOLERANCE = (8.0, 0.5, 64.0)
# What leaks on stock leaks about as much each time.
VARIATION = 0.1
# What seems to keep more in a tier than on stock is compared once more over so many calls, alone.
# In the heap that others have left, malloc gives a few calls larger blocks than they need.
MANY = 10_000
HOURS = 3600 * 12


def wanted(corpus):
    """How often each case is called."""
    return CALLS or (100 if corpus == "written" else 50)


def measured(suite, mode, corpus, chosen=None, calls=None):
    """What was seen of each case in `mode`, by its id; with `chosen`, of these cases."""
    generated = corpus == "generated"
    results = suite.base / "results" / f"leaks-{corpus}-{mode}.jsonl"
    results.parent.mkdir(exist_ok=True)
    results.unlink(missing_ok=True)
    env = {**environment(mode), **suite.environment(lenient=generated), "G_MESSAGES_DEBUG": ""}
    env |= {"G_SLICE": "always-malloc", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
    command = [sys.executable, PROGRAM, results, str(calls or wanted(corpus)), corpus]
    if chosen is not None:
        ids = results.with_suffix(".json")
        ids.write_text(json.dumps(chosen))
        command.append(ids)
    subprocess.run(command, env=env, timeout=HOURS, check=True)
    seen = driver.Seen(mode)
    assert driver.read(results, seen)
    return seen.cases


def leaks(growth):
    return any(more >= limit for more, limit in zip(growth, TOLERANCE, strict=True))


def keeps_more(found, expected):
    """Whether the growth in a tier is more than that on stock."""
    allowed = [max(theirs, 0) * (1 + VARIATION) for theirs in expected]
    return leaks([ours - most for ours, most in zip(found, allowed, strict=True)])


def suspect(seen):
    """Whether a case has grown, or ended the process."""
    return seen == "crashed" or leaks(seen["grown"])


def path(id):
    """The callable of a case."""
    return id.removeprefix("unbound ").partition("(")[0].partition(" with ")[0].partition(":")[0]


def text(record):
    """The list as JSON, a callable on a line."""
    corpora = []
    for corpus, callables in record.items():
        lines = [f"  {json.dumps(name)}: {json.dumps(kept)}" for name, kept in callables.items()]
        corpora.append(f' "{corpus}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(corpora) + "\n}\n"


@pytest.fixture(scope="module")
def suite():
    suite = build.prepare()
    build.prepare_lenient(suite)
    return suite


@pytest.mark.parametrize("corpus", ["written", "generated"])
def test_keeps_no_memory_that_stock_does_not_keep(suite, corpus):
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        tiers = [*pool.map(lambda mode: measured(suite, mode, corpus), TIERS)]
    chosen = [id for id in tiers[0] if any(suspect(cases[id]) for cases in tiers)]
    stock = measured(suite, "stock", corpus, chosen)
    unclear = [
        id for id in chosen for cases in tiers
        if "crashed" not in (cases[id], stock[id])
        and keeps_more(cases[id]["grown"], stock[id]["grown"])
    ]  # fmt: skip
    for mode, cases in zip(("stock", *TIERS), (stock, *tiers), strict=True):
        if unclear:
            cases.update(measured(suite, mode, corpus, [*dict.fromkeys(unclear)], MANY))
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    known = record.get(corpus, {})
    leaking, wrong = {}, []
    for tier, cases in zip(TIERS, tiers, strict=True):
        for id in chosen:
            found, expected = cases[id], stock[id]
            if not suspect(found):
                continue
            if found == "crashed" or expected == "crashed":
                if expected != "crashed":
                    wrong.append(f"{id}: {tier} does not survive it many times; stock does")
                continue
            found, expected = found["grown"], expected["grown"]
            if keeps_more(found, expected):
                wrong.append(f"{id}: keeps {found} in {tier}, {expected} on stock")
            else:
                worst = leaking.get(path(id), [0, 0, 0])
                leaking[path(id)] = [max(pair) for pair in zip(worst, found, strict=True)]
        survived = [seen for seen in cases.values() if seen != "crashed"]
        fewer = [seen["calls"] for seen in survived if seen["calls"] < 0.9 * wanted(corpus)]
        print(
            f"{corpus}, {tier}: {len(cases)} cases, {sum(map(suspect, survived))} grow,"
            f" {len(cases) - len(survived)} end the process; {len(fewer)} were called less than"
            f" {wanted(corpus)} times, {min(fewer, default=0)} at least"
        )
    if os.environ.get("GIJIT_BLESS"):
        record[corpus] = {
            name: [round(number, 1) for number in leaking[name][:2]] for name in sorted(leaking)
        }
        RECORD.write_text(text(record))
    else:
        wrong += [f"{name}: leaks, and is not on record" for name in leaking if name not in known]
    assert not wrong, "\n".join(wrong)
