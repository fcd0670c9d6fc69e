"""From scores to probabilities that come true, and from which probability on a text is answered at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from zhike.measure.mining.folds import Ints

Floats = npt.NDArray[np.float64]

BINS = 10
BEND_FROM = 100
SURE = 0.9
LEAST = 0.6  # An answer that is hardly better than the toss of a coin is none, however good the others are.
NEVER = 1.01
ONE_SIDED_90 = 1.2815515655446004


@dataclass(frozen=True, slots=True)
class Calibration:
    """One slope for all scores, one for what was believed before, and a step for each label."""

    slope: float
    trust: float
    steps: Floats

    def logarithms(self, scores: Floats, before: Floats | None = None) -> Floats:
        """Return the logarithms of the probabilities of each label."""
        found = self.slope * scores + self.steps
        if before is not None:
            found = found + self.trust * before
        highest = found.max(axis=1, keepdims=True)
        return np.asarray(found - highest - np.log(np.exp(found - highest).sum(axis=1, keepdims=True)))

    def probabilities(self, scores: Floats, before: Floats | None = None) -> Floats:
        return np.asarray(np.exp(self.logarithms(scores, before)))


def calibrate(scores: Floats, labels: Ints, before: Floats | None = None) -> Calibration:
    """Return the most likely calibration of scores of texts that were not learnt from (Platt 1999, one slope for all).

    `before` are logarithms of probabilities that were believed without any label. The steps are held back as if one
    text per label more had spoken for none.
    """
    rows, count = scores.shape
    truth = np.zeros_like(scores)
    truth[np.arange(rows), labels] = 1.0
    hold = 1.0 / rows

    def loss(parameters: Floats) -> tuple[float, Floats]:
        made = Calibration(parameters[0], parameters[1], parameters[2:])
        logs = made.logarithms(scores, before)
        off = (np.exp(logs) - truth) / rows
        slopes = [float((off * scores).sum()), float((off * before).sum()) if before is not None else 0.0]
        value = -float(logs[np.arange(rows), labels].mean()) + 0.5 * hold * float(parameters[2:] @ parameters[2:])
        return value, np.concatenate([slopes, off.sum(axis=0) + hold * parameters[2:]])

    start = np.concatenate([[1.0, 1.0 if before is not None else 0.0], np.zeros(count)])
    bounds = [(0.0, 50.0), (0.0, 5.0 if before is not None else 0.0), *([(-10.0, 10.0)] * count)]
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return Calibration(float(found.x[0]), float(found.x[1]), np.asarray(found.x[2:]))


@dataclass(frozen=True, slots=True)
class Bend:
    """What the stated probability of a best label is worth: a logistic curve of its log-odds and their square."""

    terms: tuple[float, float, float] = (0.0, 1.0, 0.0)

    def __call__(self, best: Floats) -> Floats:
        """Return the confidence in answers of these probabilities."""
        odds = _odds(best)
        start, slope, curve = self.terms
        return np.asarray(1.0 / (1.0 + np.exp(-(start + slope * odds + curve * odds * odds))))


def bend(best: Floats, right: npt.NDArray[np.bool_]) -> Bend:
    """Learn from answers that were right or wrong what their stated probabilities are worth; of few, believe them.

    Texts that have several labels, and labels that shade into each other, make a model claim too much or too little.
    """
    if len(best) < BEND_FROM or right.all() or not right.any():
        return Bend()
    odds = _odds(best)
    for most in (3, 2):
        start, slope, curve = (*_curve(odds, right, most), 0.0)[:3]
        turn = -slope / (2 * curve) if curve else np.inf
        if slope > 0 and not odds.min() < turn < odds.max():  # It must rise: a surer text is never less sure.
            return Bend((start, slope, curve))
    return Bend()


def _curve(odds: Floats, right: npt.NDArray[np.bool_], most: int) -> list[float]:
    """Return the likeliest start, slope and (of three) curve, held a little towards believing what is stated."""
    columns = np.stack([np.ones_like(odds), odds, odds * odds][:most])
    hold = np.array([0.0, 1.0, 0.0][:most])

    def loss(parameters: Floats) -> tuple[float, Floats]:
        said = parameters @ columns
        off = 1.0 / (1.0 + np.exp(-said)) - right
        away = parameters - hold
        value = float(np.logaddexp(0.0, said).sum() - said[right].sum() + 2.0 * away @ away)
        return value, columns @ off + 4.0 * away

    return [float(one) for one in optimize.minimize(loss, hold, jac=True, method="L-BFGS-B").x]


def _odds(best: Floats) -> Floats:
    held = np.clip(best, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(held / (1 - held)))


def threshold(confidence: Floats, right: npt.NDArray[np.bool_], *, sure: float = SURE) -> float:
    """Return the least confidence from which on answers are right in at least the share `sure`.

    The share is taken at the lower end of Wilson's one-sided 90 % interval, so that a lucky few do not count as proof.
    NEVER when no confidence is enough; never below LEAST.
    """
    if not len(confidence):
        return NEVER
    order = np.argsort(-confidence, kind="stable")
    ordered = confidence[order]
    low = _lower(np.cumsum(right[order]), np.arange(1, len(order) + 1))
    last_of_its_value = np.append(ordered[1:] < ordered[:-1], True)
    enough = np.flatnonzero((low >= sure) & last_of_its_value)
    return max(LEAST, float(ordered[enough[-1]])) if len(enough) else NEVER


def _lower(right: Ints, of: Ints) -> Floats:
    z2 = ONE_SIDED_90**2
    share = right / of
    middle = share + z2 / (2 * of)
    spread = ONE_SIDED_90 * np.sqrt(share * (1 - share) / of + z2 / (4.0 * of * of))
    return np.asarray((middle - spread) / (1 + z2 / of))


def calibration_error(confidence: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Return the expected calibration error of the answers: ten bins of confidence, weighed by their texts."""
    return sum(share * abs(stated - true) for share, stated, true in reliability(confidence, right))


def reliability(confidence: Floats, right: npt.NDArray[np.bool_]) -> list[tuple[float, float, float]]:
    """Return share of texts, mean confidence and share right of each bin of confidence that holds a text."""
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return [
        (float(here.mean()), float(confidence[here].mean()), float(right[here].mean()))
        for bin_ in range(BINS)
        if (here := place == bin_).any()
    ]
