"""A small real program: reads a folder, keeps an index in a key file, shows it in a text buffer.

It knows nothing of gijit. `demo.py` runs it as it is, and again with GIJIT=1.
"""

import sys
import time

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gio, GLib, Gtk

ROUNDS = 400


def index(folder, keys):
    """Notes name, size and type of each file in the key file."""
    files = folder.enumerate_children("standard::*", Gio.FileQueryInfoFlags.NONE, None)
    while (info := files.next_file(None)) is not None:
        name = info.get_name()
        child = folder.get_child(name)
        keys.set_string(name, "uri", child.get_uri())
        keys.set_int64(name, "size", info.get_size())
        keys.set_boolean(name, "hidden", info.get_is_hidden())
        keys.set_string(name, "type", info.get_content_type() or "")


def show(keys, store, buffer):
    """Fills a list store and a text buffer from the key file."""
    store.clear()
    buffer.set_text("")
    groups, _ = keys.get_groups()
    for group in groups:
        size = keys.get_int64(group, "size")
        store.append([group, size])
        text = f"{group} {GLib.format_size(size)} {keys.get_string(group, 'type')}\n"
        buffer.insert(buffer.get_end_iter(), text)
    return len(groups)


def longest_line(buffer):
    place = buffer.get_start_iter()
    longest = 0
    while True:
        longest = max(longest, place.get_chars_in_line())
        if not place.forward_line():
            return longest


def main():
    folder = Gio.File.new_for_path(sys.argv[1] if len(sys.argv) > 1 else "/usr/include")
    store = Gtk.ListStore(str, int)
    buffer = Gtk.TextBuffer()
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        keys = GLib.KeyFile.new()
        index(folder, keys)
        count = show(keys, store, buffer)
        longest = longest_line(buffer)
    seconds = time.perf_counter() - begun
    print(f"{count} files, {buffer.get_char_count()} characters, longest line {longest}")
    print(f"{seconds:.2f} s")


if __name__ == "__main__":
    main()
