"""Explaining callables by name, and the functions that overrides put in their place."""

from . import _embed, _names


def by_name(name, stage):
    """The text of ``stage`` of the callable called ``name``.

    :raises gijit._names.UnknownName: when there is none.
    :raises gijit._names.NotOfLibrary: when it is PyGObject's own.
    :raises gijit.CompileError: when it has no such stage.
    """
    native = _embed.load()
    info = _names.find_callable(name)
    text = native.explain(native.adopt(info), stage)
    if stage != "summary":
        return text
    namespace, path = _names.split(name)
    override = _names.overridden(namespace, path)
    return (_about(".".join([namespace, *path]), *override) if override else "") + text


def by_object(callable, stage):
    """The text of ``stage`` of ``callable``; see :func:`gijit.explain`."""
    native = _embed.load()
    if not _embed.is_installed():
        # What is bound is a method of Python's own from PyGObject 3.52 on.
        callable = native.adopt(getattr(callable, "__func__", callable))
    module = getattr(callable, "__module__", None) or ""
    if hasattr(callable, "__code__") and module.startswith("gi.overrides."):
        name = f"{module.removeprefix('gi.overrides.')}.{callable.__qualname__}"
        try:
            return by_name(name, stage)
        except (_names.UnknownName, _names.NotOfLibrary):
            pass  # The native side says what it is.
    return native.explain(callable, stage)


def _about(name, file, line):
    return (
        f"# {name} in Python\n\n"
        f"Python code of PyGObject's, in {file} line {line}, stands\n"
        "in front of the library's function. gijit leaves it as it is. When it calls\n"
        "the function, this happens:\n\n"
    )
