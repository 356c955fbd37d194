"""What is given away, written into or wanted in place."""

import gi
from gi.repository import GLib

from .cases import call, fresh, script, varied

# The typelibs of GStreamer and GTK may be missing.
try:
    gi.require_version("GstBase", "1.0")
    from gi.repository import Gst, GstBase
except (ImportError, ValueError):
    GstBase = None
else:
    Gst.init(None)
try:
    gi.require_version("Gtk", "3.0")
    from gi.repository import Gtk
except (ImportError, ValueError):
    Gtk = None

# Functions that write into their string. Those that return it, too, crash stock.
TEXT = "text that python holds"
call("GLib.strlcpy", TEXT, "src", 10)
call("GLib.strlcpy", TEXT, "é", 10)
call("GLib.strlcpy", None, "src", 10)
call("GLib.strlcpy", 5, "src", 10)
call("GLib.strlcpy", "a\0b", "src", 2)
call("GLib.strlcpy", TEXT, TEXT, 10)
call("GLib.strlcat", TEXT, "src", 10)
call("GLib.utf8_strncpy", TEXT, "éé", 1)
call("GLib.Date.strftime", TEXT, 10, "%Y", fresh(GLib.Date.new_dmy, 1, 2, 2020))
call("GLib.strreverse", None)
call("GLib.strreverse", 5)
varied("GLib.strlcpy", (TEXT, "a", 5), ("éa", "b", 1), (5, "c", 1), ("", "", 0))


@script
def strings_stay():
    """the string that Python holds does not change"""
    text = "".join(["held ", "by python"])
    found = []
    for _ in range(3):
        found += [GLib.strlcpy(text, "other", 5), GLib.strlcat(text, "more", 12), text]
    return [*found, hash(text) == hash("held by python")]


if GstBase is not None:
    call("GstBase.ByteWriter.free_and_get_data", None)
    call("GstBase.ByteWriter.free_and_get_data", 5)


if Gtk is not None:

    def filtered(function, types=(int,)):
        store = Gtk.ListStore(int)
        store.append([1])
        store.append([2])
        model = store.filter_new()
        model.set_modify_func(list(types), function)
        return model

    @script
    def values_wanted_in_place():
        """a callback that returns the value of a column"""
        model = filtered(lambda model, iter, column: 7 + column)
        texts = filtered(lambda *args: "text é", [str])
        return [[row[0] for row in model], [row[0] for row in texts]]

    @script
    def wrong_values_in_place():
        """a callback that returns another type, or fails"""

        def fail(*args):
            raise RuntimeError("x")

        return [[row[0] for row in filtered(fail)]]
