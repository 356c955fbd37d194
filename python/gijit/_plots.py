"""Plots as SVG that stands in an HTML page and takes its colours from the page's style."""

from html import escape

WIDTH = 860
LABELS = 300
ROW = 24


def bars(rows, legend, unit="ms"):
    """A horizontal bar per row, of one or more parts.

    :param rows: ``(label, [value, ...])`` with one value per part.
    :param legend: the name of each part.
    """
    most = max((sum(values) for _, values in rows), default=0) or 1
    scale = (WIDTH - LABELS - 110) / most
    marks = []
    for index, (label, values) in enumerate(rows):
        y = 30 + index * ROW
        marks.append(_text(LABELS - 8, y + 14, label, "end"))
        x = LABELS
        for part, value in enumerate(values):
            width = value * scale
            marks.append(
                f'<rect x="{x:.1f}" y="{y}" width="{max(width, 0.5):.1f}" height="{ROW - 6}" '
                f'class="part{part}"><title>{escape(label)}: {legend[part]} '
                f"{number(value)} {unit}</title></rect>"
            )
            x += width
        marks.append(_text(x + 6, y + 14, f"{number(sum(values))} {unit}"))
    return _svg(40 + len(rows) * ROW, _legend(legend, "part") + marks)


def strips(rows, seconds, legend):
    """What each row was when: a strip over time.

    :param rows: ``(label, [(second, kind), ...])``; a kind lasts until the next.
    :param legend: ``{kind: name}``.
    """
    seconds = seconds or 1
    scale = (WIDTH - LABELS - 20) / seconds
    kinds = list(legend)
    marks = []
    for index, (label, changes) in enumerate(rows):
        y = 30 + index * ROW
        marks.append(_text(LABELS - 8, y + 14, label, "end"))
        ends = [second for second, _ in changes[1:]] + [seconds]
        for (second, kind), end in zip(changes, ends, strict=True):
            marks.append(
                f'<rect x="{LABELS + second * scale:.1f}" y="{y}" '
                f'width="{max((end - second) * scale, 0.5):.1f}" height="{ROW - 6}" '
                f'class="kind{kinds.index(kind)}"><title>{escape(label)}: {legend[kind]} from '
                f"{second:.3f} s to {end:.3f} s</title></rect>"
            )
    bottom = 30 + len(rows) * ROW
    marks += [
        _text(LABELS, bottom + 14, "0 s"),
        _text(WIDTH - 20, bottom + 14, f"{seconds:.2f} s", "end"),
    ]
    return _svg(bottom + 24, _legend(list(legend.values()), "kind") + marks)


def steps(points, seconds, unit):
    """A value over time that changes in steps.

    :param points: ``(second, value)`` in order of time.
    """
    seconds = seconds or 1
    most = max((value for _, value in points), default=0) or 1
    height, left = 120, 60
    across, up = (WIDTH - left - 20) / seconds, height / most
    path, last = [f"M{left},{height + 10}"], 0
    for second, value in points:
        x = left + second * across
        path.append(
            f"L{x:.1f},{height + 10 - last * up:.1f} L{x:.1f},{height + 10 - value * up:.1f}"
        )
        last = value
    path.append(f"L{left + seconds * across:.1f},{height + 10 - last * up:.1f}")
    marks = [
        f'<path d="{" ".join(path)}" class="line"/>',
        _text(left - 6, 16, f"{number(most)} {unit}", "end"),
        _text(left - 6, height + 12, "0", "end"),
        _text(left, height + 28, "0 s"),
        _text(WIDTH - 20, height + 28, f"{seconds:.2f} s", "end"),
    ]
    return _svg(height + 36, marks)


def number(value):
    """A number that is easy to read: three digits that count."""
    if value is None:
        return "–"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _legend(names, kind):
    marks, x = [], LABELS
    for index, name in enumerate(names):
        marks.append(f'<rect x="{x}" y="4" width="12" height="12" class="{kind}{index}"/>')
        marks.append(_text(x + 17, 14, name))
        x += 40 + 7 * len(name)
    return marks


def _text(x, y, text, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(str(text))}</text>'


def _svg(height, marks):
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">' + "".join(marks) + "</svg>"
