"""Customer lifetime value: expected purchases, in money of today, and what it says about the cost of winning one."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from zhike.measure.clv.histories import Floats, Numbers
from zhike.measure.clv.quadrature import endless_nodes, interval_nodes

NODES = 24


class Forecasts(Protocol):
    """What `clv` asks of a model: BetaGeo, ModifiedBetaGeo or ParetoNBD."""

    def expected_purchases(
        self, t: Numbers, x: Numbers | None = None, t_x: Numbers | None = None, T: Numbers | None = None
    ) -> Floats: ...


def discounted_purchases(
    model: Forecasts,
    discount_rate: float,
    horizon: float,
    x: Numbers | None = None,
    t_x: Numbers | None = None,
    T: Numbers | None = None,
) -> Floats:
    """Return the expected purchases in the next `horizon` units of time, each discounted to now.

    `discount_rate` is per unit of time, effective: 0.002 per week; money of t units later is worth (1 + rate)^-t.
    Purchases may come at any moment: ∫ e^(-δt) dE(t) = e^(-δH) E(H) + δ ∫ E(t) e^(-δt) dt with δ = ln(1 + rate)
    (Fader, Hardie & Lee 2005, RFM and CLV: Using Iso-Value Curves). `horizon` may be infinite when the rate is above
    0; for Pareto/NBD that is their DERT. Raises ValueError for a rate below 0 or a horizon that is not above 0.
    """
    if not (discount_rate >= 0 and math.isfinite(discount_rate)):
        raise ValueError("The discount rate must be 0 or more.")
    if not horizon > 0 or (math.isinf(horizon) and discount_rate == 0):
        raise ValueError("The horizon must be above 0, and finite where nothing is discounted.")
    force = math.log1p(discount_rate)
    if math.isinf(horizon):
        places, shares = endless_nodes(NODES)
        times = zip(places / force, shares, strict=True)
        return np.asarray(sum(share * model.expected_purchases(time, x, t_x, T) for time, share in times))
    whole = np.exp(-force * horizon) * model.expected_purchases(horizon, x, t_x, T)
    if force == 0:
        return np.asarray(whole)
    places, shares = interval_nodes(NODES)
    for place, share in zip(places, shares, strict=True):
        time = place * horizon
        late = model.expected_purchases(time, x, t_x, T) * math.exp(-force * time)
        whole = whole + force * horizon * share * late
    return np.asarray(whole)


def clv(
    model: Forecasts,
    spend: Numbers,
    margin: float,
    discount_rate: float,
    horizon: float,
    x: Numbers | None = None,
    t_x: Numbers | None = None,
    T: Numbers | None = None,
) -> Floats:
    """Return customer lifetime value in money: margin × spend per purchase × discounted purchases.

    `spend` is the money expected of a purchase (GammaGamma.expected_spend), `margin` the share of it that is profit
    (0.3; at most 1), `discount_rate` and `horizon` as in `discounted_purchases`. With x, t_x and T: the residual value
    of customers with that history; without: of new ones, the first purchase not counted. Raises ValueError.
    """
    if not 0 < margin <= 1:
        raise ValueError("The margin is a share above 0 and at most 1.")
    purchases = discounted_purchases(model, discount_rate, horizon, x, t_x, T)
    return np.asarray(margin * np.asarray(spend, dtype=np.float64) * purchases)


def value_to_cost(value: Numbers, acquisition_cost: Numbers) -> Floats:
    """Return how many times the value covers the cost of winning a customer (LTV:CAC); NaN where the cost is 0.

    Raises ValueError for a negative cost.
    """
    worth, cost = np.asarray(value, dtype=np.float64), np.asarray(acquisition_cost, dtype=np.float64)
    if (cost < 0).any():
        raise ValueError("A cost cannot be negative.")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(cost > 0, worth / cost, np.nan))


def payback(
    model: Forecasts, spend: float, margin: float, discount_rate: float, acquisition_cost: float, longest: float
) -> float | None:
    """Return after how long the value of a new customer covers its acquisition cost, at most `longest`; None if later.

    In the model's unit of time, to a thousandth of `longest`; the value rises with the horizon, so halving finds it.
    """
    if float(clv(model, spend, margin, discount_rate, longest)) < acquisition_cost:
        return None
    early, late = 0.0, longest
    while late - early > longest / 1000:
        middle = (early + late) / 2
        if float(clv(model, spend, margin, discount_rate, middle)) < acquisition_cost:
            early = middle
        else:
            late = middle
    return late
