"""Fundamental types that are no GObjects: parameter specifications and instances of Regress."""

from gi.repository import GObject, Regress

from .cases import call, fresh, script, varied


class Thing(GObject.Object):
    """Something with properties."""

    count = GObject.Property(type=int, default=3)
    text = GObject.Property(type=str)


def spec(name="count"):
    return Thing.find_property(name)


def instance():
    return Regress.TestFundamentalSubObject()


call("GObject.param_spec_int", "name", "nick", "blurb", 0, 10, 5, GObject.ParamFlags.READWRITE)
call("GObject.param_spec_string", "name", None, None, None, GObject.ParamFlags.READABLE)
call("GObject.ParamSpec.get_name", fresh(spec))
call("GObject.ParamSpec.get_default_value", fresh(spec))
call("GObject.ParamSpec.get_name", None)
call("GObject.ParamSpec.get_name", 5)
call("GObject.ParamSpec.get_name", fresh(Thing))
call("GObject.param_value_validate", fresh(spec), GObject.Value(int, 5))
call("GObject.param_values_cmp", None, 1, 2)
call("Regress.TestFundamentalSubObject.new", "data")
call("Regress.TestFundamentalSubObject.new", None)
call("Regress.TestFundamentalObject.ref", fresh(instance))
call("Regress.TestFundamentalObject.ref", None)
call("Regress.TestFundamentalObject.ref", "x")
call("Regress.test_fundamental_argument_in", None)
call("Regress.test_fundamental_argument_in", 5)
call("Regress.test_fundamental_argument_out", fresh(instance))
call("Regress.test_fundamental_object_no_get_set_func_argument_in", None)
varied(
    "GObject.ParamSpec.get_blurb",
    (fresh(spec),),
    (fresh(spec, "text"),),
    (None,),
    (5,),
)


@script
def properties_of_classes():
    """lists of parameter specifications"""
    found = []
    for index in range(3):
        specs = GObject.ObjectClass.list_properties(Thing)
        found.append([index, *sorted((p.name, p.value_type.name) for p in specs)])
    return found


@script
def a_specification_outlives_its_class():
    """a specification keeps its reference"""
    made = []
    for index in range(5):
        made.append(GObject.param_spec_int("a", "b", "c", 0, 9, index, GObject.ParamFlags.READABLE))
    return [p.default_value for p in made]
