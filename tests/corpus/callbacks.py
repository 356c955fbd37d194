"""Callables that C calls: callbacks of every scope, their user data and lifetimes, and closures."""

import functools
import gc
import shutil
import sys
import tempfile
import threading
import weakref

from gi.repository import GIMarshallingTests as GI
from gi.repository import Gio, GLib, GObject, Regress

from .cases import call, fresh, script, varied


class Callable:
    """Callable by `__call__`, and can be watched."""

    def __init__(self, result=7):
        self.result = result
        self.got = []

    def __call__(self, *args):
        # Called many times, it is no leak.
        if len(self.got) < 100:
            self.got.append(args)
        return self.result

    def method(self, *args):
        return self(*args)


class Number:
    """A number by its special methods only."""

    def __int__(self):
        return 3

    __index__ = __int__

    def __float__(self):
        return 3.5


def raising(*_):
    raise ValueError("raised in a callback")


def seven(*_):
    return 7


RESULTS = (7, True, 7.9, Number(), "7", None, 1 << 31, -(1 << 31) - 1, (8,), (8, 9), [7], b"7")

varied("Regress.test_callback", *((functools.partial(seven),), (seven,), (None,), (5,)))
for result in RESULTS:
    call("Regress.test_callback", lambda result=result: result)
call("Regress.test_callback", raising)
call("Regress.test_callback")
call("Regress.test_callback", seven, seven)
call("Regress.test_callback", callback=seven)
call("Regress.test_multi_callback", seven)
call("Regress.test_multi_callback", None)
call("Regress.test_simple_callback", raising)
call("Regress.test_simple_callback", lambda: "not looked at")
call("Regress.test_noptr_callback", seven)
call("Regress.test_array_callback", seven)
call("Regress.test_callback_user_data", seven)
call("Regress.test_callback_user_data", seven, 1)
call("Regress.test_callback_user_data", seven, 1, "two", 3.0)
call("Regress.test_callback_user_data", seven, user_data="named")
call("Regress.test_callback_user_data", callback=seven, user_data=None)
call("Regress.test_callback_user_data", seven, 1, user_data="twice")
call("Regress.test_callback_user_data", 1, callback=seven)
call("Regress.test_callback_user_data", user_data=1)
call("Regress.test_callback_user_data", seven, other=1)
call("Regress.test_callback_user_data", raising, 1)
call("Regress.test_callback_user_data", "no callable", fresh(Callable))
call("Regress.test_callback_return_full", lambda: None)
call("Regress.test_callback_return_full", lambda: Callable())
call("Regress.test_hash_table_callback", {"a": 1}, seven)
call("Regress.test_async_ready_callback", seven)
call("Regress.TestObj.static_method_callback", seven)
call("Regress.TestObj.static_method_callback", None)
call("Regress.test_closure", seven)
call("Regress.test_closure", Callable().method)
call("Regress.test_closure", functools.partial(seven, 1))
call("Regress.test_closure", Number)
call("Regress.test_closure", 7)
call("Regress.test_closure", None)
call("Regress.test_closure", raising)
call("Regress.test_closure_one_arg", lambda number: number + 1, 41)
call("Regress.test_closure_variant", lambda value: GLib.Variant("s", value.print_(True)), 3)
call("GIMarshallingTests.gclosure_in", lambda: 42)
call("GIMarshallingTests.gclosure_in", fresh(GI.gclosure_return))
call("GIMarshallingTests.gclosure_return")
# Stock crashes where a tuple is shorter than what C wants.
for result in (5, (5,), (5, 6), (5, 6, 7), (5, 6, 7, 8), "5", None, (None, 6), (5, "6", 7)):
    answer = functools.partial(lambda result: result, result)
    length = len(result) if isinstance(result, tuple) else 9
    call("GIMarshallingTests.callback_return_value_only", answer)
    call("GIMarshallingTests.callback_one_out_parameter", answer)
    if length > 1:
        call("GIMarshallingTests.callback_multiple_out_parameters", answer)
        call("GIMarshallingTests.callback_return_value_and_one_out_parameter", answer)
    if length > 2:
        call("GIMarshallingTests.callback_return_value_and_multiple_out_parameters", answer)


def counted(function):
    """The function, and its reference counts before, between and after what the caller does."""
    counts = []
    return lambda: counts.append(sys.getrefcount(function)) or counts


@script
def user_data_arrives():
    """What a callback gets for each way of giving user data."""
    seen = []

    def note(*args):
        seen.append(list(args))
        return 1

    for args, kwargs in (
        ((), {}),
        ((None,), {}),
        ((1,), {}),
        ((1, 2, 3), {}),
        (((1, 2),), {}),
        ((), {"user_data": (1, 2)}),
    ):
        Regress.test_callback_user_data(note, *args, **kwargs)
        Regress.test_callback_destroy_notify(note, *args, **kwargs)
        Regress.test_callback_async(note, *args, **kwargs)
        Regress.test_callback_thaw_async()
    Regress.test_callback_thaw_notifications()
    return seen


@script
def user_data_of_two_callbacks():
    """Where further arguments are another callback's user data, the first one's is a tuple."""
    seen = []
    loop = GLib.MainLoop()
    source = Gio.File.new_for_path(__file__)
    folder = tempfile.mkdtemp()

    def finished(file, result, *data):
        seen.append([file.copy_finish(result), list(data)])
        loop.quit()

    for number, data in enumerate([(), ("one",), ("one", "two"), "text", None]):
        target = Gio.File.new_for_path(f"{folder}/{number}")

        def progress(*args):
            seen.append(list(args[2:]))

        flags = Gio.FileCopyFlags.NONE
        source.copy_async(target, flags, 0, None, progress, data, finished, "further", 1)
        loop.run()
    shutil.rmtree(folder)
    return seen


@script
def released_after_the_call():
    """Scope call: callable and user data are released when the function returns."""
    function, data = Callable(), Callable()
    count = counted(function)
    other = counted(data)
    for _ in range(4):
        count()
        Regress.test_callback(function)
        Regress.test_callback_user_data(function, data, data)
        Regress.test_callback_user_data(lambda *_: count()[-1], data)
        function.got.clear()
        other()
    return count(), other()


@script
def released_by_the_destroy_notify():
    """Scope notified: released when C calls the destroy notify, which is later."""
    function, data = Callable(), Callable()
    count, other = counted(function), counted(data)
    for _ in range(3):
        count(), other()
        Regress.test_callback_destroy_notify(function, data)
        Regress.test_callback_destroy_notify(function, data)
        function.got.clear()
        count(), other()
        Regress.test_callback_thaw_notifications()
        function.got.clear()
    return count(), other()


@script
def released_after_the_first_invocation():
    """Scope async: released when it has been called once."""
    function, data = Callable(), Callable()
    count, other = counted(function), counted(data)
    for _ in range(3):
        count(), other()
        Regress.test_callback_async(function, data)
        count(), other()
        Regress.test_callback_thaw_async()
        function.got.clear()
    return count(), other()


@script
def released_even_when_it_raises():
    """Callables that raise are released all the same."""

    class Raises:
        def __call__(self, *_):
            raise KeyError("in a callback")

    function = Raises()
    count = counted(function)
    for _ in range(3):
        Regress.test_callback(function)
        Regress.test_callback_user_data(function, 1)
        Regress.test_callback_async(function, 1)
        Regress.test_callback_thaw_async()
        Regress.test_callback_destroy_notify(function, 1)
        Regress.test_callback_thaw_notifications()
        count()
    return count()


@script
def dead_when_released():
    """Weak references to a callable die at the end of its scope."""
    died = []
    for name, thaw in (
        ("test_callback_user_data", None),
        ("test_callback_async", "test_callback_thaw_async"),
        ("test_callback_destroy_notify", "test_callback_thaw_notifications"),
    ):
        function = Callable()
        alive = weakref.ref(function)
        getattr(Regress, name)(function, 1)
        del function
        gc.collect()
        died.append(alive() is None)
        if thaw:
            getattr(Regress, thaw)()
            died.append(alive() is None)
    return died


@script
def not_released_without_user_data():
    """A destroy notify without user data: PyGObject warns at each call."""
    return [Regress.test_callback_destroy_notify_no_user_data(seven) for _ in range(3)] + [
        Regress.test_callback_thaw_notifications()
    ]


@script
def warnings_as_errors():
    """When that warning is an exception, the function is not called."""
    import warnings

    seen = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            try:
                Regress.test_callback_destroy_notify_no_user_data(seven)
            except RuntimeWarning as error:
                seen.append(str(error))
    return seen


@script
def called_within_a_call():
    """A callback that calls the same function, and one that raises below."""
    depth = []

    def down(*_):
        depth.append(len(depth))
        if len(depth) < 5:
            return Regress.test_callback(down) + 1
        return 10

    first = Regress.test_callback(down)
    return first, Regress.test_callback(lambda: Regress.test_callback(raising) + 1)


@script
def callbacks_of_a_constructor():
    """A constructor with a callback that stays until the notify."""
    function = Callable()
    made = Regress.TestObj.new_callback(function, "data")
    got = list(function.got)
    Regress.test_callback_thaw_notifications()
    return made, got, function.got


@script
def arrays_and_lengths():
    """A callback gets the length after its array, and returns it after the array."""
    seen = []

    def array(*args):
        seen.append(list(args))
        return 1

    results = [Regress.test_array_callback(array)]

    def inout(ints, length):
        seen.append([list(ints), length])
        return ints[1:], length - 1

    results.append(Regress.test_array_inout_callback(inout))
    return seen, results


@script
def boxed_lent_to_a_callback():
    """What C lends is copied when the callback returns, in case it was kept."""
    kept = []

    def inspect(boxed, *data):
        kept.append(boxed)
        boxed.long_ = 31
        return 2

    returned = [GI.callback_owned_boxed(inspect, "data") for _ in range(3)]
    return returned, [boxed.long_ for boxed in kept]


@script
def sorted_and_found():
    """Sort functions and filters of a Gtk-less library: lists of a Gio.ListStore."""
    store = Gio.ListStore.new(Gio.SimpleAction)
    for name in ("c", "a", "d", "b"):
        action = Gio.SimpleAction.new(name, None)
        store.insert_sorted(action, lambda a, b: (a.get_name() > b.get_name()) * 2 - 1)
    return [item.get_name() for item in store]


@script
def sources():
    """Idle and timeout sources, with all their ways to be removed."""
    seen = []
    context = GLib.MainContext.default()

    def idle(*args):
        seen.append(["idle", *args])
        return len(seen) < 3

    GLib.idle_add(idle, 1, 2)
    while context.iteration(False):
        pass
    source = GLib.timeout_source_new(1)
    source.set_callback(lambda *args: seen.append(["timeout", *args]), "data")
    source.attach(context)
    GLib.usleep(2000)
    context.iteration(True)
    function = Callable(True)
    count = counted(function)
    count()
    ids = [GLib.idle_add(function) for _ in range(3)]
    count()
    context.iteration(False)
    for number in ids:
        GLib.source_remove(number)
    function.got.clear()
    return seen, count()


@script
def removed_while_it_runs():
    """A source that removes itself from its callback."""
    seen = []
    context = GLib.MainContext.default()

    def remove(data):
        GLib.source_remove(number)
        gc.collect()
        seen.append(data.result)
        return True

    data = Callable("still here")
    alive = weakref.ref(data)
    number = GLib.idle_add(remove, data)
    del data
    while context.iteration(False):
        pass
    return seen, alive() is None


@script
def asynchronous_reading():
    """Asynchronous functions, with cancellables, callbacks and user data."""
    seen = []
    loop = GLib.MainLoop()
    stream = Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(b"some bytes"))

    def done(source, result, *data):
        seen.append([source is stream, source.read_bytes_finish(result).get_data(), list(data)])
        loop.quit()

    for args in (
        (None, done),
        (None, done, 1),
        (None, done, 1, 2),
        (Gio.Cancellable(), done, None),
    ):
        stream.read_bytes_async(3, GLib.PRIORITY_DEFAULT, *args)
        loop.run()
    stream.close_async(GLib.PRIORITY_DEFAULT, callback=lambda *_: loop.quit())
    loop.run()
    return seen


@script
def from_another_thread():
    """A callback that C calls in a thread of its own."""
    seen = []
    loop = GLib.MainLoop()
    main = threading.get_ident()

    def work(task, *rest):
        seen.append([threading.get_ident() == main, len(rest)])
        task.return_int(42)

    def done(source, task, *data):
        seen.append([threading.get_ident() == main, task.propagate_int(), list(data)])
        loop.quit()

    for _ in range(3):
        task = Gio.Task.new(None, None, done, "data")
        task.run_in_thread(work)
        loop.run()
    return seen


@script
def closures_of_signals():
    """A GClosure that Python gives goes when the object does."""
    seen = []
    function = Callable()
    count = counted(function)
    count()
    source, target = Regress.TestObj(int=1), Regress.TestObj(int=2)

    def forward(binding, value):
        seen.append(value)
        return value + 10

    binding = source.bind_property("int", target, "int", GObject.BindingFlags.DEFAULT, forward)
    source.props.int = 5
    binding.unbind()
    source.connect("notify::int", function)
    source.props.int = 6
    function.got.clear()
    del source, target, binding
    gc.collect()
    return seen, count()


@script
def lost_in_the_middle():
    """A call that fails after its callback has been converted leaves nothing behind."""
    function = Callable()
    count = counted(function)
    count()
    for _ in range(3):
        try:
            Regress.TestObj.static_method_callback(function, "too many")
        except TypeError:
            pass
        try:
            Regress.test_closure_one_arg(function, "no number")
        except TypeError:
            pass
    return count()
