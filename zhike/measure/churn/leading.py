"""Lead time: how long before somebody left the score had named them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zhike.measure.churn.tables import Flags, Floats

WORST = 0.1
WEEK = 7.0
BARS = 10


def named(chance: Floats, left: Flags) -> Flags:
    """Return which rows are named: those with the highest score, a tenth of all or as many as leave."""
    found: Flags = chance >= np.quantile(chance, 1 - max(WORST, float(left.mean())))
    return found


def ahead(after: Floats, chance: Floats) -> dict[str, Any]:
    """Return how long before leaving rows were named; `after` is the days until leaving was seen, NaN for who stayed.

    `lead_days` is the middle of those named; `lead` counts, by weeks until leaving, who left and who of them was named.
    """
    left = ~np.isnan(after)
    worst = named(chance, left)
    days = after[left & worst]
    last = np.ceil(after[left] / WEEK).astype(int)
    hit = worst[left]
    weeks = range(1, int(last.max()) + 1) if len(last) else range(0)
    return {
        "lead_days": float(np.median(days)) if len(days) else None,
        "lead": [
            {"days": int(WEEK * one), "left": int((last == one).sum()), "named": int(hit[last == one].sum())}
            for one in weeks
        ],
    }


def unbroken(positive: Flags, chance: Floats, moment: Floats, customer: npt.NDArray[np.uint64]) -> Floats:
    """Return for each customer who left how long, up to its last row, it had been named without a break."""
    worst = named(chance, positive)
    order = np.lexsort((moment, customer))
    found = []
    for rows in np.split(order, np.flatnonzero(np.diff(customer[order])) + 1):
        if len(rows) and positive[rows].any():
            named_here, when = worst[rows], moment[rows]
            misses = np.flatnonzero(~named_here)
            first = int(misses[-1]) + 1 if len(misses) else 0
            found.append(float(when[-1] - when[first]) if first < len(rows) else 0.0)
    return np.array(found)


def bars(leads: Floats) -> list[dict[str, float]]:
    """Return counts of lead times in steps of like width, the shortest first."""
    top = float(leads.max()) if len(leads) else 0.0
    edges = np.linspace(0, top, BARS + 1) if top else np.array([0.0, 0.0])
    counts = np.histogram(leads, edges)[0] if top else np.array([len(leads)])
    return [{"until": float(edge), "left": int(count)} for edge, count in zip(edges[1:], counts, strict=True)]


def middle(leads: Sequence[float] | Floats) -> float | None:
    """Return the middle lead time; None without any."""
    return float(np.median(leads)) if len(leads) else None
