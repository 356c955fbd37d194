"""What is measured of whole processes: start-up, cold calls, loops, stalls, memory, latency.

Each program is a Python script in a process of its own that prints its figures as JSON. Stock and
gijit (as users run it) take turns; the figures are medians.
"""

import json
import re
import statistics
import subprocess
import sys
from collections import namedtuple

Program = namedtuple("Program", "name unit code")
TIMEOUT = 120

HEAD = "import gi, time, json\nbegun = time.perf_counter()\ndef spent(): return "
HEAD += "(time.perf_counter() - begun) * 1000\n"
GTK = "gi.require_version('Gtk', '3.0')\nfrom gi.repository import GLib, Gio, GObject, Gtk\n"
GST = "gi.require_version('Gst', '1.0')\nfrom gi.repository import Gst\nGst.init(None)\n"
AGAIN = "begun = time.perf_counter()\n"
END = "\nprint(json.dumps(spent()))"

# Every getter of every widget that can be made without arguments, called once.
FIRST = """
import warnings
from inspect import isclass
warnings.simplefilter('ignore')
calls, seen = [], set()
for name in dir(Gtk):
    class_ = getattr(Gtk, name)
    if not (isclass(class_) and issubclass(class_, Gtk.Widget)) or name in ('Plug', 'Socket'):
        continue
    try:
        widget = class_()
    except Exception:
        continue
    for base in class_.__mro__:
        for key, function in vars(base).items():
            if not key.startswith(('get_', 'is_')) or id(function) in seen:
                continue
            if not hasattr(function, 'is_deprecated') or function.is_deprecated():
                continue
            if not function.get_arguments():
                seen.add(id(function))
                calls.append((function, widget))
begun = time.perf_counter()
for function, widget in calls:
    try:
        function(widget)
    except TypeError:
        pass
"""
COLD = """
from inspect import isclass
found = []
for name in dir(Gtk):
    class_ = getattr(Gtk, name)
    if isclass(class_) and issubclass(class_, Gtk.Widget) and class_ is not Gtk.Widget:
        found += [vars(class_)[key] for key in sorted(vars(class_)) if key.startswith('get_')]
found = found[:1000]
begun = time.perf_counter()
for function in found:
    # None is no widget: the signature is read and the argument refused, nothing in GTK runs.
    try:
        function(None)
    except Exception:
        pass
"""

# The first call maps fresh memory; the median is of those that reuse it.
BULK = """
from statistics import median
view = memoryview(bytes(2**22))
times = []
for _ in range(9):
    begun = time.perf_counter()
    {}(view)
    times.append(time.perf_counter() - begun)
print(json.dumps(median(times) * 1000))
"""
# 150,000 turns, in which gijit loads LLVM and compiles eight times. How often a thread has waited
# for a lock or for memory is the kernel's count of its voluntary switches.
STALL = """
import resource
def waits():
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
path = Gio.File.new_for_path('/a/b')
before = waits()
longest, last = 0, time.perf_counter()
for number in range(150000):
    path.get_basename(), path.get_parent(), GLib.get_monotonic_time(), GLib.strcmp0('a', 'b')
    now = time.perf_counter()
    longest, last = max(longest, now - last), now
"""
# Some 60 ms of a processor, as gijit's compile thread takes, without the interpreter lock.
BESIDE = """
import hashlib, sys, threading
if 'gijit' not in sys.modules:
    work = lambda: hashlib.pbkdf2_hmac('sha256', b'text', b'salt', 100000)
    threading.Timer(0.05, work).start()
"""

PROGRAMS = (
    Program("start-up: import Gtk", "ms", HEAD + GTK + END),
    Program("start-up: every name of Gtk once", "ms",
            HEAD + GTK + "for name in dir(Gtk): getattr(Gtk, name, None)" + END),
    Program("cold: first calls of some 600 getters", "ms", HEAD + GTK + FIRST + END),
    Program("cold: first calls of up to 1,000 getters, refused", "ms", HEAD + GTK + COLD + END),
    Program("bulk: GLib.Bytes.new() of a memoryview of 4 MiB", "ms",
            HEAD + GTK + BULK.format("GLib.Bytes.new")),
    Program("bulk: bytes() of the same, which is one copy", "ms",
            HEAD + GTK + BULK.format("bytes")),
    Program("loop: Gtk.ListStore, 20,000 rows filled and read", "ms", HEAD + GTK + AGAIN + """
store = Gtk.ListStore(str, int)
for number in range(20000):
    store.append(['text', number])
assert sum(row[1] for row in store) == 199990000
""" + END),
    Program("loop: Gtk.TextBuffer, 2,000 lines filled and walked", "ms", HEAD + GTK + AGAIN + """
buffer = Gtk.TextBuffer()
for number in range(2000):
    buffer.insert(buffer.get_end_iter(), 'a line of text\\n')
place = buffer.get_start_iter()
count = 0
while place.forward_char():
    count += place.get_char() == 'x'
""" + END),
    Program("loop: 500 labels and buttons in boxes", "ms", HEAD + GTK + AGAIN + """
outer = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
for number in range(500):
    row = Gtk.Box()
    row.pack_start(Gtk.Label(label=str(number)), True, True, 0)
    row.pack_start(Gtk.Button.new_with_label('press'), False, False, 0)
    outer.pack_start(row, False, False, 0)
outer.show_all()
""" + END),
    Program("loop: Gio, a directory enumerated 10 times", "ms", HEAD + GTK + AGAIN + """
for _ in range(10):
    folder = Gio.File.new_for_path('/usr/bin')
    for info in folder.enumerate_children('standard::name,standard::size', 0, None):
        info.get_name(), info.get_size()
""" + END),
    Program("loop: GLib.KeyFile, 20,000 entries", "ms", HEAD + GTK + AGAIN + """
keys = GLib.KeyFile.new()
for number in range(20000):
    keys.set_integer(f'group{number % 10}', f'key{number % 100}', number)
for number in range(20000):
    keys.get_integer(f'group{number % 10}', f'key{number % 10}')
""" + END),
    Program("loop: GLib.Variant built and unpacked 1,000 times", "ms", HEAD + GTK + AGAIN + """
for number in range(1000):
    GLib.Variant('(sa{sv}ai)', ('text', {'a': GLib.Variant('i', number)}, [1, 2, 3])).unpack()
""" + END),
    Program("loop: 20,000 idle callbacks", "ms", HEAD + GTK + AGAIN + """
loop = GLib.MainLoop()
left = [20000]
def idle():
    left[0] -= 1
    if left[0] == 0:
        loop.quit()
    return left[0] > 0
GLib.idle_add(idle)
loop.run()
""" + END),
    Program("loop: Gio.ListStore, 2,000 items sorted in Python", "ms", HEAD + GTK + AGAIN + """
store = Gio.ListStore.new(Gio.SimpleAction)
for number in range(2000):
    store.append(Gio.SimpleAction.new(f'name{number * 7919 % 2000}', None))
def compare(one, other, *data):
    a, b = one.get_name(), other.get_name()
    return (a > b) - (a < b)
store.sort(compare)
""" + END),
    Program("loop: GStreamer, 5,000 buffers read in a pad probe", "ms", HEAD + GST + AGAIN + """
source = 'fakesrc num-buffers=5000 sizetype=fixed sizemax=4096'
pipeline = Gst.parse_launch(source + ' ! fakesink name=end')
read = 0
def probe(pad, info):
    global read
    buffer = info.get_buffer()
    read += buffer.get_size() + len(buffer.extract_dup(0, 16)) + buffer.n_memory()
    return Gst.PadProbeReturn.OK
pipeline.get_by_name('end').get_static_pad('sink').add_probe(Gst.PadProbeType.BUFFER, probe)
pipeline.set_state(Gst.State.PLAYING)
pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS)
pipeline.set_state(Gst.State.NULL)
assert read == 5000 * (4096 + 16 + 1)
""" + END),
    Program("loop: GTK drawing, 5,000 frames with text rendered", "ms", HEAD + GTK + AGAIN + """
import cairo
label = Gtk.Label(label='text')
style = label.get_style_context()
layout = label.create_pango_layout('text')
context = cairo.Context(cairo.ImageSurface(cairo.FORMAT_ARGB32, 100, 20))
for number in range(5000):
    Gtk.render_background(style, context, 0, 0, 100, 20)
    Gtk.render_frame(style, context, 0, 0, 100, 20)
    Gtk.render_layout(style, context, 2, 2, layout)
""" + END),
    Program("stall: longest turn of a loop that gets hot", "ms",
            HEAD + GTK + STALL + "print(json.dumps(longest * 1000))"),
    Program("stall: the same, stock beside a thread that computes", "ms",
            HEAD + GTK + BESIDE + STALL + "print(json.dumps(longest * 1000))"),
    Program("stall: times that the calling thread waited meanwhile", "times",
            HEAD + GTK + STALL + "print(json.dumps(waits() - before))"),
    Program("memory: resident after import Gtk", "MiB", HEAD + GTK + """
import os
pages = int(open('/proc/self/statm').read().split()[1])
print(json.dumps(pages * os.sysconf('SC_PAGE_SIZE') / 2**20))
"""),
)  # fmt: skip


# Calls of many different functions, each often enough for all tiers.
COMPILED = (
    HEAD
    + GTK
    + """
label = Gtk.Label()
names = [name for name in dir(Gtk.Label) if name.startswith(('get_', 'is_'))]
for name in names:
    for _ in range(6000):
        try:
            getattr(label, name)()
        except TypeError:
            break
import gijit
gijit.flush()
"""
)
# Callables are compiled until there are none left, and memory is looked at on the way.
MEMORY = (
    HEAD
    + GTK
    + """
import os, gijit
from types import BuiltinFunctionType
def resident():
    return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 2**20
def callables():
    for namespace in (GLib, Gio, Gtk):
        for name in dir(namespace):
            held = getattr(namespace, name, None)
            yield held
            if isinstance(held, type):
                for member in list(vars(held).values()):
                    yield getattr(member, '__func__', member)
def compiled(tier, most):
    done = 0
    for callable in held:
        if done == most:
            break
        try:
            gijit.promote(callable, tier)
        except (TypeError, gijit.CompileError):
            continue
        done += 1
    return done
held = list(callables())
for callable in held:
    try:
        gijit.tier(callable)
    except TypeError:
        pass
# The dictionary of all callables is large, so it is made once before.
gijit.stats()
found = [['nothing compiled', 0, 0, resident()]]
for tier, most in ((1, 10), (1, 10000), (2, 1), (2, 10), (2, 1000)):
    before = gijit.stats()['code_bytes']
    count = compiled(tier, most)
    bytes = gijit.stats()['code_bytes'] - before
    found.append([f'tier {tier}', count, bytes, resident()])
print(json.dumps(found))
"""
)


LINE = re.compile(
    r"tier (\d), lowered in (\d+) us, compiled in (\d+) us, placed in (\d+) us, (\d+) b"
)


def compiling(env):
    """{tier: figures of its compilations in milliseconds and bytes}, from gijit's own trace."""
    done = subprocess.run(
        [sys.executable, "-c", COMPILED], capture_output=True, text=True,
        env={**env, "GIJIT_TRACE": "compile", "GIJIT_TIER2_CALLS": "1000"}, timeout=TIMEOUT,
    )  # fmt: skip
    tiers = {}
    for tier, *times, size in LINE.findall(done.stderr):
        tiers.setdefault(tier, []).append((sum(map(int, times)) / 1000, int(size)))
    return {
        tier: {
            "thunks": len(found),
            "median": statistics.median(milliseconds for milliseconds, _ in found),
            "most": max(milliseconds for milliseconds, _ in found),
            "bytes": statistics.mean(size for _, size in found),
        }
        for tier, found in sorted(tiers.items())
    }


def memory(env):
    """[[what was compiled, how many callables, bytes of code more, MiB of resident memory]]."""
    return figure(Program("memory", "MiB", MEMORY), env)


def figure(program, env):
    done = subprocess.run(
        [sys.executable, "-c", program.code], env=env, capture_output=True, text=True,
        timeout=TIMEOUT,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{program.name} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def measure(environments, rounds):
    """[{"name", "unit", "stock", "gijit"}]; `environments` are those of the two."""
    found = []
    for program in PROGRAMS:
        figures = {variant: [] for variant in environments}
        for _ in range(rounds):
            for variant, env in environments.items():
                figures[variant].append(figure(program, env))
        medians = {variant: statistics.median(values) for variant, values in figures.items()}
        found.append({"name": program.name, "unit": program.unit, **medians})
    return found
