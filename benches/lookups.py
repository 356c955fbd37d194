"""What the attribute lookups of a line cost in this process, as JSON: nanoseconds by expression.

Lines name namespaces, classes and members of enums each time, and the fields of structs. The first
expression is what a lookup in a module of the standard library costs. The driver runs this on stock
and under gijit by turns.
"""

import argparse
import json
import os

import worker

from shapes import IMPORTS

LOOKUPS = (
    "math.pi",
    "GLib.get_monotonic_time",
    "GLib.PRIORITY_DEFAULT",
    "GLib.Variant.new_int32",
    "GObject.BindingFlags.SYNC_CREATE",
    "Gio.File.new_for_path",
    "Gio.FileType.DIRECTORY",
    "rectangle.width",
    "color.red",
    "event.button.x",
)
SETUP = """
import math
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk
rectangle, color = Gdk.Rectangle(), Gdk.RGBA()
event = Gdk.Event.new(Gdk.EventType.BUTTON_PRESS)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.004, help="of each loop")
    parser.add_argument("--values", type=int, default=3, help="loops per expression")
    options = parser.parse_args()
    namespace = {}
    exec(IMPORTS + SETUP, namespace)
    empty = min(worker.nanoseconds(worker.compiled("pass", {}), options.seconds, 5))
    found = {}
    for expression in LOOKUPS:
        loop = worker.compiled(expression, namespace)
        found[expression] = [
            figure - empty for figure in worker.nanoseconds(loop, options.seconds, options.values)
        ]
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
