"""The ways in which the suites run Python.

`stock`, `default` (gijit as users run it), each tier forced from the first call on, and `warm`:
every callable climbs all tiers within a few calls, so that tier 2 speculates on what the first
calls saw and its guards fail when later calls differ.
"""

import os

MODES = ("stock", "default", "tier0", "tier1", "tier2", "warm")
FORCED = ("tier0", "tier1", "tier2")


def environment(mode):
    """The environment of a child process in `mode`, without any GIJIT_ variable of our own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIJIT")}
    env["LANG"] = env["LC_ALL"] = "C.UTF-8"
    # Freed memory is overwritten, so that a use after free shows.
    env["MALLOC_PERTURB_"] = "85"
    if mode == "stock":
        env["GIJIT"] = "0"
        return env
    env["GIJIT"] = "1"
    # With the statistics on, the number of calls per tier is exact. The children ask for them
    # with gijit.stats(); nobody needs the file.
    env["GIJIT_STATS"] = os.devnull
    if mode in FORCED:
        env["GIJIT_TIER1_CALLS"] = env["GIJIT_TIER2_CALLS"] = "0"
        env["GIJIT_MAX_TIER"] = mode[-1]
        env["GIJIT_COMPILE"] = "sync"
    if mode == "warm":
        env["GIJIT_TIER1_CALLS"], env["GIJIT_TIER2_CALLS"] = "2", "4"
        env["GIJIT_COMPILE"] = "sync"
    return env
