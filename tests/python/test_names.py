"""Names of namespaces behave as PyGObject's: `GLib.foo`, `Gtk.Orientation.VERTICAL`.

One program uses a namespace in every way that it can think of and prints what happens. It runs on
stock and in each way in which gijit can be there, or have been there; all must print the same."""

import difflib
import os
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("gi")

PRELUDE = {
    "installed": ("1", ""),
    "installed late": ("0", "import gijit; gijit.install()"),
    "installed twice": ("1", "import gijit; gijit.uninstall(); gijit.install()"),
    "uninstalled": ("1", "import gijit; gijit.uninstall()"),
}
"""GIJIT, and what is done when the names have been used already."""

START = r"""
    import copy, importlib, inspect, operator, pickle, re, sys, traceback, types, warnings
    import weakref
    from unittest import mock
    import gi
    NAME, VERSION, FUNCTION, CLASS, ENUM, CONSTANT, OVERRIDDEN, DEPRECATED = CONFIGURATION
    gi.require_version(NAME, VERSION)
    ns = importlib.import_module("gi.repository." + NAME)
    introspected = getattr(ns, "_introspection_module", ns)
    NAMES = [name for name in (FUNCTION, CLASS, ENUM, CONSTANT, OVERRIDDEN, DEPRECATED) if name]

    def seen(value):
        return re.sub(r" at 0x[0-9a-f]+|id='\d+'|\(\d{5,}\)", "", repr(value))

    def attempt(function, *arguments):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                result = seen(function(*arguments))
            except BaseException as error:
                frames = traceback.extract_tb(error.__traceback__)
                # Each once: an endless recursion has some more or less.
                frames = [*dict.fromkeys(f.name for f in frames if "/gi/" in f.filename)]
                result = f"{type(error).__name__}: {seen(str(error))} {seen(error.args)}"
                result += f" through {frames} after {seen(error.__context__)}"
        return result, [(str(w.message), w.filename, w.lineno, w.category.__name__) for w in caught]

    def look(text, names=NAMES):
        # Twice, because the first look may leave something behind.
        for name in [*names, "no_such_name"] * 2:
            print(text, name, attempt(getattr, ns, name), attempt(hasattr, ns, name),
                  name in vars(ns), name in vars(introspected))

    look("first")
    LATER
    look("second")
"""

PROGRAMS = {}

PROGRAMS["looking"] = r"""
    for way in (repr, str, type, lambda m: type(m).__mro__, inspect.ismodule, callable, bool, len,
                hash, lambda m: isinstance(m, types.ModuleType), lambda m: m.__class__,
                lambda m: pickle.dumps(m), lambda m: copy.copy(m), lambda m: copy.deepcopy(m),
                lambda m: m.__reduce_ex__(2), lambda m: weakref.ref(m)() is m,
                lambda m: sorted(vars(m)), lambda m: sorted(vars(type(m))),
                lambda m: sorted(dir(type(m))), lambda m: importlib.reload(m) is m,
                inspect.getdoc, inspect.getfile, inspect.getmembers_static
                if hasattr(inspect, "getmembers_static") else len,
                lambda m: m == m, lambda m: m.__spec__, lambda m: m.__getattr__,
                lambda m: m.__getattribute__, lambda m: type(m).__getattr__.__name__,
                lambda m: type(m).__getattribute__):
        if way is hash:
            print(isinstance(hash(ns), int))
        else:
            print(attempt(way, ns))
    names = dir(ns)
    print(len(names), len(set(names)), isinstance(names, list))
    look("all", sorted(names))
    print(sorted(vars(ns)), sorted(vars(introspected)))
    look("all again", sorted(set(dir(ns)) - set(names)))
    import gi.repository
    print(getattr(gi.repository, NAME) is ns, sys.modules["gi.repository." + NAME] is ns)
    exec(f"from gi.repository.{NAME} import {FUNCTION} as taken")
    exec(f"import gi.repository.{NAME} as other")
    print(seen(taken), other is ns, attempt(exec, f"from gi.repository.{NAME} import no_such_name"))
    special = ("no_such_name", "__name__", "__class__", "__dict__", "_version", "_namespace")
    ways = (operator.attrgetter, lambda name: lambda m: m.__getattribute__(name),
            lambda name: lambda m: object.__getattribute__(m, name),
            lambda name: lambda m: inspect.getattr_static(m, name),
            lambda name: lambda m: type(m).__getattr__(m, name))
    for name in (*NAMES, *special):
        print(name, [attempt(way(name), ns)[0][:200] for way in ways])
    derived = type("S", (str,), {})(FUNCTION)
    for name in ("", "a b", "ä", 1, None, b"x", FUNCTION.encode(), derived):
        print(attempt(getattr, ns, name), attempt(hasattr, ns, name), attempt(getattr, ns, name, 0))
    for name in NAMES:
        built = "".join(list(name))
        values = [getattr(ns, built) for _ in range(3)]
        print(name, [value is values[0] for value in values])
        print(values[0] is getattr(introspected, name, None))
    print(attempt(eval, f"ns.{ENUM}.no_such_value"), attempt(eval, f"ns.{CLASS}.no_such_method"))
    enum = getattr(ns, ENUM)
    for name in dir(enum):
        if name.isupper():
            print(name, seen(getattr(enum, name)), getattr(enum, name) is getattr(enum, name))
    look("end")
"""

PROGRAMS["changing"] = r"""
    for name in (*NAMES, "no_such_name"):
        print(name, attempt(delattr, ns, name))
        look("deleted")
        print(name, attempt(setattr, ns, name, 7))
        look("set")
        print(name, attempt(setattr, ns, name, 8))
        look("set again")
        print(name, attempt(delattr, ns, name), attempt(delattr, ns, name))
        look("deleted again")
    for name in (FUNCTION, "no_such_name"):
        vars(ns)[name] = "in the dict"
        look("dict")
        vars(ns).update({name: "updated"})
        look("updated")
        vars(ns).pop(name)
        look("popped")
        setattr(introspected, name, "behind")
        look("behind")
        setattr(introspected, name, "behind again")
        look("behind again")
        vars(introspected)[name] = "in the dict behind"
        look("dict behind")
        print(attempt(delattr, introspected, name), attempt(delattr, introspected, name))
        look("not behind any more")
    kept = dict(vars(introspected))
    vars(introspected).clear()
    vars(introspected).update(kept)
    look("emptied and filled")
    introspected.__dict__ = dict(kept)
    look("another dict")
    introspected.__dict__[FUNCTION] = 1
    look("another dict, changed")
    introspected.__dict__ = kept
    look("the dict again")
    def patched(patch):
        with patch as new:
            look("patched")
            return new
    for name in (*NAMES, "no_such_name"):
        for options in ({}, {"new": "patched"}, {"create": True}, {"autospec": True}):
            for patch in (mock.patch.object(ns, name, **options),
                          mock.patch(f"gi.repository.{NAME}.{name}", **options)):
                print(name, options, attempt(patched, patch)[0][:100])
                look("after patch")
    print(attempt(patched, mock.patch.dict(vars(ns), {FUNCTION: 1, "no_such_name": 2}))[0][:100])
    look("after patch of the dict")
    look("end")
    print(sorted(vars(ns)), sorted(vars(introspected)))
"""

PROGRAMS["classes"] = r"""
    cls = type(ns)
    for name in (FUNCTION, OVERRIDDEN or CLASS, "no_such_name", "_introspection_module"):
        setattr(cls, name, "of the class")
        look("class attribute")
        setattr(cls, name, property(lambda self: "property"))
        look("property")
        delattr(cls, name)
        look("no class attribute")
        setattr(type(introspected), name, "of the class behind")
        look("class attribute behind")
        delattr(type(introspected), name)
        look("no class attribute behind")
        def raising(self):
            raise AttributeError(f"{name} raised")
        setattr(cls, name, property(raising))
        look("raising property")
        delattr(cls, name)
        look("no raising property")

    def getattribute(self, name):
        return ("own getattribute", name) if name in NAMES else object.__getattribute__(self, name)
    def getattr_(self, name):
        return ("own getattr", name)
    owners = (cls,) if ns is introspected else (cls, cls.__mro__[1], type(introspected))
    for owner in owners:
        for special, function in (("__getattribute__", getattribute), ("__getattr__", getattr_)):
            before = vars(owner).get(special)
            setattr(owner, special, function)
            look(special)
            if before is None:
                delattr(owner, special)
            else:
                setattr(owner, special, before)
            look("without " + special)
        before = vars(owner).get("__getattr__")
        if before:
            del owner.__getattr__
            look("no __getattr__")
            owner.__getattr__ = before
            look("__getattr__ again")

    if ns is not introspected:
        vars(ns)["__getattr__"] = lambda name: ("the module's own", name)
        look("module __getattr__")
        del vars(ns)["__getattr__"]
        look("without module __getattr__")
        class Other:
            def __getattr__(self, name):
                return "other"
        for other in (Other(), types.SimpleNamespace(**{FUNCTION: "simple"}), None):
            ns._introspection_module = other
            look("other module behind")
        del ns._introspection_module
        print(attempt(getattr, ns, CLASS))
        ns._introspection_module = introspected
        look("module behind again")

    class Derived(cls):
        pass
    class Special(cls):
        def __getattr__(self, name):
            return "special", name
    class Intercepting(cls):
        __getattribute__ = getattribute
    for derived in (Derived, Special, Intercepting):
        made = derived(introspected) if ns is not introspected else derived(NAME, VERSION)
        for name in (*NAMES, "no_such_name"):
            print(derived, name, attempt(getattr, made, name), attempt(getattr, made, name))
        ns.__class__ = derived
        print(attempt(getattr, ns, FUNCTION), attempt(getattr, ns, "no_such_name"))
        ns.__class__ = cls
        look("class again")
"""

PROGRAMS["importing"] = r"""
    path = "gi.repository." + NAME
    del sys.modules[path]
    again = importlib.import_module(path)
    print(again is ns, type(again) is type(ns))
    print(getattr(again, "_introspection_module", again) is introspected)
    for name in (*NAMES, "no_such_name"):
        print(name, attempt(getattr, again, name), attempt(getattr, again, name))
        print(attempt(lambda: getattr(again, name) is getattr(ns, name)))
    print(attempt(importlib.reload, again)[0], importlib.import_module(path) is again)
    look("the old one")
    ns = again
    look("the new one")
    sys._clear_type_cache()
    look("end")
"""

NAMESPACES = [
    (
        "GLib",
        "2.0",
        "random_int",
        "KeyFile",
        "FileTest",
        "MAXINT8",
        "Variant",
        "unix_signal_add_full",
    ),
    (
        "GObject",
        "2.0",
        "type_name",
        "Binding",
        "ParamFlags",
        "PARAM_MASK",
        "Object",
        "markup_escape_text",
    ),
    (
        "Gio",
        "2.0",
        "content_type_equals",
        "Cancellable",
        "FileType",
        "FILE_ATTRIBUTE_ID_FILE",
        "Settings",
        "",
    ),
    ("Gtk", "3.0", "get_major_version", "Misc", "Orientation", "MAJOR_VERSION", "Label", ""),
    ("GModule", "2.0", "module_error", "Module", "ModuleFlags", "", "", ""),
    ("Atk", "1.0", "get_root", "Object", "Role", "MAJOR_VERSION", "", ""),
]
"""Name, version, function, class, enumeration, constant, a class that an override replaces, a
deprecated name. The last two have no overrides."""


def lines(code, gijit):
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIJIT") and name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=dict(environment, GIJIT=gijit, LC_ALL="C.UTF-8"),
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("namespace", NAMESPACES, ids=lambda namespace: namespace[0])
def test_names_behave_as_pygobjects(namespace, program):
    import gi

    if namespace[1] not in gi.Repository.get_default().enumerate_versions(namespace[0]):
        pytest.skip(f"there is no typelib of {namespace[0]} {namespace[1]}")

    def source(later):
        start = textwrap.dedent(START).replace("CONFIGURATION", repr(namespace))
        return start.replace("LATER", later) + textwrap.dedent(PROGRAMS[program])

    stock = lines(source(""), "0")
    assert len(stock) > 30
    for way, (gijit, later) in PRELUDE.items():
        ours = lines(source(later), gijit)
        differences = [line for line in difflib.unified_diff(stock, ours, way, n=0, lineterm="")]
        assert not differences, "\n".join(line[:400] for line in differences[:20])
