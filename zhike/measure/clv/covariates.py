"""Pareto/NBD with what is known of customers: it makes them buy faster or slower, and stay longer or shorter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import gammaln, psi

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure.clv.fitting import Model, NotFitted
from zhike.measure.clv.histories import (
    EVENTS_PER_PARAMETER,
    Distinct,
    Floats,
    NotANumber,
    Numbers,
    distinct,
    dot,
    histories,
    refuse_where,
)
from zhike.measure.clv.pareto_nbd import dead, parts, still_alive, while_alive

Known = Mapping[str, Numbers]
"""Columns of numbers, one for each customer, by name."""
OWN = 4  # Parameters of everybody.


class AlwaysTheSame(Refusal):
    message = _("%(column)s is the same for every customer, so nothing can be learnt of what it does.")


@dataclass(frozen=True, slots=True)
class Customers:
    """Customers with rates of their own (`alpha` and `beta` are columns): what `clv` asks of a model."""

    r: float
    alpha: Floats
    s: float
    beta: Floats

    def expected_purchases(
        self, t: Numbers, x: Numbers | None = None, t_x: Numbers | None = None, T: Numbers | None = None
    ) -> Floats:
        """Return the purchases expected of each in the next `t`; see ParetoNBD. Raises ValueError."""
        values, time = (self.r, self.alpha, self.s, self.beta), np.asarray(t, dtype=np.float64)
        if x is None or t_x is None or T is None:
            if not (x is None and t_x is None and T is None):
                raise ValueError("x, t_x and T belong together.")
            return while_alive(values, time, np.zeros(()), np.zeros(()))
        repeats, last, watched = (np.asarray(each, dtype=np.float64) for each in (x, t_x, T))
        return np.asarray(while_alive(values, time, repeats, watched) * self.p_alive(repeats, last, watched))

    def p_alive(self, x: Numbers, t_x: Numbers, T: Numbers) -> Floats:
        """Return the probability that each is still alive at T."""
        given = (self.alpha, self.beta, x, t_x, T)
        columns = np.broadcast_arrays(*(np.asarray(each, dtype=np.float64) for each in given))
        alpha, beta, repeats, last, watched = (column.ravel() for column in columns)
        found = still_alive((self.r, alpha, self.s, beta), repeats, last, watched)
        return found.reshape(columns[0].shape)


class ParetoNBDWithCovariates(Model):
    """Pareto/NBD with time-invariant covariates (Fader & Hardie 2007, brucehardie.com/notes/019).

    A customer with the covariates z has alpha · exp(-Σ γ z) of buying (`trans`) and beta · exp(-Σ γ z) of leaving
    (`life`), as in the R package CLVTools: a positive γ of buying is more purchases, one of leaving a shorter life.
    """

    NAME: ClassVar[str] = "Pareto/NBD with covariates"
    NAMES: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")

    def __init__(self) -> None:
        super().__init__()
        self._gammas: tuple[tuple[str, str], ...] = ()
        self._scale: Floats = np.ones(0)

    @property
    def names(self) -> tuple[str, ...]:
        """r, alpha, s, beta, then life.…, trans.… and constr.… (one γ for both) of each covariate."""
        return (*self.NAMES, *(f"{part}.{name}" for part, name in self._gammas))

    @property
    def values(self) -> tuple[float, ...]:
        """The parameters in the order of `names`; a γ may be negative. Raises NotFitted."""
        # The search is over e^γ of columns brought to one scale.
        found = np.array(super().values)
        return (*map(float, found[:OWN]), *map(float, np.log(found[OWN:]) / self._scale))

    @property
    def standard_errors(self) -> dict[str, float]:
        """One standard error of each parameter, of a γ too. Raises NotFitted."""
        if self._covariance is None:
            raise NotFitted(model=self.NAME)
        spread = np.sqrt(np.diag(self._covariance)) * np.r_[self.values[:OWN], 1 / self._scale]
        return dict(zip(self.names, map(float, spread), strict=True))

    def fit(
        self,
        x: Numbers,
        t_x: Numbers,
        T: Numbers,
        weights: Numbers | None = None,
        *,
        life: Known,
        trans: Known,
        same: Sequence[str] = (),
        limits: bool = False,
    ) -> Self:
        """Fit to histories by maximum likelihood and return self.

        `x`, `t_x`, `T`, `weights` and `limits` as in ParetoNBD; `life` and `trans` are columns of shape (n,) by name;
        those in `same`, which must be in both, have one γ for both. Raises what ParetoNBD raises, AlwaysTheSame, and
        ValueError for columns of another length or a name in `same` that is not in both.
        """
        if set(same) - (set(life) & set(trans)):
            raise ValueError("What is the same for both must be among both.")
        apart = [("life", name) for name in life if name not in same]
        apart += [("trans", name) for name in trans if name not in same]
        self._gammas = (*apart, *(("constr", name) for name in same))
        needs = EVENTS_PER_PARAMETER * len(self.names)
        checked = histories(x, t_x, T, weights, needs=needs, model=self.NAME)
        size = np.atleast_1d(np.asarray(x)).shape
        heavy = np.ones(size) if weights is None else np.atleast_1d(np.asarray(weights, dtype=np.float64))
        kept = heavy > 0
        columns = {name: _column(name, values, size)[kept] for name, values in {**life, **trans}.items()}
        for name, column in columns.items():
            if np.ptp(column) == 0:
                raise AlwaysTheSame(column=name)
        own = tuple(column[checked.inverse] for column in checked.columns)
        rows = distinct((*own, *columns.values()), heavy[kept])
        self._scale = np.array([float(np.std(columns[name])) for _part, name in self._gammas])
        repeats, _last, watched = rows.columns[:3]
        rate = dot(rows.weights, watched) / dot(rows.weights, repeats)
        start = np.r_[1.0, rate, 1.0, float(watched.max()), np.ones(len(self._gammas))]
        known = dict(zip(columns, rows.columns[3:], strict=True))
        designs = (self._design(part, known, len(rows.weights)) / self._scale for part in ("life", "trans"))
        return self._climb(Likelihood(rows, *designs), start, rows.total, limits=limits)

    def of_customers(self, *, life: Known, trans: Known) -> Customers:
        """Return customers with these covariates; columns of one length. Raises NotFitted, KeyError without one."""
        r, alpha, s, beta = self.values[:OWN]
        gammas = np.array(self.values[OWN:])
        size = np.atleast_1d(np.asarray(next(iter({**life, **trans}.values())))).shape
        rates = []
        for part, given, base in (("trans", trans, alpha), ("life", life, beta)):
            columns = {name: _column(name, values, size) for name, values in given.items()}
            rates.append(base * np.exp(-self._design(part, columns, size[0]) @ gammas))
        return Customers(r, rates[0], s, rates[1])

    def _design(self, part: str, columns: Mapping[str, Floats], size: int) -> Floats:
        """Return a column for each γ, nothing where it has no part in this process."""
        zero = np.zeros(size)
        chosen = [columns[name] if of in (part, "constr") else zero for of, name in self._gammas]
        return np.stack(chosen, axis=1) if chosen else np.zeros((size, 0))


def _column(name: str, values: Numbers, size: tuple[int, ...]) -> Floats:
    column = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if column.shape != size:
        raise ValueError(f"{name} needs {size[0]} values, not {len(column)}.")
    refuse_where(~np.isfinite(column), name, column, NotANumber)
    return column


class Likelihood:
    """Log-likelihood and gradient over distinct histories with covariates; parameters are r, alpha, s, beta and e^γ."""

    def __init__(self, rows: Distinct, life: Floats, trans: Floats) -> None:
        self.x, self.t_x, self.T = rows.columns[:3]
        self.weights = rows.weights
        self.life, self.trans = life, trans

    def __call__(self, values: Floats) -> tuple[float, Floats]:
        r, alpha, s, beta = map(float, values[:OWN])
        logs = np.log(values[OWN:])
        rates = alpha * np.exp(-self.trans @ logs), beta * np.exp(-self.life @ logs)
        height, slope = 0.0, np.zeros(OWN)
        by_gamma = np.zeros(len(logs))
        for part in parts(len(self.x)):
            more, steps = self._seen(r, rates[0][part], s, rates[1][part], part)
            height += more
            weighed = [self.weights[part] * step for step in steps]
            # Of ln alpha and ln beta of each customer: alpha's own part is 1, that of a γ is -z.
            slope += [float(one.sum()) for one in weighed]
            by_gamma -= weighed[1] @ self.trans[part] + weighed[3] @ self.life[part]
        slope[1] /= alpha
        slope[3] /= beta
        return height, np.r_[slope, by_gamma / values[OWN:]]

    def _seen(self, r: float, alpha: Floats, s: float, beta: Floats, part: slice) -> tuple[float, list[Floats]]:
        """Return the log-likelihood of some, and its slopes by r, ln alpha, s and ln beta of each."""
        x, t_x, T = self.x[part], self.t_x[part], self.T[part]
        log_dead, slopes_dead = dead((r, alpha, s, beta), x, t_x, T)
        buying, living = np.log(alpha + T), np.log(beta + T)
        log_alive = -(r + x) * buying - s * living
        both = np.logaddexp(log_alive, log_dead)
        gone = np.exp(log_dead - both)
        slopes_alive = [-buying, -(r + x) / (alpha + T), -living, -s / (beta + T)]
        first = [psi(r + x) - psi(r) + np.log(alpha), r / alpha, np.log(beta), s / beta]
        slopes = [
            begun + (1 - gone) * alive + gone * left
            for begun, alive, left in zip(first, slopes_alive, slopes_dead, strict=True)
        ]
        height = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + both
        return dot(self.weights[part], height), [slopes[0], slopes[1] * alpha, slopes[2], slopes[3] * beta]
