"""Times every call of `calls` in this process and prints nanoseconds per call as JSON.

The driver, `demo.py`, starts this in each mode in turn. The time of an empty loop is taken off.
"""

import json
import os
import time

from calls import available

# Each loop runs about this long, and the best of a few is taken: what disturbs only ever adds time.
LOOP_SECONDS = 0.02
LOOPS = 4


def time_loop(setup, statement):
    """A function that runs `statement` so many times and returns the seconds that took."""
    namespace = {}
    exec(f"{setup}\ndef loop(repetitions, clock):\n"
         f" begun = clock()\n for _ in repetitions:\n  {statement}\n return clock() - begun",
         namespace)  # fmt: skip
    return lambda count: namespace["loop"]([None] * count, time.perf_counter)


def nanoseconds(setup, statement):
    loop = time_loop(setup, statement)
    # First calls are cold, and these are many enough to promote.
    loop(3000)
    count = 2000
    while (seconds := loop(count)) < LOOP_SECONDS / 2:
        count *= 2
    best = min([seconds, *(loop(count) for _ in range(LOOPS))])
    return best / count * 1e9


def whereabouts(call):
    """Which tier executes most of these calls, by gijit's own count: "tier2", "pygobject"."""
    import gijit

    loop = time_loop(call.setup, call.statement)
    before = gijit.stats()["calls"]
    loop(200)
    after = gijit.stats()["calls"]
    return max(after, key=lambda tier: after[tier] - before[tier])


def main():
    calls = available()
    # Exact counting costs a little in each call, so the times come from processes without it.
    if "GIJIT_STATS" in os.environ:
        print(json.dumps({call.title: whereabouts(call) for call in calls}))
        return
    empty = nanoseconds("", "pass")
    times = {call.title: nanoseconds(call.setup, call.statement) - empty for call in calls}
    print(json.dumps(times))


if __name__ == "__main__":
    main()
