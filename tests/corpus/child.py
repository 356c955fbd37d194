"""Runs the corpus once, in this process, and writes what was seen, one JSON object a line.

Written line by line, the file survives a crash: a case that has a "start" and no "seen" is the one
that crashed. Started again with the same file, it goes on with the cases that are not in it.

    child.py RESULTS            the written corpus
    child.py RESULTS SKIPPED    the generated one, without the cases whose ids are keys in SKIPPED
"""

import json
import os
import signal
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from corpus import cases, hooks, observe

# A case that takes more seconds than this is ended, like one that crashes.
LONGEST = int(os.environ.get("CORPUS_LONGEST", "30"))


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
    return without_complaint(case, seen)


def without_complaint(case, seen):
    """`seen` without what stock alone prints."""
    if complaint := cases.COMPLAINTS.get(case.id.partition("(")[0]):
        for one in seen:
            if complaint in one.get("stderr", ""):
                del one["stderr"]
    return seen


def run_call(call, stderr):
    """Makes a generated call; its arguments may be such that they cannot even be made."""

    def run(seen):
        try:
            args = tuple(made(arg) for arg in call.args)
            kwargs = {key: made(arg) for key, arg in call.kwargs.items()}
            owner = call.owner()
        except Exception as error:
            seen["unmade"] = observe.exception(error)
            return
        make_call(owner, call.name, args, kwargs, call.written_out, seen)

    return without_complaint(call, [watch(stderr, run)])


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
    from gijit import _embed

    tiers = ("tier0", "tier1", "tier2", "pygobject")
    return dict(zip(tiers, _embed.load().calls(), strict=True))


def go_through(wanted, run, path, stderr):
    """Runs what is in `wanted` and not yet in the file, to the end."""
    done = set()
    if os.path.exists(path):
        with open(path) as file:
            done = {json.loads(line).get("start") for line in file}
    with open(path, "a") as file:
        for case in wanted.values():
            if case.id in done:
                continue
            _write(file, start=case.id)
            before = tier_calls()
            signal.alarm(LONGEST)
            seen = run(case, stderr)
            signal.alarm(0)
            after = tier_calls()
            calls = {tier: after[tier] - before[tier] for tier in after}
            _write(file, case=case.id, seen=seen, calls=calls)
        _write(file, complete=True)


def _write(file, **record):
    file.write(json.dumps(record) + "\n")
    file.flush()


def go_through_in_forks(wanted, run, path, stderr):
    """As `go_through`, in a forked process, and in a new one after each that did not survive."""
    while pid := os.fork():
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status == 0:
            return
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        said = [line for line in stderr.text().splitlines() if line.strip()]
        with open(path, "a") as file:
            _write(file, ended=": ".join([how, *said[:1]]))
    go_through(wanted, run, path, stderr)
    sys.stdout.flush()
    os._exit(0)


def main(path, skipped=None):
    stderr = Stderr()
    if skipped is None:
        go_through(cases.load(), run_case, path, stderr)
        return
    from corpus import generated

    # Single calls, or all of a callable.
    out = json.loads(Path(skipped).read_text()).keys()
    wanted = {id: call for id, call in generated.load().items() if not out & {id, id.split("(")[0]}}
    # Stock dies of many of these; the tiers of none.
    go = go_through_in_forks if os.environ["GIJIT"] == "0" else go_through
    go(wanted, run_call, path, stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
