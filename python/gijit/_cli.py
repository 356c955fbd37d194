"""The command line.

Exit status: 0, 1 for what did not work, 2 for a command line that names nothing. ``run`` gives the
program's own.
"""

import argparse
import json
import os
import subprocess
import sys

from . import STAGES, CompileError, InstallError


def main(arguments=None):
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        status = options.command(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        if options.command is _run:
            raise
        # The reader has seen enough. The interpreter flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except InstallError as error:
        print(f"gijit: not available here: {error}", file=sys.stderr)
        return 1


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m gijit", description="Run programs with gijit, and see what it does to them."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run a program as GIJIT=1 would")
    run.add_argument("-m", dest="is_module", action="store_true", help="TARGET is a module")
    run.add_argument("target", metavar="TARGET", help="a script, or a module with -m")
    run.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS")
    run.set_defaults(command=_run)

    explain = commands.add_parser("explain", help="what gijit makes of one callable")
    explain.add_argument("name", metavar="NAME", help="such as Gtk.Label.set_text or Gtk-4.0.init")
    explain.add_argument("--stage", choices=STAGES, default="plan", help="default: %(default)s")
    explain.set_defaults(command=_explain)

    coverage = commands.add_parser("coverage", help="how many callables each tier can compile")
    coverage.add_argument("namespaces", nargs="+", metavar="NAMESPACE[-VERSION]")
    coverage.add_argument("--json", action="store_true", help="print JSON")
    coverage.set_defaults(command=_coverage)

    doctor = commands.add_parser("doctor", help="what works here, and what does not and why")
    doctor.set_defaults(command=_doctor)
    return parser


def _run(options):
    import runpy

    from . import _autostart

    # Also for the Python programs that this one starts.
    os.environ["GIJIT"] = "1"
    _autostart.install_on_import()
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


def _explain(options):
    from . import _embed, _names

    native = _embed.load()
    try:
        callable = native.adopt(_names.find_callable(options.name))
    except _names.UnknownName as error:
        print(f"gijit: {error}", file=sys.stderr)
        return 2
    try:
        print(native.explain(callable, options.stage).rstrip("\n"))
    except CompileError as error:
        print(f"gijit: {options.name}: {error}", file=sys.stderr)
        return 1
    return 0


def _coverage(options):
    results = []
    missing = 0
    for namespace in options.namespaces:
        if len(options.namespaces) > 1:
            # A process holds one version of a namespace, and of whatever it depends on.
            child = subprocess.run(
                [sys.executable, "-m", "gijit", "coverage", "--json", namespace],
                stdout=subprocess.PIPE,
            )
            if child.returncode == 2:
                # The child has said what is missing; the others are shown all the same.
                missing = 2
                continue
            if child.returncode:
                return child.returncode if child.returncode > 0 else 1
            results += json.loads(child.stdout)["namespaces"]
        else:
            from . import _names

            try:
                results.append(_cover(namespace))
            except _names.UnknownName as error:
                print(f"gijit: {error}", file=sys.stderr)
                return 2
    if options.json:
        print(json.dumps({"namespaces": results}, indent=2))
    else:
        _print_coverage(results)
    return missing


def _cover(text):
    """One row of the coverage report: plans, lowers and compiles everything in a namespace."""
    from . import _embed, _names

    native = _embed.load()
    namespace = _names.load_namespace(text)
    callables = [native.adopt(info) for info in _names.callables(namespace)]
    progress = _Progress(namespace, len(callables))
    row = {"namespace": namespace, "callables": len(callables), "tier0": 0, "tier1": 0, "tier2": 0}
    rejected = {}
    try:
        covered = native.coverage(callables, progress.show)
    finally:
        progress.end()
    for reason, *tiers in covered:
        if reason is not None:
            rejected[reason] = rejected.get(reason, 0) + 1
        for tier, compiled in enumerate(tiers):
            row[f"tier{tier}"] += compiled
    row["rejected"] = dict(sorted(rejected.items(), key=lambda item: (-item[1], item[0])))
    return row


class _Progress:
    """A counter on a terminal's standard error; nothing where that is no terminal."""

    def __init__(self, what, total):
        self._what, self._total = what, total
        self._visible = sys.stderr is not None and sys.stderr.isatty()

    def show(self, done):
        if self._visible:
            print(f"\r{self._what}: {done}/{self._total}", end="", file=sys.stderr, flush=True)

    def end(self):
        if self._visible:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _print_coverage(rows):
    width = max([len("namespace"), *(len(row["namespace"]) for row in rows)])
    print(f"{'namespace':{width}}  callables   tier 0   tier 1   tier 2  rejected")
    for row in rows:
        rejected = sum(row["rejected"].values())
        print(
            f"{row['namespace']:{width}}  {row['callables']:9}  {row['tier0']:7}  {row['tier1']:7}"
            f"  {row['tier2']:7}  {rejected:8}"
        )
        for reason, count in row["rejected"].items():
            print(f"{'':{width}}  {count:9}  {reason}")


def _doctor(options):
    from . import _doctor

    return _doctor.main()
