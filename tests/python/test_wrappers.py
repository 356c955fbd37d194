"""The wrappers that results get: the one that an object has, or a new one, as on stock."""

import pytest
from test_embed import program, same_as_stock

pytest.importorskip("gi")

MODES = [{"GIJIT_MAX_TIER": "0"}, {"GIJIT_TIER1_CALLS": "1", "GIJIT_TIER2_CALLS": "9"}]

STORE = """
    import gc, sys, weakref
    from gi.repository import Gio, GObject
    item_at = Gio.ListModel.get_item
    store = Gio.ListStore.new(GObject.Object)
    def fill(*items):
        store.remove_all()
        for item in items:
            store.append(item)
    def again(position=0, times=20):
        found = item_at(store, position)
        return found, all(item_at(store, position) is found for _ in range(times))
"""


def compare(code):
    for mode in MODES:
        same_as_stock(STORE + code, GIJIT_COMPILE="sync", **mode)


def test_a_wrapper_is_found_as_long_as_it_lives():
    compare(
        """
    action = Gio.SimpleAction.new("first", None)
    fill(action)
    found, same = again()
    print(found is action, same, sys.getrefcount(found))
    # It ends; the object gets new ones, at the same address or another.
    del action, found
    for round in range(50):
        found, same = again()
        print(type(found).__name__, same, found.get_name(), sys.getrefcount(found))
        del found
    # The object ends as well, and others stand where it stood.
    for round in range(50):
        fill(*(Gio.SimpleAction.new(f"{round} {index}", None) for index in range(20)))
        kept = [again(index)[0] for index in range(20)]
        print([one.get_name() for one in kept])
        del kept
    """
    )


def test_more_objects_than_the_table_has_places():
    compare(
        """
    actions = [Gio.SimpleAction.new(str(index), None) for index in range(2000)]
    fill(*actions)
    for _ in range(3):
        print(all(item_at(store, index) is actions[index] for index in range(2000)))
    del actions[::2]
    names = [item_at(store, index).get_name() for index in range(2000)]
    print(names == [str(index) for index in range(2000)])
    """
    )


def test_classes_with_ends_of_their_own():
    compare(
        """
    class Plain(GObject.Object):
        pass
    class Named:
        def __del__(self):
            print("named ends")
    class Mixed(Named, Plain):
        pass
    revived = []
    class Revived(GObject.Object):
        def __del__(self):
            if not revived:
                revived.append(self)
    class Disposed(GObject.Object):
        def do_dispose(self):
            print("disposed", again()[1], again()[0] is self)
    for cls in (GObject.Object, Plain, Revived, Disposed, Mixed):
        for attribute in (False, True):
            value = cls()
            if attribute:
                value.one = 1
            fill(value)
            print(cls.__name__, again()[1])
            del value
            gc.collect()
            found, same = again()
            print(type(found).__name__, same, getattr(found, "one", None))
            del found
    print(again()[1], len(revived), revived[0].__class__.__name__)
    fill(revived[0])
    print(again()[0] is revived[0])
    revived.clear()
    print(type(again()[0]).__name__)
    """
    )


def test_what_the_collector_clears():
    compare(
        """
    class Node(GObject.Object):
        def do_dispose(self):
            # The wrapper has lost its object, or is another.
            print("disposed", type(self).__name__, len(vars(self)))
    for _ in range(5):
        node = Node()
        fill(node)
        print(again()[1])
        node.self = node
        store.remove_all()
        gone = weakref.ref(node)
        del node
        gc.collect()
        print(gone())
    """
    )


def test_weak_references_that_look_while_a_wrapper_ends():
    compare(
        """
    def look(_):
        print("gone", store.get_n_items())
    for _ in range(20):
        value = GObject.Object()
        fill(value)
        print(again()[1])
        reference = weakref.ref(value, look)
        del value
        found, same = again()
        print(reference(), same, type(found).__name__)
        del found
    """
    )


def test_new_objects_of_every_kind():
    compare(
        """
    from gi.repository import GLib
    class Own(Gio.SimpleActionGroup):
        pass
    def show(value):
        print(type(value), sys.getrefcount(value), value.__grefcount__, gc.is_tracked(value))
    for _ in range(20):
        show(Gio.File.new_for_path("/a"))
        show(Gio.File.new_for_path("/a/b").get_parent())
        show(Gio.SimpleAction.new("a", GLib.VariantType("s")))
        show(Gio.ThemedIcon.new("icon"))
        show(Gio.Cancellable.new())
        show(Own())
        show(Gio.MemoryInputStream.new())
    """
    )


def test_floating_objects_are_sunk():
    code = """
    import sys
    import gi
    gi.require_version("Gtk", "3.0")
    from gi.repository import Gtk
    for _ in range(20):
        adjustment = Gtk.Adjustment.new(1, 0, 5, 1, 1, 0)
        print(adjustment.is_floating(), adjustment.__grefcount__, sys.getrefcount(adjustment))
    """
    for mode in MODES:
        same_as_stock(code, GIJIT_COMPILE="sync", **mode)


def test_late_install_and_uninstall():
    code = (
        STORE
        + """
    import gijit
    action = Gio.SimpleAction.new("a", None)
    fill(action)
    for change in (gijit.install, gijit.uninstall, gijit.install):
        print(again()[0] is action, again()[1])
        change()
        print(again()[0] is action, again()[1])
        del action
        action = item_at(store, 0)
    """
    )
    assert program(code) == ["True True"] * 6


def test_classes_without_a_typelib_that_were_there_before():
    """PyGObject copies the end of wrappers into the classes of such types."""
    code = (
        STORE
        + """
    import gijit
    file = Gio.File.new_for_path("/a")
    print(type(file).__module__)
    gijit.install()
    for _ in range(50):
        fill(Gio.File.new_for_path("/a"), Gio.File.new_for_path("/b"))
        kept = [again(index) for index in range(2)]
        print([(found.get_path(), same, type(found) is type(file)) for found, same in kept])
        del kept
    """
    )
    assert program(code) == ["__gi__"] + ["[('/a', True, True), ('/b', True, True)]"] * 50
