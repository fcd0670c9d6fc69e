"""Value of subscription customers: how long they have stayed in contracts, and the fees of those they will renew."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from zhike.measure import wide
from zhike.measure.clv import ShiftedBetaGeometric
from zhike.measure.clv.histories import Floats
from zhike.measure.lake import Engine, Value, filled
from zhike.measure.reading import Record
from zhike.measure.specs import ValueSpec
from zhike.measure.value.buying import attempted, told

LATE = 31  # Days after an end within which a customer may still renew.
PERIODS = (12, 6, 3)  # Months.
MOSTLY = 0.6

# A customer's subscriptions that touch each other, or nearly so, are one stay.
STAYS = """
WITH known AS (
  SELECT customer, start, COALESCE("end", DATE '9999-01-01') AS until FROM subscriptions WHERE start < $today),
marked AS (
  SELECT *, start > LATEST + {late} AS fresh FROM (
    SELECT *, MAX(until) OVER (PARTITION BY customer ORDER BY start, until
                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest FROM known)),
numbered AS (
  SELECT *, COUNT(*) FILTER (fresh) OVER (PARTITION BY customer ORDER BY start, until ROWS UNBOUNDED PRECEDING) AS stay
  FROM marked),
stays AS (
  SELECT customer, stay, MIN(start) AS start, MAX(until) AS until FROM numbered GROUP BY customer, stay)
SELECT customer AS customer_id, {begun} AS months, until <= $today - {late} AS has_left, until < $today AS has_ended,
       CASE WHEN until > DATE '9000-01-01' THEN NULL ELSE {left} END AS months_left,
       stay = MAX(stay) OVER (PARTITION BY customer) AS is_last
FROM stays ORDER BY customer, stay
"""
# How long contracts with an end were made for.
LENGTHS = """
SELECT COUNT(*) AS contracts,
       {shares}
FROM (SELECT {months} AS months FROM subscriptions AS s WHERE start < $today AND "end" IS NOT NULL AND "end" > start)
"""


@dataclass(frozen=True)
class Staying:
    """What is expected of each customer with a subscription: arrays beside `customers`. Unknown is NaN.

    `running` is 1 for customers in contract, 0 for those who left. `months` are the discounted months of fees that are
    expected within the horizon.
    """

    customers: Floats
    running: Floats
    months: Floats


def expected(
    engine: Engine, record: Record, values: Mapping[str, Value], spec: ValueSpec
) -> tuple[Staying | None, dict[str, Any]]:
    """Return what the contracts of a record let expect, and the card that says how; None where there are none."""
    if not record.subscriptions.num_rows:
        return None, {"reason": "no_subscriptions"}
    period = _period(engine, record, values)
    statement = filled(
        STAYS,
        late=str(LATE),
        begun=wide.months("start", "LEAST(until, $today)"),
        left=wide.months("$today", "until"),
    )
    rows = engine.query(statement, values, subscriptions=record.subscriptions)
    found = {name: np.asarray(rows[name].to_numpy(), dtype=np.float64) for name in rows.column_names}
    gone = found["has_left"]
    # A contract that ended was paid to its end; one that runs is in a period it has begun.
    begun = np.where(gone > 0, np.round(found["months"] / period), np.floor(found["months"] / period) + 1)
    begun = np.maximum(begun, 1)
    card: dict[str, Any] = {
        "customers": len(np.unique(found["customer_id"])),
        "stays": len(begun),
        "left": int(gone.sum()),
        "period_months": period,
    }
    model = attempted(partial(ShiftedBetaGeometric().fit, begun, gone, limits=True))
    card.update(model if isinstance(model, dict) else told(model))
    last = found["is_last"] > 0
    running = np.where(gone > 0, 0.0, np.where(found["has_ended"] > 0, np.nan, 1.0))[last]
    if isinstance(model, dict):
        card["reason"] = "not_carried"
        months = np.full(len(running), np.nan)
    else:
        begun_last, left = begun[last], found["months_left"][last]
        left = np.where(np.isnan(left), begun_last * period - found["months"][last], np.maximum(left, 0))
        months = np.where(
            running == 1, _months(model, begun_last, left, period, spec), np.where(running == 0, 0.0, np.nan)
        )
    return Staying(found["customer_id"][last], running, months), card


def _period(engine: Engine, record: Record, values: Mapping[str, Value]) -> int:
    """Return after how many months a contract comes up for renewal, the longest that most contracts fit; else 1."""
    shares = ", ".join(
        f"AVG((ABS(months / {size} - ROUND(months / {size})) * {size} < 0.25 AND months > {size} - 0.5)::INTEGER) "
        f"AS of_{size}"
        for size in PERIODS
    )
    months = wide.months("s.start", 's."end"')
    found = engine.query(
        filled(LENGTHS, shares=shares, months=months), values, subscriptions=record.subscriptions
    ).to_pylist()[0]
    return next((size for size in PERIODS if (found[f"of_{size}"] or 0) >= MOSTLY), 1)


def _months(model: ShiftedBetaGeometric, begun: Floats, left: Floats, period: int, spec: ValueSpec) -> Floats:
    """Return the discounted months of fees within the horizon, of customers in period `begun` with `left` months of it.

    What is left of the contract is paid for sure; each period after it with the probability that all renewals up to it
    are made, which are those of the survival function given what was renewed already.
    """
    force = math.log1p(spec.discount) / 12
    horizon = float(spec.horizon_months)

    def worth(start: Floats, end: Floats) -> Floats:
        return np.asarray(
            (np.exp(-force * np.minimum(start, horizon)) - np.exp(-force * np.minimum(end, horizon))) / force
        )

    total = worth(np.zeros_like(left), left)
    stayed = np.ones_like(left)
    for ahead in range(math.ceil(horizon / period) + 1):
        stayed = stayed * model.retention(begun + ahead)
        start = left + ahead * period
        total = total + stayed * worth(start, start + period)
    return total
