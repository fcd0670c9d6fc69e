"""BG/NBD and MBG/NBD: customers buy at rates of their own, and after a purchase some never come again."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from scipy.special import gammaln, polygamma, psi

from zhike.measure.clv.fitting import Model
from zhike.measure.clv.histories import (
    EVENTS_PER_PARAMETER,
    Distinct,
    Floats,
    Numbers,
    distinct,
    dot,
    histories,
    thinned,
)
from zhike.measure.clv.quadrature import beta_nodes

BLOCK = 16_384
AT_ONCE = 20_000  # Rows times nodes that are in memory at a time: about 20 MB.


class BetaGeo(Model):
    """BG/NBD of Fader, Hardie & Lee (2005), “Counting Your Customers” the Easy Way, Marketing Science 24(2).

    While alive, a customer buys at a rate λ ~ Gamma(r, rate alpha) per unit of time; after each repeat purchase he
    leaves with probability p ~ Beta(a, b). `alpha` is in units of time; r, a and b have none.
    """

    NAME: ClassVar[str] = "BG/NBD"
    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    LEAVES_AT_FIRST: ClassVar[int] = 0
    """1 when a customer may leave after the very first purchase too."""

    def fit(
        self, x: Numbers, t_x: Numbers, T: Numbers, weights: Numbers | None = None, *, limits: bool = False
    ) -> Self:
        """Fit to histories by maximum likelihood and return self.

        `x` repeat purchases (whole, ≥ 0), `t_x` time from first to last purchase (0 when x is 0), `T` time from first
        purchase to the end of observation, `weights` how many customers each row stands for: shape (n,) each.
        Raises BadHistory (naming row and column), FewRepeatBuyers (fewer than ten per parameter), and RunsAway when a
        parameter has no best value, unless `limits` takes the edge of the search for it and says so in `cautions`.
        """
        rows = histories(x, t_x, T, weights, needs=EVENTS_PER_PARAMETER * len(self.NAMES), model=self.NAME)
        repeats, _last, watched = rows.columns
        rate = dot(rows.weights, watched) / dot(rows.weights, repeats)
        likelihood, part = Likelihood(rows, self.LEAVES_AT_FIRST), thinned(rows)
        coarse = None if part is None else Likelihood(part, self.LEAVES_AT_FIRST)
        return self._climb(likelihood, np.array([1.0, rate, 1.0, 2.0]), rows.total, limits=limits, coarse=coarse)

    def expected_purchases(
        self, t: Numbers, x: Numbers | None = None, t_x: Numbers | None = None, T: Numbers | None = None
    ) -> Floats:
        """Return the purchases expected in the next `t` units of time, of customers with a history or of new ones.

        Without x, t_x and T: repeat purchases of a new customer in (0, t], equations 9 of the paper. With them:
        purchases in (T, T + t], equation 10. Instead of their hypergeometric functions, which lose all digits for
        large b, the expectation (1 - (1 + p t / (alpha + T))^-(r + x)) / p over p's beta distribution is integrated.
        Arguments broadcast against each other; the result has their common shape. Raises NotFitted, ValueError.
        """
        if x is None or t_x is None or T is None:
            if not (x is None and t_x is None and T is None):
                raise ValueError("x, t_x and T belong together.")
            time = np.asarray(t, dtype=np.float64)
            return self._alive(time, np.zeros_like(time), np.zeros_like(time), new=True)
        time, repeats, last, watched = np.broadcast_arrays(
            *(np.asarray(each, dtype=np.float64) for each in (t, x, t_x, T))
        )
        return np.asarray(self._alive(time, repeats, watched, new=False) * self.p_alive(repeats, last, watched))

    def p_alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Floats:
        """Return the probability that customers with these histories will buy again (Fader & Hardie 2008 note 021).

        In BG/NBD nobody can leave before the first repeat purchase, so it is 1 where x is 0.
        """
        r, alpha, a, b = self.values
        repeats, last, watched = (np.asarray(each, dtype=np.float64) for each in (x, t_x, T))
        left = np.maximum(b + repeats + self.LEAVES_AT_FIRST - 1, 1e-300)
        odds = np.log(a) - np.log(left) + (r + repeats) * (np.log(alpha + watched) - np.log(alpha + last))
        may_be_gone = (repeats > 0) | bool(self.LEAVES_AT_FIRST)
        with np.errstate(over="ignore"):  # Odds past e^709 of having left are a probability of 0.
            return np.asarray(np.where(may_be_gone, 1 / (1 + np.exp(odds)), 1.0))

    def _alive(self, time: Floats, repeats: Floats, watched: Floats, *, new: bool) -> Floats:
        """Return the expected purchases of customers who are alive; for each x one rule of integration serves all."""
        rows = distinct((repeats.ravel(), watched.ravel(), time.ravel()))
        found = np.empty(len(rows.weights))
        for count in np.unique(rows.columns[0]):
            places = np.flatnonzero(rows.columns[0] == count)
            for part in np.array_split(places, max(1, len(places) // AT_ONCE)):
                found[part] = self._alive_after(float(count), rows.columns[1][part], rows.columns[2][part], new=new)
        return found[rows.inverse].reshape(time.shape)

    def _alive_after(self, count: float, watched: Floats, time: Floats, *, new: bool) -> Floats:
        r, alpha, a, b = self.values
        p, share = beta_nodes(a, b if new else b + count + self.LEAVES_AT_FIRST)
        if new and self.LEAVES_AT_FIRST:
            share = share * (1 - p)
        spent = time / (alpha + watched)
        bought = -np.expm1(-(r + count) * np.log1p(np.multiply.outer(spent, p))) / p
        return np.asarray(np.einsum("ij,j->i", bought, share))


class ModifiedBetaGeo(BetaGeo):
    """MBG/NBD of Batislam, Denizel & Filiztekin (2007), Int. J. of Research in Marketing 24, 201-209.

    As BG/NBD, but a customer may also leave right after the first purchase, so one who never came back may be gone.
    Also called CBG/NBD (Hoppe & Wagner 2007).
    """

    NAME: ClassVar[str] = "MBG/NBD"
    LEAVES_AT_FIRST: ClassVar[int] = 1


class Likelihood:
    """Log-likelihood and gradient over distinct histories; what depends on x alone is added up per x before."""

    def __init__(self, rows: Distinct, extra: int) -> None:
        x, t_x, T = rows.columns
        self.extra, self.total = extra, rows.total
        by_x = distinct((x,), rows.weights)
        self.x, self.of_x = by_x.columns[0], by_x.weights
        by_end = distinct((T,), rows.weights)
        self.ends, self.of_end = by_end.columns[0], by_end.weights
        self.bought_by_end = np.bincount(by_end.inverse, weights=rows.weights * x, minlength=len(self.ends))
        # Only these may have left already, so only these need a row each. Blocks of them fit the processor's cache.
        kept = np.flatnonzero((x > 0) | bool(extra))
        self.blocks = [
            (by_x.inverse[part], x[part], t_x[part], T[part], rows.weights[part])
            for part in np.array_split(kept, len(kept) // BLOCK + 1)
        ]

    def __call__(self, values: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = map(float, values)
        stayed = self.x + self.extra
        ends = np.log(alpha + self.ends)
        purchases = r * self.of_end + self.bought_by_end
        height = (
            self.of_x @ (gammaln(r + self.x) + gammaln(b + stayed) - gammaln(a + b + stayed))
            + self.total * (r * np.log(alpha) - gammaln(r) + gammaln(a + b) - gammaln(b))
            - dot(purchases, ends)
        )
        both = psi(a + b) * self.total - self.of_x @ psi(a + b + stayed)
        slope = np.array(
            [
                self.of_x @ psi(r + self.x) + self.total * (np.log(alpha) - psi(r)) - dot(self.of_end, ends),
                self.total * r / alpha - (purchases / (alpha + self.ends)).sum(),
                both,
                both + self.of_x @ psi(b + stayed) - psi(b) * self.total,
            ]
        )
        more, steeper = self._left(r, alpha, a, b)
        return float(height + more), slope + steeper

    def _left(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Floats]:
        """Return what having left after the last purchase adds to the log-likelihood, and its slopes."""
        could = np.maximum(b + self.x + (self.extra - 1), 1e-300)  # Not read where it would be b - 1.
        base = np.log(a / could)
        height, slope = 0.0, np.zeros(4)
        gone_by_x = np.zeros(len(self.x))
        for of_x, x, t_x, T, weights in self.blocks:
            since, until = 1 / (alpha + t_x), 1 / (alpha + T)
            longer = np.log(since / until)
            odds = base[of_x] + (r + x) * longer
            small = np.exp(-np.abs(odds))
            gone = weights * np.where(odds > 0, 1.0, small) / (1 + small)
            height += dot(weights, np.maximum(odds, 0) + np.log1p(small))
            slope[0] += dot(gone, longer)
            slope[1] += dot(gone * (r + x), until - since)
            gone_by_x += np.bincount(of_x, weights=gone, minlength=len(gone_by_x))
        slope[2] = gone_by_x.sum() / a
        slope[3] = -(gone_by_x / could).sum()
        return height, slope

    def hessian(self, values: Floats) -> Floats:
        """Return the second derivatives by r, alpha, a and b."""
        r, alpha, a, b = map(float, values)
        stayed, ends = self.x + self.extra, 1 / (alpha + self.ends)
        purchases = r * self.of_end + self.bought_by_end
        both = self.total * polygamma(1, a + b) - self.of_x @ polygamma(1, a + b + stayed)
        found = np.zeros((4, 4))
        found[0, 0] = self.of_x @ polygamma(1, r + self.x) - self.total * polygamma(1, r)
        found[0, 1] = self.total / alpha - dot(self.of_end, ends)
        found[1, 1] = dot(purchases, ends * ends) - self.total * r / alpha**2
        found[2, 2] = found[2, 3] = both
        found[3, 3] = both + self.of_x @ polygamma(1, b + stayed) - self.total * polygamma(1, b)
        found += self._left_bends(r, alpha, a, b)
        return np.asarray(found + np.triu(found, 1).T)

    def _left_bends(self, r: float, alpha: float, a: float, b: float) -> Floats:
        """Return the second derivatives of what having left adds; the upper half of them."""
        could = np.maximum(b + self.x + (self.extra - 1), 1e-300)
        base = np.log(a / could)
        found = np.zeros((4, 4))
        # Per x: the share gone, its variance, and that times the slopes of the odds by r and alpha.
        sums = np.zeros((4, len(self.x)))
        for of_x, x, t_x, T, weights in self.blocks:
            since, until = 1 / (alpha + t_x), 1 / (alpha + T)
            longer = np.log(since / until)
            odds = base[of_x] + (r + x) * longer
            small = np.exp(-np.abs(odds))
            share = np.where(odds > 0, 1.0, small) / (1 + small)
            gone = weights * share
            loose = gone * (1 - share)
            shorter = until - since
            more = (r + x) * shorter
            found[0, 0] += dot(loose * longer, longer)
            found[0, 1] += dot(loose * longer, more) + dot(gone, shorter)
            found[1, 1] += dot(loose * more, more) - dot(gone * more, since + until)
            for row, values in enumerate((gone, loose, loose * longer, loose * more)):
                sums[row] += np.bincount(of_x, weights=values, minlength=len(self.x))
        gone_by_x, loose_by_x, by_r, by_alpha = sums
        found[0, 2], found[1, 2] = by_r.sum() / a, by_alpha.sum() / a
        over = np.where(self.x + self.extra > 0, 1 / could, 0.0)  # Who never came back cannot have left.
        found[0, 3], found[1, 3] = -dot(by_r, over), -dot(by_alpha, over)
        found[2, 2] = (loose_by_x - gone_by_x).sum() / a**2
        found[2, 3] = -dot(loose_by_x, over) / a
        found[3, 3] = dot(loose_by_x + gone_by_x, over * over)
        return found
