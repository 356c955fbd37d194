"""Structs that the caller allocates and the callee fills: boxed and plain, given or not."""

import gi

gi.require_version("Graphene", "1.0")
from gi.repository import Gio, GLib, GObject, Graphene, Regress

from .cases import call, fresh, method, script


def rect(x=1, y=2, width=3, height=4):
    return Graphene.Rect().init(x, y, width, height)


def number(value=5):
    return GObject.Value(GObject.TYPE_INT, value)


# Boxed, and not given: Python has a copy.
method(fresh(rect), "get_center")
method(fresh(rect), "get_top_left")
method(fresh(rect), "offset_r", 1.5, -1)
method(fresh(rect), "intersection", fresh(rect, 2, 2))
method(fresh(rect), "intersection", fresh(rect, 20, 20))
method(fresh(rect), "intersection", None)
method(fresh(rect), "intersection", 5)
method(fresh(rect), "expand", fresh(Graphene.Point), res=None)
method(fresh(rect), "union")

# Plain: Python has the memory itself.
call("Regress.TestStructA.parse", "x")
call("Regress.TestStructA.parse", None)
call("Regress.test_struct_a_parse", 5)
call("Regress.TestStructB.clone", fresh(Regress.TestStructB))
call("GObject.type_query", GObject.TYPE_INT)
call("GObject.type_query", GObject.Object)
call("GObject.type_query", "GObject")
call("GObject.type_query", "no such type")
call("GObject.signal_query", 1)
call("GObject.signal_query", -1)
call("GLib.TimeVal.from_iso8601", "2020-02-29T12:30:15Z")
call("GLib.TimeVal.from_iso8601", "no")
method(fresh(Gio.FileInfo), "get_modification_time")

# What only seems to be allocated by the caller.
call("GLib.unichar_fully_decompose", "é", False, 1)
call("GLib.unichar_fully_decompose", "é", False, 18)
call("GLib.unichar_fully_decompose", "a", "x", 0)


@script
def fields_of_boxed_copies():
    """fields of a boxed result that was copied out of allocated memory"""
    first = rect().get_center()
    second = rect(10, 20).get_center()
    return [first.x, first.y, second.x, second.y, first.equal(second), first.equal(first)]


@script
def fields_of_plain_structs():
    """fields of a plain struct that came out of allocated memory"""
    query = GObject.type_query(GObject.Object.__gtype__)
    found, time = GLib.TimeVal.from_iso8601("1970-01-01T00:01:00Z")
    return [query.type_name, query.instance_size, found, time.tv_sec, time.tv_usec]


@script
def errors_and_values():
    """a value that the caller allocates, of a call that fails or not"""
    results = []
    for value in (number(), None):
        task = Gio.Task.new(None, None, None, None)
        if value is None:
            task.return_error(GLib.Error("message", "domain", 3))
        else:
            task.return_value(value)
        try:
            results.append(task.propagate_value())
        except GLib.Error as error:
            results.append([error.domain, error.code, error.message])
    return results
