"""Tiers by cumulated share of revenue and by rule (requirements B3), and the shares themselves.

The idea is that of an ABC analysis: customers stand in the order of what they bring; the first tier are those who
together bring the first part of the revenue, and so on. A tier may ask for more with a rule over facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa

from zhike.kit import ruletrees
from zhike.kit.ruletrees import ATTRIBUTES, FieldType, Rule
from zhike.measure.facts import TIER_INPUTS
from zhike.measure.lake import Engine, filled, quoted
from zhike.measure.specs import TiersSpec

SHARES = """
SELECT customer_id,
       CASE WHEN total > 0 THEN CAST(revenue AS DOUBLE) / total END AS revenue_share,
       CASE WHEN total > 0 THEN CAST(SUM(revenue) OVER ranked AS DOUBLE) / total END AS cumulative_share,
       ROW_NUMBER() OVER ranked AS revenue_rank
FROM (SELECT customer_id, ref, revenue, CAST(SUM(revenue) OVER () AS DOUBLE) AS total FROM wide)
WINDOW ranked AS (ORDER BY revenue DESC, ref ROWS UNBOUNDED PRECEDING)
"""

STATEMENT = """
WITH ranked AS (
  SELECT *, COALESCE({basis}, 0) AS basis, CAST(SUM(COALESCE({basis}, 0)) OVER () AS DOUBLE) AS total,
         CAST(SUM(COALESCE({basis}, 0)) OVER (ORDER BY {basis} DESC NULLS LAST, ref ROWS UNBOUNDED PRECEDING)
              - COALESCE({basis}, 0) AS DOUBLE) AS above
  FROM known)
SELECT customer_id, CASE {cases} ELSE {last} END AS tier FROM ranked
"""


def shares(engine: Engine, wide: pa.Table) -> pa.Table:
    """Return the facts of the source `shares` with `customer_id`; `wide` needs customer_id, ref and revenue.

    Shares are of the revenue of all customers, which returns may make smaller than the sum of the positive ones; they
    are unknown while the whole is not positive.
    """
    return engine.query(SHARES, wide=wide)


def assign(engine: Engine, known: pa.Table, spec: TiersSpec, fields: Mapping[str, FieldType], today: date) -> pa.Table:
    """Return customer_id and tier, one row per row of `known`, which holds all facts but the tier.

    A tier with `revenue_up_to` takes customers with revenue of whom those before them bring less than that share;
    customers without revenue pass it by. Raises RuleError for a `where` that names no such field.
    """
    cases = []
    for tier, rule in zip(spec.tiers[:-1], rules(spec, fields), strict=True):
        conditions = ["true"]
        if tier.revenue_up_to is not None:
            conditions.append(f"basis > 0 AND above < {tier.revenue_up_to!r} * total")
        if rule is not None:
            conditions.append(ruletrees.sql(rule, "duckdb", today))
        cases.append(f"WHEN {' AND '.join(conditions)} THEN {quoted(tier.key)}")
    statement = filled(STATEMENT, basis=spec.revenue, last=quoted(spec.tiers[-1].key))
    # The cases hold texts of people, in which braces mean nothing; so they come in last and at one place.
    return engine.query(statement.replace("{cases}", " ".join(cases)), known=known)


def rules(spec: TiersSpec, fields: Mapping[str, FieldType]) -> list[Rule | None]:
    """Return the parsed rule of each tier but the last; raises RuleError with its place in the plan."""
    allowed = {
        name: field for name, field in fields.items() if name in TIER_INPUTS or name.startswith(f"{ATTRIBUTES}.")
    }
    return [
        None if tier.where is None else ruletrees.parse(tier.where, allowed, at=f"tiers[{place}].where")
        for place, tier in enumerate(spec.tiers[:-1])
    ]


def columns(spec: TiersSpec, fields: Mapping[str, FieldType]) -> set[str]:
    """Return the columns that the rules of the tiers ask about."""
    named = {name for rule in rules(spec, fields) if rule is not None for name in ruletrees.fields_of(rule)}
    return {ATTRIBUTES if name.startswith(f"{ATTRIBUTES}.") else name for name in named}
