"""What `__doc__` of a callable says, which gijit writes itself: PyGObject's very text."""

import pytest
from test_embed import program, same_as_stock

pytest.importorskip("gi")

EVERY = """
    import gi, sys
    from gi import docstring
    stock = docstring._generate_callable_info_doc
    import gijit
    gijit.install()
    from gijit import _gijit
    gi.require_version("Gtk", "3.0")
    from gi.repository import Gtk
    repository = gi.Repository.get_default()
    own = other = 0
    for namespace in ("GLib", "GObject", "Gio", "Gdk", "Gtk", "Pango", "GdkPixbuf"):
        for info in repository.get_infos(namespace):
            found = [info]
            for members in ("get_methods", "get_vfuncs"):
                if hasattr(info, members):
                    found += getattr(info, members)()
            for one in found:
                if not isinstance(one, gi._gi.CallableInfo):
                    continue
                text = _gijit.callable_doc(one, gi.version_info[:2] > (3, 44))
                own += text is not None
                other += text is None
                if text not in (None, stock(one)):
                    print(namespace, text, stock(one))
    print(own > 9000, other < own / 20)
"""


def test_every_callable_has_pygobjects_text():
    assert program(EVERY) == ["True True"]


def test_a_generator_of_the_program_is_asked():
    same_as_stock(
        """
    import gi
    from gi import docstring
    from gi.repository import GLib, Gio
    for one in (GLib.path_get_basename, Gio.Action.get_name, Gio.InputStream.do_skip):
        print(one.__doc__)
    print(Gio.File.new_for_path("/a").get_parent.__doc__, Gio.SimpleAction.__doc__)
    print(docstring._generate_callable_info_doc.__name__)
    default = docstring.get_doc_string_generator()
    print(default is docstring._generate_doc_dispatch)
    docstring.set_doc_string_generator(lambda info: f"own text of {info.get_name()}")
    print(GLib.path_get_dirname.__doc__, Gio.Menu.__doc__)
    docstring.set_doc_string_generator(default)
    """
    )


def test_class_methods_are_those_of_stock():
    same_as_stock(
        """
    import gi
    gi.require_version("Gtk", "3.0")
    from gi.repository import GObject, Gtk
    for cls in (GObject.Object, Gtk.Widget, Gtk.Container, Gtk.Button, Gtk.Orientable):
        for name, value in vars(cls).items():
            if isinstance(value, classmethod):
                print(cls.__name__, name, value.__doc__, value.__func__.__name__)
                print(type(getattr(cls, name)) is type(value.__func__))
    class Button(Gtk.Button):
        pass
    print(Button.find_property("label").name, Button.get_css_name())
    """
    )
