"""Nobody can tell gijit's callables from PyGObject's by looking at them.

A program looks at each kind of callable in every way that it can think of and prints what it sees,
on stock and under gijit. The one difference that shows is the type: it derives from PyGObject's, so
the order of resolution, which `help()` prints, has one entry more."""

import difflib

import pytest
from test_embed import program

pytest.importorskip("gi")

LOOK = r"""
    import copy, functools, inspect, pickle, pydoc, re, types, typing, weakref
    from unittest import mock
    from gi.repository import Gio, GLib, GObject
    from gi._gi import BaseInfo, CallableInfo, FunctionInfo, VFuncInfo

    app = Gio.Application()
    file = Gio.File.new_for_path("/a/b")
    THINGS = {
        "function": lambda: GLib.random_int,
        "static function": lambda: Gio.File.new_for_path,
        "method": lambda: Gio.File.get_path,
        "bound method": lambda: file.get_path,
        "unbound constructor": lambda: vars(Gio.Cancellable)["new"],
        "constructor": lambda: Gio.Cancellable.new,
        "__new__": lambda: GLib.KeyFile.__new__,
        "unbound virtual function": lambda: vars(Gio.Cancellable)["do_cancelled"],
        "virtual function": lambda: Gio.Cancellable.do_cancelled,
        "virtual function of an object": lambda: app.do_activate,
        "method of a class struct": lambda: GObject.ObjectClass.find_property,
    }
    WAYS = {
        "str": str, "repr": repr, "format": lambda x: f"{x!r:>60}", "dir": dir, "vars": vars,
        "signature": inspect.signature, "arguments": inspect.getfullargspec,
        "getdoc": inspect.getdoc, "help": lambda x: pydoc.plain(pydoc.render_doc(x)),
        "source": inspect.getsource, "module": inspect.getmodule, "hints": typing.get_type_hints,
        "members": lambda x: [(n, seen(v)) for n, v in inspect.getmembers(x)],
        "kinds": lambda x: [name for name, test in inspect.getmembers(inspect, inspect.isfunction)
                            if name.startswith("is") and test(x)],
        "type": lambda x: (type(x).__name__, type(x).__module__, type(x).__qualname__, type(x)),
        "bases": lambda x: [b.__name__ for b in type(x).__mro__ if b.__name__ != type(x).__name__],
        "instance": lambda x: [isinstance(x, t)
                               for t in (FunctionInfo, VFuncInfo, CallableInfo, BaseInfo)],
        "copy": copy.copy, "deepcopy": copy.deepcopy, "reduce": lambda x: x.__reduce_ex__(2),
        "hash": hash, "equal": lambda x: (x == x, x != x, x == 1, x != 1), "less": lambda x: x < x,
        "bool": bool, "len": len, "iter": iter, "callable": callable,
        "weak": lambda x: weakref.ref(x)() is x,
        "set": lambda x: setattr(x, "x", 1), "set doc": lambda x: setattr(x, "__doc__", "x"),
        "delete": lambda x: delattr(x, "__name__"),
        "wraps": lambda x: sorted(vars(functools.wraps(x)(lambda: 0)).items()),
        "wrapped name": lambda x: functools.wraps(x)(lambda: 0).__name__,
        "partial": lambda x: functools.partial(x, 1), "method": lambda x: types.MethodType(x, 3),
        "classmethod": classmethod, "staticmethod": staticmethod, "mock": mock.create_autospec,
        "subclass": lambda x: type("Sub", (type(x),), {}), "new": lambda x: type(x)(),
        "too many": lambda x: x(*range(9)), "no such": lambda x: x(zork=1),
        "by slot": lambda x: x.__call__(*range(9)), "invoke": lambda x: x.invoke(*range(9)),
        "get": lambda x: x.__get__(app, type(app)), "own": lambda x: x.get_arguments(),
        "container": lambda x: x.get_container(), "flags": lambda x: x.get_flags(),
    }
    for name in ("doc", "name", "module", "qualname", "self", "func", "wrapped", "dict",
                 "annotations", "text_signature", "class"):
        WAYS[name] = lambda x, name=f"__{name}__": getattr(x, name)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        WAYS[f"pickle {protocol}"] = lambda x, protocol=protocol: pickle.dumps(x, protocol)

    def seen(value):
        # Without addresses, and without the one more class.
        text = re.sub(r" at 0x[0-9a-f]+|id='\d+'|\(\d{5,}\)", "", repr(value))
        text = re.sub(r"class (V?Func\w*Info)\(\1\)", r"class \1(CallableInfo)", text)
        text = re.sub(r"(\\n \|      V?Func\w*Info)\1", r"\1", text)
        text = re.sub(r"Methods inherited from V?Func\w+:", "Methods defined here:", text)
        return re.sub(r"(Method resolution order:)\s+", r"\1", text)

    for thing, make in THINGS.items():
        for way, look in WAYS.items():
            try:
                shown = seen(look(make()))
            except Exception as error:
                shown = f"{type(error).__name__}: {seen(str(error))}"
            print(thing, way, shown, sep=" | ")
        print(thing, [make() == other() for other in THINGS.values()], make() is make())
    for cls in (Gio.Cancellable, Gio.Application, GLib.KeyFile, Gio.File, GObject.Object):
        print(cls.__name__, dir(cls), seen(inspect.getmembers(cls, inspect.isroutine)))
        print(cls.__name__, seen(inspect.classify_class_attrs(cls)))
        print(cls.__name__, seen(pydoc.plain(pydoc.render_doc(cls))))
"""


def test_callables_look_like_pygobjects():
    stock, ours = program(LOOK), program(LOOK, GIJIT="1")
    assert len(stock) > 700
    for expected, found in zip(stock, ours, strict=True):
        if expected != found:
            words = difflib.ndiff(expected.split(), found.split())
            pytest.fail("\n".join(word for word in words if word[0] in "-+"))
