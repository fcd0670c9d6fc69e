"""Value of customers who buy when they like: purchase histories of the record, the best of three models, and money."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from zhike.kit.refusal import Refusal
from zhike.measure import wide
from zhike.measure.clv import BetaGeo, GammaGamma, ModifiedBetaGeo, ParetoNBD
from zhike.measure.clv.fitting import Model
from zhike.measure.clv.gamma_gamma import NoMean
from zhike.measure.clv.histories import Floats, distinct
from zhike.measure.clv.holdouts import errors
from zhike.measure.clv.summaries import DAYS_A_WEEK
from zhike.measure.lake import Engine, Value, filled
from zhike.measure.reading import Record
from zhike.measure.specs import ValueSpec
from zhike.measure.value.forecasting import Buying, discounted_for, expected_for

KINDS: tuple[type[Buying], ...] = (BetaGeo, ModifiedBetaGeo, ParetoNBD)
TRIED = 12_000  # Customers among whom the models are compared; the best one is then fitted to more.
FITTED = 300_000
SPENDERS = 60_000  # Customers of whom is learnt what a purchase is worth.
WEEKS_A_YEAR = 365.25 / DAYS_A_WEEK
LEAST_HELD, MOST_HELD = 16 * DAYS_A_WEEK, 26 * DAYS_A_WEEK  # Days.

# What one customer buys on one day is one purchase. `later` are purchases after the day `held`, the others before.
HISTORIES = """
SELECT customer AS customer_id, COUNT(*) - 1 AS x, MAX(day) - MIN(day) AS last, $yesterday - MIN(day) AS watched,
       (SUM(spent) - ARG_MIN(spent, day)) / NULLIF(COUNT(*) - 1, 0) AS spend,
       COUNT(*) FILTER (day <= $held) - 1 AS x_before, MAX(day) FILTER (day <= $held) - MIN(day) AS last_before,
       $held - MIN(day) AS watched_before, COUNT(*) FILTER (day > $held) AS later
FROM (SELECT customer, day, CAST(SUM(bought) AS DOUBLE) AS spent FROM {orders}
      WHERE purchase AND bought > 0 GROUP BY customer, day)
GROUP BY customer ORDER BY customer
"""
SPAN = """
SELECT MIN(day) FILTER (purchase) AS first, CAST(SUM(returned) / NULLIF(SUM(bought), 0) AS DOUBLE) AS back FROM {orders}
"""


@dataclass(frozen=True)
class Bought:
    """What is expected of each customer with a purchase: arrays beside `customers`. Unknown is NaN."""

    customers: Floats
    alive: Floats
    orders: Floats
    money: Floats


def expected(
    engine: Engine, record: Record, values: Mapping[str, Value], spec: ValueSpec, yesterday: date
) -> tuple[Bought | None, dict[str, Any]]:
    """Return what the purchases of a record let expect, and the card that says how; None and why where they do not."""
    orders = filled(wide.ORDERS, rates=wide.RATES)
    tables = {"orders": record.orders, "rates": record.rates}
    seen = engine.query(filled(SPAN, orders=orders), values, **tables).to_pylist()[0]
    if seen["first"] is None:
        return None, {"reason": "no_orders"}
    held = _held(seen["first"], yesterday)
    asked = {**values, "held": held or yesterday}
    rows = engine.query(filled(HISTORIES, orders=orders), asked, **tables)
    history = {name: _numbers(rows, name) for name in rows.column_names}
    card: dict[str, Any] = {
        "customers": rows.num_rows,
        "repeaters": int((history["x"] > 0).sum()),
        "from": seen["first"].isoformat(),
        "until": yesterday.isoformat(),
        "returned_share": round(float(seen["back"] or 0), 4),
    }
    model = _best(history["x"], history["last"] / DAYS_A_WEEK, history["watched"] / DAYS_A_WEEK, card)
    if model is None:
        return None, card
    if held is not None:
        card["holdout"] = _holdout(type(model), history, held, yesterday)
    return _worth(model, _spend(history, card), history, spec, card), card


def _numbers(rows: pa.Table, name: str) -> Floats:
    return np.asarray(rows[name].cast(pa.float64()).to_numpy(), dtype=np.float64)


def _held(first: date, yesterday: date) -> date | None:
    """Return the day after which purchases judge the model: for a third of the time, half a year at most."""
    span = (yesterday - first).days
    if span < LEAST_HELD:
        return None
    return date.fromordinal(yesterday.toordinal() - min(span // 3, MOST_HELD))


def _some(size: int, most: int) -> np.typing.NDArray[np.int64]:
    """Return the places of at most so many rows, always the same ones of as many."""
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng(size).choice(size, most, replace=False))


def _best(x: Floats, t_x: Floats, span: Floats, card: dict[str, Any]) -> Buying | None:
    """Return the model of the highest likelihood, fitted, and note parameters and errors, or why there is none."""
    few = _some(len(x), TRIED)
    tried: dict[str, Buying] = {}
    card["tried"] = {}
    for kind in KINDS:
        found = _attempt(kind, x[few], t_x[few], span[few])
        card["tried"][kind.NAME] = found if isinstance(found, dict) else {"log_likelihood": found.log_likelihood}
        if not isinstance(found, dict):
            tried[kind.NAME] = found
    if not tried:
        card["reason"] = "not_carried"
        return None
    best = max(tried.values(), key=lambda model: model.log_likelihood)
    more = _some(len(x), FITTED)
    if len(more) > len(few):
        best = type(best)().fit(x[more], t_x[more], span[more], limits=True)
    card.update(told(best), rows=len(more))
    return best


Fit = TypeVar("Fit", bound=Model)


def attempted(fit: Callable[[], Fit]) -> Fit | dict[str, Any]:
    """Return the fitted model, or why it was refused as JSON holds it."""
    try:
        return fit()
    except Refusal as refusal:
        return _refused(refusal)


def _attempt(kind: type[Buying], x: Floats, t_x: Floats, span: Floats) -> Buying | dict[str, Any]:
    try:
        return kind().fit(x, t_x, span, limits=True)
    except Refusal as refusal:
        return _refused(refusal)


def _refused(refusal: Refusal) -> dict[str, Any]:
    return {"message": str(refusal.message), "details": refusal.details}


def told(model: Model) -> dict[str, Any]:
    """Return a fitted model as JSON holds it."""
    sure = {name: value if math.isfinite(value) else None for name, value in model.standard_errors.items()}
    return {
        "model": model.NAME,
        "parameters": model.params,
        "standard_errors": sure,
        "log_likelihood": model.log_likelihood,
        "cautions": [
            {"kind": one.kind, "message": one.message, "details": dict(one.details)} for one in model.cautions
        ],
    }


def _holdout(kind: type[Buying], history: Mapping[str, Floats], held: date, until: date) -> dict[str, Any]:
    """Fit to what was known on the day `held`, forecast the time after, and set it beside what happened."""
    known = np.flatnonzero(history["watched_before"] >= 0)
    known = known[_some(len(known), TRIED)]
    x, last, watched, later = (history[name][known] for name in ("x_before", "last_before", "watched_before", "later"))
    weeks = (until - held).days / DAYS_A_WEEK
    said: dict[str, Any] = {"after": held.isoformat(), "weeks": round(weeks, 2), "customers": len(known)}
    t_x, span = last / DAYS_A_WEEK, watched / DAYS_A_WEEK
    model = _attempt(kind, x, t_x, span)
    if isinstance(model, dict):
        return {**said, **model}
    forecast = model.p_alive(x, t_x, span) * expected_for(model, weeks, x, span)
    as_before = np.where(span > 0, x / np.maximum(span, 1e-9), 0.0) * weeks
    return {
        **said,
        "actual": int(later.sum()),
        **errors(later, forecast),
        "constant_rate": errors(later, as_before),
    }


def _spend(history: Mapping[str, Floats], card: dict[str, Any]) -> GammaGamma | None:
    """Return what a purchase is worth, fitted, or None and why on the card."""
    paid = np.flatnonzero((history["x"] > 0) & (history["spend"] > 0))
    paid = paid[_some(len(paid), SPENDERS)]
    found = attempted(partial(GammaGamma().fit, history["x"][paid], history["spend"][paid], limits=True))
    if not isinstance(found, dict) and found.params["q"] <= 1:
        found = {"message": NoMean.message, "details": {"q": f"{found.params['q']:.3g}"}}
    card["spend"] = found if isinstance(found, dict) else {**told(found), "rows": len(paid)}
    return None if isinstance(found, dict) else found


def _worth(
    model: Buying, spend: GammaGamma | None, history: Mapping[str, Floats], spec: ValueSpec, card: Mapping[str, Any]
) -> Bought:
    x, t_x, span = history["x"], history["last"] / DAYS_A_WEEK, history["watched"] / DAYS_A_WEEK
    rows = distinct((x, t_x, span))
    alive = model.p_alive(*rows.columns)[rows.inverse]

    orders = alive * expected_for(model, WEEKS_A_YEAR, x, span)
    money = np.full(len(x), np.nan)
    if spend is not None:
        weekly = (1 + spec.discount) ** (1 / WEEKS_A_YEAR) - 1
        horizon = spec.horizon_months / 12 * WEEKS_A_YEAR

        each = spend.expected_spend(x, np.nan_to_num(history["spend"]))
        kept = max(0.0, 1 - float(card["returned_share"]))
        money = spec.margin * kept * each * alive * discounted_for(model, weekly, horizon, x, span)
    return Bought(history["customer_id"], alive, orders, money)
