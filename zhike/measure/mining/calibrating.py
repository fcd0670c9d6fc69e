"""From scores to probabilities that come true, and from which probability on a text is answered at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from zhike.measure.mining.folds import Ints

Floats = npt.NDArray[np.float64]

BINS = 10
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
