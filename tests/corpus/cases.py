"""What a case of the corpus is, and the table that all of them are in.

A case is a call that is made several times in a row, so that it runs cold and hot. Arguments are
values, or `fresh(factory)` for objects that every call gets anew. Half of the repetitions are
written out as the user would (`namespace.function(a, b)`), half go through `f(*args, **kwargs)`:
CPython reaches a callable by different roads for these.
"""

import importlib
import re
from functools import cache

import gi

GROUPS = (
    "scalars",
    "text",
    "arguments",
    "pointers",
    "containers",
    "objects",
    "fundamentals",
    "foreign",
    "given",
    "boxed",
    "allocated",
    "values",
    "gvalues",
    "errors",
    "glib",
    "gio",
    "vfuncs",
    "callbacks",
    "unusual",
)
REPETITIONS = 6

CASES = {}

# What stock alone prints when a callable is called: not compared. The reason is beside each.
COMPLAINTS = {
    # PyGObject converts the nested tables correctly, and says before that it cannot.
    "Regress.test_ghash_nested_everything_return": "Unsupported type ghash",
    "Regress.test_ghash_nested_everything_return2": "Unsupported type ghash",
}


class fresh:
    """An argument that is made anew for every call, by `factory`."""

    def __init__(self, factory, *args, **kwargs):
        self.factory = factory
        self.args = args
        self.kwargs = kwargs

    def make(self):
        return self.factory(*self.args, **self.kwargs)

    def __repr__(self):
        return getattr(self.factory, "__name__", "object")


class Case:
    """`owner` resolves to what the callable is an attribute of; `calls` is a list of arguments.

    With one entry in `calls` each repetition makes that call; with more they take turns, so that a
    specialised callable meets arguments that it was not specialised to.
    """

    def __init__(self, id, owner, name, calls):
        self.id = id
        self.owner = owner
        self.name = name
        self.calls = calls

    def steps(self):
        """The arguments of each repetition, as (args, kwargs)."""
        rounds = max(1, REPETITIONS // len(self.calls))
        return [call for _ in range(rounds) for call in self.calls]


class Script:
    """A piece of Python that makes several calls and returns what came of them."""

    def __init__(self, id, function):
        self.id = id
        self.function = function


def call(path, *args, **kwargs):
    """A call of what `path` names, such as `GLib.ascii_strup`, with these arguments."""
    owner, name = path.rsplit(".", 1)
    _add(Case(_title(path, args, kwargs), lambda: resolve(owner), name, [(args, kwargs)]))


def method(receiver, name, *args, **kwargs):
    """A call of a method on an object that `receiver` makes."""
    title = _title(f"{receiver!r}().{name}", args, kwargs)
    _add(Case(title, receiver.make, name, [(args, kwargs)]))


def varied(path, *calls):
    """Calls of one callable with arguments that differ in kind, each a tuple, taking turns."""
    owner, name = path.rsplit(".", 1)
    title = f"{path} with {len(calls)} kinds of arguments"
    _add(Case(title, lambda: resolve(owner), name, [(args, {}) for args in calls]))


def script(function):
    """Adds a function as a case; its docstring is what the case is about."""
    _add(Script(f"{function.__name__}: {function.__doc__}", function))
    return function


def load():
    """All cases, by their id."""
    gi.require_versions({"GIMarshallingTests": "1.0", "Regress": "1.0"})
    for group in GROUPS:
        importlib.import_module(f"corpus.{group}")
    return CASES


def resolve(path):
    """The object that a dotted path names; its first part is a namespace."""
    namespace, *rest = path.split(".")
    found = getattr(importlib.import_module("gi.repository"), namespace)
    for name in rest:
        found = getattr(found, name)
    return found


@cache
def direct_call(name, count, keywords):
    """A function that calls attribute `name` of its first argument, as if written by hand."""
    positional = [f"a{index}" for index in range(count)]
    named = [f"{key}=k_{key}" for key in keywords]
    parameters = ", ".join(["owner", *positional, *(f"k_{key}" for key in keywords)])
    namespace = {}
    source = f"def call({parameters}):\n return owner.{name}({', '.join(positional + named)})"
    exec(source, namespace)
    return namespace["call"]


def _title(path, args, kwargs):
    shown = [_short(arg) for arg in args] + [f"{key}={_short(v)}" for key, v in kwargs.items()]
    return f"{path}({', '.join(shown)})"


def _short(value):
    text = re.sub(r" (object )?at 0x[0-9a-f]+| \(\d{5,}\)", "", ascii(value))
    return text if len(text) <= 40 else text[:37] + "..."


def _add(case):
    title = case.id
    number = 2
    while case.id in CASES:
        case.id = f"{title} #{number}"
        number += 1
    CASES[case.id] = case
