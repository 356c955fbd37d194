"""Processes that fork: the child compiles for itself, and the fork finds no thread of gijit's."""

import pytest
from test_embed import program, same_as_stock

pytest.importorskip("gi")


def test_forked_child_and_threads_at_exit():
    assert program(
        """
        import os, threading, warnings, gijit
        from gi.repository import GLib
        # CPython 3.12 and newer warn of this, on stock, too.
        warnings.simplefilter("ignore", DeprecationWarning)
        def call():
            for _ in range(2000): GLib.ascii_strdown("A", 1)
        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads: thread.start()
        child = os.fork()
        if not child:
            for _ in range(3000): GLib.ascii_strup("a", 1)
            gijit.flush()
            os._exit(0 if gijit.tier(GLib.ascii_strup) >= 1 else 1)
        print(os.waitpid(child, 0)[1])
        for thread in threads: thread.join()
    """,
        GIJIT="1",
    ) == ["0"]


def test_a_fork_while_calls_are_compiled_is_no_fork_of_threads():
    """CPython 3.12 and newer warn of a fork in a process with threads. On stock it has none."""
    same_as_stock(
        """
        import os, sys, warnings
        from gi.repository import GLib
        warnings.simplefilter("error")
        names = "ascii_strup", "ascii_strdown", "utf8_strup", "utf8_strdown", "utf8_casefold"
        threads = []
        for name in names:
            function = getattr(GLib, name)
            for _ in range(10): function("text", -1)
            child = os.fork()
            if not child: os._exit(0)
            threads.append(len(os.listdir("/proc/self/task")))
            assert os.waitpid(child, 0)[1] == 0
        print(threads)
        if "gijit" in sys.modules:
            import gijit
            gijit.flush()
            assert all(gijit.tier(getattr(GLib, name)) for name in names)
    """,
        GIJIT_TIER1_CALLS="2",
        GIJIT_TIER2_CALLS="4",
    )
