"""GValue, GVariant, GError and GParamSpec arguments and results, and functions that fail."""

from gi.repository import GIMarshallingTests as GI
from gi.repository import Gio, GLib, GObject

from .cases import call, fresh, method, script, varied

call("GIMarshallingTests.gvalue_return")
call("GIMarshallingTests.gvalue_out")
call("GIMarshallingTests.gvalue_out_caller_allocates")
call("GIMarshallingTests.gvalue_in", 42)
call("GIMarshallingTests.gvalue_in", fresh(GObject.Value, GObject.TYPE_INT, 42))
call("GIMarshallingTests.gvalue_in_enum", GI.GEnum.VALUE3)
call("GIMarshallingTests.gvalue_in_flags", GI.Flags.VALUE3)
call("GIMarshallingTests.gvalue_inout", 42)
call("GIMarshallingTests.gvalue_int64_in", fresh(GObject.Value, GObject.TYPE_INT64, (1 << 63) - 1))
call("GIMarshallingTests.gvalue_int64_out")
call("GIMarshallingTests.gvalue_flat_array", [42, "42", True])
call("GIMarshallingTests.return_gvalue_flat_array")
for thing in (1, -1, 1 << 40, 1.5, "text", "é", b"bytes", True, None, [1], ["a"], GI.GEnum.VALUE2):
    call("GIMarshallingTests.gvalue_round_trip", thing)
    call("GIMarshallingTests.gvalue_copy", thing)
call("GIMarshallingTests.gvalue_round_trip", fresh(Gio.SimpleAction, name="x"))
call("GIMarshallingTests.gvalue_round_trip", object)
call("Regress.test_int_value_arg", 42)
call("Regress.test_int_value_arg", "42")
call("Regress.test_value_return", 42)
call("Regress.test_date_in_gvalue")
call("Regress.test_strv_in_gvalue")
call("Regress.test_null_strv_in_gvalue")
varied("GIMarshallingTests.gvalue_round_trip", (1,), ("a",), (None,), (1.5,), (True,), ([1],))

# Variants.
for name in ("i", "s", "v", "as", "asv"):
    call(f"Regress.test_gvariant_{name}")
call("Regress.get_variant")
call("GLib.Variant.new_int32", 5)
call("GLib.Variant.new_int32", 1 << 40)
call("GLib.Variant.new_string", "é")
call("GLib.Variant.new_string", None)
call("GLib.Variant.new_strv", ["a", "b"])
call("GLib.Variant.new_double", 1)
call("GLib.Variant.new_boolean", "x")
call("GLib.Variant", "(is)", (1, "a"))
call("GLib.Variant", "a{sv}", {})
call("GLib.Variant", "i", "x")
call("GLib.Variant", "no such type", 1)
call("GLib.Variant.parse", None, "[1, 2, 3]", None, None)
call("GLib.Variant.parse", None, "[1, 2", None, None)
call("GLib.Variant.is_signature", "as")
call("GLib.variant_parse", None, "'text'", None, None)


def pair():
    return GLib.Variant("(is)", (1, "a"))


for name in ("n_children", "get_type_string", "is_container", "get_size", "unpack", "hash"):
    method(fresh(pair), name)
method(fresh(pair), "get_child_value", 1)
method(fresh(pair), "print_", True)
method(fresh(pair), "print_", False)
method(fresh(pair), "equal", fresh(pair))
method(fresh(pair), "equal", 5)
method(fresh(GLib.Variant, "s", "é"), "get_string")
method(fresh(GLib.Variant, "i", 5), "get_int32")
method(fresh(GLib.Variant, "as", ["a"]), "get_strv")
method(fresh(GLib.Variant, "a{sv}", {}), "lookup_value", "x", None)
method(fresh(GLib.Variant, "ay", b"abc"), "get_data_as_bytes")


def number_and_text():
    return [GLib.Variant("i", 27), GLib.Variant("s", "Hello")]


# array_gvariant_none_in crashes stock PyGObject when it is called repeatedly.
for path in ("array_gvariant_container_in", "array_gvariant_full_in"):
    call(f"GIMarshallingTests.{path}", fresh(number_and_text))
    call(f"GIMarshallingTests.{path}", [GLib.Variant("i", 27), 5])
method(
    fresh(GI.Object, int=42),
    "method_variant_array_in",
    fresh(number_and_text),
)

# Errors.
call("GIMarshallingTests.gerror")
call("GIMarshallingTests.gerror", 1)
call("GIMarshallingTests.gerror_array_in", [-1, 0, 1, 2])
call("GIMarshallingTests.gerror_array_in", ["x"])
call("GIMarshallingTests.gerror_return")
call("GIMarshallingTests.gerror_out")
call("GIMarshallingTests.gerror_out_transfer_none")
call("GLib.file_get_contents", "/no/such/file")
call("GLib.file_get_contents", "/no/such/ünïcödé")
call("GLib.file_get_contents", None)
call("GLib.file_get_contents", "/dev/null")
call("GLib.dir_make_tmp", "no-placeholder")
call("GLib.file_read_link", "/no/such/link")
call("GLib.key_file_error_quark")
call("GLib.uri_parse", "::", GLib.UriFlags.NONE)
call("GLib.uri_split", "http://u@h:1/p?q#f", GLib.UriFlags.NONE)
call("GLib.Regex.new", "(", 0, 0)
call("GLib.Regex.new", "a+", GLib.RegexCompileFlags.CASELESS, GLib.RegexMatchFlags.NOTBOL)
call("GLib.spawn_command_line_sync", "/no/such/program")
call("Gio.File.parse_name", "/x") if hasattr(Gio.File, "parse_name") else None
varied("GLib.file_get_contents", ("/dev/null",), ("/no/such/file",), (b"/dev/null",), (5,))

# Parameter specifications.
call("GIMarshallingTests.param_spec_return")
call("GIMarshallingTests.param_spec_out")
call("GObject.param_spec_int", "name", "nick", "blurb", 0, 10, 5, GObject.ParamFlags.READABLE)
method(fresh(Gio.SimpleAction, name="x"), "find_property", "enabled")
method(fresh(Gio.SimpleAction, name="x"), "list_properties")


@script
def errors_are_released():
    """A call that fails leaves no reference to its arguments behind."""
    import sys

    name = "/no/such/" + "x" * 50
    before = sys.getrefcount(name)
    for _ in range(10):
        try:
            GLib.file_get_contents(name)
        except GLib.Error:
            pass
    return sys.getrefcount(name) - before


@script
def errors_match_their_domain():
    """GLib.Error.matches on an error from a call."""
    seen = []
    for _ in range(4):
        try:
            Gio.File.new_for_path("/no/such/file").load_contents(None)
        except GLib.Error as error:
            seen.append([
                error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND),
                error.matches(GLib.file_error_quark(), 0), error.domain, type(error).__name__,
            ])  # fmt: skip
    return seen
