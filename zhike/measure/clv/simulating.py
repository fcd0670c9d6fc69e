"""Customers who do exactly what a model says: for tests and benchmarks, where the truth must be known."""

from __future__ import annotations

import numpy as np

from zhike.measure.clv.histories import Floats

WEEK = 7.0
MOST = 400  # Purchases of one customer after which nobody counts on.


def beta_geo_histories(
    size: int, *, r: float, alpha: float, a: float, b: float, seed: int, weeks: float = 78.0, first: bool = False
) -> tuple[Floats, Floats, Floats]:
    """Return x, t_x and T, in weeks to the day, of customers of BG/NBD, or with `first` of MBG/NBD.

    First purchases spread evenly over the earlier half of `weeks`. `alpha` is in weeks.
    """
    rng = np.random.default_rng(seed)
    T = rng.integers(int(weeks * WEEK / 2), int(weeks * WEEK) + 1, size) / WEEK
    rate, leaving = rng.gamma(r, 1 / alpha, size), rng.beta(a, b, size)
    # How many repeat purchases end with the leaving; MBG/NBD tosses the coin once more, at the first purchase.
    lives = rng.geometric(np.clip(leaving, 1e-12, 1)) - int(first)
    return _bought(rng, rate, T, lives.astype(np.float64), np.full(size, np.inf))


def pareto_histories(
    size: int, *, r: float, alpha: float, s: float, beta: float, seed: int, weeks: float = 78.0
) -> tuple[Floats, Floats, Floats]:
    """Return x, t_x and T, in weeks to the day, of customers of Pareto/NBD; `alpha` and `beta` are in weeks."""
    rng = np.random.default_rng(seed)
    T = rng.integers(int(weeks * WEEK / 2), int(weeks * WEEK) + 1, size) / WEEK
    rate = rng.gamma(r, 1 / alpha, size)
    life = rng.exponential(1 / rng.gamma(s, 1 / beta, size))
    return _bought(rng, rate, T, np.full(size, np.inf), life)


def _bought(
    rng: np.random.Generator, rate: Floats, T: Floats, lives: Floats, life: Floats
) -> tuple[Floats, Floats, Floats]:
    x, t_x = np.zeros(len(T)), np.zeros(len(T))
    at = np.zeros(len(T))
    alive = np.flatnonzero(lives > 0)
    end = np.minimum(T, life)
    for _purchase in range(MOST):
        with np.errstate(divide="ignore", over="ignore"):
            at[alive] += rng.exponential(1 / rate[alive])
        alive = alive[at[alive] <= end[alive]]
        if not len(alive):
            break
        x[alive] += 1
        t_x[alive] = at[alive]
        alive = alive[x[alive] < lives[alive]]
    # Shops keep days, and who bought twice on one is seen on the next.
    return x, np.minimum(np.ceil(t_x * WEEK) / WEEK, T), T
