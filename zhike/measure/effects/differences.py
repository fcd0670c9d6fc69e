"""The effect of a treatment drawn by lot: difference, relative difference, standard error, z and interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincc, ndtr, ndtri

from zhike.measure.churn.judging import wilson
from zhike.measure.churn.tables import Floats

LEAST = 2
"""Rows of a group below which its spread is unknown."""


class TooFew(ValueError):
    """A group has fewer rows than its spread can be told from."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The mean of the treated beside that of the control, in the unit of the outcome; of 0 and 1 means are rates.

    `low` and `high` hold the difference in 95 of 100 draws of the lot, unless another share was asked for.
    `relative` is the difference as a share of the control's mean, with its own interval; None where one of the means
    is not above 0. `z` is the difference in standard errors and `p` the chance of one as far from 0, either way, when
    the treatment does nothing; None where nobody differs from anybody.
    """

    treated: int
    control: int
    treated_mean: float
    control_mean: float
    error: float
    low: float
    high: float
    relative: float | None = None
    relative_low: float | None = None
    relative_high: float | None = None

    @property
    def difference(self) -> float:
        return self.treated_mean - self.control_mean

    @property
    def z(self) -> float | None:
        return self.difference / self.error if self.error else None

    @property
    def p(self) -> float | None:
        return None if self.z is None else float(2 * ndtr(-abs(self.z)))

    @property
    def proven(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0


def effect(treated: Floats, control: Floats, *, sure: float = 0.95) -> Effect:
    """Return the effect on an outcome, given one number per row of each group. Raises TooFew below two rows.

    The error does not assume that both groups spread alike (Welch 1947), and the interval is the normal one: a hundred
    rows a group are enough for most outcomes, money with a long tail wants thousands. Of outcomes 0 and 1 the interval
    is made of those of both rates (Newcombe 1998, *Statistics in Medicine* 17, 873, method 10), which holds for small
    groups and rare outcomes too. That of the relative difference is normal in the logarithm (Katz et al. 1978,
    *Biometrics* 34, 469; for means by the same expansion).
    """
    if min(len(treated), len(control)) < LEAST:
        raise TooFew(f"{len(treated)} treated and {len(control)} not: an effect needs {LEAST} of each")
    one, other = float(treated.mean()), float(control.mean())
    squares = [float(side.var(ddof=1)) / len(side) for side in (treated, control)]
    error, z = float(np.sqrt(sum(squares))), float(ndtri(0.5 + sure / 2))
    if is_share(treated) and is_share(control):
        low, high = _of_rates(treated, control, sure)
    else:
        low, high = one - other - z * error, one - other + z * error
    sizes = len(treated), len(control)
    if one <= 0 or other <= 0:
        return Effect(*sizes, one, other, error, low, high)
    ratio = one / other
    wide = float(np.exp(z * np.sqrt(squares[0] / one**2 + squares[1] / other**2)))
    return Effect(*sizes, one, other, error, low, high, ratio - 1, ratio / wide - 1, ratio * wide - 1)


def is_share(values: Floats) -> bool:
    """Say whether all values are 0 or 1."""
    return bool(np.isin(values, (0.0, 1.0)).all())


def _of_rates(treated: Floats, control: Floats, sure: float) -> tuple[float, float]:
    one, other = float(treated.mean()), float(control.mean())
    one_low, one_high = wilson(float(treated.sum()), len(treated), sure)
    other_low, other_high = wilson(float(control.sum()), len(control), sure)
    below = float(np.hypot(one - one_low, other_high - other))
    above = float(np.hypot(one_high - one, other - other_low))
    return one - other - below, one - other + above


def effects(outcome: Floats, arm: npt.NDArray[np.str_], control: str, *, sure: float = 0.95) -> dict[str, Effect]:
    """Return the effect of each arm against the control, by name in order; rows without an outcome (NaN) are left out.

    Arms are compared with the control one by one: of many, one in twenty differs by chance alone.
    """
    known = ~np.isnan(outcome)
    apart = {str(name): outcome[known & (arm == name)] for name in np.unique(arm)}
    usual = apart.pop(control, np.zeros(0))
    return {name: effect(held, usual, sure=sure) for name, held in apart.items()}


def lots(counts: Mapping[str, int], shares: Sequence[float] | None = None) -> float:
    """Return the chance of counts as uneven as these when the lot is fair (chi-square; equal shares unless given).

    Below 0.001 the lot, or what was lost after it, is broken, and effects cannot be believed (Fabijan et al. 2019, KDD,
    on the sample ratio mismatch).
    """
    found = np.array(list(counts.values()), dtype=np.float64)
    wanted = np.full(len(found), 1 / len(found)) if shares is None else np.asarray(shares, dtype=np.float64)
    expected = wanted / wanted.sum() * found.sum()
    away = float(((found - expected) ** 2 / expected).sum())
    return float(gammaincc((len(found) - 1) / 2, away / 2))
