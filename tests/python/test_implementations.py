"""Virtual functions that Python classes implement: C enters them through gijit, as it would through
PyGObject. What they get and give is the business of the corpus (`corpus/vfuncs.py`)."""

import json

import pytest
from test_embed import program, same_as_stock

pytest.importorskip("gi")

# Python implements every virtual function of every class that it can derive from.
EVERY = """
    import importlib, warnings
    import gi, gi.types
    warnings.simplefilter("ignore")
    left, all_ = set(), set()
    stock = gi.types.hook_up_vfunc_implementation
    def counted(info, gtype, function):
        left.add(f"{info.get_container().get_name()}.{info.get_name()}")
        return stock(info, gtype, function)
    gi.types.hook_up_vfunc_implementation = counted
    import gijit; gijit.install()
    native = gi.types.hook_up_vfunc_implementation
    def seen(info, *arguments):
        all_.add(f"{info.get_container().get_name()}.{info.get_name()}")
        return native(info, *arguments)
    gi.types.hook_up_vfunc_implementation = seen
    gi.require_version(NAME, VERSION)
    namespace = importlib.import_module("gi.repository." + NAME)
    from gi.repository import GObject
    for name in dir(namespace):
        cls = getattr(namespace, name, None)
        if isinstance(cls, type) and issubclass(cls, GObject.Object):
            names = {name for base in cls.__mro__ for name in vars(base) if name.startswith("do_")}
            for vfunc in names:
                try:
                    # Without a module it counts as PyGObject's own from 3.56 on.
                    body = {vfunc: lambda *arguments: None, "__module__": __name__}
                    type(cls)("Own" + name + vfunc, (cls,), body)
                except (TypeError, RuntimeError):
                    pass  # ambiguous, for PyGObject; final
    print(len(all_), sorted(left))
"""


# What is left to PyGObject: these give Python a callback, or take an array, a value or a closure.
LEFT = {
    ("Gtk", "3.0"): [
        "Application.local_command_line", "CellArea.foreach", "CellArea.foreach_alloc",
        "Container.forall", "Object.get_attributes",
    ],
    ("Gtk", "4.0"): [
        "Application.local_command_line", "BuilderScope.create_closure", "CellArea.foreach",
        "CellArea.foreach_alloc",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "version"), [*LEFT, ("Gio", "2.0")])
def test_what_python_implements_is_entered_natively(name, version):
    (line,) = program(f"    NAME, VERSION = {name!r}, {version!r}\n" + EVERY)
    count, _, left = line.partition(" ")
    assert int(count) > 100
    if (name, version) in LEFT:
        assert left == str(LEFT[name, version])
    else:
        others = [name for name in json.loads(left.replace("'", '"')) if "_async" not in name]
        assert len(others) * 5 < int(count), others


def test_implementations_behave_as_on_stock():
    same_as_stock(
        """
    import gc, sys
    from gi.repository import Gio, GLib, GObject
    sys.excepthook = lambda kind, value, traceback: print("printed", kind.__name__, value)

    class Model(GObject.Object, Gio.ListModel):
        def __init__(self):
            super().__init__()
            self.items = [Gio.SimpleAction.new(str(n), None) for n in range(3)]
        def do_get_item_type(self):
            return Gio.SimpleAction
        def do_get_n_items(self):
            return len(self.items)
        def do_get_item(self, position):
            return self.items[position] if position < len(self.items) else None

    model = Model()
    for _ in range(3):
        print(Gio.ListModel.get_n_items(model), Gio.ListModel.get_item_type(model).name)
        print([item and item.get_name() for item in map(model.get_item, range(5))])
    print([item.ref_count for item in model.items])
    class Types(GObject.Object, Gio.ListModel):
        def do_get_item_type(self):
            return self.type
    types = Types()
    for types.type in (GObject.Object, Gio.File, GObject.TYPE_INT, int, "GObject", "none", None,
                       GObject.TYPE_INVALID, 5, object, Gio):
        print(str(types.type)[:20], [Gio.ListModel.get_item_type(types).name for _ in range(2)])
    view = Gio.ListStore.new(Gio.SimpleAction)
    view.splice(0, 0, [model.get_item(n) for n in range(3)])
    print(view.get_n_items(), [sys.getrefcount(item) for item in model.items])

    # What is wrong: types, errors, None.
    for wrong in ("text", None, -1, 2**40, 1.5, RuntimeError("raised"), KeyboardInterrupt("stop")):
        def get_n_items(self):
            if isinstance(wrong, BaseException):
                raise wrong
            return wrong
        cls = type(f"Wrong{len(str(wrong))}{type(wrong).__name__}", (GObject.Object, Gio.ListModel),
                   {"do_get_n_items": get_n_items, "do_get_item_type": lambda self: GObject.Object,
                    "do_get_item": lambda self, position: wrong, "__module__": __name__})
        print(repr(wrong), [Gio.ListModel.get_n_items(cls()) for _ in range(2)])

    class Stream(Gio.InputStream):
        def do_skip(self, count, cancellable):
            if count == 7:
                raise GLib.Error("seven", "domain", 7)
            if count == 8:
                raise ValueError("eight")
            return count * 2
        def do_close_fn(self, cancellable):
            print("closed")
            return True
    stream = Stream()
    for count in (1, 2, 7, 8, 3):
        try:
            print(stream.skip(count, None))
        except GLib.Error as error:
            print(error.domain, error.code, error.message)
    print(stream.close(None))

    # The class's function at the time counts, and what derives may have its own.
    class Derived(Stream):
        def do_skip(self, count, cancellable):
            return Stream.do_skip(self, count, cancellable) + 1
    Stream.do_skip = lambda self, count, cancellable: 99
    print(Stream().skip(3, None), Derived().skip(3, None))
    class Callable:
        def __call__(self, *arguments):
            return len(arguments)
    class Others(Gio.InputStream):
        do_skip = Callable()
    print(Others().skip(3, None))
    class Static(Gio.InputStream):
        @staticmethod
        def do_skip(stream, count, cancellable):
            return count + 5
    print(Static().skip(3, None))

    # A call out of a call.
    class Deep(Gio.InputStream):
        def do_skip(self, count, cancellable):
            return self.skip(count - 1, None) + 1 if count > 1 and not self.has_pending() else count
    print(Deep().skip(5, None))
    del model, view, stream
    gc.collect()
    """
    )


def test_implementations_outlive_an_uninstall_and_the_interpreter():
    assert program(
        """
    import gijit
    from gi.repository import Gio
    def make(name):
        def do_skip(self, count, cancellable):
            return count * 2
        body = {"do_skip": do_skip, "__module__": __name__}
        return type(name, (Gio.InputStream,), body)
    before = make("Before")
    gijit.install()
    between = make("Between")
    gijit.uninstall()
    after = make("After")
    print([cls().skip(3, None) for cls in (before, between, after) for _ in range(2)])
    import sys
    sys.kept = between()
    """
    ) == ["[6, 6, 6, 6, 6, 6]"]
