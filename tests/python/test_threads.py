"""Callbacks on threads that C has started: as on stock, with a thread state that lasts."""

import pytest
from test_embed import program, same_as_stock

pytest.importorskip("gi")

STREAM = """
    import ctypes, sys, threading
    import gi
    gi.require_version("Gst", "1.0")
    from gi.repository import Gst
    Gst.init(None)

    def stream(probe, count=50):
        line = f"fakesrc num-buffers={count} sizetype=fixed sizemax=64 ! fakesink name=end"
        pipeline = Gst.parse_launch(line)
        def called(pad, info):
            probe(info)
            return Gst.PadProbeReturn.OK
        pad = pipeline.get_by_name("end").get_static_pad("sink")
        pad.add_probe(Gst.PadProbeType.BUFFER, called)
        pipeline.set_state(Gst.State.PLAYING)
        ends = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = pipeline.get_bus().timed_pop_filtered(10 * Gst.SECOND, ends)
        assert message and message.type == Gst.MessageType.EOS, message
        return pipeline

    api = ctypes.pythonapi
    for name in ("PyInterpreterState_Get", "PyInterpreterState_ThreadHead", "PyThreadState_Next"):
        getattr(api, name).restype = ctypes.c_void_p
    def states():
        "How many thread states there are."
        head = api.PyInterpreterState_ThreadHead(ctypes.c_void_p(api.PyInterpreterState_Get()))
        found = 0
        while head:
            found += 1
            head = api.PyThreadState_Next(ctypes.c_void_p(head))
        return found
"""


def test_what_a_callback_keeps_for_itself():
    same_as_stock(
        STREAM
        + """
    local = threading.local()
    seen, idents, names = [], set(), set()
    def probe(info):
        seen.append(getattr(local, "count", None))
        local.count = info.get_buffer().get_size()
        idents.add(threading.get_ident())
        names.add(type(threading.current_thread()).__name__)
        inner()
    def inner():
        # What calls Python from within a callback leaves the callback's own alone.
        from gi.repository import Gst
        tags = Gst.TagList.new_empty()
        tags.add_value(Gst.TagMergeMode.APPEND, Gst.TAG_TITLE, "one")
        tags.foreach(lambda *args: seen.append(local.count))
        assert local.count == 64
    stream(probe).set_state(Gst.State.NULL)
    print(seen, len(idents), names)
    """
    )


def test_errors_are_printed_and_the_thread_goes_on():
    code = (
        STREAM
        + """
    import io
    sys.stderr = io.StringIO()
    def probe(info):
        raise ValueError("from the probe")
    stream(probe, 5).set_state(Gst.State.NULL)
    text = sys.stderr.getvalue()
    print(text.count("ValueError: from the probe"))
    """
    )
    same_as_stock(code)


def test_the_states_of_threads_that_ended_are_freed():
    code = (
        STREAM
        + """
    import time
    from gi.repository import GLib
    # A thread without work waits half a second for more of it and ends then; the next one that
    # comes frees what it has left. Streams that come faster would keep all at work by turns.
    GLib.ThreadPool.set_max_unused_threads(0)
    for _ in range(40):
        stream(lambda info: None).set_state(Gst.State.NULL)
    for _ in range(20):
        time.sleep(1)
        stream(lambda info: None).set_state(Gst.State.NULL)
        if states() <= 4:
            break
    print(states() <= 4)
    """
    )
    for variables in ({}, {"GIJIT": "1"}):
        assert program(code, **variables) == ["True"]


def test_a_thread_that_ends_does_not_wait_for_the_lock():
    """Its end is waited for by a C function that keeps the lock."""
    same_as_stock(
        STREAM
        + """
    calls = []
    pipeline = stream(calls.append)
    library = ctypes.PyDLL("libgstreamer-1.0.so.0")
    library.gst_element_set_state.argtypes = [ctypes.c_void_p, ctypes.c_int]
    print(library.gst_element_set_state(hash(pipeline), int(Gst.State.NULL)), len(calls))
    # The threads that are left idle go as well.
    library.gst_task_cleanup_all()
    print(len(calls))
    stream(calls.append).set_state(Gst.State.NULL)
    print(len(calls))
    """
    )


def test_a_child_has_threads_of_its_own():
    code = (
        STREAM
        + """
    import os
    from gi.repository import GLib
    # Threads without work end at once, and leave their states.
    GLib.ThreadPool.set_max_unused_threads(0)
    stream(lambda info: None).set_state(Gst.State.NULL)
    ctypes.CDLL("libgstreamer-1.0.so.0").gst_task_cleanup_all()
    child = os.fork()
    done = threading.Event()
    # Not of GLib's pool, which does not work in a child from 2.84 on.
    thread = GLib.Thread.new("child", lambda *args: done.set())
    found = done.wait(10)
    if child == 0:
        os._exit(0 if found else 1)
    print(found, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    )
    code = "    import warnings\n    warnings.simplefilter('ignore')\n" + code
    assert program(code, GIJIT="1") == program(code) == ["True 0"]


# At tier 0 and above, and with PyGObject's own calls.
WAYS = [
    {},
    {"GIJIT_MAX_TIER": "0"},
    {"GIJIT_COMPILE": "sync", "GIJIT_TIER1_CALLS": "0", "GIJIT_TIER2_CALLS": "10"},
    {"GIJIT_SKIP": "*"},
]


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_the_program_ends_while_threads_of_c_run(way):
    """CPython ends the threads when they want the interpreter lock."""
    code = (
        STREAM
        + """
    import time
    calls = []
    source = "fakesrc num-buffers=-1 sizetype=fixed sizemax=64"
    pipeline = Gst.parse_launch(source + " ! fakesink name=end")
    def called(pad, info):
        calls.append(info)
        return Gst.PadProbeReturn.OK
    pad = pipeline.get_by_name("end").get_static_pad("sink")
    pad.add_probe(Gst.PadProbeType.BUFFER, called)
    pipeline.set_state(Gst.State.PLAYING)
    while len(calls) < 100:
        time.sleep(0.001)
    print("ends")
    """
    )
    for _ in range(5):
        assert program(code, GIJIT="1", **WAYS[way]) == ["ends"]


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_the_program_ends_while_threads_of_python_call(way):
    code = """
    import sys, threading, time
    from gi.repository import Gio, GLib
    def call():
        file = Gio.File.new_for_path("/")
        while True:
            GLib.usleep(30)
            file.query_exists(None)
    for _ in range(4):
        threading.Thread(target=call, daemon=True).start()
    time.sleep(0.05)
    class Slow:
        def __del__(self):
            time.sleep(0.02)
    # The interpreter takes its time to go.
    sys.slow = [Slow(), Slow()]
    print("ends")
    """
    for _ in range(5):
        assert program(code, GIJIT="1", **WAYS[way]) == ["ends"]
