"""gijit makes the calls that PyGObject makes into GObject libraries fast.

Set ``GIJIT=1`` in the environment, or call :func:`install`; applications do not change. Everything
here is safe to call before ``gi`` is imported, and importing this package loads nothing else.
``__version__`` is the version, as text.
"""

__all__ = [
    "CompileError",
    "InstallError",
    "explain",
    "flush",
    "install",
    "installed",
    "promote",
    "rejections",
    "stats",
    "tier",
    "uninstall",
]

STAGES = (
    "summary",
    "signature",
    "words",
    "plan",
    "tier",
    "profile",
    "gil",
    "ir",
    "clif",
    "llvm",
    "asm",
)
"""What :func:`explain` can show."""


class CompileError(RuntimeError):
    """A callable cannot be compiled for the tier asked for; the message is the reason."""


class InstallError(RuntimeError):
    """gijit cannot work in this process; the message is the reason."""


def install() -> None:
    """Take over the calls that PyGObject makes.

    Imports ``gi``. Does nothing when already installed. Callables that exist are replaced where
    PyGObject keeps them (modules, classes, overrides); one that a program has already taken out of
    there, for instance a bound method in a variable, keeps calling PyGObject.

    :raises InstallError: when this PyGObject or Python cannot be served.
    :raises ImportError: when there is no PyGObject.
    """
    from . import _embed

    _embed.install()


def uninstall() -> None:
    """Undo :func:`install`: PyGObject's own callables are put back where install replaced them.

    A callable that a program holds keeps working. Does nothing when not installed.
    """
    from . import _embed

    _embed.uninstall()


def installed() -> bool:
    """Whether :func:`install` is in effect."""
    import sys

    embed = sys.modules.get(__name__ + "._embed")
    return embed is not None and embed.is_installed()


def tier(callable: object) -> int:
    """The tier that a call of ``callable`` would enter now.

    :param callable: a callable of a GObject library, bound or not, such as ``Gtk.Label.set_text``
        or ``label.set_text``.
    :returns: 0, 1 or 2; -1 when calls go to PyGObject's own invocation.
    :raises TypeError: when ``callable`` is nothing that PyGObject calls.
    """
    from . import _embed

    return _embed.load().tier(callable)


def promote(callable: object, tier: int) -> None:
    """Compile ``callable`` for ``tier`` now, on this thread, and let calls enter it from now on.

    :param callable: as in :func:`tier`.
    :param tier: 0, 1 or 2. A callable that runs at a higher tier already stays there.
    :raises CompileError: with the reason, when it cannot be compiled.
    :raises TypeError: when ``callable`` is nothing that PyGObject calls.
    :raises ValueError: when ``tier`` is none.
    """
    from . import _embed

    _embed.load().promote(callable, tier)


def stats() -> dict[str, object]:
    """Counters of this process, as a new dict.

    ``calls`` counts native calls by ``tier0``, ``tier1``, ``tier2`` and ``pygobject``, exactly
    while ``GIJIT_STATS`` is set, and ``handed_over`` says why those of PyGObject went there
    (docs/rejections.md); ``compiled`` counts compilations by ``tier1`` and ``tier2``;
    ``deopts`` counts thunks left for a lower tier; ``rejections`` is :func:`rejections` with
    counts; ``code_bytes`` is the machine code that exists, in bytes.
    """
    from . import _embed

    return _embed.load().stats()


def explain(callable: object, stage: str = "summary") -> str:
    """What gijit knows about ``callable``, as text.

    While gijit is not installed, what it would make of it. Of a function that an override has put
    in the place of the library's, it is about the library's.

    :param callable: as in :func:`tier`, or its name, such as ``"Gtk.Label.set_text"``.
    :param stage: ``summary`` (what follows up to ``gil``, but ``plan``), ``signature`` (as the
        typelib has it), ``words`` (what a call does), ``plan`` (the same as gijit has it), ``tier``
        (where it runs and why), ``profile`` (what arguments have been), ``gil`` (whether the
        interpreter lock is held, and why), ``ir``, ``clif``, ``llvm``, ``asm``.
    :raises CompileError: when there is no such stage for it, with the reason.
    :raises TypeError: when ``callable`` is nothing that PyGObject calls.
    :raises ValueError: when ``stage`` is none.
    :raises LookupError: when there is no callable of that name.
    """
    from . import _explain

    if isinstance(callable, str):
        return _explain.by_name(callable, stage)
    return _explain.by_object(callable, stage)


def flush() -> None:
    """Wait until everything that was queued for compilation is compiled and published."""
    from . import _embed

    _embed.load().flush()


def rejections() -> dict[str, list[str]]:
    """The callables that were called and left to PyGObject: ``{reason: [name, ...]}``."""
    from . import _embed

    return _embed.load().rejections()


def __getattr__(name: str) -> object:
    if name == "__version__":
        # Looked up late: it stands in the native side.
        from . import _gijit

        return _gijit.version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
