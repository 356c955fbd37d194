"""Runs the written and the generated corpus under valgrind's memcheck, on each tier.

    .venv/bin/python tests/memcheck/run.py [MODE...]

Python and GLib take each block from malloc, so that memcheck sees all of them. Leaks are not its
task (`tests/python/test_leaks.py`); what is suppressed stands in `gijit.supp` with its reason.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path[:0] = [str(TESTS), str(TESTS / "pygobject")]
import build
from corpus import driver
from left_out import left_out
from modes import FORCED, environment

VALGRIND = (
    "valgrind", "--error-limit=no", "--num-callers=12", "--error-exitcode=9",
    f"--suppressions={HERE / 'gijit.supp'}",
)  # fmt: skip


def run(suite, mode, corpus):
    """Runs a corpus to its end and prints how it went; whether that was without an error."""
    results = suite.base / "results" / f"memcheck-{corpus}-{mode}.jsonl"
    results.parent.mkdir(exist_ok=True)
    results.unlink(missing_ok=True)
    log = results.with_suffix(".log")
    is_generated = corpus == "generated"
    env = {**environment(mode), **suite.environment(lenient=is_generated), "G_MESSAGES_DEBUG": ""}
    env |= {"PYTHONMALLOC": "malloc", "G_SLICE": "always-malloc", "CORPUS_LONGEST": "600"}
    # With a perf map no code gets the address of earlier code, which valgrind would not see change.
    env["GIJIT_PERF"] = "map"
    child = [sys.executable, TESTS / "corpus" / "child.py", results]
    child += [left_out(results)] if is_generated else []
    ended = subprocess.run([*VALGRIND, f"--log-file={log}", *child], env=env)
    seen = driver.Seen(mode)
    complete = driver.read(results, seen)
    status = f"exit status {ended.returncode}; {log}"
    print(f"{corpus}, {mode}: {len(seen.cases)} cases, calls {seen.total()}, {status}", flush=True)
    # In a tier that is not there, the calls of another would be checked.
    enough = seen.share() >= driver.recorded_share(corpus, mode)
    return complete and enough and ended.returncode == 0


def main(modes):
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    suite = build.prepare()
    build.prepare_lenient(suite)
    good = [run(suite, mode, corpus) for corpus in driver.CORPORA for mode in modes or FORCED]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
