"""RFM: how recently, how often and for how much a customer buys, each scored 1 (worst) to 5 (best).

Recency, frequency and monetary value after Hughes, *Strategic Database Marketing* (1994). Scores are fifths of the
customers who ever bought; equal values get the same score, the kinder one of the fifths they reach into.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pyarrow as pa

from zhike.measure.lake import Engine, filled
from zhike.measure.reading import Morning
from zhike.measure.specs import RfmSpec

STATEMENT = """
WITH seen AS (
  SELECT customer_id, $today - seen_last AS recency_days, seen_times AS frequency, money_window AS monetary
  FROM wide),
scored AS (
  SELECT customer_id, {recency} AS r, {frequency} AS f, {monetary} AS m FROM seen WHERE recency_days IS NOT NULL)
SELECT seen.customer_id, seen.recency_days, seen.frequency, seen.monetary,
       CAST(r AS BIGINT) AS r_score, CAST(f AS BIGINT) AS f_score, CAST(m AS BIGINT) AS m_score,
       CONCAT(r, f, m) AS rfm
FROM seen JOIN scored USING (customer_id)
UNION ALL
SELECT customer_id, NULL, frequency, monetary, NULL, NULL, NULL, NULL FROM seen WHERE recency_days IS NULL
"""


def score(engine: Engine, wide: pa.Table, spec: RfmSpec, when: Morning) -> pa.Table:
    """Return the facts of the source `rfm` with `customer_id`, one row per row of `wide`.

    `wide` needs customer_id, seen_last (day or None), seen_times and money_window. Customers never seen have no scores.
    """
    scores = _by_bounds(spec) if spec.scores == "bounds" else _by_fifths()
    return engine.query(filled(STATEMENT, **scores), {"today": when.today}, wide=wide)


def _by_fifths() -> dict[str, str]:
    """Return the score expressions by fifths, in whole numbers: rounding must not decide between two fifths."""
    # RANK() - 1 customers are better; with n customers, n - (rank - 1) are equal or worse.
    fifth = "(5 * (COUNT(*) OVER () - RANK() OVER (ORDER BY {better}) + 1) + COUNT(*) OVER () - 1) // COUNT(*) OVER ()"
    orders = {"recency": "recency_days ASC", "frequency": "frequency DESC", "monetary": "monetary DESC"}
    return {name: filled(fifth, better=order) for name, order in orders.items()}


def _by_bounds(spec: RfmSpec) -> dict[str, str]:
    """Return the score expressions by fixed bounds: one more for each bound reached (recency: not exceeded)."""
    return {
        "recency": _steps("recency_days", "<=", spec.recency_bounds),
        "frequency": _steps("frequency", ">=", spec.frequency_bounds),
        "monetary": _steps("monetary", ">=", spec.monetary_bounds),
    }


def _steps(column: str, comparison: str, bounds: Sequence[int | Decimal]) -> str:
    return "1" + "".join(f" + CAST({column} {comparison} {bound:f} AS INTEGER)" for bound in map(Decimal, bounds))
