"""The facts of customer value: contracts and purchases together, in money, against what winning the customer cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from zhike.measure import wide
from zhike.measure.clv import value_to_cost
from zhike.measure.clv.histories import Floats
from zhike.measure.lake import Engine
from zhike.measure.reading import Morning, Record
from zhike.measure.specs import MeasureSpec
from zhike.measure.value import buying, contracts

MOST = 1e15  # Money past this is no value but a fault of the data.
SCHEMA = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("p_alive", pa.float64()),
        ("expected_orders_12m", pa.float64()),
        ("clv", pa.decimal128(18, 2)),
        ("clv_to_cac", pa.float64()),
    ]
)


def valued(
    engine: Engine, record: Record, known: pa.Table, spec: MeasureSpec, when: Morning
) -> tuple[pa.Table, dict[str, Any]]:
    """Return the facts of value (SCHEMA) of the customers in `known`, and the card that says how they came about.

    `known` are the facts known so far, ordered by `customer_id`; `mrr` and `acquisition_cost` are read of them. Nothing
    after the morning is looked at. What the data do not carry is unknown, and the card says why.
    """
    values = wide.parameters(record.currency, spec, when)
    until = values["yesterday"]
    bought, orders = buying.expected(engine, record, values, spec.value, until)  # type: ignore[arg-type]  # A date, among values of all types.
    staying, stays = contracts.expected(engine, record, values, spec.value)
    who = np.asarray(known["customer_id"].to_numpy(), dtype=np.float64)
    mrr, cost = (_money(known, name) for name in ("mrr", "acquisition_cost"))
    alive, expected, worth = (np.full(len(who), np.nan) for _ in range(3))
    if bought is not None:
        at, mine = _places(who, bought.customers)
        alive[at], expected[at], worth[at] = bought.alive[mine], bought.orders[mine], bought.money[mine]
    if staying is not None:
        at, mine = _places(who, staying.customers)
        alive[at] = staying.running[mine]
        fees = spec.value.margin * np.nan_to_num(mrr[at]) * staying.months[mine]
        # Beside a contract, orders are extras: without a model for them the contract is the value.
        worth[at] = fees + np.nan_to_num(worth[at])
    worth[np.abs(worth) > MOST] = np.nan
    times = np.full(len(who), np.nan)
    paid = np.isfinite(cost) & (cost > 0) & np.isfinite(worth)
    times[paid] = value_to_cost(np.maximum(worth[paid], 0), cost[paid])
    table = pa.table(
        {
            "customer_id": known["customer_id"],
            "p_alive": _rounded(alive, 4),
            "expected_orders_12m": _rounded(expected, 3),
            "clv": _rounded(worth, 2).cast(pa.decimal128(18, 2), safe=False),
            "clv_to_cac": _rounded(times, 2),
        }
    )
    card = {
        "orders": orders,
        "subscriptions": stays,
        "currency": record.currency,
        **spec.value.model_dump(),
        "known": int(np.isfinite(worth).sum()),
        "customers": len(who),
        "money": _summary(worth[np.isfinite(worth)]),
    }
    return table.cast(SCHEMA), card


def _money(known: pa.Table, name: str) -> Floats:
    return np.asarray(known[name].cast(pa.float64()).to_numpy(), dtype=np.float64)


def _places(who: Floats, customers: Floats) -> tuple[np.typing.NDArray[np.int64], np.typing.NDArray[np.int64]]:
    """Return the places in `who`, which is sorted, of those customers who are there, and theirs among `customers`."""
    found = np.minimum(np.searchsorted(who, customers), max(0, len(who) - 1))
    here = np.flatnonzero(who[found] == customers) if len(who) else np.zeros(0, dtype=np.int64)
    return found[here], here


def _rounded(values: Floats, digits: int) -> pa.Array:
    # Rounded, so that the order in which sums were added never shows.
    return pa.array(np.round(values, digits), pa.float64(), from_pandas=True)


def _summary(worth: Floats) -> dict[str, float]:
    if not len(worth):
        return {}
    marks = np.percentile(worth, [10, 50, 90])
    return {
        "mean": round(float(worth.mean()), 2),
        **{name: round(float(mark), 2) for name, mark in zip(("p10", "median", "p90"), marks, strict=True)},
    }
