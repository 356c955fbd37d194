"""Cases for every function and method of the test libraries, generated from their typelibs.

Each call is a case of its own. One argument is varied at a time, over the pool of its type; then
come too few and too many arguments, keywords that are right, unknown and given twice, and for
methods a wrong instance. The order is fixed: functions that keep state see the same calls in every
mode.
"""

import importlib
import keyword

import gi
from gi._gi import Direction, FunctionInfo, Repository

from . import pools
from .cases import Case, resolve

NAMESPACES = ("GIMarshallingTests", "Regress")
# Functions that no generated call is made of.
LEFT_OUT = {
    # Stock passes a GArray for the array itself, and the function writes beyond its end.
    "GIMarshallingTests.array_fixed_caller_allocated_struct_out",
    # Stock frees memory that is not its own, and the damage shows anywhere later.
    "GIMarshallingTests.gvalue_flat_array_round_trip",
    "Regress.test_array_struct_in_full",
}


class Call(Case):
    """One call with arguments that are made for it."""

    def __init__(self, id, path, owner, name, args, kwargs):
        super().__init__(id, owner, name, [])
        self.path = path
        self.args = args
        self.kwargs = kwargs

    def steps(self):
        return [(self.args, self.kwargs)]

    @property
    def written_out(self):
        """Whether the call can be written out: its keywords are identifiers."""
        return all(name.isidentifier() and not keyword.iskeyword(name) for name in self.kwargs)


class Callable:
    """A function or method: its path (`Regress.TestObj.set_bare`) and the arguments that Python
    gives, as pairs (name, pool)."""

    def __init__(self, info, container):
        self.info = info
        self.container = container
        self.name = info.get_name()
        self.path = f"{container}.{self.name}"
        self.is_method = info.is_method()
        given = [(arg.get_name(), asked(arg, "get_type")) for arg in _given(info)]
        self.parameters = [(name, pools.pool(ty)) for name, ty in given]

    def owner(self):
        """What the callable is an attribute of: for a method, an instance."""
        return pools.maker(self.container)() if self.is_method else resolve(self.container)

    def calls(self):
        base = [pool[0] for _, pool in self.parameters]
        names = [name for name, _ in self.parameters]
        yield self._call(base)
        for index, (_, pool) in enumerate(self.parameters):
            for entry in pool[1:]:
                yield self._call([*base[:index], entry, *base[index + 1 :]])
        extra = ("None", None)
        yield self._call([*base, extra])
        yield self._call([*base, extra, extra])
        yield self._call(base, {"no_such_name": extra})
        if base:
            yield self._call(base[:-1])
            yield self._call([])
            yield self._call([], dict(zip(names, base, strict=True)))
            yield self._call(base[:-1], {names[-1]: base[-1]})
            yield self._call(base, {names[0]: base[0]})
        if self.is_method:
            yield self._call(base, unbound=True)
            for entry in pools.WRONG_INSTANCES:
                yield self._call([entry, *base], unbound=True)

    def _call(self, args, kwargs=None, unbound=False):
        kwargs = kwargs or {}
        shown = [label for label, _ in args]
        shown += [f"{name}={label}" for name, (label, _) in kwargs.items()]
        owner = self.owner
        if unbound:
            owner = _unbound(self.container)
        title = f"{'unbound ' if unbound else ''}{self.path}({', '.join(shown)})"
        values = tuple(value for _, value in args)
        named = {name: value for name, (_, value) in kwargs.items()}
        return Call(title, self.path, owner, self.name, values, named)


def _unbound(container):
    return lambda: resolve(container)


def asked(info, name):
    """What the method `name` of an info gives; they have longer names from PyGObject 3.52 on."""
    suffix = "_info" if name == "get_type" else "_index"
    return (getattr(info, name + suffix, None) or getattr(info, name))()


def _given(info):
    """The arguments that Python gives: no results, no lengths, no user data."""
    args = info.get_arguments()
    types = [asked(arg, "get_type") for arg in args]
    arrays = [ty for ty in [*types, info.get_return_type()] if _is_array(ty)]
    hidden = {asked(ty, "get_array_length") for ty in arrays}
    for arg in args:
        if arg.get_scope() and _is_callback(asked(arg, "get_type")):
            hidden |= {asked(arg, "get_closure"), asked(arg, "get_destroy")}
    return [
        arg
        for index, arg in enumerate(args)
        if index not in hidden and arg.get_direction() != Direction.OUT
    ]


def _is_array(type_info):
    return type_info.get_tag_as_string() == "array"


def _is_callback(type_info):
    return type(type_info.get_interface()).__name__ == "CallbackInfo"


def callables():
    """All callables, in the order of the typelibs."""
    for callable in _every_callable():
        if callable.path not in LEFT_OUT:
            yield callable


def _every_callable():
    gi.require_versions({namespace: "1.0" for namespace in NAMESPACES})
    for namespace in NAMESPACES:
        importlib.import_module(f"gi.repository.{namespace}")
        for info in Repository.get_default().get_infos(namespace):
            if isinstance(info, FunctionInfo):
                yield Callable(info, namespace)
            else:
                container = f"{namespace}.{info.get_name()}"
                for method in getattr(info, "get_methods", tuple)():
                    yield Callable(method, container)


def load():
    """All cases, by their id."""
    return {call.id: call for callable in callables() for call in callable.calls()}
