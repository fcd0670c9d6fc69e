"""The figures of a trial, each with an interval by bootstrap of customers.

A customer appears on many days, so days of the same customer are no independent evidence: each repetition draws
customers, with all of their rows (the cluster bootstrap; Davison and Hinkley 1997, *Bootstrap Methods*, 3.8), by
weights that are Poisson distributed with mean 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Whole = NDArray[np.int64]

REPETITIONS = 200
SEED = 20_261_122
LEVEL = 0.95
LEVELS = 1001  # Scores are tenths of points from 0 to 100.
WORST = 0.1


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval; all None where there is nothing to count."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Judged:
    """How a score did.

    `auc` is the probability that a customer who was lost scored lower than one who stayed. `capture` is the share of
    the lost who stood in the worst tenth of their day. `false_alarms` is the share of alarms (health below the limit
    of the plan) after which the customer stayed; `alarms` the share of customers in alarm. `warning` is the median
    number of days that a lost customer had been in alarm without a break.
    """

    auc: Figure
    capture: Figure
    false_alarms: Figure
    alarms: Figure
    warning: Figure


@dataclass(frozen=True)
class Rows:
    """Scored customers on past days, as arrays of one length.

    `customer` counts customers from 0, `day` days from 0; `lost` is 1.0 for those lost within the horizon. `events`
    are the losses with the days of warning, by customer.
    """

    customer: Whole
    day: Whole
    score: Whole
    lost: Numbers
    limit: int
    event_customer: Whole
    event_warning: Numbers


def weights(customers: int) -> list[Numbers]:
    """Return the weights of each repetition, by customer; the same for every score, so that differences are paired."""
    draw = np.random.default_rng(SEED)
    return [draw.poisson(1.0, customers).astype(np.float64) for _turn in range(REPETITIONS)]


def judge(rows: Rows, drawn: Sequence[Numbers]) -> Judged:
    """Return the figures of one score."""
    worst = in_worst_tenth(rows.score, rows.day)
    alarmed = (rows.score < rows.limit).astype(np.float64)
    order = np.argsort(rows.event_warning, kind="stable")
    return Judged(
        auc=_figure(lambda w: auc(rows.score, rows.lost, w), rows, drawn),
        capture=_figure(lambda w: _ratio(w * rows.lost * worst, w * rows.lost), rows, drawn),
        false_alarms=_figure(lambda w: _ratio(w * alarmed * (1 - rows.lost), w * alarmed), rows, drawn),
        alarms=_figure(lambda w: _ratio(w * alarmed, w), rows, drawn),
        warning=_warning(rows, order, drawn),
    )


def difference(one: Rows, other: Rows, drawn: Sequence[Numbers]) -> Figure:
    """Return the AUC of the second score less that of the first, over the same rows."""

    def by(weight: Numbers) -> float | None:
        first, second = auc(one.score, one.lost, weight), auc(other.score, other.lost, weight)
        return None if first is None or second is None else second - first

    return _figure(by, one, drawn)


def auc(score: Whole, lost: Numbers, weight: Numbers) -> float | None:
    """Return the weighed probability that a lost one scored below one who stayed, ties counted half."""
    bad = np.bincount(score, weight * lost, LEVELS)
    good = np.bincount(score, weight * (1 - lost), LEVELS)
    if not bad.sum() or not good.sum():
        return None
    above = good.sum() - np.cumsum(good)
    return float((bad * (above + good / 2)).sum() / (bad.sum() * good.sum()))


def in_worst_tenth(score: Whole, day: Whole) -> Numbers:
    """Return 1.0 for rows in the lowest tenth of their day, 0.0 for others, a share for those on its edge."""
    found = np.zeros(len(score))
    for each in np.unique(day):
        place = day == each
        counted = np.bincount(score[place], minlength=LEVELS)
        below = np.cumsum(counted) - counted
        room = WORST * place.sum() - below
        share = np.clip(room / np.maximum(counted, 1), 0.0, 1.0)
        found[place] = share[score[place]]
    return found


def deciles(rows: Rows) -> list[float | None]:
    """Return the share of lost by tenths of the score, the worst tenth first, ties kept in the order of customers."""
    order = np.lexsort((rows.customer, rows.score))
    parts = np.array_split(rows.lost[order], 10)
    return [round(float(part.mean()), 4) if len(part) else None for part in parts]


def _figure(count: Callable[[Numbers], float | None], rows: Rows, drawn: Sequence[Numbers]) -> Figure:
    value = count(np.ones(len(rows.customer)))
    if value is None:
        return Figure(None)
    found = [each for weight in drawn if (each := count(weight[rows.customer])) is not None]
    return _with_interval(value, found)


def _with_interval(value: float, found: Sequence[float]) -> Figure:
    if len(found) < REPETITIONS // 2:
        return Figure(round(value, 4))
    low, high = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(round(value, 4), round(float(low), 4), round(float(high), 4))


def _ratio(part: Numbers, whole: Numbers) -> float | None:
    total = whole.sum()
    return float(part.sum() / total) if total else None


def _warning(rows: Rows, order: Whole, drawn: Sequence[Numbers]) -> Figure:
    """Return the weighed median of the days of warning."""
    if not len(order):
        return Figure(None)
    days, who = rows.event_warning[order], rows.event_customer[order]

    def median(weight: Numbers) -> float | None:
        heaped = np.cumsum(weight)
        return float(days[np.searchsorted(heaped, heaped[-1] / 2)]) if heaped[-1] else None

    value = median(np.ones(len(days)))
    found = [each for weight in drawn if (each := median(weight[who])) is not None]
    return Figure(None) if value is None else _with_interval(value, found)
