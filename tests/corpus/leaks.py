"""Makes each call of a corpus many times and reports what memory it keeps.

    leaks.py RESULTS CALLS            the written corpus
    leaks.py RESULTS CALLS SKIPPED    the generated one, without the cases in SKIPPED

A line for each case: the bytes in use by malloc and the blocks of Python's allocator, each as
growth per call. A first batch fills caches. A batch that grew is repeated: only what grows every
time is reported. With GLib's slices off, live GObjects are among the bytes.
"""

import ctypes
import gc
import json
import os
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from corpus import cases, generated
from corpus.child import made

# Growth per call below which a batch has not grown: a leaked block is at least so large.
BYTES = 8.0
BLOCKS = 0.5
REPEATS = 3
# The calls that come first, so that every tier is there and caches are filled.
FIRST = 20


class MallocInfo(ctypes.Structure):
    """`struct mallinfo2` of malloc.h."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
            "fordblks", "keepcost",
        )
    )  # fmt: skip


mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = MallocInfo


def in_use():
    gc.collect()
    info = mallinfo()
    return info.uordblks + info.hblkhd, sys.getallocatedblocks()


def caller(case):
    """A function that makes the calls of `case` once; and how many these are."""
    if isinstance(case, cases.Script):
        return case.function, 1
    if isinstance(case, generated.Call):
        steps = case.steps()
    else:
        steps = [call for call, _ in zip(case.calls, range(100), strict=False)]

    def call():
        for args, kwargs in steps:
            try:
                values = [made(arg) for arg in args]
                named = {key: made(arg) for key, arg in kwargs.items()}
                getattr(case.owner(), case.name)(*values, **named)
            except Exception:
                pass

    return call, len(steps)


def growth(call, count):
    """(bytes, blocks) that one of `count` calls adds."""
    before = in_use()
    for _ in range(count):
        call()
    after = in_use()
    return [(new - old) / count for old, new in zip(before, after, strict=True)]


def measure(case, calls):
    call, steps = caller(case)
    # A script makes several calls, and slow ones.
    count = max(10, calls // (10 if isinstance(case, cases.Script) else steps))
    growth(call, FIRST)
    least = [float("inf"), float("inf")]
    for _ in range(REPEATS):
        found = growth(call, count)
        least = [min(pair) for pair in zip(least, found, strict=True)]
        if least[0] < BYTES and least[1] < BLOCKS:
            break
    return least


def main(path, calls, skipped=None):
    # What the calls print says nothing here, and there would be a lot of it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None
    wanted = cases.load()
    if skipped is not None:
        out = json.loads(Path(skipped).read_text())
        wanted = {id: call for id, call in generated.load().items() if id not in out}
    with open(path, "w") as file:
        for case in wanted.values():
            print(json.dumps({"start": case.id}), file=file, flush=True)
            growth_per_call = measure(case, int(calls))
            print(json.dumps({"case": case.id, "growth": growth_per_call}), file=file, flush=True)
        print(json.dumps({"complete": True}), file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
