"""Turns the figures of a run of `bench.py` into ratios, means and a document in Markdown."""

import os
import platform
import statistics
from pathlib import Path

from shapes import CONTAINERS, LINE, SHAPES

TIERS = ("tier0", "tier1", "tier2")
COLUMNS = ("stock", *TIERS, "c-held", "c-released", "ctypes", "cffi")
HEADINGS = ("stock", "tier 0", "tier 1", "tier 2", "C", "C, lock released", "ctypes", "cffi")
# Name of the ratio, its heading, the figure above and below, and the most that is aimed at.
RATIOS = (
    ("stock/tier2", "stock / tier 2", "stock", "tier2", None),
    ("stock/tier2 as written", "as written: stock / tier 2", "stock" + LINE, "tier2" + LINE, None),
    ("stock/c-same", "stock / C, same lock", "stock", "c-same", None),
    ("tier2/c-same", "tier 2 / C, same lock", "tier2", "c-same", 1.3),
    ("tier2/c-held", "tier 2 / C", "tier2", "c-held", 1.3),
    ("tier2/c-released", "tier 2 / C released", "tier2", "c-released", 1.3),
    ("tier1/tier2", "tier 1 / tier 2", "tier1", "tier2", 1.5),
    ("tier0/stock", "tier 0 / stock", "tier0", "stock", 1.0),
)
# Stock, and gijit as users run it.
BOTH = ("stock", "gijit")
# Less than this is not to be told from an empty loop.
LEAST = 0.5


def machine(load):
    """What the figures depend on: processor, system, versions, load when the run began."""
    import gi

    processor = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    return {
        "processor": processor,
        "cpus": os.cpu_count(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", platform.system()),
        "python": platform.python_version(),
        "pygobject": ".".join(map(str, gi.version_info)),
        "load": round(load, 1),
    }


def ratio(shape, above, below):
    """The ratio of two medians, or None where one of them is missing, or where gijit's figure is
    not that of the tier it stands for."""
    if below == "c-same":
        below = f"c-{shape['lock']}"
    for variant in (above, below):
        if variant not in shape["ns"] or fell_back(shape, variant):
            return None
    median = {variant: max(LEAST, shape["ns"][variant]["median"]) for variant in (above, below)}
    return median[above] / median[below]


def fell_back(shape, variant):
    variant = variant.removesuffix(LINE)
    return variant in TIERS and shape["executed"].get(variant) != variant


def means(shapes):
    """{ratio: {"mean": geometric mean, "calls": how many, "worst": the largest}}."""
    result = {}
    for name, _, above, below, most in RATIOS:
        values = [value for shape in shapes if (value := ratio(shape, above, below))]
        if values:
            result[name] = {
                "mean": statistics.geometric_mean(values),
                "calls": len(values),
                "worst": max(values) if most else min(values),
                "behind": sum(value > most if most else value < 1 for value in values),
            }
    return result


def cell(shape, variant):
    figure = shape["ns"].get(variant)
    if figure is None:
        return ""
    mark = "\\*" if fell_back(shape, variant) else ""
    return f"{figure['median']:.0f} ±{figure['iqr'] / 2:.0f}{mark}"


def ratio_cell(shape, above, below, most):
    value = ratio(shape, above, below)
    if value is None:
        return ""
    behind = value > most if most else value < 1
    return bold_if(value, behind)


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|---|" + "---:|" * (len(headings) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def containers_text(shapes):
    """What the library does by itself in the calls with containers, and the rest."""
    about = (
        "Lists, vectors of strings, hash tables, bytes and GValues. *Library alone* is what C "
        "takes that only repeats the native call and frees what it gave. Where that "
        "is more than a third of stock, nothing can be three times as fast; the last column is the "
        "ratio without it. Children that no Python object stands for get one in each call and lose "
        "it again, which is PyGObject's own work. The last table has the geometric means by kind, "
        "of gijit and of the C that does the same with the lock."
    )
    rows = []
    shapes = sorted(shapes, key=lambda shape: shape["kind"])
    for shape in shapes:
        found = {name: figure["median"] for name, figure in shape["ns"].items()}
        if shape["kind"] in CONTAINERS and "alone" in found:
            rest = (found["stock"] - found["alone"]) / max(LEAST, found["tier2"] - found["alone"])
            rows.append((
                f"`{shape['name']}`", *(cell(shape, name) for name in ("stock", "tier2", "alone")),
                ratio_cell(shape, "stock", "tier2", None), f"{rest:.2f}",
            ))  # fmt: skip
    headings = ("ns per call", "stock", "tier 2", "library alone", "stock / tier 2", "of the rest")
    kinds = []
    for kind in CONTAINERS:
        own = [shape for shape in shapes if shape["kind"] == kind]
        found = means(own)
        if {"stock/tier2", "stock/c-same"} <= found.keys():
            pair = (f"{found[name]['mean']:.2f}" for name in ("stock/tier2", "stock/c-same"))
            kinds.append((kind, str(len(own)), *pair))
    by_kind = table(("kind", "calls", "stock / tier 2", "stock / C, same lock"), kinds)
    return [about, "", *table(headings, rows), "", *by_kind]


def lookups_text(lookups):
    """What a line pays for the names in it."""
    rows = [
        (
            f"`{expression}`",
            *(f"{found[name]['median']:.0f} ±{found[name]['iqr'] / 2:.0f}" for name in BOTH),
            f"{found['stock']['median'] / max(LEAST, found['gijit']['median']):.1f}",
        )
        for expression, found in lookups.items()
    ]
    about = (
        "Nanoseconds for the attribute lookups of an expression, the empty loop taken off; gijit "
        "as users run it. The first line is a module of the standard library."
    )
    return [about, "", *table(("expression", "stock", "gijit", "stock / gijit"), rows)]


def programs_text(result):
    """The tables of `programs`."""
    rows = [
        (
            one["name"],
            f"{one['stock']:.1f} {one['unit']}",
            f"{one['gijit']:.1f} {one['unit']}",
            bold_if(one["gijit"] / one["stock"], one["gijit"] > one["stock"])
            if one["stock"]
            else "",
        )
        for one in result["programs"]
    ]
    lines = [
        "Wall-clock time, the median of a few runs that took turns; gijit as users run it. Bold: "
        "gijit is behind. While gijit compiles, a thread that keeps calling waits for nothing; "
        "but where the compile thread has to share a processor with it, the scheduler lets each "
        "run for some milliseconds, as with any other thread that computes.",
        "",
        *table(("program", "stock", "gijit", "gijit / stock"), rows),
        "",
        "Time to compile one callable, on the compile thread while the program runs:",
        "",
    ]
    rows = [
        (
            f"tier {tier}",
            str(found["thunks"]),
            f"{found['median']:.2f} ms",
            f"{found['most']:.2f} ms",
            f"{found['bytes']:.0f}",
        )
        for tier, found in result["compiling"].items()
    ]
    lines += table(("", "thunks", "median", "longest", "bytes of code, mean"), rows)
    lines += ["", "Memory of one process that compiles ever more callables; LLVM is loaded at the "
              "first of tier 2, and some callables share code:", ""]  # fmt: skip
    rows = [
        (what, str(count), str(size), f"{resident:.1f} MiB")
        for what, count, size, resident in result["memory"]
    ]
    return [*lines, *table(("", "callables", "bytes of code more", "resident after"), rows)]


def bold_if(value, behind):
    return f"**{value:.2f}**" if behind else f"{value:.2f}"


def document(result):
    shapes, about = result["shapes"], result["machine"]
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` in {result['seconds']} s on {about['processor']}, "
        f"{about['cpus']} processors, {about['system']}, CPython {about['python']}, PyGObject "
        f"{about['pygobject']}. The load of the machine was {about['load']} when it began: where "
        "that is not near 0, read the ratios and not the absolute figures.",
        "",
        "Nanoseconds of processor time per call, the empty loop taken off: medians over worker "
        "processes that took turns, and half the distance between the quartiles. The function is "
        "in a variable, so no attribute lookup is part of a call, but for *as written*: there the "
        "line is the one that a program has, such as `GLib.get_prgname()` or `a.get_year()`. C is "
        "a small extension (`benches/c`) that keeps the interpreter lock or releases it around "
        "the native call; *same lock* compares with the one that does what gijit does for that "
        "function. In ctypes and cffi, strings are encoded and decoded by the caller. A star "
        "marks a call that the forced tier did not execute; it is in no ratio and no mean.",
        "",
        "## Geometric means",
        "",
    ]
    headings = ("ratio", "geometric mean", "calls", "worst", "aim", "calls behind the aim")
    rows = []
    for name, heading, _, _, most in RATIOS:
        if found := result["means"].get(name):
            aim = f"at most {most}" if most else "at least 1"
            rows.append((heading, f"{found['mean']:.2f}", str(found["calls"]),
                         f"{found['worst']:.2f}", aim, str(found["behind"])))  # fmt: skip
    lines += [*table(headings, rows), "", "## Calls", ""]
    rows = [
        (f"`{shape['name']}`", *(cell(shape, column) for column in COLUMNS)) for shape in shapes
    ]
    lines += [*table(("ns per call", *HEADINGS), rows), "", "## Ratios", ""]
    lines += ["Bold: gijit is behind the aim for a single call.", ""]
    rows = [
        (f"`{shape['name']}`", *(ratio_cell(shape, *parts) for _, _, *parts in RATIOS))
        for shape in shapes
    ]
    lines += table(("call", *(heading for _, heading, *_ in RATIOS)), rows)
    lines += ["", "## Containers", "", *containers_text(shapes)]
    lines += ["", "## Attribute lookups", "", *lookups_text(result["lookups"])]
    if result["programs"]:
        lines += ["", "## Whole processes", "", *programs_text(result)]
    elsewhere = [
        f"* `{shape['name']}` with {tier} forced: {where}"
        for shape in shapes
        for tier, where in shape["executed"].items()
        if where != tier
    ]
    if elsewhere:
        lines += ["", "## Executed by something else than the forced tier", "", *elsewhere]
    failed = [
        f"* `{SHAPES[int(number)].name}`, {variant}: {why}"
        for variant, found in result["failures"].items()
        for number, why in found.items()
    ]
    if failed:
        lines += ["", "## Not measured", "", *failed]
    return "\n".join(lines)
