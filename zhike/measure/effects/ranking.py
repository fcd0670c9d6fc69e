"""How well a ranking says who responds to a treatment drawn by lot: uplift and Qini curves and the areas under them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhike.measure.churn.tables import Flags, Floats, Rows


class TwoAnswers(ValueError):
    """A ranking is judged by outcomes of 0 and 1 of treated and untreated rows."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What is gained by treating the first `rows` of a ranking, from none to all of them."""

    rows: Floats
    gain: Floats

    @property
    def area(self) -> float:
        return float((np.diff(self.rows) * (self.gain[1:] + self.gain[:-1]) / 2).sum())

    @property
    def by_lot(self) -> float:
        """The area when rows are treated in any order."""
        return float(self.rows[-1] * self.gain[-1] / 2)


@dataclass(frozen=True, slots=True)
class Ranking:
    """How a ranking did; every figure is 0, in the mean of lots, for a ranking by nothing.

    `qini` and `uplift` are areas between curve and random order, as shares of those of a ranking that knew both who was
    treated and who answered: nothing real comes near 1. `q` is the area between the Qini curve per head and random
    order, in the unit of the outcome's rate.
    """

    qini: float
    uplift: float
    q: float


def judge(outcome: Floats, treated: Flags, score: Floats) -> Ranking:
    """Return how a ranking did, highest score first; rows of the same score are taken together.

    `qini` and `uplift` are defined as `qini_auc_score` and `uplift_auc_score` of scikit-uplift are, `q` as `Q_qini` of
    pylift is; the Qini curve is that of Radcliffe (2007), *Direct Marketing Analytics Journal*, 14. Raises TwoAnswers
    for outcomes other than 0 and 1, or without treated or untreated rows.
    """
    if not np.isin(outcome, (0.0, 1.0)).all() or treated.all() or not treated.any():
        raise TwoAnswers
    answered = outcome > 0
    rather = (answered & ~treated).sum() > (~answered & treated).sum()
    knows = 2.0 * (answered == treated) + (answered if rather else treated)
    signed = outcome * np.where(treated, 1.0, -1.0)
    found, best = uplift_curve(outcome, treated, score), uplift_curve(outcome, treated, knows)
    seen, most = qini_curve(outcome, treated, score), qini_curve(outcome, treated, signed)
    return Ranking(_share(seen, most), _share(found, best), _per_head(outcome, treated, score))


def uplift_curve(outcome: Floats, treated: Flags, score: Floats) -> Curve:
    """Return rows treated by the difference of rates among them."""
    steps = _Steps.of(outcome, treated, score)
    return steps.curve(steps.rows * (_ratio(steps.hits, steps.many) - _ratio(steps.other_hits, steps.others)))


def qini_curve(outcome: Floats, treated: Flags, score: Floats) -> Curve:
    """Return answers of the treated less those of as many untreated."""
    steps = _Steps.of(outcome, treated, score)
    return steps.curve(steps.hits - steps.other_hits * _ratio(steps.many, steps.others))


def uplift_at(outcome: Floats, treated: Flags, score: Floats, share: float) -> float:
    """Return the difference of means among the highest `share` of rows; NaN without treated or untreated among them."""
    first = ordered(score)[: max(1, int(len(score) * share))]
    held = treated[first]
    if held.all() or not held.any():
        return float("nan")
    return float(outcome[first][held].mean() - outcome[first][~held].mean())


def ordered(score: Floats) -> Rows:
    """Return the rows from the highest score, those of the same score as they stood."""
    return np.argsort(-score, kind="stable")


@dataclass(frozen=True, slots=True)
class _Steps:
    """Counts at each step of a ranking: rows, treated and untreated, and the answers of both."""

    rows: Floats
    many: Floats
    others: Floats
    hits: Floats
    other_hits: Floats

    @classmethod
    def of(cls, outcome: Floats, treated: Flags, score: Floats) -> _Steps:
        order = ordered(score)
        held, said = treated[order].astype(np.float64), outcome[order]
        last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
        many, hits, every = (np.cumsum(one)[last] for one in (held, held * said, said))
        rows = last + 1.0
        return cls(rows, many, rows - many, hits, every - hits)

    def curve(self, gain: Floats) -> Curve:
        return Curve(np.append(0.0, self.rows), np.append(0.0, gain))


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)


def _share(found: Curve, best: Curve) -> float:
    room = best.area - best.by_lot
    return (found.area - best.by_lot) / room if room else 0.0


def _per_head(outcome: Floats, treated: Flags, score: Floats) -> float:
    steps = _Steps.of(outcome, treated, score)
    curve = steps.curve(steps.hits / steps.many[-1] - steps.other_hits / steps.others[-1])
    return (curve.area - curve.by_lot) / len(score)
