"""Calls of virtual functions from Python, and methods of class structs."""

import re
import sys
import types

from gi.repository import GIMarshallingTests as GI
from gi.repository import Gio, GLib, GObject, Regress

from .cases import CASES, Case, call, fresh, method, script


class Implements(GI.Object):
    """Virtual functions in Python. A `GType` as first argument makes C call them."""

    __gtype_name__ = "GijitCorpusImplements"

    def do_method_int8_in(self, number):
        self.got = number

    def do_method_int8_out(self):
        return 11

    def do_method_int8_arg_and_out_caller(self, number):
        return number + 1

    def do_method_int8_arg_and_out_callee(self, number):
        return number + 2

    def do_method_str_arg_out_ret(self, text):
        return text.upper(), 7

    def do_method_with_default_implementation(self, number):
        self.props.int = number + 1

    def do_vfunc_return_value_only(self):
        return 4242

    def do_vfunc_one_out_parameter(self):
        return 1.5

    def do_vfunc_multiple_out_parameters(self):
        return 1.5, 2.5

    def do_vfunc_array_out_parameter(self):
        return [50.0, 51.0]

    def do_vfunc_return_value_and_one_out_parameter(self):
        return 5, 42

    def do_vfunc_return_value_and_multiple_out_parameters(self):
        return 1, 2, 3

    def do_vfunc_meth_with_err(self, number):
        if number == 42:
            return True
        raise GLib.Error("unexpected", "gijit-corpus", 3)

    def do_vfunc_return_enum(self):
        return GI.Enum.VALUE2

    def do_vfunc_out_enum(self):
        return GI.Enum.VALUE3

    def do_vfunc_return_object_transfer_none(self):
        self.kept = GObject.Object()
        return self.kept

    def do_vfunc_return_object_transfer_full(self):
        return GObject.Object()

    def do_vfunc_out_object_transfer_full(self):
        return GObject.Object()

    def do_vfunc_in_object_transfer_none(self, thing):
        self.got = type(thing).__name__, thing.__grefcount__

    def do_vfunc_in_object_transfer_full(self, thing):
        self.got = type(thing).__name__, thing.__grefcount__


class Below(Implements):
    """Inherits the implementations."""

    __gtype_name__ = "GijitCorpusBelow"


class Own(GObject.Object):
    """A class with a property, for the methods of its class struct."""

    __gtype_name__ = "GijitCorpusOwn"

    number = GObject.Property(type=int)


def implements():
    return Implements(int=42)


def below():
    return Below(int=42)


def gi_object():
    return GI.Object(int=42)


def application():
    return Gio.Application(application_id="org.example.Corpus")


def raw(owner):
    """The virtual functions of a class as they stand in it, which nothing binds."""
    names = [name for name in vars(owner) if name.startswith("do_")]
    return types.SimpleNamespace(**{name: vars(owner)[name] for name in names})


def unbound(owner, name, *args):
    """A call of a virtual function that is told the class, as PyGObject does it inside."""
    shown = (getattr(arg, "name", None) or repr(arg) for arg in args)
    title = f"{owner.__name__}.{name}, not bound, of {', '.join(shown)}"
    while title in CASES:
        title += "'"
    CASES[title] = Case(title, lambda: raw(owner), name, [(args, {})])


IMPLEMENTS, BELOW, OBJECT = Implements.__gtype__, Below.__gtype__, GI.Object.__gtype__

# Chaining up to C.
call("Regress.TestObj.do_matrix", fresh(Regress.TestObj.constructor), "text")
call("Regress.TestObj.do_matrix", fresh(Regress.TestObj.constructor), somestr="text")
call("Regress.TestObj.do_matrix", fresh(Regress.TestSubObj.new), "text")
call("Regress.TestSubObj.do_matrix", fresh(Regress.TestSubObj.new), "text")
call("GIMarshallingTests.Object.do_method_with_default_implementation", fresh(gi_object), 7)
call("GIMarshallingTests.Object.do_method_with_default_implementation", fresh(implements), 7)
call("GIMarshallingTests.SubObject.do_method_with_default_implementation", fresh(gi_object), 7)
call("Gio.Application.do_activate", fresh(application))
call("Gio.Application.do_name_lost", fresh(application))
call("Gio.Application.do_before_emit", fresh(application), GLib.Variant("a{sv}", {}))
call("Gio.Application.do_after_emit", fresh(application), GLib.Variant("a{sv}", {}))
call("Gio.Application.do_local_command_line", fresh(application), ["program", "--nope"])
call("Gio.Application.do_handle_local_options", fresh(application), fresh(GLib.VariantDict.new))
call("Gio.MemoryInputStream.do_skip", fresh(Gio.MemoryInputStream), 5, None)
call("Gio.MemoryInputStream.do_close_fn", fresh(Gio.MemoryInputStream), None)
call("Gio.MemoryInputStream.do_close_fn", fresh(Gio.MemoryInputStream), cancellable=None)
call("Gio.MemoryOutputStream.do_flush", fresh(Gio.MemoryOutputStream.new_resizable), None)

# What is wrong with a call.
call("GIMarshallingTests.Object.do_method_int8_in", fresh(gi_object), 1)
call("GIMarshallingTests.Object.do_method_with_default_implementation")
call("GIMarshallingTests.Object.do_method_with_default_implementation", fresh(gi_object))
call("GIMarshallingTests.Object.do_method_with_default_implementation", fresh(gi_object), 1000)
call("GIMarshallingTests.Object.do_method_with_default_implementation", fresh(gi_object), "x")
call("GIMarshallingTests.Object.do_method_with_default_implementation", fresh(gi_object), 1, 2)
call("GIMarshallingTests.Object.do_method_with_default_implementation", fresh(gi_object), nope=1)
call("GIMarshallingTests.Object.do_method_with_default_implementation", None, 1)
call("GIMarshallingTests.Object.do_method_with_default_implementation", 5, 1)
call("GIMarshallingTests.Object.do_method_with_default_implementation", fresh(application), 1)
call("Gio.Cancellable.do_cancelled", fresh(Gio.Cancellable))
call("Gio.Application.do_quit_mainloop", fresh(application))
# Through the object: still without an instance of its own.
method(fresh(implements), "do_method_int8_in", 5)
method(fresh(gi_object), "do_method_with_default_implementation", 5)

# Without binding: the first argument says whose implementation.
unbound(GI.Object, "do_method_int8_in", IMPLEMENTS, fresh(implements), 5)
unbound(GI.Object, "do_method_int8_in", BELOW, fresh(below), 5)
unbound(GI.Object, "do_method_int8_in", Below, fresh(below), 5)
unbound(GI.Object, "do_method_int8_in", "GijitCorpusBelow", fresh(below), 5)
unbound(GI.Object, "do_method_int8_in", OBJECT, fresh(implements), 5)
unbound(GI.Object, "do_method_int8_in", 5, fresh(implements), 5)
unbound(GI.Object, "do_method_int8_in", IMPLEMENTS)
unbound(GI.Object, "do_method_int8_in")
unbound(GI.Object, "do_method_int8_out", IMPLEMENTS, fresh(implements))
unbound(GI.Object, "do_method_int8_arg_and_out_caller", IMPLEMENTS, fresh(implements), 5)
unbound(GI.Object, "do_method_int8_arg_and_out_callee", IMPLEMENTS, fresh(implements), 5)
unbound(GI.Object, "do_method_str_arg_out_ret", IMPLEMENTS, fresh(implements), "text")
unbound(GI.Object, "do_method_with_default_implementation", BELOW, fresh(below), 5)
unbound(GI.Object, "do_vfunc_return_value_only", IMPLEMENTS, fresh(implements))
unbound(GI.Object, "do_vfunc_one_out_parameter", IMPLEMENTS, fresh(implements))
unbound(GI.Object, "do_vfunc_multiple_out_parameters", IMPLEMENTS, fresh(implements))
unbound(GI.Object, "do_vfunc_array_out_parameter", IMPLEMENTS, fresh(implements))
unbound(GI.Object, "do_vfunc_return_value_and_one_out_parameter", BELOW, fresh(below))
unbound(GI.Object, "do_vfunc_return_value_and_multiple_out_parameters", BELOW, fresh(below))
unbound(GI.Object, "do_vfunc_meth_with_err", IMPLEMENTS, fresh(implements), 42)
unbound(GI.Object, "do_vfunc_meth_with_err", IMPLEMENTS, fresh(implements), -1)
unbound(GI.Object, "do_vfunc_return_enum", IMPLEMENTS, fresh(implements))
unbound(GI.Object, "do_vfunc_out_enum", IMPLEMENTS, fresh(implements))
unbound(GI.Object, "do_vfunc_return_object_transfer_none", IMPLEMENTS, fresh(implements))
unbound(GI.Object, "do_vfunc_return_object_transfer_full", IMPLEMENTS, fresh(implements))
unbound(GI.Object, "do_vfunc_out_object_transfer_full", IMPLEMENTS, fresh(implements))
unbound(GI.Object, "do_vfunc_in_object_transfer_none", IMPLEMENTS, fresh(implements), fresh(below))
unbound(GI.Object, "do_vfunc_in_object_transfer_full", IMPLEMENTS, fresh(implements), fresh(below))

# Methods of class structs.
call("GObject.ObjectClass.find_property", Own, "number")
call("GObject.ObjectClass.find_property", Own.__gtype__, "number")
call("GObject.ObjectClass.find_property", "GijitCorpusOwn", "number")
call("GObject.ObjectClass.find_property", Own, "nope")
call("GObject.ObjectClass.find_property", 5, "number")
call("GObject.ObjectClass.find_property", None, "number")
call("GObject.ObjectClass.find_property", int, "number")
call("GObject.ObjectClass.find_property", fresh(Own), "number")
call("GObject.ObjectClass.find_property")
call("GObject.ObjectClass.list_properties", GI.SubObject)
call("GObject.ObjectClass.override_property", Own, 5, "nope")
call("GObject.ObjectClass.override_property", Own, -1, "nope")
call("GObject.ObjectClass.override_property", object, 5, "nope")
call("GObject.ObjectClass.override_property", Gio.File, 5, "nope")


class First(GI.Object):
    def do_method_with_default_implementation(self, number):
        GI.Object.do_method_with_default_implementation(self, number * 2)


class Second(First):
    def do_method_with_default_implementation(self, number):
        First.do_method_with_default_implementation(self, number + 1)


@script
def chaining_up():
    """An implementation in Python that calls the one in C, of two classes by turns."""
    seen = []
    for number in range(8):
        made = (First if number % 2 else Second)(int=1)
        made.method_with_default_implementation(number)
        seen.append(made.props.int)
    return seen


@script
def implementors_by_turns():
    """One virtual function, told another class at every call."""
    vfunc = vars(GI.Object)["do_method_int8_in"]
    seen = []
    for number in range(12):
        made = (implements, below)[number % 2]()
        vfunc(type(made).__gtype__, made, number)
        seen.append(made.got)
    return seen


@script
def binding():
    """What binding a virtual function gives."""
    vfunc = vars(GI.Object)["do_method_int8_in"]
    bound = GI.Object.do_method_int8_in
    made = implements()
    seen = [repr(bound).split("(")[0], bound == vfunc, bound is GI.Object.do_method_int8_in]
    seen.append(
        [isinstance(info, type(GI.Object.__info__.get_vfuncs()[0])) for info in (vfunc, bound)]
    )
    seen.append([made.do_method_int8_in.__name__, type(made).do_method_int8_in.__name__])
    for other in (type("Other", (), {"f": vfunc}), type("Other", (), {"f": bound})):
        try:
            # Without the number of the GType.
            seen.append(re.sub(r" \(\d+\)", "", repr(other().f)))
        except AttributeError as error:
            seen.append(str(error))
    vfunc.__get__(made, Implements)(made, 9)
    return [*seen, made.got]


class Raises(GI.Object):
    def do_method_int8_out(self):
        raise ValueError("in the implementation")


@script
def exceptions_in_implementations():
    """An exception in an implementation that C calls for Python."""
    vfunc = vars(GI.Object)["do_method_int8_out"]
    seen = []
    hook, sys.excepthook = sys.excepthook, lambda kind, error, _: seen.append(str(error))
    try:
        for _ in range(3):
            made = Raises()
            seen.append(vfunc(Raises.__gtype__, made))
    finally:
        sys.excepthook = hook
    return seen
