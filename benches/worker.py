"""Measures shapes in this process, in one variant, and prints JSON: nanoseconds per call.

The driver starts one such process per variant and round. Each loop is calibrated to a set time, and
the time of the same loop with an empty body is taken off. The clock is the thread's processor time:
no call here waits, and what other programs do on a busy machine is then no part of it.

With --where, nothing is timed: it prints which tier executed the calls of each shape, by gijit's
own count, and whether the interpreter lock was held during the native call.
"""

import argparse
import gc
import json
import os
import sys
import time
from collections import namedtuple

import foreign
from shapes import CONTAINERS, GTK_IMPORTS, IMPORTS, LINE, SHAPES, Shape

WARM_CALLS = 300
CHECKED_CALLS = 100
FOREIGN = ("ctypes", "cffi")
ALONE = "alone"
"""The variant in which C repeats what the library does in a call, and Python does nothing."""
Maker = namedtuple("Maker", "function statement")
"""What makes a shape's `f`, and the statement that is timed, from the shape and its names."""


def maker(variant):
    """How `variant` makes a shape's `f` and its statement."""
    if variant in ("c-held", "c-released", ALONE):
        sys.path.insert(0, str(foreign.BUILD))
        module = __import__("calls_held" if variant == ALONE else "calls_" + variant[2:])
        from gi.repository import GLib

        module.set_variant_class(GLib.Variant)
        prefix = "alone_" if variant == ALONE else ""
        return Maker(
            lambda shape, _: getattr(module, prefix + shape.c), lambda shape, _: shape.statement
        )
    if variant == "ctypes":
        import ctypes

        library = ctypes.CDLL(foreign.LIBRARY)
        return Maker(
            lambda shape, _: foreign.ctypes_function(shape, library),
            lambda shape, _: foreign.statement_of(shape),
        )
    if variant == "cffi":
        sys.path.insert(0, str(foreign.BUILD))
        import calls_cffi

        return Maker(
            lambda shape, _: getattr(calls_cffi.lib, foreign.symbol_of(shape)),
            lambda shape, _: foreign.statement_of(shape, "string(f({})).decode()"),
        )
    return Maker(
        lambda shape, namespace: eval(shape.callable, namespace),
        Shape.line if variant.endswith(LINE) else lambda shape, _: shape.statement,
    )


def loop_of(shape, variant, make):
    """The shape's `f`, and a function that runs its statement so many times and returns the
    seconds that took."""
    namespace = {}
    exec(IMPORTS + (GTK_IMPORTS if shape.gtk else "") + shape.setup, namespace)
    namespace["f"] = make.function(shape, namespace)
    namespace["Error"] = namespace["GLib"].Error
    for name in "abc":
        held = namespace.setdefault(name, None)
        if variant in FOREIGN and isinstance(held, object) and hasattr(held, "__gtype__"):
            namespace["address_" + name] = foreign.address(held)
    if variant == "cffi":
        from calls_cffi import ffi

        namespace["string"] = ffi.string
        for name in [name for name in namespace if name.startswith("address_")]:
            namespace[name] = ffi.cast("void *", namespace[name])
    if variant == ALONE:
        return namespace["f"], repeated(shape, namespace)
    return namespace["f"], compiled(make.statement(shape, namespace), namespace)


def compiled(statement, namespace):
    """The loop around `statement`. What it uses is in local variables, as in a function that cares;
    ten statements per turn make the loop's own cost small."""
    names = [name for name in namespace if name[0] != "_" and name.isidentifier()]
    parameters = "".join(f", {name}={name}" for name in names)
    exec(
        f"def loop(repetitions, clock{parameters}):\n begun = clock()\n for _ in repetitions:\n"
        + f"  {statement}\n" * 10
        + " return clock() - begun",
        namespace,
    )
    return lambda turns: namespace["loop"]([None] * turns, time.thread_time)


def repeated(shape, namespace):
    """As `compiled`, of a call that repeats what the library does as often as its last argument
    says."""
    arguments = ", ".join(filter(None, (shape.arguments, "times")))
    call = eval(f"lambda times: f({arguments})", namespace)

    def loop(turns):
        begun = time.thread_time()
        call(turns * 10)
        return time.thread_time() - begun

    return loop


def nanoseconds(loop, seconds, values):
    """`values` figures per statement, each from a loop that takes about `seconds`."""
    loop(WARM_CALLS // 10)
    turns = 10
    while (taken := loop(turns)) < seconds / 2:
        turns = max(turns * 2, min(turns * 20, int(turns * seconds / max(taken, 1e-7))))
    return [loop(turns) / turns / 10 * 1e9 for _ in range(values)]


def where(loop):
    """The tier that executed the calls: "tier2"; or all that did, as "tier0 60, pygobject 40"."""
    import gijit

    loop(WARM_CALLS // 10)
    # What earlier shapes left behind may make calls of its own when it goes.
    gc.collect()
    before = gijit.stats()["calls"]
    loop(CHECKED_CALLS // 10)
    after = gijit.stats()["calls"]
    counts = {tier: after[tier] - before[tier] for tier in after if after[tier] > before[tier]}
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{tier} {count}" for tier, count in counts.items()) or "nothing"


def lock(function):
    """Whether gijit holds the interpreter lock during the native call: "held" or "released"."""
    import gijit

    return "held" if "lock held" in gijit.explain(function, "gil") else "released"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variant")
    parser.add_argument("shapes", help="the numbers of the shapes, separated by commas")
    parser.add_argument("--seconds", type=float, default=0.004, help="of each loop")
    parser.add_argument("--values", type=int, default=3, help="loops per shape")
    parser.add_argument("--where", action="store_true")
    options = parser.parse_args()
    make = maker(options.variant)
    results, failures = {}, {}
    alone = options.variant == ALONE
    empty = 0 if alone else min(nanoseconds(compiled("pass", {}), options.seconds, 5))
    for number in map(int, options.shapes.split(",")):
        shape = SHAPES[number]
        if options.variant in FOREIGN and not shape.declaration:
            continue
        if alone and shape.kind not in CONTAINERS:
            continue
        try:
            function, loop = loop_of(shape, options.variant, make)
            if options.where:
                results[number] = {"tier": where(loop), "lock": lock(function)}
            else:
                figures = nanoseconds(loop, options.seconds, options.values)
                results[number] = [figure - empty for figure in figures]
        except Exception as error:
            failures[number] = f"{type(error).__name__}: {error}"
    # Not at once through the interpreter's end: what GTK complains about there is no result.
    print(json.dumps({"results": results, "failures": failures}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
