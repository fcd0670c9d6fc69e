"""The lifecycle stage of a customer (requirements B5), from the record alone: any day can be told afterwards.

Signs of life are stretches of days: a subscription's term, the day of an order, a day with usage. A customer is churned
on the mornings when more than `churn_after_days` days have passed without one, and returns with the next.
"""

from __future__ import annotations

import pyarrow as pa

from zhike.measure.lake import Engine, Value, as_date, filled
from zhike.measure.reading import Morning, Record
from zhike.measure.specs import LifecycleSpec

SIGNS = {
    "subscription": "SELECT customer, start, COALESCE(\"end\", DATE '9999-12-31') AS stop FROM subscriptions "
    'WHERE "end" IS NULL OR "end" > start',
    "orders": "SELECT customer, day AS start, day + 1 AS stop FROM orders WHERE bought > 0",
    "usage": "SELECT customer, {day} AS start, {day} + 1 AS stop "
    "FROM (SELECT DISTINCT customer, {number} AS number FROM {usage})",
}

# `away` is the number of whole days without a sign before a stretch.
LIFE = """
SELECT customer AS customer_id, MAX(stop) AS life_end, MAX(start) FILTER (away > $churn_after) AS returned_on
FROM (SELECT customer, start, stop,
             start - MAX(stop) OVER (PARTITION BY customer ORDER BY start, stop
                                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS away
      FROM ({signs}))
GROUP BY customer
"""

STATEMENT = """
WITH aged AS (
  SELECT *, tenure_days AS age, COALESCE(joined, first_sign) AS born FROM wide),
staged AS (
  SELECT *, CASE
    WHEN $today - life_end > $churn_after THEN 'churned'
    WHEN $today - returned_on <= $won_back THEN 'won_back'
    WHEN age < $onboarding THEN 'onboarding'
    WHEN fall_before > 0 AND fall_now <= (1 - $decline_by) * fall_before THEN 'decline'
    WHEN age < $maturity OR age IS NULL THEN 'growth'
    WHEN fall_before > 0 AND fall_now > (1 + $stable) * fall_before THEN 'growth'
    ELSE 'maturity' END AS stage
  FROM aged),
begun AS (
  SELECT customer_id, stage, before_stage, before_day, CASE
    WHEN stage = 'churned' THEN life_end + $churn_after + 1
    WHEN stage = 'won_back' THEN returned_on + 1
    WHEN stage = 'onboarding' THEN born
    WHEN stage = 'growth' AND age < $maturity THEN born + $onboarding
    ELSE $today END AS since
  FROM staged)
SELECT customer_id, stage, CASE
    WHEN before_stage = stage THEN before_day
    WHEN before_stage IS NULL THEN LEAST(since, $today)
    ELSE $today END AS stage_since
FROM begun
"""


def life(engine: Engine, record: Record, spec: LifecycleSpec, when: Morning) -> pa.Table:
    """Return customer_id, life_end (the first day without the latest sign of life) and returned_on (when the latest
    stretch of life after a pause began), for customers with signs of life.
    """
    number = when.day_of("us")
    signs = filled(SIGNS[spec.churn_by], day=as_date("number"), number=number, usage=record.usage.relation)
    tables = {"subscriptions": record.subscriptions, "orders": record.orders, "asked": record.usage.asked}
    return engine.query(filled(LIFE, signs=signs), _values(spec, when), **tables)


def stages(engine: Engine, wide: pa.Table, spec: LifecycleSpec, when: Morning) -> pa.Table:
    """Return customer_id, stage and stage_since, one row per row of `wide`.

    `wide` needs customer_id, tenure_days, joined, first_sign, fall_now, fall_before, the columns of `life`, and the
    last known stage of earlier mornings with its day (before_stage, before_day): it only says since when, never which.
    A customer first seen today is in the stage since the day that follows from the record, or since today when none
    does. The age of a customer without any date is unknown; such a customer counts as growing.
    """
    return engine.query(STATEMENT, _values(spec, when), wide=wide)


def _values(spec: LifecycleSpec, when: Morning) -> dict[str, Value]:
    return {
        "today": when.today,
        "churn_after": spec.churn_after_days,
        "won_back": spec.won_back_days,
        "onboarding": spec.onboarding_days,
        "maturity": spec.maturity_days,
        "decline_by": spec.decline_by,
        "stable": spec.stable_within,
    }
