"""How arguments are bound: positions, keywords, defaults, too many, too few, unknown, twice."""

from gi.repository import GIMarshallingTests as GI
from gi.repository import Gio, GLib, Regress

from .cases import call, fresh, method, script, varied

THREE = "GIMarshallingTests.int_three_in_three_out"
call(THREE, 1, 2, 3)
call(THREE, 1, 2, c=3)
call(THREE, c=3, b=2, a=1)
call(THREE, a=1, b=2, c=3)
call(THREE, 1, c=3, b=2)
call(THREE)
call(THREE, 1)
call(THREE, 1, 2)
call(THREE, 1, 2, 3, 4)
call(THREE, 1, 2, 3, d=4)
call(THREE, 1, 2, 3, a=4)
call(THREE, 1, 2, a=4)
call(THREE, 1, b=2)
call(THREE, x=1, y=2, z=3)
call(THREE, 1, 2, None)
call(THREE, "a", "b", "c")
call(THREE, 1, "b", "c")
call(THREE, 1, 2, c="c")

OPTIONAL = "GIMarshallingTests.int_two_in_utf8_two_in_with_allow_none"
call(OPTIONAL, 1, 2, "3", "4")
call(OPTIONAL, 1, 2, "3", None)
call(OPTIONAL, 1, 2, "3")
call(OPTIONAL, 1, 2)
call(OPTIONAL, 1, 2, d="4")
call(OPTIONAL, 1, 2, c="3", d="4")
call(OPTIONAL, 1)
call(OPTIONAL, a=1, b=2)
call(OPTIONAL, b=2, a=1, d=None)
call(OPTIONAL, 1, 2, "3", "4", "5")
call(OPTIONAL, 1, 2, 3, "4")

ONE_NONE = "GIMarshallingTests.int_one_in_utf8_two_in_one_allows_none"
call(ONE_NONE, 1, "2", "3")
call(ONE_NONE, 1, None, "3")
call(ONE_NONE, 1, "2", None)
call(ONE_NONE, 1, "2")
call(ONE_NONE, 1, c="3")
call(ONE_NONE, a=1, c="3")

OUT_OF_ORDER = "GIMarshallingTests.array_in_utf8_two_in"
call(OUT_OF_ORDER, [-1, 0, 1, 2], "1", "2")
call(OUT_OF_ORDER, [-1, 0, 1, 2], "1")
call(OUT_OF_ORDER, [-1, 0, 1, 2])
call(OUT_OF_ORDER, [-1, 0, 1, 2], b="2")
call("GIMarshallingTests.array_in_utf8_two_in_out_of_order", "1", [-1, 0, 1, 2], "2")
call("GIMarshallingTests.array_in_utf8_two_in_out_of_order", "1", [-1, 0, 1, 2])

varied(THREE, (1, 2, 3), (1, 2), (1, 2, 3, 4), ("1", 2, 3))
varied(OPTIONAL, (1, 2, "3", "4"), (1, 2), (1, 2, None, None), (1, 2, "3"))

# Several results, and results that are skipped.
call("GIMarshallingTests.int_out_out")
call("GIMarshallingTests.int_return_out")
call("GLib.random_int_range", 5, 6)
call("GLib.random_double_range", 2.0, 2.0)
call("Regress.test_torture_signature_0", 1, "foo", 2)
call("Regress.test_torture_signature_1", 1, "foo", 2)
call("Regress.test_torture_signature_1", 1, "foo", 3)
call("Regress.test_torture_signature_1", 1, m=3, foo="é")
call("Regress.test_torture_signature_0", 1, None, 2)
call("Regress.test_torture_signature_0", 1, "foo", -2)


def test_obj():
    return Regress.TestObj.constructor()


obj = fresh(test_obj)
method(obj, "torture_signature_0", 1, "foo", 2)
method(obj, "torture_signature_1", 1, "foo", 2)
method(obj, "torture_signature_1", 1, "foo", 3)
method(obj, "torture_signature_0", 1, foo="x", m=7)
method(obj, "torture_signature_0")
method(obj, "torture_signature_0", 1, "foo", 2, 3)
method(obj, "torture_signature_0", x=1, foo="a", m=2, n=3)
method(obj, "skip_return_val", 50, 42.0, 60, 2, 3)
method(obj, "skip_return_val_no_out", 1)
method(obj, "skip_return_val_no_out", 0)
method(obj, "skip_param", 1, 1.5, 2, 3, 4)
method(obj, "skip_param", 1, 1.5, 2, 3)
method(obj, "skip_out_param", 1, 1.5, 2, 3, 4)
method(obj, "skip_inout_param", 1, 1.5, 2, 3, 4)
method(obj, "instance_method")
method(obj, "instance_method", 1)
method(obj, "instance_method", x=1)
method(obj, "static_method", 7)
method(obj, "do_matrix", "x")
method(obj, "forced_method")
method(obj, "set_bare", fresh(test_obj))
method(obj, "set_bare", None)
method(obj, "set_bare", 1)

# Methods through the class, with the instance (or something else) as first argument.
call("Regress.TestObj.instance_method", fresh(test_obj))
call("Regress.TestObj.instance_method")
call("Regress.TestObj.instance_method", None)
call("Regress.TestObj.instance_method", 5)
call("Regress.TestObj.instance_method", fresh(GI.Object, int=1))
call("Regress.TestObj.instance_method", fresh(Regress.TestSubObj))
call("Regress.TestObj.torture_signature_0", fresh(test_obj), 1, "foo", 2)
call("Regress.TestObj.torture_signature_0", 1, "foo", 2)
call("Regress.TestObj.static_method", 3)
call("Regress.TestObj.static_method", "3")
call("Gio.SimpleAction.get_name", fresh(Gio.SimpleAction, name="n"))
call("Gio.Action.get_name", fresh(Gio.SimpleAction, name="n"))
call("Gio.Action.get_name", fresh(test_obj))
call("Gio.Action.get_enabled")


@script
def keyword_only_through_partial():
    """functools.partial with keywords over a function and a bound method."""
    import functools

    three = functools.partial(GI.int_three_in_three_out, c=3)
    bound = functools.partial(test_obj().torture_signature_0, m=2)
    return [three(1, 2), three(b=2, a=1), bound(1, "foo")]


@script
def stored_bound_methods():
    """Bound methods that are kept, called later, and outlive the name of their object."""
    action = Gio.SimpleAction(name="kept")
    get_name = action.get_name
    set_enabled = action.set_enabled
    get_enabled = action.get_enabled
    del action
    results = []
    for enabled in (True, False, True, False, True):
        set_enabled(enabled)
        results.append((get_name(), get_enabled()))
    return results


@script
def stored_functions():
    """Functions kept in a list, a dict and as a class attribute."""

    class Holder:
        function = GLib.path_get_basename
        method = Gio.SimpleAction.get_name

    table = {"base": GLib.path_get_basename, "dir": GLib.path_get_dirname}
    names = [table[key]("/x/y") for key in ("base", "dir") for _ in range(4)]
    return [names, Holder.function("/a/b"), Holder.method(Gio.SimpleAction(name="held"))]


@script
def function_as_class_attribute_called_on_instance():
    """A function or a method as a class attribute, looked up on an instance."""

    class Holder:
        function = GLib.path_get_basename
        method = Gio.SimpleAction.get_name

    seen = []
    for name in ("function", "method"):
        for _ in range(3):
            try:
                seen.append(getattr(Holder(), name)("/a/b"))
            except Exception as error:
                seen.append([type(error).__name__, str(error).split(" 0x")[0]])
    return seen


@script
def introspection_of_callables():
    """What a callable says about itself."""
    described = []
    for target in (GLib.path_get_basename, Gio.SimpleAction.get_name, Gio.File.new_for_path):
        described.append([
            target.__name__, target.__module__, target.__doc__, type(target).__mro__[-1].__name__,
            [arg.get_name() for arg in target.get_arguments()], target.get_symbol(),
            target.is_method(), callable(target), str(getattr(target, "__signature__", None)),
        ])  # fmt: skip
    action = Gio.SimpleAction(name="n")
    described.append([action.get_name == action.get_name, GLib.quark_to_string == GLib.access])
    described.append([GLib.access == GLib.access, bool(GLib.access)])
    return described


@script
def setting_attributes_of_callables():
    """Attributes that do not exist: reading, writing, deleting."""
    seen = []
    for action in (
        lambda: setattr(GLib.access, "extra", 1),
        lambda: GLib.access.missing,
        lambda: delattr(GLib.access, "__doc__"),
        lambda: setattr(GLib.access, "__name__", "x"),
    ):
        try:
            seen.append(action())
        except Exception as error:
            seen.append([type(error).__name__, str(error)])
    return seen


@script
def recursion_through_python():
    """A callback that calls the function which calls it."""
    depth = []

    def again(*_):
        depth.append(len(depth))
        return Regress.test_callback(again) if len(depth) < 5 else 1

    return [Regress.test_callback(again), depth]
