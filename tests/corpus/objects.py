"""Objects: constructors, subclasses, transfer, floating references, interfaces, wrong instances."""

import gc
import weakref

from gi.repository import GIMarshallingTests as GI
from gi.repository import Gio, GObject, Regress

from .cases import call, fresh, method, script, varied


def gi_object():
    return GI.Object(int=42)


def implementation():
    return GI.InterfaceImpl()


class PythonObject(GObject.Object):
    """A GObject class made in Python, of no introspected kind."""

    __gtype_name__ = "GijitCorpusPythonObject"


class SubClass(GI.Object):
    """A Python class below an introspected one."""

    __gtype_name__ = "GijitCorpusSubClass"


def sub_class():
    return SubClass(int=42)


def uninitialised():
    """A wrapper without an object."""
    return GI.Object.__new__(GI.Object)


# Constructors.
call("GIMarshallingTests.Object.new", 42)
call("GIMarshallingTests.Object.new", int_=42)
call("GIMarshallingTests.Object.new", "x")
call("GIMarshallingTests.Object.new")
call("GIMarshallingTests.Object.new_fail", 42)
call("GIMarshallingTests.SubObject.new", 42)
call("GIMarshallingTests.OverridesObject.new", 42)
call("GIMarshallingTests.Object", int=42)
call("GIMarshallingTests.Object", int="x")
call("GIMarshallingTests.Object", nope=42)
call("GIMarshallingTests.Object", 42)
call("Regress.TestObj.constructor")
call("Regress.TestObj.new", fresh(Regress.TestObj.constructor))
call("Regress.TestObj.new", None)
call("Regress.TestObj.new_from_file", "nope")
call("Regress.TestObj.null_out")
call("Regress.TestSubObj.new")
call("Regress.TestFloating.new")
call("Regress.TestWi8021x.new")
call("Regress.TestWi8021x.static_method", 21)
# Not a word that the interpreter interns for others, whose references would be counted too.
call("Gio.SimpleAction.new", "corpus-action", None)
call("Gio.SimpleAction.new", None, None)
call("Gio.SimpleAction.new_stateful", "corpus-action", None, None)
call("Gio.Cancellable.new")
call("Gio.Menu.new")
call("Gio.ListStore.new", Gio.SimpleAction)
call("Gio.ListStore.new", int)
call("Regress.test_create_fundamental_hidden_class_instance")
call("Regress.TestFundamentalSubObject.new", "data")
call("Regress.TestFundamentalSubObjectNoGetSetFunc.new", "data")

# Transfer of results and out arguments.
for direction in ("return", "out"):
    for transfer in ("none", "full"):
        call(f"GIMarshallingTests.Object.{transfer}_{direction}")
call("GIMarshallingTests.Object.none_inout", fresh(gi_object))
call("GIMarshallingTests.Object.none_inout", fresh(sub_class))
call("GIMarshallingTests.Object.none_inout", None)
call("GIMarshallingTests.Object.static_method")
call("Regress.func_obj_null_in", None)
call("Regress.func_obj_null_in", fresh(Regress.TestObj.constructor))
call("Regress.func_obj_null_in", fresh(gi_object))
call("Regress.func_obj_nullable_in", None)
call("Regress.func_obj_nullable_in", 5)
call("Regress.test_array_fixed_out_objects")

# Methods, on the right and the wrong receivers.
method(fresh(gi_object), "method")
method(fresh(gi_object), "none_in")
method(fresh(GI.Object, int=0), "overridden_method")
method(fresh(gi_object), "method_int8_in", 4200)
method(fresh(gi_object), "method_str_arg_out_ret", 5)
method(fresh(gi_object), "method_with_default_implementation", 42)
# The typelib names a function that the library does not have.
method(fresh(gi_object), "full_in")
method(fresh(sub_class), "method")
method(fresh(sub_class), "method_with_default_implementation", 42)
call("GIMarshallingTests.Object.method", fresh(gi_object))
call("GIMarshallingTests.Object.method", fresh(sub_class))
call("GIMarshallingTests.Object.method", fresh(PythonObject))
call("GIMarshallingTests.Object.method", fresh(Regress.TestObj.constructor))
call("GIMarshallingTests.Object.method", fresh(uninitialised))
call("GIMarshallingTests.Object.method", None)
call("GIMarshallingTests.Object.method", "x")
call("GIMarshallingTests.Object.method", GI.Object)
call("GIMarshallingTests.Object.method")
call("GIMarshallingTests.SubObject.method", fresh(gi_object))
method(fresh(GI.SubObject, int=0), "sub_method")
method(fresh(GI.SubObject, int=0), "overwritten_method")
method(fresh(GI.SubSubObject, int=0), "sub_method")
varied(
    "GIMarshallingTests.Object.method",
    (fresh(gi_object),),
    (fresh(sub_class),),
    (None,),
    (fresh(PythonObject),),
    (fresh(uninitialised),),
    (fresh(GI.SubObject, int=42),),
)

# Interfaces.
method(fresh(implementation), "test_int8_in", 42)
method(fresh(implementation), "get_as_interface")
call("GIMarshallingTests.Interface.test_int8_in", fresh(implementation), 42)
call("GIMarshallingTests.Interface.test_int8_in", fresh(gi_object), 42)
call("GIMarshallingTests.test_interface_test_int8_in", fresh(implementation), 42)
call("GIMarshallingTests.test_interface_test_int8_in", fresh(gi_object), 42)
call("GIMarshallingTests.test_interface_test_int8_in", None, 42)

# Objects as arguments.
method(
    fresh(Gio.ListStore, item_type=Gio.SimpleAction), "append", fresh(Gio.SimpleAction, name="a")
)
method(fresh(Gio.ListStore, item_type=Gio.SimpleAction), "find", fresh(Gio.SimpleAction, name="a"))
method(fresh(Gio.ListStore, item_type=Gio.SimpleAction), "append", None)
method(fresh(Gio.ListStore, item_type=Gio.SimpleAction), "append", 5)
method(fresh(Gio.ListStore, item_type=Gio.SimpleAction), "get_item", 0)
method(fresh(Gio.ListStore, item_type=Gio.SimpleAction), "get_item", -1)
method(fresh(Gio.ListStore, item_type=Gio.SimpleAction), "remove", "x")
method(fresh(Gio.SimpleActionGroup), "add_action", fresh(Gio.SimpleAction, name="a"))
method(fresh(Gio.SimpleActionGroup), "add_action", fresh(gi_object))
method(fresh(Gio.SimpleActionGroup), "add_action", None)
method(fresh(Gio.SimpleActionGroup), "lookup_action", "a")
method(fresh(Gio.SimpleActionGroup), "list_actions")


@script
def subclass_constructors():
    """Constructor functions called through subclasses, introspected and Python's."""
    seen = []
    for owner in (GI.Object, GI.SubObject, GI.SubSubObject, SubClass):
        for _ in range(3):
            try:
                made = owner.new(7)
                seen.append([type(made).__name__, made.__gtype__.name, made.__grefcount__])
            except Exception as error:
                seen.append([type(error).__name__, str(error)])
    return seen


@script
def same_wrapper_comes_back():
    """An object that goes in and comes out is the same Python object, with its attributes."""
    store = Gio.ListStore(item_type=Gio.SimpleAction)
    action = Gio.SimpleAction(name="a")
    action.note = ["kept"]
    store.append(action)
    same = [store.get_item(0) is action for _ in range(6)]
    counts = [action.__grefcount__]
    del action
    gc.collect()
    return [same, counts, store.get_item(0).note, store.get_item(0).__grefcount__]


@script
def weak_references():
    """Weak references to wrappers die when they should, after calls on their objects."""
    action = Gio.SimpleAction(name="a")
    seen = []
    weak = weakref.ref(action)
    native = action.weak_ref(lambda: seen.append("finalised"))
    for _ in range(6):
        action.get_name()
        action.set_enabled(False)
    alive = weak() is action
    del action
    gc.collect()
    return [alive, weak() is None, native() is None, seen]


@script
def floating_objects():
    """A floating reference is sunk by its wrapper; the count stays 1 over calls."""
    seen = []
    for _ in range(6):
        made = Regress.TestFloating.new()
        seen.append([made.is_floating(), made.__grefcount__])
    return seen


class Implements(GI.Object):
    def do_method_int8_in(self, number):
        self.got = number

    def do_method_int8_out(self):
        return 11

    def do_vfunc_return_value_and_multiple_out_parameters(self):
        return (1, 2, 3)

    def do_method_with_default_implementation(self, number):
        self.props.int = number + 1


@script
def vfuncs_in_python():
    """Methods that C calls through virtual functions implemented in Python."""
    made = Implements(int=1)
    seen = []
    for number in range(6):
        made.method_int8_in(number)
        made.method_with_default_implementation(number)
        seen.append([made.got, made.props.int, made.method_int8_out()])
        seen.append(made.vfunc_return_value_and_multiple_out_parameters())
        seen.append(made.vfunc_return_value_only() if number < 0 else None)
    return seen


@script
def callbacks():
    """Functions that call back into Python, with results, several results and user data."""
    seen = []
    for _ in range(4):
        seen.append(Regress.test_callback(lambda *_: 7))
        seen.append(Regress.test_multi_callback(lambda *_: 3))
        seen.append(Regress.test_callback_user_data(lambda data: len(data), ["x", "y"]))
        seen.append(GI.callback_return_value_only(lambda: 42))
        seen.append(GI.callback_one_out_parameter(lambda: 1.5))
        seen.append(GI.callback_multiple_out_parameters(lambda: (1.0, 2.0)))
        seen.append(GI.callback_return_value_and_one_out_parameter(lambda: (1, 2)))
        Regress.test_simple_callback(None)
    return seen


@script
def closures():
    """GClosure arguments and results."""
    return [Regress.test_closure(lambda: 5), Regress.test_closure_one_arg(lambda n: n * 2, 21)]


@script
def properties_and_signals():
    """Getting and setting properties and emitting signals, between calls."""
    seen = []
    action = Gio.SimpleAction(name="a")
    action.connect("notify::enabled", lambda obj, spec: seen.append([spec.name, obj.get_enabled()]))
    for value in (False, True, True, False):
        action.props.enabled = value
        action.set_enabled(not value)
        action.notify("enabled")
    return seen
