"""Putting gijit's callables where PyGObject keeps its own, and taking them out again.

A few patches serve whatever PyGObject creates from now on; one walk serves what exists already. The
patches wrap PyGObject's functions and leave their work to them:

* ``MetaClassHelper._setup_methods``, ``_setup_class_methods`` and ``_setup_native_vfuncs`` set our
  callables on a new class directly, because setting an attribute of a class twice costs more than
  making the callable; ``_setup_fields`` does what PyGObject's does, faster;
* ``gi.docstring._generate_callable_info_doc`` writes the same text, faster: classes and overrides
  ask for it as they are made;
* ``gi.types.hook_up_vfunc_implementation`` makes what Python implements of a new class known to C;
* ``GObjectMeta.mro`` computes the same order, faster;
* ``StructMeta.__init__`` may have put a constructor into ``__new__``, and meets ``GLib.Variant``,
  whose end, as that of all structs and of GObjects, then is without a detour;
* ``IntrospectionModule.__getattr__`` creates functions and enums;
* ``OverridesProxyModule.__init__`` meets each new namespace with overrides, whose class, as
  ``IntrospectionModule``, then gets look-ups of names without a detour through Python.
"""

import atexit
import os
import sys
import types
import warnings
from importlib import import_module

_native = None
_patches = []
"""(owner, name, original) of each patched attribute; empty when not installed."""

OLDEST, NEWEST = (3, 42), (3, 58)
"""PyGObject series that gijit knows. Development series count to the stable one after them."""


def is_installed():
    return bool(_patches)


def unsupported(gi):
    """Why the imported PyGObject cannot be served, or None."""
    version = gi.version_info[:2]
    if version < OLDEST:
        return f"PyGObject {gi.__version__} is older than {OLDEST[0]}.{OLDEST[1]}"
    if version > NEWEST:
        return (
            f"PyGObject {gi.__version__} is newer than {NEWEST[0]}.{NEWEST[1]}, "
            "the newest series whose object layout gijit knows"
        )
    return None


def load():
    """Import the native side and prepare it for the PyGObject of this process."""
    global _native
    if _native is not None:
        return _native
    from . import InstallError

    if sys.implementation.name != "cpython":
        raise InstallError(f"{sys.implementation.name} is not CPython")
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        raise InstallError("free-threaded Python is not supported")
    import gi
    from gi import _gi

    reason = unsupported(gi)
    if reason:
        raise InstallError(reason)
    try:
        from . import _gijit

        _gijit.prepare(_gi.FunctionInfo, _gi.VFuncInfo, _samples(gi, _gi), plugin_path())
    except (ImportError, RuntimeError) as error:
        raise InstallError(str(error)) from error
    _native = _gijit
    atexit.register(_gijit.shutdown)
    return _native


def _samples(gi, _gi):
    """One of PyGObject's own functions and one of its virtual functions, where they are needed."""
    if gi.version_info[:2] < (3, 51):
        return None
    repository = _gi.Repository.get_default()
    repository.require("GObject", "2.0")
    info = repository.find_by_name("GObject", "Object")
    return info.get_methods()[0], info.get_vfuncs()[0]


def plugin_path():
    """Where the LLVM tier's library belongs; it need not be there."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "libgijit_llvm.so")


def install():
    if _patches:
        return
    native = load()
    # Not "import gi.module": while that module is being executed, gi has no such attribute yet.
    _gi = import_module("gi._gi")
    gi_types = import_module("gi.types")
    docstring = import_module("gi.docstring")
    introspection = import_module("gi.module").IntrospectionModule
    proxy = import_module("gi.overrides").OverridesProxyModule
    helper = gi_types.MetaClassHelper
    replacements = (
        (helper, "_setup_methods", _method(native.setup_methods)),
        (helper, "_setup_fields", _method(native.setup_fields)),
        (helper, "_setup_class_methods", _setup_class_methods(native)),
        (helper, "_setup_native_vfuncs", _setup_native_vfuncs(native)),
        (gi_types, "hook_up_vfunc_implementation", _hook_up_vfunc(native, gi_types)),
        (docstring, "_generate_callable_info_doc", _callable_doc(native, docstring)),
        (gi_types.GObjectMeta, "mro", _mro(native, gi_types.GObjectMeta.mro)),
        (gi_types.StructMeta, "__init__", _struct_init(native, gi_types.StructMeta.__init__)),
        (introspection, "__getattr__", _module_getattr(native, introspection.__getattr__)),
        (proxy, "__init__", _proxy_init(native, proxy)),
    )
    try:
        for owner, name, replacement in replacements:
            _patches.append((owner, name, vars(owner)[name]))
            original = _patches[-1][2]
            for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
                setattr(replacement, attribute, getattr(original, attribute))
            setattr(owner, name, replacement)
        native.quicken_structs(_gi.Struct, _gi.StructInfo)
        native.quicken_objects(list(_derived([_gi.GObject])), gi_types.MetaClassHelper)
        native.quicken(introspection, False)
        for namespace in list(sys.modules.values()):
            if issubclass(type(namespace), proxy):
                _quicken_proxy(native, namespace)
        for cls in _classes():
            _quicken_del(native, cls)
        _replace_existing(native.adopt)
    except BaseException:
        uninstall()
        raise


def uninstall():
    if not _patches:
        return
    while _patches:
        owner, name, original = _patches.pop()
        setattr(owner, name, original)
    proxy = import_module("gi.overrides").OverridesProxyModule
    introspection = import_module("gi.module").IntrospectionModule
    for cls in (introspection, proxy, *proxy.__subclasses__()):
        _native.unquicken(cls)
    _gi = import_module("gi._gi")
    for cls in (_gi.Struct, *_derived([_gi.GObject]), *_classes()):
        _native.unquicken_end(cls)
    _replace_existing(_native.release)


def _method(function):
    """``function``, which takes a class, as a method of it."""
    return lambda cls: function(cls)


def _setup_class_methods(native):
    adopt = native.adopt

    def _setup_class_methods(cls):
        class_struct = cls.__info__.get_class_struct()
        if class_struct is None:
            return
        for method in class_struct.get_methods():
            name = method.__name__
            # As in PyGObject: what the class or a base has comes first.
            if not hasattr(cls, name):
                setattr(cls, name, classmethod(adopt(method)))

    return _setup_class_methods


def _callable_doc(native, docstring):
    from gi import version_info

    made, original = native.callable_doc, docstring._generate_callable_info_doc
    hides_length = version_info[:2] > (3, 44)
    return lambda info: made(info, hides_length) or original(info)


def _setup_native_vfuncs(native):
    from gi._gi import ObjectInfo

    setup_vfuncs = native.setup_vfuncs

    def _setup_native_vfuncs(cls):
        # PyGObject's own conditions: interfaces have no implementation, and PyGObject calls the
        # virtual functions of GObject.Object itself.
        if isinstance(vars(cls).get("__info__"), ObjectInfo) and (
            cls.__module__ != "gi.repository.GObject" or cls.__name__ != "Object"
        ):
            setup_vfuncs(cls)

    return _setup_native_vfuncs


def _hook_up_vfunc(native, gi_types):
    implement, original = native.implement, gi_types.hook_up_vfunc_implementation

    def hook_up_vfunc_implementation(info, gtype, function):
        if not implement(info, gtype, function):
            original(info, gtype, function)

    return hook_up_vfunc_implementation


def _mro(native, original):
    from gi._gi import GInterface

    computed = native.mro
    return lambda cls: computed(cls, GInterface) or original(cls)


def _struct_init(native, original):
    def __init__(cls, name, bases, dict_):
        original(cls, name, bases, dict_)
        new = vars(cls).get("__new__")
        if type(new) is staticmethod:
            # PyGObject takes the constructor called "new"; the class has ours under that name.
            method = vars(cls).get("new")
            method = getattr(method, "__func__", method)
            if native.is_ours(method) and method == new.__func__:
                cls.__new__ = staticmethod(method)
        _quicken_del(native, cls)

    return __init__


def _quicken_del(native, cls):
    """Give a class the fast end, if its ``__del__`` is like the one of ``GLib.Variant``."""
    function = vars(cls).get("__del__")
    if function and _meaning(function) == _meaning(_unref):
        native.quicken_del(cls, function)


# What GLib.Variant.__del__ does: when the interpreter ends, PyGObject may be gone. With a docstring
# it would be another function.
def _unref(self):
    try:
        self.unref()
    except ImportError:
        pass


def _module_getattr(native, original):
    from gi._gi import EnumInfo, FunctionInfo

    adopt = native.adopt

    def __getattr__(self, name):
        value = original(self, name)
        if type(value) is FunctionInfo:
            value = adopt(value)
            vars(self)[name] = value
        elif isinstance(value, type):
            info = vars(value).get("__info__")
            if type(info) is EnumInfo and info.get_methods():
                _replace_in_class(value, adopt)
        return value

    return __getattr__


def _proxy_init(native, proxy):
    original = proxy.__init__

    def __init__(self, introspection_module):
        original(self, introspection_module)
        _quicken_proxy(native, self)

    return __init__


def _quicken_proxy(native, proxy):
    """Give the class of a proxy its fast look-up, if it looks names up as PyGObject's do."""
    meaning = _meaning(type(proxy).__getattr__)
    if meaning == _meaning(_get_of_slots):
        native.find_slots(proxy)
    if meaning in (_meaning(_get_of_slots), _meaning(_get)):
        native.quicken(type(proxy), True)


# What OverridesProxyModule.__getattr__ does up to PyGObject 3.50, and from 3.52 on.
def _get(self, name):
    return getattr(self._introspection_module, name)


def _get_of_slots(self, name):
    if name in self._deprecations:
        value, warning = self._deprecations[name]
        warnings.warn(warning, stacklevel=2)
        return value
    return getattr(self._introspection_module, name)


def _meaning(function):
    code = getattr(function, "__code__", None)
    return code and (code.co_code, code.co_names, code.co_varnames, code.co_argcount)


def _replace_existing(convert):
    """Apply ``convert`` to every callable that PyGObject or its overrides keep."""
    known = {}

    def replace(value):
        return convert(value, known)

    for module in list(import_module("gi.module")._introspection_modules.values()):
        _replace_in_dict(vars(module), replace)
    for name, module in list(sys.modules.items()):
        if name.startswith(("gi.overrides.", "gi.repository.")) and module is not None:
            if name.startswith("gi.repository.") and not hasattr(module, "_introspection_module"):
                continue
            _replace_in_dict(vars(module), replace)
            for attribute in vars(type(module)).values():
                if hasattr(attribute, "_warning") and hasattr(attribute, "_value"):
                    attribute._value = replace(attribute._value)
            # From PyGObject 3.52 on; the others are gone there.
            deprecations = getattr(module, "_deprecations", {})
            for attribute, (value, warning) in list(deprecations.items()):
                deprecations[attribute] = replace(value), warning
    for cls in _classes():
        _replace_in_class(cls, replace)


def _classes():
    """Every class that PyGObject or an override made, once."""
    from gi import _gi

    roots = (
        "GObject",
        "GInterface",
        "Boxed",
        "Struct",
        "Fundamental",
        "CCallback",
        "GEnum",
        "GFlags",
    )
    pending = [getattr(_gi, name) for name in roots if hasattr(_gi, name)]
    # Fundamental types derive from object itself in PyGObject 3.42.
    for module in list(import_module("gi.module")._introspection_modules.values()):
        pending += [value for value in list(vars(module).values()) if isinstance(value, type)]
    for cls in _derived(pending):
        module = getattr(cls, "__module__", None)
        if isinstance(module, str) and module.startswith(("gi.repository.", "gi.overrides")):
            yield cls


def _derived(roots):
    """``roots`` and every class that is derived from them, once."""
    pending = list(dict.fromkeys(roots))
    seen = set(pending)
    while pending:
        cls = pending.pop()
        yield cls
        for derived in type.__subclasses__(cls):
            if derived not in seen:
                seen.add(derived)
                pending.append(derived)


def _replace_in_dict(names, replace):
    for name, value in list(names.items()):
        replaced = _replaced(value, replace)
        if replaced is not value:
            names[name] = replaced


def _replace_in_class(cls, replace):
    for name, value in list(vars(cls).items()):
        replaced = _replaced(value, replace)
        if replaced is not value:
            setattr(cls, name, replaced)


def _replaced(value, replace):
    """What stands for ``value``; functions of overrides are changed in place where they captured a
    callable, as ``strip_boolean_result`` does."""
    if type(value) in (staticmethod, classmethod):
        function = replace(value.__func__)
        return value if function is value.__func__ else type(value)(function)
    if type(value) is types.MethodType:
        function = replace(value.__func__)
        return value if function is value.__func__ else types.MethodType(function, value.__self__)
    if type(value) is not types.FunctionType:
        return replace(value)
    # Not its __module__: that is the wrapped callable's where functools.wraps was used.
    if value.__closure__ and value.__globals__.get("__name__", "").startswith("gi.overrides"):
        for cell in value.__closure__:
            try:
                cell.cell_contents = replace(cell.cell_contents)
            except ValueError:
                continue  # an empty cell
        if "__wrapped__" in vars(value):
            value.__wrapped__ = replace(value.__wrapped__)
    return value
