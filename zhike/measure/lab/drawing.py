"""Drawings of reports: bars side by side, lines, and a grid of shades, as SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 640, 280
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 34, 40
COLOURS = ("#1c1c1e", "#2563eb", "#d97706", "#059669", "#9333ea")
INNER_WIDTH, INNER_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


def bars(names: Sequence[str], series: Mapping[str, Sequence[float]], *, label: str, below: str = "") -> str:
    """Return groups of bars: for each name one bar per series, from zero."""
    top = _top(max((value for values in series.values() for value in values), default=0.0))
    group = INNER_WIDTH / max(1, len(names))
    thick = group * 0.8 / max(1, len(series))
    parts = [_ground(top, below), _legend(list(series))]
    for place, name in enumerate(names):
        left = LEFT + place * group + group * 0.1
        parts.append(_text(left + group * 0.4, HEIGHT - BOTTOM + 16, name, "middle"))
        for number, values in enumerate(series.values()):
            tall = INNER_HEIGHT * max(0.0, values[place]) / top
            at = f'x="{left + number * thick:.1f}" y="{TOP + INNER_HEIGHT - tall:.1f}"'
            size = f'width="{max(1.0, thick - 1):.1f}" height="{tall:.1f}"'
            parts.append(f'<rect {at} {size} fill="{_colour(number)}"/>')
    return _framed(parts, label)


def lines(
    x: Sequence[float], series: Mapping[str, Sequence[float]], *, label: str, below: str = "", mark: float | None = None
) -> str:
    """Return one line per series over x, from zero; `mark` draws a dashed upright line."""
    top = _top(max((value for values in series.values() for value in values), default=0.0))
    first, last = (x[0], x[-1]) if x else (0.0, 1.0)
    span = (last - first) or 1.0

    def across(value: float) -> float:
        return LEFT + INNER_WIDTH * (value - first) / span

    parts = [_ground(top, below), _legend(list(series))]
    for step in range(5):
        value = first + span * step / 4
        parts.append(_text(across(value), HEIGHT - BOTTOM + 16, f"{value:.0f}", "middle"))
    if mark is not None and first <= mark <= last:
        at = f'x1="{across(mark):.1f}" x2="{across(mark):.1f}" y1="{TOP}" y2="{TOP + INNER_HEIGHT}"'
        parts.append(f'<line {at} stroke="#999" stroke-dasharray="4 3"/>')
    for number, values in enumerate(series.values()):
        points = " ".join(
            f"{across(where):.1f},{TOP + INNER_HEIGHT * (1 - value / top):.1f}"
            for where, value in zip(x, values, strict=True)
        )
        dash = ' stroke-dasharray="6 3"' if number else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{_colour(number)}" stroke-width="2"{dash}/>')
    return _framed(parts, label)


def shades(
    rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float]], *, label: str, below: str = ""
) -> str:
    """Return a grid of cells from white (0) to dark (1), each with its figure in per cent; the first row is lowest."""
    wide, tall = INNER_WIDTH / max(1, len(columns)), INNER_HEIGHT / max(1, len(rows))
    parts = [_text(LEFT + INNER_WIDTH / 2, HEIGHT - 6, below, "middle")]
    for number, (name, line) in enumerate(zip(rows, values, strict=True)):
        y = TOP + INNER_HEIGHT - (number + 1) * tall
        parts.append(_text(LEFT - 8, y + tall / 2 + 4, name, "end"))
        for place, value in enumerate(line):
            x = LEFT + place * wide
            at = f'x="{x:.1f}" y="{y:.1f}" width="{wide - 1:.1f}" height="{tall - 1:.1f}"'
            parts.append(f'<rect {at} fill="#2563eb" fill-opacity="{0.05 + 0.95 * min(1.0, max(0.0, value)):.3f}"/>')
            ink = "#fff" if value > 0.55 else "#1c1c1e"
            spot = f'x="{x + wide / 2:.1f}" y="{y + tall / 2 + 4:.1f}" text-anchor="middle"'
            parts.append(f'<text {spot} style="fill:{ink}">{100 * value:.0f}</text>')
    for place, name in enumerate(columns):
        parts.append(_text(LEFT + (place + 0.5) * wide, HEIGHT - BOTTOM + 16, name, "middle"))
    return _framed(parts, label)


def _top(highest: float) -> float:
    """Return a round number at or above the highest value."""
    if highest <= 0:
        return 1.0
    scale = 1.0
    while scale * 10 <= highest:
        scale *= 10
    while scale > highest:
        scale /= 10
    return next((scale * step for step in (1, 1.5, 2, 3, 4, 5, 6, 8) if scale * step >= highest), scale * 10)


def _ground(top: float, below: str) -> str:
    parts = []
    for step in range(5):
        y = TOP + INNER_HEIGHT * (1 - step / 4)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#8884"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{top * step / 4:,.4g}", "end"))
    return "".join([*parts, _text(LEFT + INNER_WIDTH / 2, HEIGHT - 6, below, "middle")])


def _legend(names: Sequence[str]) -> str:
    parts, left = [], float(LEFT)
    for number, name in enumerate(names):
        parts.append(f'<rect x="{left:.0f}" y="10" width="12" height="12" fill="{_colour(number)}"/>')
        parts.append(_text(left + 17, 20, name, "start"))
        left += 34 + 13 * len(name) if not name.isascii() else 34 + 7.5 * len(name)
    return "".join(parts)


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _colour(number: int) -> str:
    # The first is what really happened; ink on a light page, and the same grey-blue family on a dark one.
    return COLOURS[number % len(COLOURS)] if number else "#64748b"


def _framed(parts: Sequence[str], label: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
