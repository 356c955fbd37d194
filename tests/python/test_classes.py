"""Classes that PyGObject makes, and those that programs derive from them, are as on stock."""

from test_embed import same_as_stock

ORDER = """
    import warnings
    import gi
    gi.require_versions({"Gdk": "3.0", "Gtk": "3.0"})
    from gi.repository import Gdk, Gio, GLib, GObject, Gtk

    warnings.simplefilter("ignore")
    def show(cls):
        print([f"{one.__module__}.{one.__qualname__}" for one in cls.__mro__])

    for namespace in (GLib, GObject, Gio, Gdk, Gtk):
        for name in sorted(dir(namespace)):
            found = getattr(namespace, name, None)
            if isinstance(found, type):
                show(found)

    class Plain:
        pass

    class Equal(type(GObject.Object)):
        def __eq__(cls, other):
            print("asked")
            return cls is other
        __hash__ = type.__hash__

    class Reversed(type(GObject.Object)):
        def mro(cls):
            return [cls, *reversed(super().mro()[1:-1]), object]

    def attempt(bases, metaclass=type(GObject.Object)):
        try:
            made = metaclass("Made", bases, {})
        except (TypeError, RuntimeError) as error:
            # Newer PyGObjects do not derive a type from interfaces alone.
            print(bases, type(error).__name__, error)
            return GObject.Object
        show(made)
        return made

    a = attempt((GObject.Object,))
    b = attempt((a, Gio.ListModel))
    c = attempt((b, Gtk.Buildable, Gio.ListModel))
    for bases in (
        (a, b), (b, a), (c, b), (Gio.ListModel, a), (Gio.ListModel, b), (Plain, a), (a, Plain),
        (Gtk.Box, Gio.ListModel), (Gtk.Orientable, Gtk.Box), (Gtk.Box, Gtk.Orientable),
        (Gtk.Label, Gtk.Buildable, Plain), (a, a), (object, a), (a, object), (int, a),
        (GObject.GInterface,), (Gio.ListModel, GObject.GInterface), (GObject.GInterface, a),
    ):
        attempt(bases)
    attempt((Plain, attempt((Plain, a))))
    attempt((attempt((a,), Equal), Gio.ListModel), Equal)
    attempt((a,), Reversed)
"""


def test_the_order_of_look_up():
    assert len(same_as_stock(ORDER)) > 1000
