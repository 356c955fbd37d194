"""The call shapes that the benchmark measures: one table for PyGObject, gijit, C, ctypes and cffi.

The same statement, `f(ARGUMENTS)`, is timed everywhere; only what `f` is differs. In PyGObject and
gijit it is what `gi` evaluates to (for a method the function of the class, so that the attribute
lookup is no part of the call), in the C extension the function named `c`. Where `declaration` is
given, ctypes and cffi make the same call: a wrapper is then passed as its address, and strings are
encoded and decoded in the statement, as a user of these has to.
"""

from dataclasses import dataclass

IMPORTS = "import gi\nfrom gi.repository import GLib, GObject, Gio\n"
# The kinds of the shapes for which the library is measured alone.
LIST, STRINGS_OF, HASH, BYTES, VALUE = "list", "strings", "hash table", "bytes, numbers", "GValue"
CONTAINERS = (LIST, STRINGS_OF, HASH, BYTES, VALUE)
# The end of a variant's name in which calls are written as in programs.
LINE = "-line"
GTK_IMPORTS = "gi.require_version('Gtk', '3.0')\nfrom gi.repository import Gtk\n"


@dataclass(frozen=True)
class Shape:
    kind: str
    gi: str
    arguments: str
    c: str
    setup: str = ""
    declaration: str = ""
    raises: bool = False
    # PyGObject overrides the function in Python: what that calls is compared.
    overridden: bool = False

    @property
    def name(self):
        return f"{self.gi}({self.arguments})" + (" raises" if self.raises else "")

    @property
    def callable(self):
        """The expression for PyGObject's callable."""
        namespace, _, name = self.gi.partition(".")
        return f"{namespace}._introspection_module.{name}" if self.overridden else self.gi

    @property
    def gtk(self):
        return self.gi.startswith("Gtk.")

    @property
    def statement(self):
        return self.guarded(f"f({self.arguments})")

    def line(self, names):
        """The statement as programs have it: a method, but no virtual function, is looked up in
        its instance."""
        owner, _, name = self.gi.rpartition(".")
        owner = eval(owner, names)
        first, _, others = self.arguments.partition(", ")
        is_method = isinstance(owner, type) and not name.startswith("do_")
        if first == "a" and is_method and isinstance(names["a"], owner):
            return self.guarded(f"a.{name}({others})")
        return self.guarded(f"{self.gi}({self.arguments})")

    def guarded(self, statement):
        """`statement`; an exception that is expected is caught, at a cost that counts."""
        if not self.raises:
            return statement
        return f"try:\n   {statement}\n  except Error:\n   pass"


def variant(type_string, value):
    return f"a = GLib.Variant({type_string!r}, {value!r})"


DATE = "a = GLib.DateTime.new_utc(2020, 2, 29, 12, 0, 0); b = a.add_days(7)"
DAY = "a = GLib.Date.new_dmy(1, GLib.DateMonth.MAY, 2020)"
KEYS = "a = GLib.KeyFile.new(); a.set_integer('group', 'key', 5); a.set_string('group', 't', 'x')"
FILES = "a = Gio.File.new_for_path('/a/b'); b = Gio.File.new_for_path('/a/b')"
ACTION = "a = Gio.SimpleAction.new('name', None)"
STORE = f"{ACTION}; b = a; a = Gio.ListStore.new(Gio.SimpleAction); a.append(b)"
APPLICATION = "a = Gio.Application.new('org.example.Bench', 0); b = Gio.ApplicationFlags.NON_UNIQUE"
TEXT = "a = 'some text'"
STRINGS = "a = ['one', 'two', 'three', 'four=4']"
ADJUSTMENT = "a = Gtk.Adjustment(lower=0, upper=1)"
LABEL = "a = Gtk.Label(label='text'); b = Gtk.Box(); b.add(a); c = Gtk.Align.START"
BUFFER = "a = Gtk.TextBuffer(); a.set_text('some text', -1)"
BOX = "a = Gtk.Box()\nfor _ in range(8): a.add(Gtk.Label())\ndef b(widget): pass"
ROWS = "a = Gtk.ListStore(str, int); b = a.append(['text', 5])"
KEPT = "a = Gtk.Box(); b = [Gtk.Label() for _ in range(8)]\nfor label in b: a.add(label)"
GROUP = "a = Gtk.RadioButton(); b = [Gtk.RadioButton(group=a) for _ in range(2)]"

SHAPES = [
    # Numbers, booleans, enums.
    Shape("number", "GLib.ascii_digit_value", "55", "ascii_digit_value", "", "int(signed char)"),
    Shape("number", "GLib.unichar_isalpha", "'a'", "unichar_isalpha"),
    Shape("number", "GLib.bit_storage", "77", "bit_storage", "", "unsigned int(unsigned long)"),
    Shape("number", "GLib.bit_nth_lsf", "77, 3", "bit_nth_lsf", "", "int(unsigned long, int)"),
    Shape("number", "GLib.spaced_primes_closest", "5", "spaced_primes_closest", "",
          "unsigned int(unsigned int)"),
    Shape("number", "GLib.Date.is_leap_year", "2020", "date_is_leap_year", "",
          "gboolean(unsigned short)"),
    Shape("number", "GLib.Date.get_days_in_month", "a, 2020", "date_get_days_in_month",
          "a = GLib.DateMonth.MAY"),
    Shape("number", "GLib.Date.valid_dmy", "1, a, 2020", "date_valid_dmy",
          "a = GLib.DateMonth.MAY"),
    Shape("number", "GLib.get_monotonic_time", "", "get_monotonic_time", "", "long()"),
    Shape("number", "GLib.main_depth", "", "main_depth", "", "int()"),
    Shape("number", "GLib.random_double_range", "1.0, 2.0", "random_double_range", "",
          "double(double, double)"),
    Shape("number", "GLib.random_int_range", "1, 9", "random_int_range", "", "int(int, int)"),
    *(Shape("variant", f"GLib.Variant.get_{name}", "a", f"variant_get_{name}",
            variant(code, value), f"{c}(void *)")
      for name, code, value, c in (
          ("byte", "y", 5, "unsigned char"), ("int16", "n", -5, "short"),
          ("uint16", "q", 60000, "unsigned short"), ("int32", "i", -70000, "int"),
          ("uint32", "u", 2**31, "unsigned int"), ("int64", "x", -(2**40), "long"),
          ("uint64", "t", 2**63, "unsigned long"), ("double", "d", 0.5, "double"),
          ("boolean", "b", True, "gboolean"))),
    # Strings.
    Shape("string", "GLib.quark_to_string", "1", "quark_to_string", "",
          "const char *(unsigned int)"),
    Shape("string", "GLib.quark_from_string", "a", "quark_from_string", TEXT,
          "unsigned int(const char *)"),
    Shape("string", "GLib.strcmp0", "'abc', 'abd'", "strcmp0", "",
          "int(const char *, const char *)"),
    Shape("string", "GLib.strcmp0", "'abc', None", "strcmp0"),
    Shape("string", "GLib.path_is_absolute", "'/a/b'", "path_is_absolute", "",
          "gboolean(const char *)"),
    Shape("string", "GLib.path_get_basename", "'/a/b/c.txt'", "path_get_basename"),
    Shape("string", "GLib.utf8_strup", "a, -1", "utf8_strup", TEXT),
    Shape("string", "GLib.utf8_strup", "'Straße über Åland', -1", "utf8_strup"),
    Shape("string", "GLib.markup_escape_text", "a, -1", "markup_escape_text", "a = 'a < b'",
          overridden=True),
    Shape("string", "GLib.get_prgname", "", "get_prgname", "GLib.set_prgname('bench')",
          "const char *()"),
    Shape("string", "GLib.hostname_is_ip_address", "'1.2.3.4'", "hostname_is_ip_address", "",
          "gboolean(const char *)"),
    Shape("string", "GLib.uri_escape_string", "'a b', None, False", "uri_escape_string"),
    Shape("type", "GObject.type_name", "a", "type_name", "a = GObject.TYPE_OBJECT"),
    Shape("type", "GObject.type_from_name", "'GObject'", "type_from_name", overridden=True),
    # Objects.
    Shape("object", "Gio.SimpleAction.get_name", "a", "action_get_name", ACTION),
    Shape("object", "Gio.SimpleAction.get_enabled", "a", "action_get_enabled", ACTION),
    Shape("object", "Gio.SimpleAction.set_enabled", "a, True", "simple_action_set_enabled",
          ACTION),
    Shape("object", "Gio.Cancellable.is_cancelled", "a", "cancellable_is_cancelled",
          "a = Gio.Cancellable()", "gboolean(void *)"),
    Shape("object", "Gio.Cancellable.get_current", "", "cancellable_get_current"),
    Shape("object", "Gio.File.equal", "a, b", "file_equal", FILES, "gboolean(void *, void *)"),
    Shape("object", "Gio.File.get_basename", "a", "file_get_basename", FILES),
    Shape("object", "Gio.File.has_uri_scheme", "a, 'file'", "file_has_uri_scheme", FILES,
          "gboolean(void *, const char *)"),
    Shape("object", "Gio.ListModel.get_n_items", "a", "list_model_get_n_items", STORE,
          "unsigned int(void *)"),
    Shape("object", "Gio.ListModel.get_item", "a, 0", "list_model_get_item", STORE),
    Shape("flags", "Gio.Application.get_flags", "a", "application_get_flags", APPLICATION),
    Shape("flags", "Gio.Application.set_flags", "a, b", "application_set_flags", APPLICATION),
    Shape("new object", "Gio.File.get_parent", "a", "file_get_parent", FILES),
    Shape("new object", "Gio.File.new_for_path", "'/a/b'", "file_new_for_path"),
    Shape("constructor", "Gio.Cancellable.new", "", "cancellable_new"),
    Shape("constructor", "Gio.SimpleAction.new", "'name', None", "simple_action_new"),
    Shape("out", "Gio.ListStore.find", "a, b", "list_store_find", STORE),
    Shape("vfunc", "Gio.MemoryInputStream.do_skip", "a, 0, None", "input_stream_skip",
          "a = Gio.MemoryInputStream.new()"),
    # Boxed types and variants.
    Shape("boxed", "GLib.DateTime.get_year", "a", "date_time_get_year", DATE, "int(void *)"),
    Shape("boxed", "GLib.DateTime.get_seconds", "a", "date_time_get_seconds", DATE,
          "double(void *)"),
    Shape("boxed", "GLib.DateTime.to_unix", "a", "date_time_to_unix", DATE, "long(void *)"),
    Shape("boxed", "GLib.DateTime.difference", "a, b", "date_time_difference", DATE,
          "long(void *, void *)"),
    Shape("boxed", "GLib.DateTime.format", "a, '%Y'", "date_time_format", DATE),
    Shape("new boxed", "GLib.DateTime.add_days", "a, 1", "date_time_add_days", DATE),
    Shape("new boxed", "GLib.DateTime.new_utc", "2020, 2, 29, 12, 0, 0.5", "date_time_new_utc"),
    Shape("out", "GLib.DateTime.get_ymd", "a", "date_time_get_ymd", DATE),
    Shape("boxed", "GLib.Date.get_day", "a", "date_get_day", DAY, "unsigned char(void *)"),
    Shape("boxed", "GLib.Date.set_day", "a, 5", "date_set_day", DAY, "void(void *, unsigned char)"),
    Shape("boxed", "GLib.Bytes.get_size", "a", "bytes_get_size", "a = GLib.Bytes.new(b'abc')",
          "unsigned long(void *)"),
    Shape("variant", "GLib.Variant.n_children", "a", "variant_n_children",
          variant("ai", [1, 2, 3]), "unsigned long(void *)"),
    Shape("variant", "GLib.Variant.get_type_string", "a", "variant_get_type_string",
          variant("ai", [1, 2, 3]), "const char *(void *)"),
    Shape("variant", "GLib.Variant.print_", "a, True", "variant_print", variant("i", 5)),
    Shape("variant", "GLib.Variant.equal", "a, b", "variant_equal",
          variant("i", 5) + "; b = GLib.Variant('i', 5)", "gboolean(void *, void *)"),
    Shape("new variant", "GLib.Variant.get_child_value", "a, 1", "variant_get_child_value",
          variant("ai", [1, 2, 3])),
    Shape("new variant", "GLib.Variant.new_int32", "5", "variant_new_int32"),
    Shape("new variant", "GLib.Variant.new_string", "'text'", "variant_new_string"),
    # Errors.
    Shape("error", "GLib.KeyFile.get_integer", "a, 'group', 'key'", "key_file_get_integer", KEYS),
    Shape("error", "GLib.KeyFile.get_string", "a, 'group', 't'", "key_file_get_string", KEYS),
    Shape("error", "GLib.filename_to_uri", "'/a/b', None", "filename_to_uri"),
    Shape("error raised", "GLib.KeyFile.get_integer", "a, 'group', 'none'",
          "key_file_get_integer", KEYS, raises=True),
    Shape("string", "GLib.KeyFile.set_string", "a, 'group', 't', 'y'", "key_file_set_string", KEYS,
          "void(void *, const char *, const char *, const char *)"),
    # Containers.
    Shape(STRINGS_OF, "GLib.KeyFile.get_keys", "a, 'group'", "key_file_get_keys", KEYS),
    Shape(STRINGS_OF, "GLib.Variant.new_strv", "a", "variant_new_strv", STRINGS),
    Shape(STRINGS_OF, "GLib.environ_getenv", "a, 'four'", "environ_getenv", STRINGS),
    Shape(STRINGS_OF, "GLib.shell_parse_argv", "'tool --flag x'", "shell_parse_argv"),
    Shape(BYTES, "GLib.base64_encode", "a", "base64_encode", "a = b'some bytes'"),
    Shape(BYTES, "GLib.Bytes.new", "a", "bytes_new", "a = b'x' * 4096"),
    Shape(HASH, "GLib.uri_parse_params", "'a=1&b=2', -1, '&', 0", "uri_parse_params"),
    Shape(STRINGS_OF, "Gio.SimpleActionGroup.list_actions", "a", "action_group_list_actions",
          f"{ACTION}; b = a; a = Gio.SimpleActionGroup(); a.add_action(b)"),
    Shape(STRINGS_OF, "GLib.get_system_data_dirs", "", "get_system_data_dirs"),
    # GTK.
    Shape("object", "Gtk.Adjustment.get_value", "a", "adjustment_get_value", ADJUSTMENT,
          "double(void *)"),
    Shape("object", "Gtk.Adjustment.set_value", "a, 0.5", "adjustment_set_value", ADJUSTMENT,
          "void(void *, double)"),
    Shape("object", "Gtk.Label.get_text", "a", "label_get_text", LABEL, "const char *(void *)"),
    Shape("object", "Gtk.Label.set_text", "a, 'text'", "label_set_text", LABEL),
    Shape("object", "Gtk.Widget.get_visible", "a", "widget_get_visible", LABEL, "gboolean(void *)"),
    Shape("object", "Gtk.Widget.get_parent", "a", "widget_get_parent", LABEL),
    Shape("enum", "Gtk.Widget.get_halign", "a", "widget_get_halign", LABEL),
    Shape("enum", "Gtk.Widget.set_halign", "a, c", "widget_set_halign", LABEL),
    Shape("out", "Gtk.Widget.get_size_request", "a", "widget_get_size_request", LABEL),
    Shape("object", "Gtk.TextBuffer.get_char_count", "a", "text_buffer_get_char_count", BUFFER,
          "int(void *)"),
    Shape("struct out", "Gtk.TextBuffer.get_iter_at_offset", "a, 3",
          "text_buffer_get_iter_at_offset", BUFFER),
    Shape("struct", "Gtk.TextIter.get_offset", "a", "text_iter_get_offset",
          f"{BUFFER}; b = a; a = b.get_start_iter()", "int(void *)"),
    Shape(VALUE, "Gtk.TreeModel.get_value", "a, b, 1", "tree_model_get_value", ROWS),
    Shape(VALUE, "Gtk.TreeModel.get_value", "a, b, 0", "tree_model_get_value", ROWS),
    Shape(VALUE, "Gtk.ListStore.set_value", "a, b, 1, 7", "list_store_set_value", ROWS,
          overridden=True),
    Shape(BYTES, "Gtk.TreePath.get_indices", "a", "tree_path_get_indices",
          "a = Gtk.TreePath.new_from_string('1:2:3')"),
    Shape(STRINGS_OF, "Gtk.AboutDialog.get_authors", "a", "about_dialog_get_authors",
          f"{STRINGS}; b = a; a = Gtk.AboutDialog(authors=b)"),
    Shape(LIST, "Gtk.RadioButton.get_group", "a", "radio_button_get_group", GROUP),
    # Python keeps the children, so each has its wrapper; then nobody does.
    Shape(LIST, "Gtk.Box.get_children", "a", "container_get_children", KEPT),
    Shape(LIST, "Gtk.Container.get_children", "a", "container_get_children", BOX),
    Shape("callback", "Gtk.Container.foreach", "a, b", "container_foreach", BOX),
]  # fmt: skip
