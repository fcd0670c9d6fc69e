"""What planning asks about who is likely to leave."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from zhike.decide.plans.rules.schema import Plan
from zhike.measure.facts import FACTS
from zhike.measure.leaving import telling

PROBABILITY = "churn_probability"


def churn_drivers(ids: Sequence[int], plan: Plan, today: date) -> dict[int, dict[str, Any]]:
    """Return the horizon, and what raises the churn probability of these customers most: fact and value, no money."""
    if not ids or plan.churn is None:
        return {}
    told = telling.raising(ids, plan.churn, today, "en")
    return {
        key: {
            "days": plan.churn.horizon_days,
            "drivers": [[one.fact, one.value] for one in drivers if not FACTS[one.fact].is_revenue],
        }
        for key, drivers in told.items()
    }
