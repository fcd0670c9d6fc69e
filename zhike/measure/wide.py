"""From the record to one wide row per customer: each source gathered in one scan, then joined.

`gather` makes rows each of which depends on nothing but its own customer's part of the record, so that some of them
can be gathered anew and put in the place of their former selves; `finish` adds what is computed from them.

Beside the facts the rows hold columns that later measures need and nobody else sees:
`first_sign` the day of the first order, subscription or usage · `seen_last`, `seen_times` recency and frequency as the
plan counts them · `money_window` revenue within the RFM window · `fall_now`, `fall_before` usage or revenue within the
plan's decline window and the one before · `life_end`, `returned_on` see `lifecycle` · `before_stage`, `before_day`,
`past_health` what earlier mornings left · `counts` whether the customer was one at that moment · `later_us` from which
moment on (microseconds since 1970) more of the record will count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from zhike.kit.periods import add_months
from zhike.measure import lifecycle, rows, usage
from zhike.measure.facts import FACTS, Fact, Source, of_source
from zhike.measure.lake import Engine, Value, filled
from zhike.measure.reading import NEXT_TOUCHES, History, Morning, Record
from zhike.measure.specs import MeasureSpec

BEGINNING = date(1, 1, 1)

# The first rate of a currency also holds for the days before it.
RATES = """
(SELECT currency, rate,
        CASE WHEN LAG(from_day) OVER days IS NULL THEN DATE '0001-01-01' ELSE from_day END AS since,
        COALESCE(LEAD(from_day) OVER days, DATE '9999-12-31') AS until
 FROM rates WHERE currency <> $currency WINDOW days AS (PARTITION BY currency ORDER BY from_day)
 UNION ALL SELECT $currency, 1::DECIMAL(18, 8), DATE '0001-01-01', DATE '9999-12-31')
"""

ORDERS = """
(SELECT o.customer, o.day, o.bought > 0 AS purchase, o.bought * r.rate AS bought, o.returned * r.rate AS returned,
        o.fees * r.rate AS fees, (o.bought - o.returned) * r.rate AS net
 FROM orders AS o LEFT JOIN {rates} AS r
   ON r.currency = COALESCE(NULLIF(o.currency, ''), $currency) AND o.day >= r.since AND o.day < r.until)
"""

# A subscription is charged at the rate of its first day; what it brings a month is told at the rate of yesterday.
SUBSCRIPTIONS = """
(SELECT s.customer, s.start, s."end", s.quantity, s.mrr * late.rate AS mrr, CAST(s.mrr * early.rate AS DOUBLE) AS price,
        s."end" IS NULL OR s."end" >= $today AS running, {months}
 FROM (SELECT *, COALESCE(NULLIF(currency, ''), $currency) AS money FROM subscriptions) AS s
 LEFT JOIN {rates} AS early ON early.currency = s.money AND s.start >= early.since AND s.start < early.until
 LEFT JOIN {rates} AS late ON late.currency = s.money AND $yesterday >= late.since AND $yesterday < late.until)
"""

# A customer who joined, or of whom anything is known, only after the moment is none yet.
COUNTS = """
(COALESCE(c.joined, $today) <= $today AND NOT (
   c.joined IS NULL AND of_later.customer_id IS NOT NULL AND {unknown}))
"""

STATEMENT = """
WITH {gathered}, of_later AS (SELECT customer AS customer_id, MIN(us) AS later_us FROM later GROUP BY customer)
SELECT c.*, LEAST(first_order_row, first_start, first_used) AS first_sign, {columns},
       life.life_end, life.returned_on, stages.after AS before_stage, stages.day AS before_day,
       past.health AS past_health, {counts} AS counts, of_later.later_us
FROM customers AS c {joins} LEFT JOIN of_later USING (customer_id) LEFT JOIN life USING (customer_id)
  LEFT JOIN stages USING (customer_id) LEFT JOIN past USING (customer_id)
"""

# A company none of whose events is a log-in by name says nothing by their absence.
FINISHED = """
SELECT joined.customer_id, logins, next_touch, {arithmetic}, {more}
FROM (SELECT * REPLACE (CASE WHEN {by_name} AND (SELECT SUM(logins) FROM gathered) > 0 THEN logins ELSE days_13w END
                        AS logins),
             CAST(given.next_touch AS DATE) AS next_touch
      FROM gathered LEFT JOIN given USING (customer_id)) AS joined
WHERE counts
"""


@dataclass(frozen=True)
class Column:
    """An aggregate of a source that later measures need, but that is no fact."""

    name: str
    sql: str
    otherwise: str = "NULL"


def months(start: str, until: str) -> str:
    """Return SQL for the months between two days with a fraction, 0 when `until` is not later.

    From a day to the same day of the next month is 1; the rest is a share of the month it falls into
    (`zhike.kit.periods.months_between`).
    """
    return filled(
        "CASE WHEN {until} <= {start} THEN 0 ELSE DATESUB('month', {start}, {until}) + "
        "({until} - CAST({start} + TO_MONTHS(DATESUB('month', {start}, {until})) AS DATE)) / "
        "(CAST({start} + TO_MONTHS(DATESUB('month', {start}, {until}) + 1) AS DATE) - "
        "CAST({start} + TO_MONTHS(DATESUB('month', {start}, {until})) AS DATE)) END",
        start=start,
        until=until,
    )


def _months_by(cuts: Mapping[str, str]) -> str:
    """Return the columns with the months that a subscription had run when each of the days began."""
    until = "LEAST(COALESCE(s.\"end\", DATE '9999-01-01'), {day})"
    return ", ".join(f"{months('s.start', filled(until, day=day))} AS {name}" for name, day in cuts.items())


def gather(engine: Engine, record: Record, spec: MeasureSpec, when: Morning, history: History) -> pa.Table:
    """Return one row for each customer of the record, ordered by `customer_id`: what is known of it by itself.

    Sums of money are exact decimals, so the order of the rows never shows.
    """
    values = parameters(record.currency, spec, when)
    tables = {
        "customers": record.customers,
        "orders": record.orders,
        "subscriptions": record.subscriptions,
        "interactions": record.interactions,
        "answers": record.answers,
        "later": record.later,
        "rates": record.rates,
        "used": usage.gather(engine, record.usage, spec, when.today),
        "life": lifecycle.life(engine, record, spec.lifecycle, when),
        "stages": history.stages,
        "past": history.health,
    }
    return engine.query(statement(spec), values, **tables)


def finish(
    engine: Engine, gathered: pa.Table, given: pa.Table | None, spec: MeasureSpec, values: Mapping[str, Value]
) -> pa.Table:
    """Return the gathered rows of customers that count, in order, with the facts of the sources `given` and `wide`.

    `given` is customer_id and next_touch; `values` are those of `parameters`.
    """
    finished = filled(
        FINISHED,
        arithmetic=", ".join(_typed(fact, fact.sql) for fact in of_source(Source.WIDE)),
        more=", ".join(_measures(spec)),
        by_name="true" if spec.login_events else "false",
    )
    table = NEXT_TOUCHES.empty_table() if given is None else given.select(NEXT_TOUCHES.names).cast(NEXT_TOUCHES)
    computed = rows.in_order(engine.query(finished, values, gathered=gathered, given=table))
    if not pc.all(gathered["counts"]).as_py():
        gathered = gathered.filter(gathered["counts"])
    found = rows.in_order(gathered)
    names = [name for name in found.column_names if name not in computed.column_names]
    return rows.together([computed, found], [*names, *computed.column_names[1:]])


def parameters(currency: str, spec: MeasureSpec, when: Morning) -> dict[str, Value]:
    """Return the values that the statements of measuring name."""
    window = spec.rfm.window_days
    values: dict[str, Value] = {
        "today": when.today,
        "yesterday": when.today - timedelta(days=1),
        "currency": currency,
        "year_ago": add_months(when.today, -12),
        "window_start": when.today - timedelta(days=window) if window else BEGINNING,
        "decline_days": spec.lifecycle.decline_days,
        "fall_since": when.today - timedelta(days=spec.lifecycle.decline_days),
        "fall_before": when.today - timedelta(days=2 * spec.lifecycle.decline_days),
    }
    return values


def _extra(spec: MeasureSpec) -> dict[Source, tuple[Column, ...]]:
    """Return the columns of each source that are no facts."""
    by_usage = spec.rfm.source == "usage"
    by_orders = (
        ()
        if by_usage
        else (
            Column("seen_last", "MAX(day) FILTER (purchase)"),
            Column("seen_times", "COUNT(*) FILTER (purchase AND day >= $window_start)", "0"),
        )
    )
    return {
        Source.ORDERS: (
            *by_orders,
            *(_money(f"order_revenue{name}", f"SUM(net) FILTER ({rows})") for name, rows in _WINDOWS.items()),
            Column("first_order_row", "MIN(day)"),
        ),
        Source.SUBSCRIPTIONS: (
            *(
                # A price times a share of a month is cut to a decimal before it is summed: sums stay exact.
                _money(f"subscription_revenue{name}", f"SUM(CAST(price * ({part}) AS DECIMAL(28, 8)))")
                for name, part in _STRETCHES.items()
            ),
            Column("first_start", "MIN(start)"),
        ),
        Source.USAGE: (
            *((Column("seen_last", "MAX(last_day)"), Column("seen_times", "MAX(seen_days)", "0")) if by_usage else ()),
            Column("logins", "MAX(logins)", "0"),
            Column("days_13w", "MAX(days_13w)", "0"),
            Column("first_used", "MIN(first_day)"),
            Column("used_now", "SUM(fall_now)", "0"),
            Column("used_before", "SUM(fall_before)", "0"),
        ),
    }


_WINDOWS = {
    "": "true",
    "_12m": "day >= $year_ago",
    "_window": "day >= $window_start",
    "_now": "day >= $fall_since",
    "_before": "day >= $fall_before AND day < $fall_since",
}
_CUTS = {
    "months_today": "$today",
    "months_year_ago": "$year_ago",
    "months_window": "$window_start",
    "months_fall_since": "$fall_since",
    "months_fall_before": "$fall_before",
}
_STRETCHES = {
    "": "months_today",
    "_12m": "months_today - months_year_ago",
    "_window": "months_today - months_window",
    "_now": "months_today - months_fall_since",
    "_before": "months_fall_since - months_fall_before",
}


def _money(name: str, sql: str) -> Column:
    return Column(name, f"CAST({sql} AS DECIMAL(28, 8))", "0")


def statement(spec: MeasureSpec) -> str:
    """Return the statement of `gather`: a CTE per source, and their join."""
    extra = _extra(spec)
    relations = {
        Source.ORDERS: filled(ORDERS, rates=RATES),
        Source.SUBSCRIPTIONS: filled(SUBSCRIPTIONS, months=_months_by(_CUTS), rates=RATES),
        Source.USAGE: "used",
        Source.INTERACTIONS: "interactions",
        Source.ANSWERS: "answers",
    }
    columns_of: dict[Source, tuple[Fact | Column, ...]] = {
        source: (*of_source(source), *extra.get(source, ())) for source in relations
    }
    unknown = " AND ".join(f"of_{source}.customer_id IS NULL" for source in relations)
    return (
        filled(
            STATEMENT,
            gathered=", ".join(_gathered(source, relations[source], columns_of[source]) for source in relations),
            columns=", ".join(_joined(source, column) for source in relations for column in columns_of[source]),
            counts=filled(COUNTS, unknown=unknown),
            joins=" ".join(f"LEFT JOIN of_{source} USING (customer_id)" for source in relations),
        )
        + " ORDER BY customer_id"
    )


def _gathered(source: Source, relation: str, of: tuple[Fact | Column, ...]) -> str:
    columns = [f"{column.sql} AS {column.name}" for column in of]
    return filled(
        "of_{source} AS (SELECT customer AS customer_id, {columns} FROM {relation} GROUP BY customer)",
        source=source.value,
        columns=", ".join(columns),
        relation=relation,
    )


def _joined(source: Source, column: Fact | Column) -> str:
    value = f"of_{source}.{column.name}"
    value = value if column.otherwise == "NULL" else f"COALESCE({value}, {column.otherwise})"
    return _typed(column, value) if isinstance(column, Fact) else f"{value} AS {column.name}"


def _typed(fact: Fact, value: str) -> str:
    return f"CAST({value} AS {FACTS[fact.name].duckdb_type}) AS {fact.name}"


def _measures(spec: MeasureSpec) -> tuple[str, ...]:
    """Return the columns of RFM and lifecycle that need several sources."""
    falling = ["used_now", "used_before"]
    if spec.lifecycle.decline_measure == "revenue":
        falling = [f"order_revenue{part} + subscription_revenue{part}" for part in ("_now", "_before")]
    return (
        "CAST(order_revenue_window + subscription_revenue_window AS DECIMAL(18, 2)) AS money_window",
        f"CAST({falling[0]} AS DOUBLE) AS fall_now",
        f"CAST({falling[1]} AS DOUBLE) AS fall_before",
    )


NO_RATE = """
SELECT money AS currency, COUNT(*) AS rows, SUM(amount) AS amount
FROM (SELECT COALESCE(NULLIF(currency, ''), $currency) AS money, day, bought - returned AS amount FROM orders
      UNION ALL SELECT COALESCE(NULLIF(currency, ''), $currency), start, mrr FROM subscriptions) AS t
WHERE NOT EXISTS (SELECT 1 FROM {rates} AS r WHERE r.currency = t.money AND t.day >= r.since AND t.day < r.until)
GROUP BY money ORDER BY money
"""


def without_rate(engine: Engine, record: Record) -> list[dict[str, object]]:
    """Return the amounts that no exchange rate covers and that are therefore in no sum: currency, rows, amount."""
    found = engine.query(
        filled(NO_RATE, rates=RATES),
        {"currency": record.currency},
        orders=record.orders,
        subscriptions=record.subscriptions,
        rates=record.rates,
    )
    return [
        {"code": "no_rate", "currency": row["currency"], "rows": row["rows"], "amount": str(row["amount"])}
        for row in found.to_pylist()
    ]
