"""The calls that ``bench`` measures when it is given none, each as a user would write it."""

from collections import namedtuple

Call = namedtuple("Call", "title setup statement")
"""`setup` runs once, in a namespace of its own; `statement` is what is timed."""

SETUP = "from gi.repository import GLib, GObject, Gio"
"""What the statements of the command line may use."""

GLIB = "from gi.repository import GLib; "
GIO = "from gi.repository import GLib, Gio; "
GTK = "import gi; gi.require_version('Gtk', '3.0'); from gi.repository import Gtk; "

CALLS = [
    Call(
        "GLib.random_double_range(1.0, 2.0)",
        GLIB,
        "GLib.random_double_range(1.0, 2.0)",
    ),
    Call(
        "the same, function in a variable",
        GLIB + "function = GLib.random_double_range",
        "function(1.0, 2.0)",
    ),
    Call("GLib.get_monotonic_time()", GLIB, "GLib.get_monotonic_time()"),
    Call("GLib.unichar_toupper('a')", GLIB, "GLib.unichar_toupper('a')"),
    Call("GLib.unichar_isalpha('a')", GLIB, "GLib.unichar_isalpha('a')"),
    Call("GLib.quark_to_string(1)", GLIB, "GLib.quark_to_string(1)"),
    Call("GLib.strcmp0('abc', 'abd')", GLIB, "GLib.strcmp0('abc', 'abd')"),
    Call(
        "GLib.path_get_basename(path)", GLIB + "path = '/a/b/c.txt'", "GLib.path_get_basename(path)"
    ),
    Call("GLib.utf8_strup('text', -1)", GLIB, "GLib.utf8_strup('text', -1)"),
    Call(
        "GLib.shell_parse_argv(line)",
        GLIB + "line = 'tool --flag \"a b\"'",
        "GLib.shell_parse_argv(line)",
    ),
    Call(
        "GLib.DateTime.get_year()",
        GLIB + "date = GLib.DateTime.new_utc(2020, 2, 29, 12, 0, 0)",
        "date.get_year()",
    ),
    Call(
        "GLib.DateTime.get_ymd()  (3 results)",
        GLIB + "date = GLib.DateTime.new_utc(2020, 2, 29, 12, 0, 0)",
        "date.get_ymd()",
    ),
    Call(
        "GLib.DateTime.add_days(1)",
        GLIB + "date = GLib.DateTime.new_utc(2020, 2, 29, 12, 0, 0)",
        "date.add_days(1)",
    ),
    Call(
        "GLib.Date.get_day()",
        GLIB + "date = GLib.Date.new_dmy(1, GLib.DateMonth.MAY, 2020)",
        "date.get_day()",
    ),
    Call(
        "GLib.KeyFile.get_integer(group, key)",
        GLIB + "keys = GLib.KeyFile.new(); keys.set_integer('group', 'key', 5)",
        "keys.get_integer('group', 'key')",
    ),
    Call(
        "GLib.KeyFile.set_string(group, key, text)",
        GLIB + "keys = GLib.KeyFile.new()",
        "keys.set_string('group', 'key', 'text')",
    ),
    Call("GLib.Variant.new_int32(5)", GLIB, "GLib.Variant.new_int32(5)"),
    Call("GLib.Variant.get_int32()", GLIB + "value = GLib.Variant('i', 5)", "value.get_int32()"),
    Call("Gio.File.new_for_path('/a/b')", GIO, "Gio.File.new_for_path('/a/b')"),
    Call(
        "Gio.File.get_basename()",
        GIO + "file = Gio.File.new_for_path('/a/b')",
        "file.get_basename()",
    ),
    Call(
        "Gio.File.get_parent()", GIO + "file = Gio.File.new_for_path('/a/b')", "file.get_parent()"
    ),
    Call(
        "Gio.File.equal(other)",
        GIO + "file = Gio.File.new_for_path('/a/b'); other = Gio.File.new_for_path('/a/b')",
        "file.equal(other)",
    ),
    Call(
        "Gio.Action.get_name()",
        GIO + "action = Gio.SimpleAction.new('n', None)",
        "action.get_name()",
    ),
    Call(
        "Gio.Action.get_enabled()",
        GIO + "action = Gio.SimpleAction.new('n', None)",
        "action.get_enabled()",
    ),
    Call(
        "Gio.SimpleAction.set_enabled(True)",
        GIO + "action = Gio.SimpleAction.new('n', None)",
        "action.set_enabled(True)",
    ),
    Call(
        "Gio.ListStore.get_item(0)",
        GIO
        + "store = Gio.ListStore.new(Gio.SimpleAction); item = Gio.SimpleAction.new('n', None); "
        "store.append(item)",
        "store.get_item(0)",
    ),
]

GTK_CALLS = [
    Call("Gtk.Label.set_text('text')", GTK + "label = Gtk.Label()", "label.set_text('text')"),
    Call("Gtk.Label.get_text()", GTK + "label = Gtk.Label(label='text')", "label.get_text()"),
    Call("Gtk.Widget.get_visible()", GTK + "label = Gtk.Label()", "label.get_visible()"),
    Call(
        "Gtk.Adjustment.set_value(0.5)",
        GTK + "adjustment = Gtk.Adjustment(lower=0, upper=1)",
        "adjustment.set_value(0.5)",
    ),
    Call(
        "Gtk.Adjustment.get_value()",
        GTK + "adjustment = Gtk.Adjustment(lower=0, upper=1)",
        "adjustment.get_value()",
    ),
    Call(
        "Gtk.TextBuffer.get_char_count()",
        GTK + "buffer = Gtk.TextBuffer(); buffer.set_text('some text', -1)",
        "buffer.get_char_count()",
    ),
    Call(
        "Gtk.TextBuffer.get_iter_at_offset(3)",
        GTK + "buffer = Gtk.TextBuffer(); buffer.set_text('some text', -1)",
        "buffer.get_iter_at_offset(3)",
    ),
    Call(
        "Gtk.TextIter.get_offset()",
        GTK + "buffer = Gtk.TextBuffer(); place = buffer.get_start_iter()",
        "place.get_offset()",
    ),
]


def available():
    """The calls that can be made here: without a display, those of GTK are left out."""
    try:
        import gi

        gi.require_version("Gtk", "3.0")
        from gi.repository import Gtk
    except (ImportError, ValueError):
        return CALLS
    return CALLS + GTK_CALLS if Gtk.init_check([])[0] else CALLS
