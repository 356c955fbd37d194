"""Runs the written corpus under valgrind's memcheck, on each tier.

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
from modes import FORCED, environment


def main(modes):
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    suite = build.prepare()
    failed = False
    for mode in modes or FORCED:
        results = suite.base / "results" / f"memcheck-{mode}.jsonl"
        results.parent.mkdir(exist_ok=True)
        results.unlink(missing_ok=True)
        log = results.with_suffix(".log")
        # Thunks are new code at addresses where other thunks were.
        valgrind = [
            "valgrind", "--error-limit=no", "--num-callers=24", "--smc-check=all",
            f"--suppressions={HERE / 'gijit.supp'}", "--error-exitcode=9", f"--log-file={log}",
        ]  # fmt: skip
        env = {**environment(mode), **suite.environment(), "G_MESSAGES_DEBUG": ""}
        env |= {"PYTHONMALLOC": "malloc", "G_SLICE": "always-malloc"}
        command = [*valgrind, sys.executable, TESTS / "corpus" / "child.py", results]
        ended = subprocess.run(command, env=env)
        seen = driver.Seen(mode)
        complete = driver.read(results, seen)
        print(f"{mode}: {len(seen.cases)} cases, exit status {ended.returncode}; {log}", flush=True)
        failed |= not complete or ended.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
