"""Runs the written and the generated corpus under a checker of memory, for `run.py` and `asan.py`.

Python and GLib take each block from malloc, so that the checker sees all of them.
"""

import json
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "pygobject")]
import build
from corpus import driver
from modes import environment

# PyGObject frees what the callee has freed, when it calls these with values that no tier takes;
# stock does as well.
FREED_TWICE = (
    "array_zero_terminated_inout", "garray_utf8_none_inout", "glist_utf8_none_inout",
    "gptrarray_utf8_none_inout", "gslist_utf8_none_inout", "gstrv_inout",
)  # fmt: skip


def left_out(results):
    """A file with what is not called of the generated corpus, as `child.py` takes it."""
    skipped = json.loads(driver.SKIPPED.read_text())
    skipped |= {f"GIMarshallingTests.{name}": "frees twice" for name in FREED_TWICE}
    path = results.with_suffix(".json")
    path.write_text(json.dumps(skipped))
    return path


def run(checker, modes, around):
    """Runs both corpora in each mode and prints how it went; whether that was without an error.

    `around`, given the path of the log, gives what stands before the command, and its variables.
    """
    suite = build.prepare()
    build.prepare_lenient(suite)
    pairs = [(corpus, mode) for corpus in driver.CORPORA for mode in modes]
    return all([_run(suite, checker, *pair, around) for pair in pairs])


def _run(suite, checker, corpus, mode, around):
    results = suite.base / "results" / f"{checker}-{corpus}-{mode}.jsonl"
    results.parent.mkdir(exist_ok=True)
    results.unlink(missing_ok=True)
    log = results.with_suffix(".log")
    for report in log.parent.glob(f"{log.name}*"):
        report.unlink()
    before, variables = around(log)
    is_generated = corpus == "generated"
    env = {**environment(mode), **suite.environment(lenient=is_generated), "G_MESSAGES_DEBUG": ""}
    env |= {"PYTHONMALLOC": "malloc", "G_SLICE": "always-malloc", **variables}
    command = [*before, sys.executable, TESTS / "corpus" / "child.py", results]
    command += [left_out(results)] if is_generated else []
    ended = subprocess.run(command, env=env)
    seen = driver.Seen(mode)
    complete = driver.read(results, seen)
    status = f"exit status {ended.returncode}; reports in {log}*"
    print(f"{corpus}, {mode}: {len(seen.cases)} cases, calls {seen.total()}, {status}", flush=True)
    # In a tier that is not there, the calls of another would be checked.
    enough = seen.share() >= driver.recorded_share(corpus, mode)
    return complete and enough and ended.returncode == 0
