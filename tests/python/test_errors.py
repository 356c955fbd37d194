"""Errors of calls: the exceptions that PyGObject raises, made without a call of Python."""

import pytest
from test_embed import program, same_as_stock

pytest.importorskip("gi")

FAIL = """
    import sys, traceback
    from gi.repository import Gio, GLib
    keys = GLib.KeyFile()
    keys.set_integer("group", "key", 5)
    def fail(times=1, key="none"):
        for _ in range(times):
            try:
                keys.get_integer("group", key)
            except Exception as error:
                caught = error
        return caught
    def show(error):
        print(type(error), error.args, list(vars(error).items()), str(error), repr(error))
    show(fail(20))
"""


def test_errors_are_those_of_stock():
    same_as_stock(
        FAIL
        + """
    import copy, gc, pickle
    error = fail(20)
    quark = GLib.quark_from_string("g-key-file-error-quark")
    print(gc.is_tracked(error), sys.getrefcount(error), error.matches(quark, 3))
    show(error.copy())
    show(pickle.loads(pickle.dumps(error)))
    error.note = 1
    error.message = "other"
    show(error)
    show(fail(20))
    try:
        try:
            1 / 0
        except ZeroDivisionError:
            keys.get_integer("group", "none")
    except GLib.Error as error:
        print(repr(error.__context__), error.__cause__)
        print(len(traceback.extract_tb(error.__traceback__)))
    keys.set_string("group", "text", "word")
    show(fail(20, "text"))
    for make in (lambda: Gio.File.new_for_path("/none/none").query_info("*", 0, None),
                 lambda: GLib.filename_from_uri("none"), lambda: GLib.shell_parse_argv("'"),
                 lambda: GLib.Regex.new("(", 0, 0), lambda: GLib.file_get_contents("/none")):
        for _ in range(20):
            try:
                make()
            except GLib.Error as error:
                caught = error
        show(caught)
    """
    )


CHANGES = {
    "init": """
    original = GLib.Error.__init__
    def own(self, *args):
        print("own init", args)
        original(self, *args)
    GLib.Error.__init__ = own
    """,
    "code": """
    def outer():
        free = None
        def own(self, message, domain, code):
            self.message, self.domain, self.code = "m", "d", bool(free)
        return own
    GLib.Error.__init__.__code__ = outer().__code__
    """,
    "new": """
    def own(cls, *args):
        print("own new", args)
        return RuntimeError.__new__(cls, *args)
    GLib.Error.__new__ = own
    """,
    "property": """
    GLib.Error.code = property(lambda self: 7, lambda self, value: print("code set to", value))
    """,
    "setattr": """
    def own(self, name, value):
        print("set", name, value)
        self.__dict__[name] = value
    GLib.Error.__setattr__ = own
    """,
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_program_changes_is_what_runs(change):
    same_as_stock(FAIL + CHANGES[change] + "\n    show(fail(3))\n")


def test_a_late_install_finds_what_was_changed():
    for change in ("init", "code"):
        code = FAIL + CHANGES[change] + "\n    import gijit; gijit.install()\n    show(fail(3))\n"
        assert program(code) == program(code.replace("import gijit; gijit.install()", ""))


def test_no_python_runs():
    code = (
        FAIL
        + """
    called = []
    def look(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "__init__":
            called.append(frame.f_code.co_filename.rpartition("/")[2])
    sys.setprofile(look)
    fail(1)
    sys.setprofile(None)
    print(called)
    """
    )
    assert program(code)[-1] == "['_error.py']"
    assert program(code, GIJIT="1")[-1] == "[]"
