"""Runs both corpora under valgrind's memcheck, on each tier.

    .venv/bin/python tests/memcheck/run.py [MODE...]

Leaks are not its task (`tests/python/test_leaks.py`); what is suppressed stands in `gijit.supp`
with its reason.
"""

import shutil
import sys
from pathlib import Path

import corpora
from modes import FORCED

VALGRIND = (
    "valgrind", "--error-limit=no", "--num-callers=12", "--error-exitcode=9",
    f"--suppressions={Path(__file__).resolve().parent / 'gijit.supp'}",
)  # fmt: skip


def around(log):
    # With a perf map no code gets the address of earlier code, which valgrind would not see change.
    variables = {"CORPUS_LONGEST": "600", "GIJIT_PERF": "map"}
    return (*VALGRIND, f"--log-file={log}"), variables


def main(modes):
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    return 0 if corpora.run("memcheck", modes or FORCED, around) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
