"""Makes each call of a corpus many times and reports what memory it keeps.

    leaks.py RESULTS CALLS            the written corpus
    leaks.py RESULTS CALLS SKIPPED    the generated one, without the cases in SKIPPED

The results are written as by `child.py`; what is seen of a case is its growth per call: bytes in
use by malloc, blocks of Python's allocator, bytes of resident memory. A first batch fills caches. A
batch that grew is repeated with more calls: only what grows every time counts. With GLib's slices
off and the wrappers of objects among Python's blocks, no live GObject escapes. Memory that has
other owners (libffi's closures, code) shows as resident.
"""

import ctypes
import gc
import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from corpus import cases, child, generated, hooks

# Growth per call below which a batch has not grown: a leaked block is at least so large.
BYTES = 8.0
BLOCKS = 0.5
RESIDENT = 64.0
# Resident memory comes and goes in pages: growth by so many bytes in a batch says nothing.
SLACK = 1 << 16
REPEATS = 4
# The calls that come first, so that every tier is there and caches are filled.
FIRST = 20
# Seconds from which on a call, like one that starts a process, is made a tenth as often.
SLOW = 0.003


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
glib = ctypes.CDLL("libglib-2.0.so.0")
glib.g_idle_source_new.restype = glib.g_main_context_find_source_by_id.restype = ctypes.c_void_p
page = resource.getpagesize()


def in_use():
    # What the cases write down of their calls is no leak.
    hooks.EVENTS.clear()
    gc.collect()
    # What is there now stays, and need not be looked through each time.
    gc.freeze()
    info = mallinfo()
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * page
    return info.uordblks + info.hblkhd, sys.getallocatedblocks(), resident


def caller(case):
    """A function that makes the calls of `case` once; and how many these are."""
    if isinstance(case, cases.Script):
        return case.function, 1
    steps = case.steps() if isinstance(case, generated.Call) else case.calls

    def call():
        for args, kwargs in steps:
            try:
                values = [child.made(arg) for arg in args]
                named = {key: child.made(arg) for key, arg in kwargs.items()}
                getattr(case.owner(), case.name)(*values, **named)
            except Exception:
                pass

    return call, len(steps)


def growth(call, count):
    """What one of `count` calls adds to each number of `in_use`."""
    before = in_use()
    for _ in range(count):
        try:
            call()
        except Exception:
            pass
    *grown, resident = [new - old for old, new in zip(before, in_use(), strict=True)]
    return [number / count for number in (*grown, max(0, resident - SLACK))]


def newest_source():
    """The number that the newest source of the main context would have."""
    source = ctypes.c_void_p(glib.g_idle_source_new())
    number = glib.g_source_attach(source, None)
    glib.g_source_destroy(source)
    glib.g_source_unref(source)
    return number


def without_sources(run, *args):
    """What ``run`` gives; the sources that it leaves in the main context would slow others down."""
    oldest = newest_source()
    try:
        return run(*args)
    finally:
        for number in range(oldest, newest_source()):
            if source := glib.g_main_context_find_source_by_id(None, number):
                glib.g_source_destroy(ctypes.c_void_p(source))


def measure(case, calls):
    call, steps = caller(case)
    # A script makes several calls.
    script = isinstance(case, cases.Script)
    begun = time.monotonic()
    first = FIRST // 4 if script else FIRST
    growth(call, first)
    slow = script or time.monotonic() - begun > first * SLOW
    count = max(10, calls // (10 if slow else steps))
    limits = (BYTES, BLOCKS, RESIDENT)
    least = [float("inf")] * 3
    for _ in range(REPEATS):
        last = growth(call, count)
        least = [min(pair) for pair in zip(least, last, strict=True)]
        if all(x < limit for x, limit in zip(least, limits, strict=True)):
            break
        count *= 4
    # How much leaks is most exact over most calls.
    found = zip(least, last, limits, strict=True)
    return [round(few if few < limit else many, 2) for few, many, limit in found]


def main(path, calls, skipped=None):
    # What the calls print says nothing here, and there would be a lot of it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None
    child.LONGEST = 30 + int(calls) // 20
    wanted = cases.load()
    if skipped is not None:
        out = json.loads(Path(skipped).read_text())
        wanted = {id: call for id, call in generated.load().items() if id not in out}
    # Repeated, some calls that stock survives once end it.
    run = lambda case, _: without_sources(measure, case, int(calls))  # noqa: E731
    child.go_through_in_forks(wanted, run, path, child.Stderr())


if __name__ == "__main__":
    main(*sys.argv[1:])
