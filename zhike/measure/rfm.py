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

SEEN = """
SELECT customer_id, $today - seen_last AS recency_days, seen_times AS frequency, money_window AS monetary FROM wide
"""
STATEMENT = """
SELECT customer_id, recency_days, frequency, monetary,
       CAST(r AS BIGINT) AS r_score, CAST(f AS BIGINT) AS f_score, CAST(m AS BIGINT) AS m_score,
       CONCAT(r, f, m) AS rfm
FROM {scored}
UNION ALL
SELECT customer_id, NULL, frequency, monetary, NULL, NULL, NULL, NULL FROM ({seen}) WHERE recency_days IS NULL
"""
BY_BOUNDS = """
(SELECT *, {recency} AS r, {frequency} AS f, {monetary} AS m FROM ({seen}) WHERE recency_days IS NOT NULL)
"""
# Customers alike have one score, so it is computed for each value that occurs. With n customers and b of them better,
# n - b are equal or worse; the score is the fifth that their share falls into, in whole numbers: rounding must not
# decide between two fifths.
FIFTHS = """
(SELECT {column}, (5 * (total - (together - alike)) + total - 1) // total AS {score}
 FROM (SELECT {column}, alike, SUM(alike) OVER (ORDER BY {better}) AS together, SUM(alike) OVER () AS total
       FROM (SELECT {column}, COUNT(*) AS alike FROM known GROUP BY {column})))
"""
BY_FIFTHS = """
(WITH known AS (SELECT * FROM ({seen}) WHERE recency_days IS NOT NULL)
 SELECT * FROM known LEFT JOIN {recency} USING (recency_days) LEFT JOIN {frequency} USING (frequency)
   LEFT JOIN {monetary} USING (monetary))
"""


def score(engine: Engine, wide: pa.Table, spec: RfmSpec, when: Morning) -> pa.Table:
    """Return the facts of the source `rfm` with `customer_id`, one row per row of `wide`.

    `wide` needs customer_id, seen_last (day or None), seen_times and money_window. Customers never seen have no scores.
    """
    scored = filled(BY_BOUNDS, **_by_bounds(spec)) if spec.scores == "bounds" else filled(BY_FIFTHS, **_by_fifths())
    statement = filled(filled(STATEMENT, scored=scored), seen=SEEN)
    return engine.query(statement, {"today": when.today}, wide=wide)


def _by_fifths() -> dict[str, str]:
    """Return the relations with the score of each value that occurs."""
    columns = {"recency": ("recency_days", "r"), "frequency": ("frequency", "f"), "monetary": ("monetary", "m")}
    return {
        name: filled(FIFTHS, column=column, score=score, better=column if name == "recency" else f"{column} DESC")
        for name, (column, score) in columns.items()
    }


def _by_bounds(spec: RfmSpec) -> dict[str, str]:
    """Return the score expressions by fixed bounds: one more for each bound reached (recency: not exceeded)."""
    return {
        "recency": _steps("recency_days", "<=", spec.recency_bounds),
        "frequency": _steps("frequency", ">=", spec.frequency_bounds),
        "monetary": _steps("monetary", ">=", spec.monetary_bounds),
    }


def _steps(column: str, comparison: str, bounds: Sequence[int | Decimal]) -> str:
    return "1" + "".join(f" + CAST({column} {comparison} {bound:f} AS INTEGER)" for bound in map(Decimal, bounds))
