"""Forecasts of a million customers at once.

In these models a forecast is the probability alive times something that depends on x and T only. So that is computed
for one last purchase, at T itself, and for some T of each x, between which a cubic through its logarithm passes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.interpolate import PchipInterpolator

from zhike.measure.clv import BetaGeo, ParetoNBD
from zhike.measure.clv.histories import Floats
from zhike.measure.clv.summaries import DAYS_A_WEEK
from zhike.measure.clv.value import discounted_purchases

Buying = BetaGeo | ParetoNBD
GRID = 48  # Lengths of observation between which a forecast is interpolated.


def expected_for(model: Buying, weeks: float, x: Floats, watched: Floats) -> Floats:
    """Return the purchases that living customers make within the weeks to come; x and T as in the models."""
    return _each(x, watched, partial(_expected, model, weeks))


def discounted_for(model: Buying, rate: float, weeks: float, x: Floats, watched: Floats) -> Floats:
    """Return the same, each purchase discounted to now at a rate a week."""
    return _each(x, watched, partial(_discounted, model, rate, weeks))


def _expected(model: Buying, weeks: float, count: Floats, ends: Floats) -> Floats:
    return np.asarray(model.expected_purchases(weeks, count, ends, ends) / model.p_alive(count, ends, ends))


def _discounted(model: Buying, rate: float, weeks: float, count: Floats, ends: Floats) -> Floats:
    return np.asarray(discounted_purchases(model, rate, weeks, count, ends, ends) / model.p_alive(count, ends, ends))


def _each(x: Floats, watched: Floats, per_alive: Callable[[Floats, Floats], Floats]) -> Floats:
    found = np.empty(len(x))
    for count in np.unique(x):
        places = np.flatnonzero(x == count)
        ends = np.unique(watched[places])
        if len(ends) > GRID:
            wanted = np.linspace(0, 1, GRID) ** 2 * (ends[-1] - ends[0]) + ends[0]
            logs = np.log(np.maximum(per_alive(np.full(GRID, count), _after(wanted, count)), 1e-300))
            found[places] = np.exp(PchipInterpolator(wanted, logs)(watched[places]))
        else:
            each = per_alive(np.full(len(ends), count), _after(ends, count))
            found[places] = each[np.searchsorted(ends, watched[places])]
    return found


def _after(ends: Floats, count: float) -> Floats:
    # Somebody who bought again was watched for some time.
    return np.maximum(ends, 1 / DAYS_A_WEEK) if count else ends
