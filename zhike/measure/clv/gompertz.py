"""GGompertz/NBD: as Pareto/NBD, but the chance to leave may grow the longer somebody is a customer."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from scipy.special import gammaln, psi

from zhike.measure.clv.fitting import Model, NotFitted
from zhike.measure.clv.histories import EVENTS_PER_PARAMETER, Distinct, Floats, Numbers, distinct, dot, histories
from zhike.measure.clv.pareto_nbd import parts
from zhike.measure.clv.quadrature import interval_nodes

NODES = 64
SMALL = 1e-3


class GammaGompertzNBD(Model):
    """GGompertz/NBD of Bemmaor & Glady (2012), Modeling Purchasing Behavior with Sudden “Death”, Management Sci. 58(5).

    While alive, a customer buys at a rate λ ~ Gamma(r, rate alpha); his lifetime is Gompertz, P(longer than t) =
    exp(-η (e^bt - 1)) with η ~ Gamma(s, rate beta). `alpha` is in units of time, `b` in one over them.

    In the time y = (e^bt - 1) / b it is a Pareto/NBD with beta / b in place of beta; so b → 0 is the Pareto/NBD, and
    it is beta / b that is sought, which has a value there.
    """

    NAME: ClassVar[str] = "GGompertz/NBD"
    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "b", "s", "beta")

    @property
    def values(self) -> tuple[float, ...]:
        """The parameters in the order of NAMES. Raises NotFitted."""
        r, alpha, b, s, stretched = super().values
        return r, alpha, b, s, b * stretched

    @property
    def standard_errors(self) -> dict[str, float]:
        """One standard error of each parameter; infinite where nothing is known. Raises NotFitted."""
        if self._covariance is None:
            raise NotFitted(model=self.NAME)
        spread = np.diag(self._covariance).copy()
        spread[4] += spread[2] + (0.0 if np.isinf(spread[[2, 4]]).any() else 2 * self._covariance[2, 4])
        return dict(zip(self.NAMES, map(float, np.sqrt(spread) * np.array(self.values)), strict=True))

    @classmethod
    def of(cls, **params: float) -> Self:
        """Return a model with parameters that are known already. Raises ValueError for wrong names or values ≤ 0."""
        made = super().of(**params)
        made._values = np.array([params[name] for name in cls.NAMES])
        made._values[4] /= made._values[2]
        return made

    def fit(
        self, x: Numbers, t_x: Numbers, T: Numbers, weights: Numbers | None = None, *, limits: bool = False
    ) -> Self:
        """Fit to histories by maximum likelihood and return self; arguments and refusals are those of ParetoNBD.

        Where nothing speaks for a growing chance to leave, b runs to 0: RunsAway, or with `limits` the Pareto/NBD.
        """
        needs = EVENTS_PER_PARAMETER * len(self.NAMES)
        rows = histories(x, t_x, T, weights, needs=needs, model=self.NAME)
        repeats, _last, watched = rows.columns
        rate = dot(rows.weights, watched) / dot(rows.weights, repeats)
        longest = float(watched.max())
        return self._climb(
            Likelihood(rows), np.array([1.0, rate, 1 / longest, 1.0, longest]), rows.total, limits=limits
        )

    def expected_purchases(
        self, t: Numbers, x: Numbers | None = None, t_x: Numbers | None = None, T: Numbers | None = None
    ) -> Floats:
        """Return the purchases expected in the next `t` units of time, of customers with a history or of new ones.

        (r + x) / (alpha + T) times the time that who is alive at T will be alive of the next `t`, by integration, times
        the probability alive. Arguments broadcast. Raises NotFitted, ValueError.
        """
        if x is None or t_x is None or T is None:
            if not (x is None and t_x is None and T is None):
                raise ValueError("x, t_x and T belong together.")
            time = np.asarray(t, dtype=np.float64)
            return self._alive(time, np.zeros_like(time), np.zeros_like(time))
        time, repeats, last, watched = np.broadcast_arrays(
            *(np.asarray(each, dtype=np.float64) for each in (t, x, t_x, T))
        )
        return np.asarray(self._alive(time, repeats, watched) * self.p_alive(repeats, last, watched))

    def _alive(self, time: Floats, repeats: Floats, watched: Floats) -> Floats:
        r, alpha, b, s, stretched = super().values
        places, shares = interval_nodes(NODES)
        # Lives end like powers of time and then faster: nodes lie evenly in the logarithm of time.
        unit = 1 / (1 / (stretched + watched) + b)
        width = np.log1p(time / unit)
        u = np.multiply.outer(width, places)
        later = unit[..., None] * np.expm1(u)
        here = _log_stretched(b, stretched, watched)
        lives = np.exp(s * (here[..., None] - _log_stretched(b, stretched, watched[..., None] + later)))
        lived = width * ((lives * np.exp(u)) @ shares) * unit
        return np.asarray((r + repeats) / (alpha + watched) * lived)

    def p_alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Floats:
        """Return the probability that customers with these histories are still alive at T."""
        columns = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in (x, t_x, T)))
        rows = distinct(tuple(column.ravel() for column in columns))
        values = super().values
        found = np.empty(len(rows.weights))
        for part in parts(len(found)):
            repeats, last, watched = (column[part] for column in rows.columns)
            log_dead = dead(values, repeats, last, watched)[0]
            log_alive = _alive_part(values, repeats, watched)[0]
            with np.errstate(over="ignore"):  # Odds past e^709 of having left are a probability of 0.
                found[part] = 1 / (1 + np.exp(log_dead - log_alive))
        return found[rows.inverse].reshape(columns[0].shape)


def _log_stretched(b: float, stretched: float, time: Floats) -> Floats:
    """Return ln(stretched + y) with y = (e^bt - 1) / b, without overflow."""
    with np.errstate(divide="ignore"):
        log_y = b * time + np.log(-np.expm1(-b * time)) - np.log(b)
    return np.asarray(np.logaddexp(np.log(stretched), log_y))


def _log_turn(b: float, time: Floats) -> Floats:
    """Return ln(dy / db), which is t² / 2 where b is 0."""
    z = b * time
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = np.log(z - 1 + np.exp(-z)) - 2 * np.log(z)
    near = np.log(0.5 - z / 6 + z * z / 24)
    with np.errstate(divide="ignore"):
        return np.asarray(z + np.where(z < SMALL, near, exact) + 2 * np.log(time))


def _alive_part(values: tuple[float, ...], x: Floats, T: Floats) -> tuple[Floats, list[Floats]]:
    """Return ln (alpha + T)^-(r + x) (stretched + y)^-s and its slopes by r, alpha, b, s and `stretched`."""
    r, alpha, b, s, stretched = values
    buying, living = np.log(alpha + T), _log_stretched(b, stretched, T)
    turn = np.exp(_log_turn(b, T) - living)
    slopes = [-buying, -(r + x) / (alpha + T), -s * turn, -living, -s * np.exp(-living)]
    return -(r + x) * buying - s * living, slopes


def dead(values: tuple[float, ...], x: Floats, t_x: Floats, T: Floats) -> tuple[Floats, list[Floats]]:
    """Return ln ∫ s (alpha + τ)^-(r + x) (stretched + y)^-(s + 1) dy from t_x to T, and its slopes; shape (n,) each.

    The integrand is positive and smooth in u = ln(alpha + τ), so Gauss-Legendre over it loses no digits.
    """
    r, alpha, b, s, stretched = values
    places, shares = interval_nodes(NODES)
    start = alpha + t_x
    length = np.log1p((T - t_x) / start)
    u = np.multiply.outer(length, places)
    more = start[:, None] * np.expm1(u)
    time = t_x[:, None] + more
    buying = np.log(start)[:, None] + u  # ln(alpha + τ)
    living = _log_stretched(b, stretched, time)
    power = (r + x)[:, None]
    logs = -(power - 1) * buying + b * time - (s + 1) * living
    highest = logs.max(axis=1)
    mass = np.exp(logs - highest[:, None]) * shares
    whole = mass.sum(axis=1)
    with np.errstate(divide="ignore"):  # A customer seen for no time since the last purchase cannot have left.
        log_whole = np.log(s) + highest + np.log(whole) + np.log(length)

    def mean(of: Floats) -> Floats:
        return np.asarray(np.einsum("ij,ij->i", mass, of) / whole)

    slopes = [
        -mean(buying),
        -(r + x) * mean(np.exp(-buying)),
        mean(time - (s + 1) * np.exp(_log_turn(b, time) - living)),
        1 / s - mean(living),
        -(s + 1) * mean(np.exp(-living)),
    ]
    return log_whole, slopes


class Likelihood:
    """Log-likelihood and gradient over distinct histories, by r, alpha, b, s and beta / b."""

    def __init__(self, rows: Distinct) -> None:
        self.x, self.t_x, self.T = rows.columns
        self.weights, self.total = rows.weights, rows.total

    def __call__(self, values: Floats) -> tuple[float, Floats]:
        r, alpha, b, s, stretched = map(float, values)
        known = (r, alpha, b, s, stretched)
        height = self.total * (r * np.log(alpha) + s * np.log(stretched) - gammaln(r))
        slope = self.total * np.array([np.log(alpha) - psi(r), r / alpha, 0.0, np.log(stretched), s / stretched])
        for part in parts(len(self.x)):
            x, t_x, T, weights = self.x[part], self.t_x[part], self.T[part], self.weights[part]
            log_dead, slopes_dead = dead(known, x, t_x, T)
            log_alive, slopes_alive = _alive_part(known, x, T)
            both = np.logaddexp(log_alive, log_dead)
            gone = weights * np.exp(log_dead - both)
            height += dot(weights, both + gammaln(r + x))
            slope[0] += dot(weights, psi(r + x))
            slope += [
                dot(weights - gone, alive) + dot(gone, left)
                for alive, left in zip(slopes_alive, slopes_dead, strict=True)
            ]
        return float(height), slope
