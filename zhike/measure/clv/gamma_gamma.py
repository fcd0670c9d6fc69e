"""Gamma-Gamma: what a purchase of a customer is worth, drawn towards the average when few were seen."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from scipy.special import gammaln, psi

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure.clv.fitting import Caution, Model
from zhike.measure.clv.histories import (
    EVENTS_PER_PARAMETER,
    Distinct,
    Floats,
    NotPositive,
    NotWhole,
    Numbers,
    as_columns,
    distinct,
    dot,
    refuse_few,
    refuse_where,
)

DEPENDENT = 0.2
"""Correlation of spend with frequency, either way, past which the model's independence is doubted."""


class NoMean(Refusal):
    message = _("The spend of these customers has no finite average (q = %(q)s is not above 1), so none can be told.")


SPEND_DEPENDS = _(
    "How much customers spend goes along with how often they buy (correlation %(correlation)s). "
    "Gamma-Gamma takes the two as independent, so values of frequent buyers are off."
)


class GammaGamma(Model):
    """Gamma-Gamma of Fader & Hardie (2013), note 025, after Colombo & Jiang (1999).

    Single purchases of a customer are Gamma(p, rate ν), and ν ~ Gamma(q, rate v). `v` is in units of money.
    """

    NAME: ClassVar[str] = "Gamma-Gamma"
    NAMES: ClassVar[tuple[str, ...]] = ("p", "q", "v")

    def fit(self, x: Numbers, mean_spend: Numbers, weights: Numbers | None = None, *, limits: bool = False) -> Self:
        """Fit to repeat purchases by maximum likelihood and return self.

        `x` purchases (whole), `mean_spend` their average in money, `weights` how many customers a row stands for;
        shape (n,) each. Rows with x = 0 tell nothing and are left out; of the others mean_spend must be above 0.
        `cautions` holds `spend_depends_on_frequency` when the correlation of the two is beyond 0.2 either way and
        more than chance. Raises BadHistory, FewRepeatBuyers (fewer than ten per parameter), and RunsAway when a
        parameter has no best value (such as when customers do not differ), unless `limits` takes the edge of the
        search for it.
        """
        columns = as_columns({"x": x, "mean_spend": mean_spend}, weights)
        count, spend, heavy = columns["x"], columns["mean_spend"], columns["weights"]
        refuse_where(count != np.floor(count), "x", count, NotWhole)
        bought = count > 0
        refuse_where(bought & (spend <= 0), "mean_spend", spend, NotPositive)
        needs = EVENTS_PER_PARAMETER * len(self.NAMES)
        refuse_few(float(heavy[bought].sum()), float(heavy.sum()), needs=needs, model=self.NAME)
        rows = distinct((count[bought], spend[bought]), heavy[bought])
        middle = dot(rows.weights, rows.columns[1]) / rows.total
        self._climb(Likelihood(rows), np.array([2.0, 3.0, middle]), rows.total, limits=limits)
        self.cautions += _dependence(rows)
        return self

    def expected_spend(self, x: Numbers | None = None, mean_spend: Numbers | None = None) -> Floats:
        """Return the money expected of a purchase: of customers with `x` purchases of `mean_spend`, or of a new one.

        Note 025, equation 5: p (v + x · mean_spend) / (p x + q - 1). Arguments broadcast. Raises NotFitted, and
        NoMean where q ≤ 1 leaves no average for who has not bought.
        """
        p, q, v = self.values
        count = np.asarray(0.0 if x is None else x, dtype=np.float64)
        spend = np.asarray(0.0 if mean_spend is None else mean_spend, dtype=np.float64)
        below = p * count + q - 1
        if (below <= 0).any():
            raise NoMean(q=f"{q:.3g}")
        return np.asarray(p * (v + count * spend) / below)


def _dependence(rows: Distinct) -> tuple[Caution, ...]:
    count, spend = rows.columns
    if np.ptp(count) == 0 or np.ptp(spend) == 0:
        return ()
    spread = np.cov(count, spend, aweights=rows.weights)
    found = float(spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1]))
    if abs(found) <= max(DEPENDENT, 2 / np.sqrt(rows.total)):
        return ()
    return (Caution("spend_depends_on_frequency", "mean_spend", SPEND_DEPENDS, {"correlation": f"{found:.2f}"}),)


class Likelihood:
    """Log-likelihood and gradient over distinct (x, mean spend)."""

    def __init__(self, rows: Distinct) -> None:
        self.x, self.spend = rows.columns
        self.weights, self.total = rows.weights, rows.total

    def __call__(self, values: Floats) -> tuple[float, Floats]:
        p, q, v = map(float, values)
        x, spend, weights = self.x, self.spend, self.weights
        shape = p * x
        all_spent = x * spend
        below = np.log(v + all_spent)
        height = dot(
            weights,
            gammaln(shape + q)
            - gammaln(shape)
            + q * (np.log(v) - below)
            + shape * (np.log(all_spent) - below)
            - np.log(spend),
        ) - self.total * gammaln(q)
        more = psi(shape + q)
        slope = np.array(
            [
                dot(weights, x * (more - psi(shape) + np.log(all_spent) - below)),
                dot(weights, more + np.log(v) - below) - self.total * psi(q),
                dot(weights, q / v - (shape + q) / (v + all_spent)),
            ]
        )
        return float(height), slope
