"""What few libraries have: arrays of arrays, structs by value that are passed by address, callbacks
that share."""

import weakref

import gi

gi.require_version("GijitUnusual", "1.0")

from gi.repository import GijitUnusual

from .cases import call, fresh, script, varied


def triple(first=1, second=2, third=3):
    made = GijitUnusual.Triple()
    made.first, made.second, made.third = first, second, third
    return made


def plus(number, *data):
    return number + len(data)


def times(number, *data):
    return number * 2 - len(data)


def wrong(_number, *_data):
    raise LookupError("from a callback that shares its user data")


PATH = "GijitUnusual"

call(f"{PATH}.count_all", [["a", "b"], ["c"]])
call(f"{PATH}.count_all", [[]])
call(f"{PATH}.count_all", [])
call(f"{PATH}.count_all", None)
call(f"{PATH}.sum", fresh(triple))
call(f"{PATH}.sum", fresh(triple, -5, 1 << 62, 0))
call(f"{PATH}.sum", None)
call(f"{PATH}.sum", 5)
call(f"{PATH}.sum", (1, 2, 3))
call(f"{PATH}.sum", triple=fresh(triple))
call(f"{PATH}.sum_by", lambda given, *_: given.first + given.third)
call(f"{PATH}.sum_by", lambda given, *data: (given.second, data))
call(f"{PATH}.sum_by", lambda given, *data: given.second + len(data), "a", "b")
call(f"{PATH}.sum_by", None)
call(f"{PATH}.change_by", None)
call(f"{PATH}.change_by", lambda given, *_: (int(given is None), triple(10, 20, 30)))
call(f"{PATH}.change_by", lambda given, *_: (5, None))
call(f"{PATH}.change_by", lambda given, *_: (5, "no triple"))
call(f"{PATH}.change_by", lambda given, *_: 5)
call(f"{PATH}.both", 3, plus, times)
call(f"{PATH}.both", 3, plus, times, "data")
call(f"{PATH}.both", 3, plus, times, "data", None, 5)
# Stock keeps the user data of a callback that is None: one character is counted for no object.
call(f"{PATH}.both", 3, None, times, "d")
call(f"{PATH}.both", 3, plus, None, "d")
call(f"{PATH}.both", 3, None, None)
call(f"{PATH}.both", 3, plus, 5)
call(f"{PATH}.both", 3, wrong, times, "data")
call(f"{PATH}.both", 3, plus, wrong)
call(f"{PATH}.both", 3, one=plus, two=times)
call(f"{PATH}.both", 3, plus)
call(f"{PATH}.both", 3)
varied(f"{PATH}.both", (3, plus, times), (4, None, times, 1), (5, times, None), ("x", plus, plus))


class Function:
    """Callable, and weakly referenced."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, number, *data):
        return self.factor * number + len(data)


def kept(keep, one, two, *data):
    """What the kept callbacks give, and which of them live, before and after they are dropped."""
    watched = [weakref.ref(function) for function in (one, two) if function is not None]
    keep(one, two, *data)
    one = two = None
    seen = [GijitUnusual.run(1), GijitUnusual.run(2)]
    seen.append([found() is not None for found in watched])
    seen.append(GijitUnusual.forget())
    seen.append([found() is not None for found in watched])
    return seen


def kept_in_turn(keep):
    return [
        kept(keep, Function(1), Function(2)),
        kept(keep, Function(3), Function(4), "data", "more"),
        kept(keep, None, Function(5), "data"),
        kept(keep, Function(6), None),
        kept(keep, None, None),
    ]


@script
def kept_callbacks_that_share():
    """Two callbacks with one user data and one destroy notify: the last decides what goes."""
    return kept_in_turn(GijitUnusual.keep)


@script
def kept_callbacks_of_which_one_has_a_destroy_notify():
    """Two callbacks with one user data, of which the second is given back."""
    return kept_in_turn(GijitUnusual.keep_one)
