"""What a column does to a score: which values raise it and which lower it."""

from __future__ import annotations

from typing import Any

import numpy as np

from zhike.measure.churn.judging import ranked
from zhike.measure.churn.tables import Column, Floats

STEADY = 0.6


def effect(column: Column, added: Floats) -> dict[str, Any]:
    """Return `direction` (more, less, mixed or values), and the values that raise and lower the log-odds most.

    `raises` and `lowers` have the value, or the middle of a fifth of the numbers, and what it adds to the log-odds.
    """
    if column.kind == "category":
        rows = np.bincount(column.codes + 1, minlength=len(column.names) + 1)
        mean = np.bincount(column.codes + 1, weights=added, minlength=len(column.names) + 1) / np.maximum(1, rows)
        places = [at for at in np.argsort(mean, kind="stable") if rows[at] >= max(5, 0.005 * len(added))]
        if not places:
            return {"direction": "values", "raises": None, "lowers": None}
        names = ["", *column.names]
        low, high = ({"value": names[at], "log_odds": float(mean[at])} for at in (places[0], places[-1]))
        return {"direction": "values", "raises": high, "lowers": low}
    known = ~column.missing
    values, steps = column.values[known], added[known]
    if len(values) < 5 or np.ptp(values) == 0 or np.ptp(steps) == 0:
        return {"direction": "mixed", "raises": None, "lowers": None}
    # A day is read as how long ago it was: an earlier day is more of it.
    slope = float(np.corrcoef(ranked(values), ranked(steps))[0, 1])
    direction = "more" if slope > STEADY else "less" if slope < -STEADY else "mixed"
    edges = np.unique(np.quantile(values, [0.2, 0.4, 0.6, 0.8]))
    fifth = np.searchsorted(edges, values, side="left")
    found = []
    for number in np.unique(fifth):
        here = fifth == number
        found.append((float(steps[here].mean()), float(np.median(values[here]))))
    found.sort()
    shown = [{"value": _shown(column, middle), "log_odds": step} for step, middle in (found[0], found[-1])]
    return {"direction": direction, "raises": shown[1], "lowers": shown[0]}


def _shown(column: Column, value: float) -> str:
    return str(np.datetime64(int(value), "D")) if column.kind == "day" else f"{value:,.6g}"
