"""Our figure for each published number about Pareto/NBD with covariates, by its id in the table."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
from pyarrow import csv

from tests.published.customer_value import apparel
from tests.published.rows import DATA
from zhike.measure.clv import GammaGamma, ParetoNBDWithCovariates, likelihood_ratio
from zhike.measure.clv.histories import Floats
from zhike.measure.clv.value import discounted_purchases

DATASETS = ("clv_apparel",)
COLUMNS = ("Gender", "Channel")
YEARLY = math.log(1.1) / 52
"""The discount of the published values, continuous, per week."""
SHOWN = (1, 10, 100, 101, 95, 99)
DRAWS = 100


@functools.cache
def known() -> dict[str, Floats]:
    """The two covariates of each customer, in the order of their histories."""
    table = csv.read_csv(DATA / "clv_apparel/apparel_static_covariates.csv")
    order = np.searchsorted(table["Id"].to_numpy(), apparel().who)
    return {name: table[name].to_numpy()[order].astype(np.float64) for name in COLUMNS}


@functools.cache
def free() -> ParetoNBDWithCovariates:
    seen = apparel()
    return ParetoNBDWithCovariates().fit(seen.x, seen.t_x, seen.T, life=known(), trans=known())


@functools.cache
def constrained() -> ParetoNBDWithCovariates:
    """Gender has one γ for buying and leaving."""
    return _constrained(np.ones(len(apparel().x)))


def _constrained(weights: Floats) -> ParetoNBDWithCovariates:
    seen, columns = apparel(), known()
    return ParetoNBDWithCovariates().fit(
        seen.x, seen.t_x, seen.T, weights, life=columns, trans=columns, same=["Gender"], limits=True
    )


def _values(model: ParetoNBDWithCovariates, weights: Floats, who: tuple[int, ...]) -> list[float]:
    """Return the worth of all later purchases of these customers, spend learnt from customers of these weights."""
    seen = apparel()
    repeaters = (seen.x > 0) & (weights > 0)
    spend = GammaGamma().fit(seen.x[repeaters], seen.mean_spend[repeaters], weights[repeaters])
    rows = [int(np.flatnonzero(seen.who == one)[0]) for one in who]
    columns = {name: column[rows] for name, column in known().items()}
    people = model.of_customers(life=columns, trans=columns)
    bought = discounted_purchases(people, math.expm1(YEARLY), math.inf, seen.x[rows], seen.t_x[rows], seen.T[rows])
    return list(map(float, bought * spend.expected_spend(seen.x[rows], seen.mean_spend[rows])))


@functools.cache
def drawn() -> tuple[float, float]:
    """5 and 95 per cent of the value of customer 1 over models of customers drawn with replacement."""
    draw, size = np.random.default_rng(1), len(apparel().x)
    found = []
    for _number in range(DRAWS):
        weights = draw.multinomial(size, np.full(size, 1 / size)).astype(np.float64)
        found += _values(_constrained(weights), weights, SHOWN[:1])
    low, high = np.quantile(found, [0.05, 0.95])
    return float(low), float(high)


OURS: dict[str, Callable[[], list[float]]] = {
    "P082": lambda: list(free().values),
    "P083": lambda: [free().log_likelihood, free().aic, free().bic],
    "P084": lambda: [*constrained().values, constrained().log_likelihood],
    "P085": lambda: list(likelihood_ratio(free(), constrained())),
    "P086": lambda: _values(constrained(), np.ones(len(apparel().x)), SHOWN),
    "P087": lambda: list(drawn()),
}
NOTES = {
    "P086": "the worth of all purchases to come, discounted; no margin",
    "P087": f"{DRAWS} models of customers drawn with replacement; limits of other draws may differ by a tenth",
}
DRAWN = {"P087"}
"""Those that take a minute."""
