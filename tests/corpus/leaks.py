"""Makes each call of a corpus many times and reports what memory it keeps.

    leaks.py RESULTS CALLS written|generated [IDS]

The results are written as by `child.py`; what is seen of a case is how many calls of it were made,
and its growth per call: bytes in use by malloc, blocks of Python's allocator, bytes of resident
memory. A first batch fills caches. A batch that grew is repeated: only what grows every time
counts. With GLib's slices off and the wrappers of objects among Python's blocks, no live GObject
escapes. Memory that has other owners (libffi's closures, code) shows as resident. No script makes a
subclass of a GObject class at every call: GLib keeps its type for ever, and PyGObject makes no more
than a thousand of one name.

IDS is a file with a list of cases as JSON; without it, all of the corpus are measured.
"""

import contextlib
import ctypes
import gc
import json
import math
import os
import resource
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from corpus import cases, child, driver, generated, hooks

# Growth per call below which a batch has not grown: a leaked block is at least so large.
BYTES = 8.0
BLOCKS = 0.5
RESIDENT = 64.0
# Resident memory comes and goes in pages: growth by so many bytes in a batch says nothing.
SLACK = 1 << 16
REPEATS = 4
# A batch that grew is repeated with more calls, up to so many: in a small one, noise is growth.
MOST = 6400
# The calls that come first, so that every tier is there and caches are filled.
FIRST = 20
# A batch ends after so many seconds of its own, or of waiting: calls that start a process or a
# thread, and the longest scripts, are made less often. The clocks are read once in so many calls.
WORKED = 4.0
WAITED = 60.0
LOOK = 16


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


def changes(value):
    """Whether an argument is made anew for every call."""
    return isinstance(value, cases.fresh) or (type(value) is str and len(value) > 1)


def caller(case):
    """A function that makes the calls of `case` once; and how many these are."""
    if isinstance(case, cases.Script):
        return case.function, 1
    owner = None
    with contextlib.suppress(Exception):
        # What is looked up is looked up once; what is made is made for every call.
        owner = case.owner()
        owner = owner if case.owner() is owner else None
    name = case.name
    calls = case.steps() if isinstance(case, generated.Call) else case.calls
    steps = [(args, kwargs, any(map(changes, (*args, *kwargs.values())))) for args, kwargs in calls]

    def call():
        for args, kwargs, changing in steps:
            try:
                if changing:
                    args = [child.made(arg) for arg in args]
                    kwargs = {key: child.made(arg) for key, arg in kwargs.items()}
                getattr(case.owner() if owner is None else owner, name)(*args, **kwargs)
            except Exception:
                pass

    return call, len(steps)


def growth(call, count):
    """What a call adds to each number of `in_use`; and how many of `count` there was time for."""
    before = in_use()
    worked, waited = time.process_time() + WORKED, time.monotonic() + WAITED
    made = 0
    while made < count and time.process_time() < worked and time.monotonic() < waited:
        for _ in range(min(LOOK, count - made)):
            try:
                call()
            except Exception:
                pass
            made += 1
    *grown, resident = [new - old for old, new in zip(before, in_use(), strict=True)]
    return [number / made for number in (*grown, max(0, resident - SLACK))], made


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
    growth(call, FIRST)
    count = max(1, calls // steps)
    limits = (BYTES, BLOCKS, RESIDENT)
    least = [float("inf")] * 3
    for _ in range(REPEATS):
        last, made = growth(call, count)
        least = [min(pair) for pair in zip(least, last, strict=True)]
        if all(x < limit for x, limit in zip(least, limits, strict=True)):
            break
        count = max(made, min(made * 4, MOST // steps))
    # How much leaks is most exact over most calls.
    found = zip(least, last, limits, strict=True)
    grown = [few if few < limit else many for few, many, limit in found]
    # Cut and not rounded: what is below the limit stays below it.
    grown = [math.trunc(number * 100) / 100 for number in grown]
    return {"calls": made * steps, "grown": grown}


def main(path, calls, corpus, chosen=None):
    # What the calls print says nothing here, and there would be a lot of it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None
    child.LONGEST = 60 + int(WAITED) * (REPEATS + 1)
    if corpus == "written":
        wanted = cases.load()
    else:
        out = json.loads(driver.SKIPPED.read_text())
        wanted = {id: call for id, call in generated.load().items() if id not in out}
    if chosen is not None:
        wanted = {id: wanted[id] for id in json.loads(Path(chosen).read_text())}
    # Repeated, some calls that stock survives once end it.
    run = lambda case, _: without_sources(measure, case, int(calls))  # noqa: E731
    child.go_through_in_forks(wanted, run, path, child.Stderr())


if __name__ == "__main__":
    main(*sys.argv[1:])
