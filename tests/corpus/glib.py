"""Calls on GLib as programs make them: functions, key files, main contexts, deprecated names."""

from gi.repository import GLib, GObject

from . import hooks
from .cases import call, fresh, method, script, varied

call("GLib.quark_to_string", 1)
call("GLib.quark_from_string", "gijit-corpus")
call("GLib.quark_try_string", "no such quark at all")
call("GLib.quark_to_string", -1)
call("GLib.unichar_toupper", "a")
call("GLib.unichar_isalpha", "a")
call("GLib.unichar_isalpha", "1")
call("GLib.unichar_digit_value", "7")
call("GLib.unichar_validate", "é")
call("GLib.unichar_isalpha", 97)
call("GLib.unichar_isalpha", "ab")
call("GLib.unichar_compose", "e", "\u0301")
call("GLib.unichar_decompose", "é")
call("GLib.unichar_get_script", "a")
call("GLib.ascii_strup", "abc", -1)
call("GLib.ascii_strcasecmp", "abc", "ABC")
call("GLib.ascii_strncasecmp", "abc", "ABD", 2)
call("GLib.ascii_digit_value", ord("7"))
call("GLib.ascii_digit_value", "7")
call("GLib.ascii_digit_value", b"7")
call("GLib.str_has_prefix", "abc", "a")
call("GLib.str_has_suffix", "abc", None)
call("GLib.str_is_ascii", "é")
call("GLib.strcmp0", "a", None)
call("GLib.strcmp0", None, None)
call("GLib.strcmp0", "a", 1)
call("GLib.pattern_match_simple", "a*", "abc")
call("GLib.path_is_absolute", "/x")
call("GLib.canonicalize_filename", "a/../b", "/tmp")
call("GLib.canonicalize_filename", "a/../b")
call("GLib.get_prgname")
call("GLib.get_user_special_dir", GLib.UserDirectory.DIRECTORY_DESKTOP)
call("GLib.getenv", "GIJIT_CORPUS_NO_SUCH_VARIABLE")
call("GLib.environ_getenv", ["A=1", "B=é"], "B")
call("GLib.environ_setenv", ["A=1"], "A", "2", True)
call("GLib.bit_nth_lsf", 0x10, -1)
call("GLib.bit_storage", 255)
call("GLib.spaced_primes_closest", 100)
call("GLib.format_size", 123456)
call("GLib.format_size_full", 123456, GLib.FormatSizeFlags.IEC_UNITS)
call("GLib.format_size", -1)
call("GLib.format_size", 12.5)
call("GLib.dgettext", None, "x")
call("GLib.dngettext", None, "one", "many", 2)
call("GLib.check_version", 2, 0, 0)
call("GLib.check_version", 9, 0, 0)
call("GLib.log_set_always_fatal", GLib.LogLevelFlags(5))
call("GLib.mkdir_with_parents", "/proc/no/such", 0o700)
call("GLib.file_test", "/", GLib.FileTest.IS_DIR)
call("GLib.file_test", "/", GLib.FileTest.IS_DIR | GLib.FileTest.EXISTS)
call("GLib.file_test", "/", 4)
call("GLib.file_test", "/", "IS_DIR")
call("GLib.file_test", hooks.Path(), GLib.FileTest.EXISTS)
call("GLib.find_program_in_path", "sh-no-such")
call("GLib.uri_parse_scheme", "http://x")
call("GLib.source_remove", 4000000)
call("GLib.no_such_function")
call("GLib.main_depth")
call("GLib.idle_remove_by_data", None)
call("GLib.intern_string", "interned")
call("GLib.usleep", 0)
call("GLib.nullify_pointer", 0)
call("GObject.signal_list_ids", GObject.Object)
call("GObject.signal_name", 1)
call("GObject.type_fundamental", GObject.Object)
call("GObject.type_parent", GObject.InitiallyUnowned)
call("GObject.type_from_name", "GObject")


def key_file():
    made = GLib.KeyFile.new()
    made.set_string("group", "key", "välue")
    made.set_integer("group", "number", 5)
    made.set_double("group", "double", 1.5)
    made.set_boolean("group", "flag", True)
    made.set_string_list("group", "list", ["a", "b"])
    return made


for name, key in (("string", "key"), ("integer", "number"), ("double", "double"),
                  ("boolean", "flag"), ("string_list", "list"), ("value", "key"),
                  ("int64", "number"), ("integer_list", "number")):  # fmt: skip
    method(fresh(key_file), f"get_{name}", "group", key)
    method(fresh(key_file), f"get_{name}", "group", "missing")
method(fresh(key_file), "get_integer", "group", "key")
method(fresh(key_file), "get_string", None, "key")
method(fresh(key_file), "get_string", "group")
method(fresh(key_file), "get_keys", "group")
method(fresh(key_file), "get_keys", "missing")
method(fresh(key_file), "get_groups")
method(fresh(key_file), "has_group", "group")
method(fresh(key_file), "to_data")
method(fresh(key_file), "load_from_data", "[a]\nb=c", -1, GLib.KeyFileFlags.NONE)
method(fresh(key_file), "load_from_data", "nonsense", 8, 0)
method(fresh(key_file), "load_from_file", "/no/such/file", GLib.KeyFileFlags.NONE)
method(fresh(key_file), "set_integer_list", "g", "k", [1, 2, 3])
method(fresh(key_file), "set_integer_list", "g", "k", [1, "x"])
method(fresh(key_file), "remove_group", "group")
method(fresh(key_file), "set_comment", "group", "key", "comment")
method(fresh(key_file), "get_comment", "group", "key")

varied("GLib.file_test", ("/", GLib.FileTest.IS_DIR), ("/", 4), (b"/", 4), ("/", None), (None, 4))
varied("GLib.strcmp0", ("a", "a"), (None, "b"), ("a", None), ("é", "é"), (1, 2), (b"a", "a"))


@script
def main_context():
    """Sources that run Python, in an own main context."""
    context = GLib.MainContext.new()
    seen = []
    for number in range(5):
        source = GLib.Idle()
        source.set_callback(lambda data: seen.append(data), number)
        source.attach(context)
        while context.iteration(False):
            pass
    return [seen, context.pending()]


@script
def timeouts_and_idles():
    """Callbacks of the default main loop, with user data, removed by their result."""
    seen = []
    loop = GLib.MainLoop()
    GLib.idle_add(lambda *data: seen.append(data), 1, 2)
    GLib.timeout_add(1, lambda: bool(seen.append("once")))
    GLib.timeout_add(20, lambda: len(seen) < 2 or bool(loop.quit()))
    loop.run()
    return sorted(map(str, seen))


@script
def exceptions_in_callbacks():
    """An exception in a callback goes to sys.excepthook; the call itself goes on."""
    import sys

    seen = []
    hook, sys.excepthook = sys.excepthook, lambda kind, *_: seen.append(kind.__name__)
    try:
        context = GLib.MainContext.default()
        for _ in range(4):
            GLib.idle_add(lambda: 1 / 0)
            while context.iteration(False):
                pass
    finally:
        sys.excepthook = hook
    return seen


@script
def deprecated_names():
    """Deprecated aliases warn each time that they are looked up, and work."""
    return [GObject.markup_escape_text("<"), GLib.spawn_async is not None]


@script
def threads():
    """Calls from several threads at once."""
    import threading

    results = []

    def work(number):
        for index in range(200):
            text = GLib.path_get_basename(f"/{number}/{index}")
            if text != str(index):
                results.append(text)
        results.append("done")

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results
