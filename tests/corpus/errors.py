"""GError as an argument, an out argument and a result, other than the one that a call raises."""

from gi.repository import Gio, GLib, GObject

from .cases import call, fresh, method, script, varied


class Sub(GLib.Error):
    pass


class Computed(GLib.Error):
    """Its message is no attribute of the instance."""

    asked = 0

    @property
    def message(self):
        Computed.asked += 1
        return "computed"

    @message.setter
    def message(self, value):
        pass


class Watched(GLib.Error):
    """Attribute access is the class's own."""

    asked = 0

    def __getattribute__(self, name):
        if name in ("message", "domain", "code"):
            Watched.asked += 1
        return super().__getattribute__(name)


def error(message="message", domain="domain", code=5, **changes):
    found = GLib.Error(message, domain, code)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def incomplete():
    found = error()
    del found.code
    return found


def remote():
    return Gio.DBusError.new_for_dbus_error("org.example.Error", "remote message")


def task():
    return Gio.Task.new(None, None, None, None)


call("GIMarshallingTests.gerror_out")
call("GIMarshallingTests.gerror_out_transfer_none")
call("GIMarshallingTests.gerror_return")
call("GIMarshallingTests.gerror")
call("Gio.dbus_error_new_for_dbus_error", "org.example.Error", "é")
call("Gio.DBusError.new_for_dbus_error", "no name", "message")
call("GLib.Error.new_literal", 5, "message", 6)
for thing in (fresh(error), fresh(remote), fresh(Sub), fresh(Sub, "é", "d", -1), None, 5, "x",
              fresh(error, None), fresh(error, "a", None), fresh(error, code=2**40),
              fresh(error, code=1.5), fresh(error, code=True), fresh(error, message=5),
              fresh(error, message="a\0b"), fresh(error, domain=""),
              fresh(error, "\ud800"),
              fresh(incomplete), fresh(Computed),
              fresh(RuntimeError, "x"), GLib.Error):  # fmt: skip
    call("Gio.DBusError.is_remote_error", thing)
for thing in (fresh(error), fresh(remote), fresh(Sub, "é", "d", -1)):
    call("Gio.DBusError.get_remote_error", thing)
    call("Gio.DBusError.encode_gerror", thing)
    call("Gio.DBusError.strip_remote_error", thing)
    call("GLib.variant_parse_error_print_context", thing, "source")
    call("GIMarshallingTests.gvalue_copy", thing)
    call("GIMarshallingTests.gvalue_round_trip", thing)
# Given an error, stock crashes.
call("GLib.prefix_error_literal", None, "before")
call("GLib.propagate_error", fresh(error))
call("GLib.propagate_error", None)
call("GLib.propagate_error", fresh(incomplete))
call("GLib.set_error_literal", 1, 2, "message")
varied(
    "Gio.DBusError.is_remote_error",
    (fresh(error),),
    (fresh(remote),),
    (None,),
    (fresh(Computed),),
)
method(fresh(task), "return_error", None)


@script
def given_errors():
    """errors that are given to a task, which raises them"""
    raised = []
    for index in range(3):
        one = task()
        one.return_error(error(f"message {index}", "domain", index))
        try:
            one.propagate_boolean()
        except GLib.Error as caught:
            raised.append([caught.message, caught.domain, caught.code])
    return raised


@script
def attributes_are_read_once():
    """attributes that run code are read as often as on stock"""
    before = Computed.asked, Watched.asked
    results = [Gio.DBusError.is_remote_error(Computed()), Gio.DBusError.is_remote_error(Watched())]
    return [results, Computed.asked - before[0], Watched.asked - before[1]]


@script
def values_of_errors():
    """an error in a GObject.Value"""
    value = GObject.Value(GLib.Error, error())
    return [value.get_value().message]
