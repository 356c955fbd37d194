"""``python -m gijit coverage``: how many callables of a namespace each tier can compile."""

import json
import subprocess
import sys

from ._progress import Progress


def main(namespaces, as_json, html):
    """Print the report, or write the page ``html``.

    :returns: 0; 1 when the page cannot be written, 2 when a namespace is not there.
    """
    rows, status = [], 0
    for namespace in namespaces:
        if len(namespaces) == 1:
            from . import _names

            try:
                rows.append(_cover(namespace))
            except _names.UnknownName as error:
                print(f"gijit: {error}", file=sys.stderr)
                return 2
            continue
        # A process holds one version of a namespace, and of whatever it depends on.
        child = subprocess.run(
            [sys.executable, "-m", "gijit", "coverage", "--json", namespace],
            stdout=subprocess.PIPE,
        )
        if child.returncode == 2:
            # The child has said what is missing; the others are shown all the same.
            status = 2
        elif child.returncode:
            return max(child.returncode, 1)
        else:
            rows += json.loads(child.stdout)["namespaces"]
    if html:
        status = _page(rows, html) or status
    if as_json:
        print(json.dumps({"namespaces": rows}, indent=2))
    elif not html:
        _table(rows)
    return status


def _cover(text):
    """One row of the report: plans, lowers and compiles everything in a namespace."""
    from . import _embed, _names

    native = _embed.load()
    namespace = _names.load_namespace(text)
    callables = [native.adopt(info) for info in _names.callables(namespace)]
    row = {"namespace": namespace, "callables": len(callables), "tier0": 0, "tier1": 0, "tier2": 0}
    rejected = {}
    with Progress(namespace, len(callables)) as progress:
        covered = native.coverage(callables, progress.show)
    for reason, *tiers in covered:
        if reason is not None:
            rejected[reason] = rejected.get(reason, 0) + 1
        for tier, compiled in enumerate(tiers):
            row[f"tier{tier}"] += compiled
    row["rejected"] = dict(sorted(rejected.items(), key=lambda item: (-item[1], item[0])))
    return row


def _table(rows):
    from . import _gijit

    meanings = dict(_gijit.reasons())
    width = max([len("namespace"), *(len(row["namespace"]) for row in rows)])
    print(f"{'namespace':{width}}  callables   tier 0   tier 1   tier 2  rejected")
    for row in rows:
        rejected = sum(row["rejected"].values())
        print(
            f"{row['namespace']:{width}}  {row['callables']:9}  {row['tier0']:7}  {row['tier1']:7}"
            f"  {row['tier2']:7}  {rejected:8}"
        )
        for reason, count in row["rejected"].items():
            print(f"{'':{width}}  {count:9}  {reason:17} {meanings.get(reason, '')}".rstrip())


def _page(rows, path):
    from . import _gijit, _pages

    try:
        _pages.render("coverage.html", path, rows=rows, reasons=dict(_gijit.reasons()))
    except OSError as error:
        print(f"gijit: cannot write {path}: {error.strerror}", file=sys.stderr)
        return 1
    except _pages.NoTemplates as error:
        print(f"gijit: {error}", file=sys.stderr)
        return 1
    return 0
