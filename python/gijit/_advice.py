"""What a user can do about what a trace shows, in words that need no knowledge of compilers."""

_HARMLESS = (
    "Nothing is wrong with your program: these calls run as fast as without gijit. "
    "If one is among the slowest callables above, {hope}."
)

REASONS = {
    "array-length": "look for a sibling that takes a GLib.Bytes, a string or a list alone",
    "nested-array": "look for a sibling that takes one array",
    "list": "look for a sibling that takes an array",
    "callback": "call it less often: connect once and not in a loop",
    "fundamental": "keep what it returns in a variable and do not ask again",
    "foreign-struct": "draw more per call, for instance through a surface that is drawn once",
    "class-struct": "keep what it returns in a variable and do not ask again",
    "struct-by-value": "keep what it returns in a variable and do not ask again",
    "caller-allocated": "keep what it returns in a variable and do not ask again",
    "written-string": "look for a sibling that returns a new string",
    "virtual-function": "call the method of the same name in place of the one with do_",
    "too-large": "look for a sibling with fewer arguments",
}
"""Reasons for which gijit leaves a callable to PyGObject, and what helps when that is slow."""

OTHERS = {
    "no-symbol": "The installed library does not have this function although its description "
    "names it, so PyGObject cannot call it either. Look whether library and typelib are of one "
    "version.",
    "unresolved-type": "A type in its description is not installed. Install the package with "
    "the missing typelib (Debian: gir1.2-...).",
    "not-selected": "You asked for this with GIJIT_ONLY or GIJIT_SKIP. Change these to have it "
    "compiled.",
    "defect": "This is a fault of gijit, and not of your program. Please report it with the "
    "output of: python -m gijit explain NAME",
}


def about_time(timed):
    """What to look at first, of the callables that were timed: a few sentences, or none."""
    hints = []
    total = sum(one.binding_ns + one.native_ns for one in timed)
    if not total:
        return hints
    by_library = max(timed, key=lambda one: one.native_ns)
    if by_library.native_ns > total / 4:
        share = 100 * by_library.native_ns / total
        hints.append(
            f"{by_library.name}: {share:.0f} % of the time in calls is this function's own work in "
            "the library. No binding makes that shorter: call it less often, or keep its result."
        )
    by_binding = max(timed, key=lambda one: one.binding_ns)
    if by_binding.binding_ns > total / 10 and by_binding.calls > MANY_CALLS:
        share = 100 * by_binding.binding_ns / total
        hints.append(
            f"{by_binding.name}: {share:.0f} % of the time in calls is the binding of its "
            f"{by_binding.calls:,} calls. A call that does more at once, or a value kept in a "
            "variable, saves most."
        )
    return hints


MANY_CALLS = 1000
"""With fewer calls there is nothing to be gained by making fewer."""


def about_rejection(reason):
    """What to do about a reason; a reason that this version does not know has no advice."""
    if reason in REASONS:
        return _HARMLESS.format(hope=REASONS[reason])
    return OTHERS.get(reason, "")


def about_deopts(callable):
    """What to do about a callable whose specialised code did not fit all calls."""
    if callable.rounds and not callable.rounds[-1]["again"]:
        return (
            "It is called with values of too many kinds, so gijit has stopped specialising it and "
            "keeps the code for all kinds. To gain the rest, give each argument one kind of value: "
            "always an int and not now and then a float, the same class, None not mixed in, all "
            "arguments by position."
        )
    if callable.rounds:
        return (
            "New kinds of values came up, and gijit has compiled it again to fit them. Nothing to "
            "do, unless it happens again and again."
        )
    return (
        "A few calls had another kind of value than those before. They ran all the same, somewhat "
        "slower. Nothing to do."
    )


def about_failure(reason):
    """What to do about a compilation that did not happen."""
    if "queue is full" in reason:
        return "Very much became hot at once. It is tried again; nothing to do."
    if reason.startswith("refused"):
        return "A variable of the environment forbids it."
    if "not available" in reason:
        return "A part of gijit does not work here. See: python -m gijit doctor"
    if "GIJIT_CODE_LIMIT" in reason:
        return "Raise GIJIT_CODE_LIMIT."
    if "no executable memory" in reason:
        return "The system forbids it. See: python -m gijit doctor"
    return "This is a fault of gijit, and not of your program. Please report it."
