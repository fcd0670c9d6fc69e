"""The company's key figures, each declared once: what it means, how it is computed, who answers for it."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["share", "points", "times"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One key figure.

    `sql` is a PostgreSQL statement with the parameters `day` (the morning it is taken on), `since` and `before` (one
    and two spans earlier), `start`, `since_at`, `before_at` (the same as moments), and `currency`. It returns one row:
    the value or NULL, on how many it is based, and a JSON object of figures behind it. `span` is the length of the
    time it looks at. A share is 0 to 1 (growth may be more or less), points are −100 to 100, times are 0 or more.
    """

    key: str
    zh: str
    en: str
    meaning_zh: str
    meaning_en: str
    unit: Unit
    role: str
    span: Literal["month", "quarter", "year"]
    sql: str

    def name(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en

    def meaning(self, language: str) -> str:
        return self.meaning_zh if language.startswith("zh") else self.meaning_en


# Customers who were there at the beginning of the span, and those of them who are there at its end. A company with
# subscriptions counts those in force; one without counts purchases in the span before and in the span itself.
_RETENTION = """
WITH there AS (
    SELECT customer_id FROM commerce_subscription
    WHERE start <= %(since)s AND ("end" IS NULL OR "end" > %(since)s)
    UNION
    SELECT customer_id FROM commerce_order
    WHERE bought > 0 AND placed_at >= %(before_at)s AND placed_at < %(since_at)s
      AND NOT EXISTS (SELECT 1 FROM commerce_subscription)
), kept AS (
    SELECT customer_id FROM commerce_subscription
    WHERE start <= %(day)s AND ("end" IS NULL OR "end" > %(day)s)
    UNION
    SELECT customer_id FROM commerce_order
    WHERE bought > 0 AND placed_at >= %(since_at)s AND placed_at < %(start)s
      AND NOT EXISTS (SELECT 1 FROM commerce_subscription)
)
SELECT count(kept.customer_id)::float8 / NULLIF(count(*), 0), count(*),
       jsonb_build_object('kept', count(kept.customer_id), 'lost', count(*) - count(kept.customer_id))
FROM there LEFT JOIN kept USING (customer_id)
"""

_ANSWERS = """
WITH answers AS (
    SELECT DISTINCT ON (customer_id) (payload ->> '{kind}')::float8 AS score
    FROM events_event
    WHERE kind = 'survey.answered' AND at >= %(since_at)s AND at < %(start)s
      AND jsonb_typeof(payload -> '{kind}') = 'number'
    ORDER BY customer_id, at DESC, id DESC
)
"""

_NPS = (
    _ANSWERS.replace("{kind}", "nps")
    + """
SELECT 100.0 * (count(*) FILTER (WHERE score >= 9) - count(*) FILTER (WHERE score <= 6)) / NULLIF(count(*), 0),
       count(*),
       jsonb_build_object('promoters', count(*) FILTER (WHERE score >= 9),
                          'detractors', count(*) FILTER (WHERE score <= 6))
FROM answers
"""
)

_CSAT = (
    _ANSWERS.replace("{kind}", "csat")
    + """
SELECT count(*) FILTER (WHERE score >= 4)::float8 / NULLIF(count(*), 0), count(*),
       jsonb_build_object('satisfied', count(*) FILTER (WHERE score >= 4))
FROM answers
"""
)

# A subscription earns its monthly amount for the part of the twelve months in which it ran. Amounts in a currency
# without a rate are left out, as everywhere.
_CLV_GROWTH = """
WITH rates AS (
    SELECT DISTINCT ON (currency) currency, rate FROM org_exchangerate WHERE from_day <= %(day)s
    ORDER BY currency, from_day DESC
), spans AS (
    SELECT 'now' AS span, %(since)s::date AS first, %(day)s::date AS last,
           %(since_at)s AS first_at, %(start)s AS last_at
    UNION ALL
    SELECT 'before', %(before)s::date, %(since)s::date, %(before_at)s, %(since_at)s
), earned AS (
    SELECT span, customer_id, currency, bought - returned AS amount
    FROM commerce_order JOIN spans ON placed_at >= first_at AND placed_at < last_at
    UNION ALL
    SELECT span, customer_id, currency,
           mrr * 12 * (LEAST(COALESCE("end", last), last) - GREATEST(start, first)) / (last - first)
    FROM commerce_subscription JOIN spans ON start < last AND ("end" IS NULL OR "end" > first)
), sums AS (
    SELECT span, customer_id,
           SUM(amount * CASE WHEN earned.currency = %(currency)s THEN 1 ELSE rates.rate END) AS amount
    FROM earned LEFT JOIN rates ON rates.currency = earned.currency GROUP BY span, customer_id
), per_customer AS (
    SELECT span, count(*) AS customers, SUM(amount)::float8 / count(*) AS value FROM sums WHERE amount > 0 GROUP BY span
)
SELECT now.value / NULLIF(before.value, 0) - 1, COALESCE(now.customers, 0),
       jsonb_build_object('now', round(now.value::numeric, 2), 'before', round(before.value::numeric, 2),
                          'customers_before', before.customers)
FROM (SELECT * FROM per_customer WHERE span = 'now') AS now
FULL JOIN (SELECT * FROM per_customer WHERE span = 'before') AS before ON true
"""

# What core customers are worth over what winning them cost, as the models of that very morning said; facts are those of
# the newest day only, so another day has no value here.
_CORE_VALUE = """
WITH core AS (
    SELECT facts.clv, facts.clv_to_cac, customer.acquisition_cost AS cost
    FROM measure_customerfacts AS facts JOIN customers_customer AS customer ON customer.id = facts.customer_id
    WHERE facts.tier = 'core' AND (SELECT max(day) FROM measure_factsday) = %(day)s
), known AS (
    SELECT clv, clv_to_cac, cost FROM core WHERE clv IS NOT NULL AND cost > 0
)
SELECT (SELECT SUM(clv)::float8 / NULLIF(SUM(cost), 0)::float8 FROM known), (SELECT count(*) FROM known),
       jsonb_build_object('reached', (SELECT count(*) FROM known WHERE clv_to_cac >= 10),
                          'without_cost_or_value', count(*) - (SELECT count(*) FROM known))
FROM core
"""

KPIS: dict[str, Kpi] = {
    kpi.key: kpi
    for kpi in (
        Kpi(
            "retention_month",
            "月留存率",
            "Monthly retention",
            "一个月前在约的客户中，今天仍在约的比例；没有订阅的公司，按前一个月下过单、最近一个月又下单的比例算。",
            "Of the customers with a subscription in force a month ago, the share that has one today. A company "
            "without subscriptions counts customers who bought in the month before and bought again in the last month.",
            "share",
            "csm",
            "month",
            _RETENTION,
        ),
        Kpi(
            "retention_year",
            "年留存率",
            "Yearly retention",
            "一年前在约的客户中，今天仍在约的比例；没有订阅的公司，按前一年下过单、最近一年又下单的比例算。",
            "The same over a year: in force a year ago and today, or bought in the year before and again in the last.",
            "share",
            "lead",
            "year",
            _RETENTION,
        ),
        Kpi(
            "nps",
            "NPS 净推荐值",
            "NPS",
            "近一个季度每家客户最近一次 NPS 回答：9–10 分的比例减去 0–6 分的比例，乘以 100。",
            "Each customer's latest NPS answer of the last quarter: the share of 9 and 10 minus the share of 0 to 6, "
            "times 100.",
            "points",
            "lead",
            "quarter",
            _NPS,
        ),
        Kpi(
            "csat",
            "CSAT 满意度",
            "CSAT",
            "近一个季度每家客户最近一次满意度回答（1–5 分）中，4 分及以上的比例。",
            "Each customer's latest satisfaction answer (1 to 5) of the last quarter: the share of 4 and 5.",
            "share",
            "agent",
            "quarter",
            _CSAT,
        ),
        Kpi(
            "clv_growth",
            "客户价值增长",
            "CLV growth",
            "近 12 个月每家有收入客户的平均已实现收入，比再前 12 个月增长多少；尚未用预测模型。",
            "Realised revenue per customer with revenue in the last 12 months, against the 12 months before. No "
            "forecasting model is used yet.",
            "share",
            "lead",
            "year",
            _CLV_GROWTH,
        ),
        Kpi(
            "core_value",
            "核心客户价值与获客成本之比",
            "Core customers: CLV to acquisition cost",
            "核心客户的终身价值之和，除以他们的获客成本之和；只算当天既有终身价值、又登记了获客成本的核心客户。",
            "The lifetime value of core customers over what winning them cost, both added up; of core customers whose "
            "value is known that day and whose acquisition cost is on record.",
            "times",
            "lead",
            "month",
            _CORE_VALUE,
        ),
    )
}


def band(value: float | None, target: float | None, warn_below: float | None) -> str:
    """Return how a value stands against its goal: ok, warn or risk; empty without a value or a goal."""
    if value is None or target is None:
        return ""
    if value >= target:
        return "ok"
    return "risk" if warn_below is not None and value < warn_below else "warn"
