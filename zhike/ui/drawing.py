"""Small drawings made on the server: sparklines as SVG paths, and the table that stands behind every chart."""

from collections.abc import Sequence
from typing import Any

Series = tuple[float | None, ...]

# Noise must stay flat: a line shows at least this many points from its lowest to its highest.
LEAST_RANGE = 16.0
PADDING_X, PADDING_Y, DOT = 1.0, 2.0, 3.0


def as_series(values: Sequence[object]) -> Series:
    """Return values as floats; whatever is no number becomes a gap."""
    return tuple([None if value is None else _number(value) for value in values])


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _scale(series: Series, target: float | None) -> tuple[float, float]:
    """Return the lowest and highest value drawn."""
    known = [value for value in (*series, target) if value is not None]
    low, high = min(known), max(known)
    missing = LEAST_RANGE - (high - low)
    return (low - missing / 2, high + missing / 2) if missing > 0 else (low, high)


def spark_path(series: Series, width: int, height: int, target: float | None) -> tuple[str, str, str, str]:
    """Return the path of a sparkline, the centre of its last dot (x, y) and the height of its target line.

    The path starts anew after a gap. All four are empty when the series holds no number.
    """
    if all(value is None for value in series):
        return "", "", "", ""
    low, high = _scale(series, target)
    step = (width - PADDING_X - DOT) / max(len(series) - 1, 1)
    tall = height - 2 * PADDING_Y

    def place(value: float) -> float:
        return PADDING_Y + tall * (high - value) / (high - low)

    parts, pen, last = [], "M", ("", "")
    for index, value in enumerate(series):
        if value is None:
            pen = "M"
            continue
        last = (f"{PADDING_X + index * step:.1f}", f"{place(value):.1f}")
        parts.append(f"{pen}{last[0]} {last[1]}")
        pen = " "
    return "".join(parts), *last, "" if target is None else f"{place(target):.1f}"
