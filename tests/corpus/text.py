"""Strings and file names: encodings, NUL, surrogates, None, transfer, lengths, several results."""

import pathlib

from . import hooks
from .cases import call, varied

CONSTANT = "const ♥ utf8"

STRINGS = [
    "", "a", "plain", "ünïcödé", CONSTANT, "\U0001f600 astral", "nul\0inside", "\0", "\ud800",
    "x" * 5000, "é" * 5000, None, b"bytes", b"\xff", bytearray(b"ba"), 1, 1.5, True, object, [],
    ("a",),
    hooks.StrSub("sub"), hooks.StrSub("süb"), hooks.BytesSub(b"sub"), pathlib.PurePosixPath("/a/b"),
    hooks.Path(), memoryview(b"view"),
]  # fmt: skip

for text in STRINGS:
    call("GLib.utf8_strup", text, -1)
    call("GLib.path_get_basename", text)
    call("GLib.filename_display_name", text)
    call("GLib.uri_escape_string", text, None, True)
    call("GLib.uri_unescape_string", text, None)
    call("GIMarshallingTests.filename_exists", text)
    call("GLib.str_is_ascii", text)

varied("GLib.path_get_basename", ("/a/b",), ("é/ü",), (b"x/y",), (None,), (1,), ("\ud800",))
varied("GLib.utf8_strup", ("abc", -1), ("ß", -1), (None, -1), ("abc", 2), ("a\0b", -1), (b"a", -1))
varied("GLib.utf8_strlen", ("abc", -1), ("ßß", 2), ("", 0), (hooks.StrSub("sub"), -1))

call("GIMarshallingTests.utf8_none_return")
call("GIMarshallingTests.utf8_full_return")
call("GIMarshallingTests.utf8_none_in", CONSTANT)
call("GIMarshallingTests.utf8_none_in", None)
call("GIMarshallingTests.utf8_none_in", 42)
call("GIMarshallingTests.utf8_none_out")
call("GIMarshallingTests.utf8_full_out")
call("GIMarshallingTests.utf8_dangling_out")
call("GIMarshallingTests.utf8_none_inout", CONSTANT)
call("GIMarshallingTests.utf8_full_inout", CONSTANT)
call("GIMarshallingTests.utf8_full_inout", None)
call("GIMarshallingTests.utf8_as_uint8array_in", CONSTANT.encode())
call("GIMarshallingTests.utf8_as_uint8array_in", CONSTANT)
call("GIMarshallingTests.extra_utf8_full_return_invalid")
call("GIMarshallingTests.extra_utf8_full_out_invalid")
call("GIMarshallingTests.filename_list_return")
call("GIMarshallingTests.filename_copy", "/tmp/ä")
call("GIMarshallingTests.filename_copy", b"/tmp/\xff")
call("GIMarshallingTests.filename_copy", hooks.Path())
call("GIMarshallingTests.filename_copy", None)
call("GIMarshallingTests.filename_to_glib_repr", "a/ä")
call("GIMarshallingTests.filename_to_glib_repr", "nul\0")
call("Regress.test_filename_return")
call("Regress.test_utf8_const_return")
call("Regress.test_utf8_nonconst_return")
call("Regress.test_utf8_const_in", CONSTANT.replace("const ", "const "))
call("Regress.test_utf8_out")
call("Regress.test_utf8_inout", CONSTANT)
call("Regress.test_utf8_out_out")
call("Regress.test_utf8_out_nonconst_return")
call("Regress.test_utf8_null_in", None)
call("Regress.test_utf8_null_out")
call("Regress.test_int_out_utf8", "é♥")
call("Regress.test_int_out_utf8", None)
call("Regress.test_return_allow_none")
call("Regress.test_return_nullable")
call("Regress.test_multi_double_args", 2.5)

call("GLib.build_filenamev", ["a", "b"])
call("GLib.build_filenamev", ["a", "bé", hooks.StrSub("c")])
call("GLib.build_filenamev", [])
call("GLib.build_filenamev", ["a", None])
call("GLib.build_filenamev", ("a", "b"))
call("GLib.build_filenamev", "ab")
call("GLib.filename_to_uri", "/tmp/a b", None)
call("GLib.filename_to_uri", "relative", None)
call("GLib.filename_from_uri", "file:///tmp/a%20b")
call("GLib.filename_from_uri", "http://x/")
call("GLib.shell_parse_argv", "a 'b c' d")
call("GLib.shell_parse_argv", "unbalanced '")
call("GLib.shell_quote", "it's")
call("GLib.markup_escape_text", "<a & b>", -1)
call("GLib.markup_escape_text", "<a & b>")
call("GLib.strcompress", "a\\nb")
call("GLib.base64_encode", b"\x00\xffabc")
call("GLib.base64_encode", [1, 2, 3])
call("GLib.base64_encode", [1, 2, 300])
call("GLib.base64_encode", "text")
call("GLib.base64_encode", bytearray(b"abc"))
call("GLib.base64_encode", None)
call("GLib.base64_decode", "AP9hYmM=")
call("GLib.utf8_validate", "é".encode())
call("GLib.utf8_validate", b"\xff\xfe")
# Of strings that differ only the sign is defined, and glibc gives -1 or -4 for "a" and "b".
call("GLib.utf8_collate", "a", "a")
call("GLib.convert", b"abc", "latin1", "utf-8")
call("GLib.ascii_strtoll", "-12x", 10)
call("GLib.ascii_strtod", "1.5e3x")
call("GLib.ascii_string_to_signed", "12", 10, 0, 100)
call("GLib.ascii_string_to_signed", "120", 10, 0, 100)
call("GLib.uuid_string_is_valid", "no")
call("GLib.hostname_to_ascii", "bücher.example")
call("GLib.str_to_ascii", "Ünïcode", "de")
call("GLib.str_tokenize_and_fold", "Hello World", "en")
