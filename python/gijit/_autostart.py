"""Installs gijit as soon as PyGObject's introspection is imported. Importing this starts it.

``gijit.pth`` imports it in every interpreter start with ``GIJIT`` set, so it imports nothing but
``sys`` and ``os``, which are there already. That it is imported only once matters too: in a virtual
environment with system site-packages Python runs each ``.pth`` file twice. A failure is one line on
stderr, and the program runs on PyGObject alone.
"""

import os
import sys

_LAST = "gi.module"
"""The module after whose execution there is all that install patches."""


class _Finder:
    """Lets the usual finders find that module and adds to its loader's work."""

    def find_spec(self, name, path=None, target=None):
        if name != _LAST:
            return None
        sys.meta_path.remove(self)
        for finder in sys.meta_path:
            find_spec = getattr(finder, "find_spec", None)
            spec = find_spec and find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader:
    """The module's own loader, and install after it."""

    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        # The module shall look as if its own loader had been found.
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        _install()


def _say(text):
    if sys.stderr is not None:
        print(f"gijit: {text}", file=sys.stderr)


def _install():
    try:
        from . import _embed

        _embed.install()
    except Exception as error:
        _say(f"not installed: {error}")


def _start():
    value = os.environ.get("GIJIT")
    if value != "1":
        _say(f"GIJIT={value} is not allowed: expected 0 or 1; using 0")
    elif _LAST in sys.modules:
        _install()
    else:
        sys.meta_path.insert(0, _Finder())


_start()
