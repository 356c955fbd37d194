"""Times calls in this process: the child of ``_bench``, which starts one for each mode in turn.

Reads ``[[title, setup, statement], ...]`` as JSON from standard input and prints nanoseconds per
call, the time of an empty loop taken off; with GIJIT_STATS set it prints which tier executed the
calls instead. What the calls themselves print goes to standard error.
"""

import json
import os
import sys
import time

from ._calls import Call

# Each loop runs about this long, and the best of a few is taken: what disturbs only ever adds time.
LOOP_SECONDS = 0.02
LOOPS = 4
# First calls are cold, and these are many enough to promote.
WARM_CALLS = 3000
CHECKED_CALLS = 200


def time_loop(setup, statement):
    """A function that runs ``statement`` so many times and returns the seconds that took."""
    namespace = {}
    exec(f"{setup}\ndef loop(repetitions, clock):\n"
         f" begun = clock()\n for _ in repetitions:\n  {statement}\n return clock() - begun",
         namespace)  # fmt: skip
    return lambda count: namespace["loop"]([None] * count, time.perf_counter)


def nanoseconds(call):
    loop = time_loop(call.setup, call.statement)
    loop(WARM_CALLS)
    count = 1
    while (seconds := loop(count)) < LOOP_SECONDS / 2:
        count *= 2
    best = min([seconds, *(loop(count) for _ in range(LOOPS))])
    return best / count * 1e9


def whereabouts(call):
    """Which tier executes most of these calls, by gijit's own count: "tier2", "pygobject"."""
    import gijit

    loop = time_loop(call.setup, call.statement)
    loop(1)
    before = gijit.stats()["calls"]
    loop(CHECKED_CALLS)
    after = gijit.stats()["calls"]
    return max(after, key=lambda tier: after[tier] - before[tier])


def main():
    calls = [Call(*parts) for parts in json.load(sys.stdin)]
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Exact counting costs a little in each call, so the times come from processes without it.
    measure = whereabouts if "GIJIT_STATS" in os.environ else nanoseconds
    found = {}
    for call in calls:
        try:
            found[call.title] = measure(call)
        except Exception as error:
            sys.exit(f"{call.title}: {type(error).__name__}: {error}")
    if measure is nanoseconds:
        empty = nanoseconds(Call("nothing", "", "pass"))
        found = {title: max(0.0, time - empty) for title, time in found.items()}
    json.dump(found, results)
    results.flush()


if __name__ == "__main__":
    main()
