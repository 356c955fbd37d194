"""How far a command has come, on a terminal; nothing where standard error is none."""

import sys


class Progress:
    """With rich where that is installed, else a counter in one line. Used in a ``with``."""

    def __init__(self, what, total):
        self._what, self._total = what, total
        self._visible = sys.stderr is not None and sys.stderr.isatty()
        self._bar = None

    def __enter__(self):
        if self._visible:
            try:
                from rich.console import Console
                from rich.progress import Progress as Bar
            except ImportError:
                return self
            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total)
        return self

    def show(self, done):
        """So much is done."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
        elif self._visible:
            print(f"\r{self._what}: {done}/{self._total}", end="", file=sys.stderr, flush=True)

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.stop()
        elif self._visible:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
