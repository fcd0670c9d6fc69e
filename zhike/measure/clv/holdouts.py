"""Forecasts held to what happened: totals, errors per customer, by frequency and week by week."""

from __future__ import annotations

import numpy as np

from zhike.measure.clv.histories import Floats
from zhike.measure.clv.summaries import DAYS_A_WEEK, Summary
from zhike.measure.clv.value import Forecasts

GROUPS = 7
"""Customers with so many repeat purchases or more are the last group."""


def errors(actual: Floats, predicted: Floats) -> dict[str, float | None]:
    """Return total, relative error of the total, MAE and RMSE per customer, and the correlation of a forecast.

    The relative error is None when nothing was bought, the correlation when one side does not vary.
    """
    away = predicted - actual
    varies = len(actual) > 1 and np.ptp(actual) > 0 and np.ptp(predicted) > 0
    total = float(actual.sum())
    return {
        "predicted": float(predicted.sum()),
        "error": float(away.sum()) / total if total else None,
        "mae": float(np.abs(away).mean()),
        "rmse": float(np.sqrt((away**2).mean())),
        "correlation": float(np.corrcoef(actual, predicted)[0, 1]) if varies else None,
    }


def constant_rate(summary: Summary, weeks: float) -> Floats:
    """Return the forecast of who thinks that everybody goes on as before: x / T each week. The bar to beat."""
    return np.where(summary.T > 0, summary.x / np.maximum(summary.T, 1e-9), 0.0) * weeks


def by_frequency(summary: Summary, values: Floats) -> list[float | None]:
    """Return the mean of values for customers with 0, 1, … 6 and 7 or more repeat purchases; None for no customer."""
    group = np.minimum(summary.x, GROUPS).astype(np.int64)
    sizes = np.bincount(group, minlength=GROUPS + 1)
    sums = np.bincount(group, weights=values, minlength=GROUPS + 1)
    return [float(total / size) if size else None for total, size in zip(sums, sizes, strict=True)]


def sizes_by_frequency(summary: Summary) -> list[int]:
    """Return how many customers each of these groups has."""
    return list(map(int, np.bincount(np.minimum(summary.x, GROUPS).astype(np.int64), minlength=GROUPS + 1)))


def tracked(summary: Summary, weeks: int) -> list[int]:
    """Return the repeat purchases of all these customers up to the end of each week since the very first purchase."""
    # The first week has seven days, the first of them included.
    ends = int(summary.first.min()) + DAYS_A_WEEK * np.arange(1, weeks + 1) - 1
    return list(map(int, np.searchsorted(summary.repeat_days, ends, side="right")))


def expected_track(model: Forecasts, summary: Summary, weeks: int) -> list[float]:
    """Return the repeat purchases that a model expects of these customers, all taken as new, up to each week's end."""
    births, sizes = np.unique(summary.first, return_counts=True)
    begun = (births - births[0]) / DAYS_A_WEEK
    since = np.maximum(0.0, np.arange(1, weeks + 1)[:, None] - begun[None, :])
    return list(map(float, (model.expected_purchases(since) * sizes).sum(axis=1)))
