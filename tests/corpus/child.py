"""Runs the corpus once, in this process, and writes what was seen, one JSON object a line.

Written line by line, the file survives a crash: a case that has a "start" and no "seen" is the one
that crashed. Started again with the same file, it goes on with the cases that are not in it.
"""

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from corpus import cases, hooks, observe


class Stderr:
    """Takes what anyone, C code included, writes to the standard error stream."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()
        self.real = os.dup(2)

    def __enter__(self):
        self.file.seek(0)
        self.file.truncate()
        os.dup2(self.file.fileno(), 2)
        return self

    def __exit__(self, *_):
        sys.stderr.flush()
        os.dup2(self.real, 2)

    def text(self):
        self.file.seek(0)
        return observe.text(self.file.read().decode(errors="replace"))


def watch(stderr, action):
    """Runs `action(seen)`, which adds to `seen`; warnings, messages and user hooks are added."""
    seen = {}
    hooks.EVENTS.clear()
    with warnings.catch_warnings(record=True) as caught, stderr:
        warnings.simplefilter("always")
        action(seen)
    if caught:
        seen["warnings"] = [[w.category.__name__, observe.text(str(w.message))] for w in caught]
    if hooks.EVENTS:
        seen["hooks"] = list(hooks.EVENTS)
    if written := stderr.text():
        seen["stderr"] = written
    return seen


def make_call(owner, name, args, kwargs, written_out, seen):
    """Makes one call and describes its result or exception and its effect on the arguments."""
    receiver = (owner,) if isinstance(owner, observe.GObject.Object) else ()
    watched = (*receiver, *args, *kwargs.values())
    direct = cases.direct_call(name, len(args), tuple(kwargs))
    before = observe.counts(watched)
    try:
        if written_out:
            result = direct(owner, *args, *kwargs.values())
        else:
            result = getattr(owner, name)(*args, **kwargs)
    except Exception as error:
        seen["raised"] = observe.exception(error)
        del error
    else:
        # While the result is alive: what it holds of the arguments shows in their counts.
        seen["held"] = observe.change(before, observe.counts(watched))
        seen["value"] = observe.value(result, watched)
        del result
    seen["left"] = observe.change(before, observe.counts(watched))
    if changed := observe.mutable(watched):
        seen["arguments"] = changed


def run_case(case, stderr):
    if isinstance(case, cases.Script):

        def run(seen):
            try:
                seen["value"] = observe.value(case.function())
            except Exception as error:
                seen["raised"] = observe.exception(error)

        return [watch(stderr, run) for _ in range(3)]
    seen = []
    for number, (args, kwargs) in enumerate(case.steps()):
        args = tuple(made(arg) for arg in args)
        kwargs = {key: made(arg) for key, arg in kwargs.items()}
        owner = case.owner()
        written_out = number % 2 == 0
        seen.append(
            watch(stderr, lambda seen: make_call(owner, case.name, args, kwargs, written_out, seen))  # noqa: B023
        )
    if complaint := cases.COMPLAINTS.get(case.id):
        for one in seen:
            if complaint in one.get("stderr", ""):
                del one["stderr"]
    return seen


def made(value):
    """The argument for one call."""
    if isinstance(value, cases.fresh):
        return value.make()
    if type(value) is str and len(value) > 1:
        # Not the interned string: whoever else holds that one may drop it at any time.
        return value[:1] + value[1:]
    return value


def tier_calls():
    if os.environ["GIJIT"] != "1":
        return {}
    import gijit

    return gijit.stats()["calls"]


def main(path):
    done = set()
    if os.path.exists(path):
        with open(path) as file:
            done = {json.loads(line).get("start") for line in file}
    stderr = Stderr()
    with open(path, "a") as file:

        def write(record):
            file.write(json.dumps(record) + "\n")
            file.flush()

        for case in cases.load().values():
            if case.id in done:
                continue
            write({"start": case.id})
            before = tier_calls()
            seen = run_case(case, stderr)
            after = tier_calls()
            calls = {tier: after[tier] - before[tier] for tier in after}
            write({"case": case.id, "seen": seen, "calls": calls})
        write({"complete": True})


if __name__ == "__main__":
    main(sys.argv[1])
