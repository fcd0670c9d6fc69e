"""Pareto/NBD: customers buy at rates of their own and leave at a moment nobody sees."""

from __future__ import annotations

import math
from typing import ClassVar, Self

import numpy as np
from scipy.special import gammaln, psi

from zhike.measure.clv.fitting import Model
from zhike.measure.clv.histories import EVENTS_PER_PARAMETER, Distinct, Floats, Numbers, distinct, dot, histories
from zhike.measure.clv.quadrature import interval_nodes

NODES = 32
AT_ONCE = 4_000
SPENT = 45.0  # e^-45 of the integrand is nothing beside its beginning.
Values = tuple[float, float | Floats, float, float | Floats]
"""r, alpha, s, beta: alpha and beta of everybody, or of each customer."""


class ParetoNBD(Model):
    """Pareto/NBD of Schmittlein, Morrison & Colombo (1987), Counting Your Customers, Management Science 33(1).

    While alive, a customer buys at a rate λ ~ Gamma(r, rate alpha); his lifetime is exponential with a rate
    μ ~ Gamma(s, rate beta). `alpha` and `beta` are in units of time; r and s have none.
    """

    NAME: ClassVar[str] = "Pareto/NBD"
    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")

    def fit(
        self, x: Numbers, t_x: Numbers, T: Numbers, weights: Numbers | None = None, *, limits: bool = False
    ) -> Self:
        """Fit to histories by maximum likelihood and return self.

        `x` repeat purchases (whole, ≥ 0), `t_x` time from first to last purchase (0 when x is 0), `T` time from first
        purchase to the end of observation, `weights` how many customers each row stands for: shape (n,) each.
        Raises BadHistory (naming row and column), FewRepeatBuyers (fewer than ten per parameter), and RunsAway when a
        parameter has no best value, unless `limits` takes the edge of the search for it and says so in `cautions`.
        """
        needs = EVENTS_PER_PARAMETER * len(self.NAMES)
        rows = histories(x, t_x, T, weights, needs=needs, model=self.NAME)
        repeats, _last, watched = rows.columns
        rate = dot(rows.weights, watched) / dot(rows.weights, repeats)
        longest = float(watched.max())
        return self._climb(Likelihood(rows), np.array([1.0, rate, 1.0, longest]), rows.total, limits=limits)

    def expected_purchases(
        self, t: Numbers, x: Numbers | None = None, t_x: Numbers | None = None, T: Numbers | None = None
    ) -> Floats:
        """Return the purchases expected in the next `t` units of time, of customers with a history or of new ones.

        Without x, t_x and T: repeat purchases of a new customer in (0, t]. With them: purchases in (T, T + t]
        (Fader & Hardie 2005, A Note on Deriving the Pareto/NBD Model, equations 19 and 41). s = 1 is no exception.
        Arguments broadcast against each other; the result has their common shape. Raises NotFitted, ValueError.
        """
        if x is None or t_x is None or T is None:
            if not (x is None and t_x is None and T is None):
                raise ValueError("x, t_x and T belong together.")
            return while_alive(self._four, np.asarray(t, dtype=np.float64), np.zeros(()), np.zeros(()))
        time, repeats, last, watched = (np.asarray(each, dtype=np.float64) for each in (t, x, t_x, T))
        return np.asarray(while_alive(self._four, time, repeats, watched) * self.p_alive(repeats, last, watched))

    @property
    def _four(self) -> Values:
        r, alpha, s, beta = self.values
        return r, alpha, s, beta

    def p_alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Floats:
        """Return the probability that customers with these histories are still alive at T.

        Schmittlein, Morrison & Colombo (1987), with the integral of `dead` in place of hypergeometric functions.
        """
        columns = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (x, t_x, T)))
        rows = distinct(tuple(column.ravel() for column in columns))
        found = np.empty(len(rows.weights))
        for part in parts(len(found)):
            found[part] = still_alive(self._four, *(column[part] for column in rows.columns))
        return found[rows.inverse].reshape(columns[0].shape)


def while_alive(values: Values, time: Floats, repeats: Floats, watched: Floats) -> Floats:
    """Return the purchases expected in the next `time` of who is alive after `repeats` purchases in `watched`."""
    r, alpha, s, beta = values
    grown = np.log1p(time / (beta + watched))
    # (1 - e^-(s - 1)g) / (s - 1), which is g where s is 1.
    lived = grown if abs(s - 1) < 1e-12 else -np.expm1(-(s - 1) * grown) / (s - 1)
    return np.asarray((r + repeats) * (beta + watched) / (alpha + watched) * lived)


def still_alive(values: Values, repeats: Floats, last: Floats, watched: Floats) -> Floats:
    """Return the probability of being alive; shape (n,) each."""
    r, alpha, s, beta = values
    log_dead = dead(values, repeats, last, watched)[0]
    log_alive = -(r + repeats) * np.log(alpha + watched) - s * np.log(beta + watched)
    with np.errstate(over="ignore"):  # Odds past e^709 of having left are a probability of 0.
        return np.asarray(1 / (1 + np.exp(log_dead - log_alive)))


def dead(values: Values, x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, list[Floats]]:
    """Return ln ∫ s (alpha + τ)^-(r + x) (beta + τ)^-(s + 1) dτ over τ from t_x to T, and its slopes by the parameters.

    This is the part of the likelihood of having left at τ. The literature writes it as the difference of two
    hypergeometric functions, which cancel; here the integrand, positive and smooth in u = ln(c + τ) with c the lesser
    of alpha and beta, is integrated by Gauss-Legendre up to where nothing is left of it. Shape (n,) each; alpha and
    beta may be of that shape, too.
    """
    r, alpha, s, beta = values
    swapped = np.asarray(alpha > beta)
    power = np.where(swapped, r + x, s + 1)
    total = r + s + x
    start = np.minimum(alpha, beta) + t_x
    q = np.asarray(np.abs(np.subtract(alpha, beta)) / start, dtype=np.float64)
    slowest = total - power + power / (1 + q)  # How fast the logarithm of the integrand falls at first; later, faster.
    length = np.log1p((T - t_x) / start)
    np.minimum(length, SPENT / np.where(slowest > 0, slowest, 1), out=length, where=slowest > 0)
    places, shares = interval_nodes(NODES)
    u = np.multiply.outer(length, places)
    fallen = np.exp(-u)
    shrunk = q[:, None] * fallen
    apart = np.log1p(shrunk)  # ln of (greater + τ) / (least + τ).
    far = np.log1p(q)
    mass = np.exp(-total[:, None] * u - power[:, None] * (apart - far[:, None])) * shares
    whole = mass.sum(axis=1)
    with np.errstate(divide="ignore"):  # A customer seen for no time since the last purchase cannot have left.
        log_whole = math.log(s) - total * np.log(start) - power * far + np.log(whole) + np.log(length)

    def mean(of: Floats) -> Floats:
        return np.asarray(np.einsum("ij,ij->i", mass, of) / whole)

    log_least = np.log(start) + mean(u)
    log_other = log_least + mean(apart)
    over_least, over_other = mean(fallen) / start, mean(fallen / (1 + shrunk)) / start
    log_alpha, log_beta = np.where(swapped, log_other, log_least), np.where(swapped, log_least, log_other)
    over_alpha, over_beta = np.where(swapped, over_other, over_least), np.where(swapped, over_least, over_other)
    return log_whole, [-log_alpha, -(r + x) * over_alpha, 1 / s - log_beta, -(s + 1) * over_beta]


class Likelihood:
    """Log-likelihood and gradient over distinct histories."""

    def __init__(self, rows: Distinct) -> None:
        self.x, self.t_x, self.T = rows.columns
        self.weights, self.total = rows.weights, rows.total
        by_x = distinct((self.x,), rows.weights)
        self.counts, self.of_count = by_x.columns[0], by_x.weights

    def __call__(self, values: Floats) -> tuple[float, Floats]:
        r, alpha, s, beta = map(float, values)
        params = (r, alpha, s, beta)
        height = self.of_count @ gammaln(r + self.counts) + self.total * (
            r * math.log(alpha) + s * math.log(beta) - gammaln(r)
        )
        slope = np.array(
            [
                self.of_count @ psi(r + self.counts) + self.total * (math.log(alpha) - psi(r)),
                self.total * r / alpha,
                self.total * math.log(beta),
                self.total * s / beta,
            ]
        )
        for part in parts(len(self.x)):
            more, steeper = self._seen(params, part)
            height += more
            slope += steeper
        return float(height), slope

    def _seen(self, params: tuple[float, float, float, float], part: slice) -> tuple[float, Floats]:
        r, alpha, s, beta = params
        x, t_x, T, weights = self.x[part], self.t_x[part], self.T[part], self.weights[part]
        log_dead, slopes_dead = dead(params, x, t_x, T)
        buying, living = np.log(alpha + T), np.log(beta + T)
        log_alive = -(r + x) * buying - s * living
        both = np.logaddexp(log_alive, log_dead)
        gone = weights * np.exp(log_dead - both)
        stay = weights - gone
        slopes_alive = [-buying, -(r + x) / (alpha + T), -living, -s / (beta + T)]
        slope = [dot(stay, alive) + dot(gone, left) for alive, left in zip(slopes_alive, slopes_dead, strict=True)]
        return dot(weights, both), np.array(slope)


def parts(size: int) -> list[slice]:
    """Return the rows that are looked at together."""
    return [slice(at, at + AT_ONCE) for at in range(0, size, AT_ONCE)]
