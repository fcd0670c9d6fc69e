"""BG/BB: customers who can buy only on given occasions, such as one a year."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from scipy.special import betaln, psi

from zhike.kit.refusal import gettext_noop as _
from zhike.measure.clv.fitting import Model
from zhike.measure.clv.histories import (
    EVENTS_PER_PARAMETER,
    BadHistory,
    Distinct,
    Floats,
    LastAfterEnd,
    NotWhole,
    Numbers,
    TimeWithoutRepeat,
    as_columns,
    distinct,
    refuse_few,
    refuse_where,
)


class MoreThanOccasions(BadHistory):
    message = _("Row %(row)s: more purchases (x = %(found)s) than there were occasions up to the last one (t_x).")


class BetaGeoBetaBinomial(Model):
    """BG/BB of Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual Setting.

    While alive, a customer buys on an occasion with probability p ~ Beta(alpha, beta); at the beginning of each he
    leaves with probability θ ~ Beta(gamma, delta). Marketing Science 29(6), 1086-1108.
    """

    NAME: ClassVar[str] = "BG/BB"
    NAMES: ClassVar[tuple[str, ...]] = ("alpha", "beta", "gamma", "delta")

    def fit(self, x: Numbers, t_x: Numbers, n: Numbers, weights: Numbers | None = None) -> Self:
        """Fit to histories by maximum likelihood and return self.

        `x` purchases on the `n` occasions after the first purchase, the last of them on occasion `t_x` (0 when x is
        0): whole numbers of shape (n,), `weights` customers per row. Raises BadHistory, FewRepeatBuyers, RunsAway.
        """
        columns = as_columns({"x": x, "t_x": t_x, "n": n}, weights)
        bought, last, chances, heavy = columns["x"], columns["t_x"], columns["n"], columns["weights"]
        for name in ("x", "t_x", "n"):
            refuse_where(columns[name] != np.floor(columns[name]), name, columns[name], NotWhole)
        refuse_where(last > chances, "t_x", last, LastAfterEnd)
        refuse_where((bought == 0) & (last > 0), "t_x", last, TimeWithoutRepeat)
        refuse_where(bought > last, "x", bought, MoreThanOccasions)
        needs = EVENTS_PER_PARAMETER * len(self.NAMES)
        refuse_few(float(heavy[bought > 0].sum()), float(heavy.sum()), needs=needs, model=self.NAME)
        rows = distinct((bought, last, chances), heavy)
        return self._climb(Likelihood(rows), np.ones(4), rows.total)

    def expected_purchases(
        self, occasions: int, x: Numbers | None = None, t_x: Numbers | None = None, n: Numbers | None = None
    ) -> Floats:
        """Return the purchases expected on the next `occasions` (whole): of a new customer, or after a history.

        The sums behind the closed forms of the paper, which fail at gamma = 1: the chance to buy, times the chances
        to be alive still. Raises NotFitted, ValueError.
        """
        alpha, beta, gamma, delta = self.values
        if x is None or t_x is None or n is None:
            if not (x is None and t_x is None and n is None):
                raise ValueError("x, t_x and n belong together.")
            bought = chances = np.zeros(())
            alive = np.ones(())
        else:
            bought, chances = np.asarray(x, dtype=np.float64), np.asarray(n, dtype=np.float64)
            alive = self.p_alive(x, t_x, n)
        later = np.multiply.outer(np.arange(1, occasions + 1), np.ones_like(chances)) + chances
        lives = np.exp(betaln(gamma, delta + later) - betaln(gamma, delta + chances)).sum(axis=0)
        return np.asarray(alive * (alpha + bought) / (alpha + beta + chances) * lives)

    def p_alive(self, x: Numbers, t_x: Numbers, n: Numbers) -> Floats:
        """Return the probability that customers are still alive after occasion `n` (not: at the next one)."""
        columns = np.broadcast_arrays(*(np.atleast_1d(np.asarray(each, dtype=np.float64)) for each in (x, t_x, n)))
        rows = distinct(tuple(column.ravel() for column in columns))
        shares, *_rest = Likelihood(rows).endings(np.array(self.values))
        shape = np.broadcast_shapes(np.shape(x), np.shape(t_x), np.shape(n))
        return np.asarray(shares[0][rows.inverse].reshape(shape))


class Likelihood:
    """Log-likelihood and gradient: the sum over the occasions after which a customer may have left, or not yet."""

    def __init__(self, rows: Distinct) -> None:
        self.x, self.t_x, self.n = rows.columns
        self.weights, self.total = rows.weights, rows.total
        most = int((self.n - self.t_x).max(initial=0))
        # Ending 0 is to be alive after n; ending 1 + i to have left right after occasion t_x + i.
        lived = [self.n, *[self.t_x + i for i in range(most)]]
        self.lived = np.array(lived)
        self.gone = np.array([0.0, *[1.0] * most])[:, None] * np.ones_like(self.x)
        self.possible = (self.gone == 0) | (self.lived < self.n)
        self.missed = np.where(self.possible, self.lived - self.x, 0.0)

    def endings(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the share of each ending in the likelihood of each history, and the logarithm of the latter."""
        alpha, beta, gamma, delta = map(float, values)
        each = (
            betaln(alpha + self.x, beta + self.missed)
            - betaln(alpha, beta)
            + betaln(gamma + self.gone, delta + self.lived)
            - betaln(gamma, delta)
        )
        each = np.where(self.possible, each, -np.inf)
        whole = np.logaddexp.reduce(each, axis=0)
        return np.exp(each - whole), whole

    def __call__(self, values: Floats) -> tuple[float, Floats]:
        alpha, beta, gamma, delta = map(float, values)
        shares, whole = self.endings(values)
        buying = psi(alpha + beta) - psi(alpha + beta + self.x + self.missed)
        leaving = psi(gamma + delta) - psi(gamma + delta + self.gone + self.lived)
        slopes = (
            psi(alpha + self.x) - psi(alpha) + buying,
            psi(beta + self.missed) - psi(beta) + buying,
            psi(gamma + self.gone) - psi(gamma) + leaving,
            psi(delta + self.lived) - psi(delta) + leaving,
        )
        return float(self.weights @ whole), np.array([self.weights @ (shares * each).sum(axis=0) for each in slopes])
