"""The command line.

Exit status: 0, 1 for what did not work, 2 for a command line that names nothing. ``run`` gives the
program's own.
"""

import argparse
import errno
import os
import sys

from . import STAGES, CompileError, InstallError


def main(arguments=None):
    options = _parser().parse_args(arguments)
    if options.command is _run:
        # Whatever is raised is the program's.
        return _run(options)
    try:
        status = options.command(options)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except InstallError as error:
        return _unavailable(error)
    except ModuleNotFoundError as error:
        if error.name != "gi":
            raise
        return _unavailable(error)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EIO):
            raise
        # Standard output: commands deal with their files themselves. The interpreter flushes it
        # once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            return 0  # The reader has seen enough.
        print(f"gijit: cannot write: {error.strerror}", file=sys.stderr)
        return 1


def _unavailable(error):
    """Say why gijit cannot work here; the exit status."""
    print(f"gijit: not available here: {error}", file=sys.stderr)
    return 1


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m gijit",
        description="Run programs with gijit, and see what it does to them.",
        epilog="example: python -m gijit run program.py. The environment variables that tune gijit "
        "are listed by python -m gijit doctor.",
    )
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name, command, help, example):
        made = commands.add_parser(
            name,
            help=help,
            description=help[0].upper() + help[1:] + ".",
            epilog=f"example: python -m gijit {example}",
        )
        made.set_defaults(command=command)
        return made

    run = add("run", _run, "run a program as GIJIT=1 would", "run -m package --option")
    run.add_argument("-m", dest="is_module", action="store_true", help="TARGET is a module")
    run.add_argument("target", metavar="TARGET", help="a script, or a module with -m")
    run.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="what the program is given"
    )

    explain = add(
        "explain",
        _explain,
        "show what gijit makes of one callable",
        "explain Gtk.Label.set_text --stage plan",
    )
    explain.add_argument("name", metavar="NAME", help="such as Gtk.Label.set_text or Gtk-4.0.init")
    explain.add_argument("--stage", choices=STAGES, default="summary", help="default: %(default)s")

    coverage = add(
        "coverage",
        _coverage,
        "count the callables that each tier can compile",
        "coverage GLib-2.0 Gtk-4.0 --html coverage.html",
    )
    coverage.add_argument(
        "namespaces", nargs="+", metavar="NAMESPACE[-VERSION]", help="the newest without a version"
    )
    coverage.add_argument("--json", action="store_true", help="print JSON")
    coverage.add_argument("--html", metavar="FILE", help="write a page")

    bench = add(
        "bench",
        _bench,
        "time calls on stock PyGObject and on each tier, here and now",
        "bench 'GLib.get_monotonic_time()' \"Gio.File.new_for_path('/a/b')\"",
    )
    bench.add_argument(
        "statements", nargs="*", metavar="STATEMENT", help="Python code; without any: some calls"
    )
    bench.add_argument("--setup", metavar="CODE", help="run once before: imports and objects")
    bench.add_argument("--rounds", type=_count, default=3, help="turns of each (%(default)s)")
    bench.add_argument("--json", action="store_true", help="print JSON")

    report = add(
        "report",
        _report,
        "make a page from a trace (GIJIT_TRACE_FORMAT=json or chrome)",
        "report trace.json -o report.html",
    )
    report.add_argument("trace", metavar="TRACE", help="what GIJIT_TRACE_FILE named")
    report.add_argument("-o", dest="output", metavar="FILE", required=True, help="the page")

    add("doctor", _doctor, "show what works here, and what does not and why", "doctor")
    return parser


class _Version(argparse.Action):
    """Looks the version up only when it is asked for, because that loads the native side."""

    def __init__(self, **options):
        super().__init__(nargs=0, default=argparse.SUPPRESS, help="show the version", **options)

    def __call__(self, parser, *_):
        from . import _gijit

        print("gijit", _gijit.version())
        parser.exit()


def _count(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _run(options):
    """Become ``GIJIT=1 python TARGET``, which is in every respect what it would be by itself. Only
    where ``gijit.pth`` is not read, the program runs inside of this process."""
    from . import _doctor

    # Also for the Python programs that this one starts.
    os.environ["GIJIT"] = "1"
    python = _own_command()
    if python is not None and _doctor.start_up_file():
        target = ["-m", options.target] if options.is_module else [options.target]
        os.execv(sys.executable, [*python, *target, *options.arguments])
    import runpy

    from . import _autostart  # noqa: F401

    sys.argv = [options.target, *options.arguments]
    if options.is_module:
        sys.path[0] = os.getcwd()
        runpy.run_module(options.target, run_name="__main__", alter_sys=True)
    else:
        if not os.path.exists(options.target):
            print(f"gijit: cannot open {options.target!r}", file=sys.stderr)
            return 2
        sys.path[0] = os.path.dirname(os.path.abspath(options.target))
        runpy.run_path(options.target, run_name="__main__")
    return 0


def _own_command():
    """Python with the options that this process was started with, as in ``python -X dev``; None
    when it was not started by ``python ... -m gijit``."""
    before = sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1]
    if before[-2:] != ["-m", __package__]:
        return None
    return [sys.executable, *before[:-2]]


def _explain(options):
    from . import _explain, _names

    try:
        print(_explain.by_name(options.name, options.stage).rstrip("\n"))
    except _names.UnknownName as error:
        print(f"gijit: {error}", file=sys.stderr)
        return 2
    except (CompileError, _names.NotOfLibrary) as error:
        print(f"gijit: {options.name}: {error}", file=sys.stderr)
        return 1
    if options.stage == "summary":
        print(f"\nThis is {_names.loaded_version(options.name)}, of which nothing was called here.")
        print("In a program, gijit.explain() and GIJIT_DUMP show what became of its calls.")
    return 0


def _coverage(options):
    from . import _coverage

    return _coverage.main(options.namespaces, options.json, options.html)


def _bench(options):
    from . import _bench

    return _bench.main(options.statements, options.setup, options.rounds, options.json)


def _report(options):
    from . import _report

    return _report.main(options.trace, options.output)


def _doctor(options):
    from . import _doctor

    return _doctor.main()
