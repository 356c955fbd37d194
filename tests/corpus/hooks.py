"""Python objects whose conversion runs user code, and which note every time that it does."""

EVENTS = []


class Index:
    """Converts to an integer."""

    def __init__(self, number):
        self.number = number

    def __index__(self):
        EVENTS.append("__index__")
        return self.number

    def __repr__(self):
        return f"Index({self.number})"


class Int:
    """Has `__int__` only."""

    def __int__(self):
        EVENTS.append("__int__")
        return 7

    def __repr__(self):
        return "Int()"


class Float:
    """Converts to a floating point number."""

    def __float__(self):
        EVENTS.append("__float__")
        return 0.5

    def __repr__(self):
        return "Float()"


class Raising:
    """Every conversion fails."""

    def __index__(self):
        EVENTS.append("__index__")
        raise LookupError("from __index__")

    __int__ = __float__ = __bool__ = __len__ = __index__

    def __repr__(self):
        return "Raising()"


class Sequence:
    """Has the sequence protocol and is no list."""

    def __init__(self, *items):
        self.items = items

    def __len__(self):
        EVENTS.append("__len__")
        return len(self.items)

    def __getitem__(self, index):
        EVENTS.append(f"__getitem__ {index}")
        return self.items[index]

    def __repr__(self):
        return f"Sequence{self.items}"


class Truth:
    """Says that it is true."""

    def __bool__(self):
        EVENTS.append("__bool__")
        return True

    def __repr__(self):
        return "Truth()"


class IntSub(int):
    """An integer by inheritance; reading its value runs no code."""

    def __index__(self):
        EVENTS.append("IntSub.__index__")
        return 99


class FloatSub(float):
    """A float by inheritance."""

    def __float__(self):
        EVENTS.append("FloatSub.__float__")
        return 99.0


class StrSub(str):
    """A string by inheritance."""

    def __str__(self):
        EVENTS.append("StrSub.__str__")
        return "other"


class BytesSub(bytes):
    """Bytes by inheritance."""


class ListSub(list):
    """A list by inheritance, with an override of item access."""

    def __getitem__(self, index):
        EVENTS.append("ListSub.__getitem__")
        return super().__getitem__(index)


class Path:
    """Has the path protocol."""

    def __fspath__(self):
        EVENTS.append("__fspath__")
        return "/tmp/some/where.txt"

    def __repr__(self):
        return "Path()"
