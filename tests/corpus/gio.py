"""Calls on Gio: files (one interface, many implementations), actions, menus, streams, addresses."""

import pathlib

from gi.repository import Gio, GLib

from . import hooks
from .cases import call, fresh, method, script, varied


def file():
    return Gio.File.new_for_path("/tmp/gijit corpus/ä.txt")


for path in (
    "/a/b",
    "relative",
    "",
    "/ä",
    b"/a/b",
    pathlib.PurePosixPath("/p"),
    hooks.Path(),
    None,
    5,
):
    call("Gio.File.new_for_path", path)
call("Gio.File.new_for_uri", "file:///tmp/x")
call("Gio.File.new_for_uri", "nonsense")
call("Gio.File.new_for_commandline_arg", "x")
for name in ("get_basename", "get_path", "get_uri", "get_parent", "get_parse_name", "dup", "hash",
             "is_native", "has_uri_scheme", "get_uri_scheme"):  # fmt: skip
    method(fresh(file), name)
method(fresh(file), "has_uri_scheme", "file")
method(fresh(file), "has_prefix", fresh(Gio.File.new_for_path, "/tmp"))
method(fresh(file), "has_prefix", None)
method(fresh(file), "equal", fresh(file))
method(fresh(file), "equal", fresh(Gio.Cancellable))
method(fresh(file), "get_relative_path", fresh(file))
method(fresh(file), "get_child", "ü")
method(fresh(file), "get_child", b"bytes")
method(fresh(file), "resolve_relative_path", "../x")
method(fresh(file), "query_exists", None)
method(fresh(file), "query_exists")
method(fresh(file), "query_exists", fresh(Gio.Cancellable))
method(fresh(file), "query_exists", 5)
method(fresh(file), "load_contents", None)
method(fresh(file), "read", None)
method(fresh(file), "query_info", "standard::*", Gio.FileQueryInfoFlags.NONE, None)
method(fresh(file), "query_info", "standard::*", 0)
method(fresh(file), "delete", None)
method(fresh(file), "enumerate_children", "standard::name", 0, None)
method(fresh(Gio.File.new_for_path, "/dev/null"), "load_contents", None)
method(fresh(Gio.File.new_for_path, "/"), "get_parent")
method(fresh(Gio.File.new_for_path, "/"), "query_file_type", Gio.FileQueryInfoFlags.NONE, None)
call("Gio.File.equal", fresh(file), fresh(file))
call("Gio.File.get_path", fresh(file))
call("Gio.File.get_path", fresh(Gio.Cancellable))
call("Gio.File.get_path", None)


def action():
    return Gio.SimpleAction.new("name", None)


def stateful():
    return Gio.SimpleAction.new_stateful("state", None, GLib.Variant("i", 1))


for name in ("get_name", "get_enabled", "get_parameter_type", "get_state", "get_state_type"):
    method(fresh(action), name)
    method(fresh(stateful), name)
method(fresh(action), "set_enabled", True)
method(fresh(action), "set_enabled", 0)
method(fresh(action), "set_enabled")
method(fresh(action), "set_enabled", enabled=False)
method(fresh(action), "activate", None)
method(fresh(stateful), "set_state", fresh(GLib.Variant, "i", 2))
method(fresh(stateful), "change_state", fresh(GLib.Variant, "i", 2))
method(fresh(stateful), "set_state", None)
method(fresh(stateful), "set_state", 5)
call("Gio.Action.name_is_valid", "a.b")
call("Gio.Action.parse_detailed_name", "app.x(1)")
call("Gio.Action.parse_detailed_name", "app.x(")
call("Gio.Action.print_detailed_name", "app.x", None)


def menu():
    made = Gio.Menu()
    made.append("Label", "app.action")
    made.append(None, None)
    return made


method(fresh(menu), "get_n_items")
method(fresh(menu), "append", "é", None)
method(fresh(menu), "append", None)
method(fresh(menu), "is_mutable")
method(fresh(menu), "get_item_attribute_value", 0, "label", None)
method(fresh(menu), "append_submenu", "sub", fresh(menu))
method(fresh(menu), "append_submenu", "sub", fresh(action))
method(fresh(menu), "insert_item", 0, fresh(Gio.MenuItem.new, "a", "b"))


def memory():
    return Gio.MemoryInputStream.new_from_data(b"line one\nline two\n\xff")


method(fresh(memory), "read_bytes", 4, None)
method(fresh(memory), "read_bytes", 100, None)
method(fresh(memory), "skip", 3, None)
method(fresh(memory), "close", None)
method(fresh(memory), "is_closed")
method(fresh(memory), "has_pending")
method(fresh(memory), "seek", 3, GLib.SeekType.SET, None)
method(fresh(Gio.MemoryOutputStream.new_resizable), "write", b"abc")
method(fresh(Gio.MemoryOutputStream.new_resizable), "write_all", b"abc", None)
method(fresh(Gio.MemoryOutputStream.new_resizable), "write_bytes", fresh(GLib.Bytes.new, b"abc"))
method(fresh(Gio.MemoryOutputStream.new_resizable), "write", "text")

call("Gio.content_type_guess", "x.txt", b"plain")
call("Gio.content_type_guess", "x.txt", None)
call("Gio.content_type_is_a", "text/plain", "text/plain")
call("Gio.dbus_is_name", "org.example.Name")
call("Gio.dbus_is_guid", "x")
call("Gio.dbus_generate_guid", 1)
call("Gio.io_error_from_errno", 2)
call("Gio.InetAddress.new_from_string", "127.0.0.1")
call("Gio.InetAddress.new_from_string", "x")
call("Gio.InetSocketAddress.new_from_string", "::1", 80)
method(fresh(Gio.InetAddress.new_from_string, "127.0.0.1"), "to_string")
method(fresh(Gio.InetAddress.new_from_string, "127.0.0.1"), "get_family")
method(fresh(Gio.InetAddress.new_from_string, "127.0.0.1"), "get_native_size")
method(fresh(Gio.ThemedIcon.new, "icon"), "get_names")
method(fresh(Gio.ThemedIcon.new, "icon"), "to_string")
call("Gio.ThemedIcon.new_from_names", ["a", "b"])
call("Gio.Icon.new_for_string", "icon-name")
method(fresh(Gio.Cancellable), "is_cancelled")
method(fresh(Gio.Cancellable), "set_error_if_cancelled")
call("Gio.NetworkAddress.parse", "host:80", 1)
call("Gio.NetworkAddress.parse", "host:x", 1)
call("Gio.Settings.list_schemas")
call("Gio.bus_get_address_no_such")

varied(
    "Gio.File.new_for_path",
    ("/a",),
    (b"/b",),
    (pathlib.PurePosixPath("/c"),),
    ("ä",),
    (None,),
    (1,),
)


@script
def implementations_of_one_interface():
    """One interface method on objects of several classes, taking turns."""
    receivers = [Gio.File.new_for_path("/a"), Gio.File.new_for_uri("http://x/y")]
    return [item.get_basename() for _ in range(4) for item in receivers]


@script
def asynchronous_calls():
    """An asynchronous call and its finish function, with a callback in Python."""
    seen = []
    loop = GLib.MainLoop()

    def finished(source, result, data):
        try:
            source.load_contents_finish(result)
        except GLib.Error as error:
            seen.append([error.domain, error.code, data])
        loop.quit()

    for number in range(4):
        Gio.File.new_for_path("/no/such/file").load_contents_async(None, finished, number)
        loop.run()
    return seen


@script
def cancelled_calls():
    """A cancelled call raises the same error each time."""
    cancellable = Gio.Cancellable()
    cancellable.cancel()
    seen = []
    for _ in range(4):
        try:
            Gio.File.new_for_path("/dev/null").load_contents(cancellable)
        except GLib.Error as error:
            seen.append([error.domain, error.code, error.message])
    return seen


@script
def actions_and_signals():
    """Activating an action calls Python with the parameter."""
    seen = []
    made = Gio.SimpleAction.new("a", GLib.VariantType.new("s"))
    made.connect("activate", lambda act, value: seen.append([act.get_name(), value.get_string()]))
    for text in ("one", "zwei", "trois", "quatro"):
        made.activate(GLib.Variant("s", text))
    return seen
