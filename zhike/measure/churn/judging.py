"""How good a score is: order (AUC with its interval), distance (Brier, log-loss), calibration, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from zhike.measure.churn.tables import Flags, Floats

BINS = 10
LEAST = 1e-7


@dataclass(frozen=True, slots=True)
class Auc:
    """The area under the curve with its interval of 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of a like score: how many, what was said on average, and what happened."""

    rows: int
    said: float
    happened: float
    low: float
    high: float


def auc(positive: Flags, score: Floats, group: npt.NDArray[np.uint64] | None = None) -> Auc:
    """Return the area with DeLong's interval on the logit scale (DeLong et al. 1988, fast form of Sun & Xu 2014).

    Needs rows of both kinds. Rows of one `group`, as those of a customer on many days, are one piece of evidence
    (Obuchowski 1997). A variance of nothing, as with perfect order, is drawn from the counts instead.
    """
    hits, misses = score[positive], score[~positive]
    m, n = len(hits), len(misses)
    ranks = ranked(np.concatenate([hits, misses]))
    own_hits, own_misses = ranked(hits), ranked(misses)
    value = float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))
    seen_by_hits = (ranks[:m] - own_hits) / n
    seen_by_misses = 1 - (ranks[m:] - own_misses) / m
    variance = (seen_by_hits.var(ddof=1) / m if m > 1 else 0.0) + (seen_by_misses.var(ddof=1) / n if n > 1 else 0.0)
    if group is not None:
        variance = max(float(variance), _clustered(positive, group, seen_by_hits - value, seen_by_misses - value))
    variance = max(float(variance), 0.25 / (m * n) ** 1.0 if value in {0.0, 1.0} else 1e-12, 1e-12)
    inside = min(max(value, 0.5 / (m * n)), 1 - 0.5 / (m * n))
    centre, step = np.log(inside / (1 - inside)), 1.96 * np.sqrt(variance) / (inside * (1 - inside))
    low, high = (float(1 / (1 + np.exp(-np.clip(centre + sign * step, -50, 50)))) for sign in (-1, 1))
    return Auc(value, min(low, value), max(high, value))


def ranked(values: Floats) -> Floats:
    """Return the rank of each value from 1, equal values sharing the middle of theirs (as scipy.stats.rankdata)."""
    order = np.argsort(values, kind="stable")
    held = values[order]
    first = np.append(True, held[1:] != held[:-1])
    starts = np.append(np.flatnonzero(first), len(values))
    middle = (starts[:-1] + starts[1:] + 1) / 2
    ranks: Floats = np.empty(len(values))
    ranks[order] = middle[np.cumsum(first) - 1]
    return ranks


def _clustered(positive: Flags, group: npt.NDArray[np.uint64], seen_by_hits: Floats, seen_by_misses: Floats) -> float:
    """Return the variance of the area when only groups, not rows, are drawn independently of each other."""
    pull = np.zeros(len(positive))
    pull[positive], pull[~positive] = seen_by_hits / len(seen_by_hits), seen_by_misses / len(seen_by_misses)
    place = np.unique(group, return_inverse=True)[1]
    each = np.bincount(place, weights=pull)
    return float((each**2).sum() * len(each) / max(1, len(each) - 1))


def plain_auc(positive: Flags, score: Floats) -> float:
    """Return the area alone; 0.5 when there are not rows of both kinds."""
    m, n = int(positive.sum()), int((~positive).sum())
    if not m or not n:
        return 0.5
    return float((ranked(score)[positive].sum() - m * (m + 1) / 2) / (m * n))


def error_of_mean(values: Floats, group: npt.NDArray[np.uint64] | None) -> float:
    """Return the standard error of a mean of rows, or of groups of rows that belong together."""
    away = values - values.mean()
    if group is not None:
        away = np.bincount(np.unique(group, return_inverse=True)[1], weights=away)
    return float(np.sqrt((away**2).sum())) / max(1, len(values))


def probability(log_odds: Floats) -> Floats:
    """Return the probability of log-odds."""
    found: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -500, 500)))
    return found


def brier(positive: Flags, chance: Floats) -> float:
    """Return the mean squared distance."""
    return float(((chance - positive) ** 2).mean())


def log_loss(positive: Flags, chance: Floats) -> float:
    """Return the mean of minus the logarithm of what was said of what happened."""
    return float(losses(positive, chance).mean())


def losses(positive: Flags, chance: Floats) -> Floats:
    """Return the logarithmic loss of each row."""
    held = np.clip(chance, LEAST, 1 - LEAST)
    found: Floats = -np.where(positive, np.log(held), np.log(1 - held))
    return found


def precision_area(positive: Flags, score: Floats) -> float:
    """Return the average precision (area under precision and recall)."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    last = np.append(np.diff(score[order]) != 0, True)
    precision = (hits / np.arange(1, len(hits) + 1))[last]
    recall = (hits / max(1, hits[-1]))[last]
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def groups(positive: Flags, chance: Floats, bins: int = BINS) -> list[Group]:
    """Return the rows in groups of like size by score, with the interval of Wilson for what happened."""
    order = np.argsort(chance, kind="stable")
    found = []
    for part in np.array_split(order, min(bins, max(1, len(order)))):
        low, high = wilson(int(positive[part].sum()), len(part))
        found.append(Group(len(part), float(chance[part].mean()), float(positive[part].mean()), low, high))
    return found


def ece(positive: Flags, chance: Floats, bins: int = BINS) -> float:
    """Return the expected calibration error over groups of like width of score, weighted by rows."""
    at = np.minimum((chance * bins).astype(int), bins - 1)
    rows = np.bincount(at, minlength=bins)
    gap = np.abs(np.bincount(at, weights=chance, minlength=bins) - np.bincount(at, weights=positive, minlength=bins))
    return float(gap.sum() / max(1, rows.sum()))


def wilson(hits: float, rows: float, sure: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share (Wilson 1927)."""
    if rows <= 0:
        return 0.0, 1.0
    z = float(ndtri(0.5 + sure / 2))
    share = hits / rows
    middle = (share + z * z / (2 * rows)) / (1 + z * z / rows)
    wide = z * np.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows)) / (1 + z * z / rows)
    return max(0.0, float(middle - wide)), min(1.0, float(middle + wide))


def lift(
    positive: Flags, score: Floats, shares: npt.ArrayLike = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5)
) -> list[dict[str, float]]:
    """Return for the highest share of rows: how many of the hits are among them, and how many times the usual rate."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    found = []
    for share in np.asarray(shares):
        rows = max(1, round(float(share) * len(order)))
        caught = float(hits[rows - 1] / max(1, hits[-1]))
        found.append({"share": float(share), "rows": rows, "caught": caught, "lift": caught * len(order) / rows})
    return found


def calibrated(positive: Flags, log_odds: Floats) -> tuple[float, float]:
    """Return slope and shift that bring log-odds nearest to what happened (Platt 1999); 1 and 0 where they cannot."""
    slope, shift = 1.0, 0.0
    target = positive.astype(np.float64)
    for _step in range(50):
        chance = probability(slope * log_odds + shift)
        weight = np.maximum(chance * (1 - chance), 1e-12)
        # A light pull towards 1 and 0, worth two rows, keeps perfect order finite.
        gradient = np.array(
            [(log_odds * (target - chance)).sum() - 2 * (slope - 1), (target - chance).sum() - 0.1 * shift]
        )
        cross = (weight * log_odds).sum()
        matrix = np.array([[(weight * log_odds**2).sum() + 2, cross], [cross, weight.sum() + 0.1]])
        step = np.linalg.solve(matrix, gradient)
        slope, shift = slope + float(np.clip(step[0], -1, 1)), shift + float(np.clip(step[1], -2, 2))
        if np.abs(step).max() < 1e-9:
            break
    return (slope, shift) if slope > 0 else (1.0, shift)
