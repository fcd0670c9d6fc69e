"""The health score's parts a month ago, as the lake kept them."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from zhike.decide.plans.rules import Plan
from zhike.measure import health, lake, snapshots
from zhike.measure.facts import fields
from zhike.measure.specs import HEALTH_PARTS

MONTH = timedelta(days=30)


def parts_before(customer_id: int, *, today: date) -> dict[str, float | None]:
    """Return the contributions of the kept day nearest to 30 days ago, within a week of it; none kept, none told."""
    nearest = snapshots.kept_near(today - MONTH)
    if nearest is None:
        return {}
    columns = ", ".join(f"CAST(health_{part} AS DOUBLE) AS {part}" for part in HEALTH_PARTS)
    question = lake.filled(
        "SELECT {columns} FROM read_parquet({path}) WHERE customer_id = $customer",
        columns=columns,
        path=lake.quoted(str(lake.present(nearest.path))),
    )
    rows = lake.reader().query(question, {"customer": customer_id}).to_pylist()
    return rows[0] if rows else {}


def segment_of(plan: Plan | None, facts: Mapping[str, Any] | None, day: date) -> int:
    """Return the place of the segment by which the plan weighs a customer with these facts, -1 for none."""
    if plan is None or facts is None or not plan.health.segments:
        return -1
    return health.segment_of(plan.health, fields(), facts, day)
