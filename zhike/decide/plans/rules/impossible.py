"""Rules that no customer can satisfy, found by the bounds of each fact. What cannot be decided counts as possible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from zhike.kit.ruletrees import AllOf, AnyOf, Comparison, Not, Op, Rule

# Smallest and greatest value that a fact can have.
BOUNDS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("health", "health_30d_ago"), (0, 100)),
    "health_change_30d": (-100, 100),
    "last_nps": (0, 10),
    **dict.fromkeys(("r_score", "f_score", "m_score"), (1, 5)),
    **dict.fromkeys(("revenue_share", "cumulative_share"), (0, 1)),
    **dict.fromkeys(("usage_change_30d", "usage_change_90d"), (-1, math.inf)),
    "active_days_30d": (0, 30),
    "active_weeks_13w": (0, 13),
    **dict.fromkeys(
        (
            "tenure_days",
            "orders",
            "frequency",
            "recency_days",
            "usage_30d",
            "usage_prev_30d",
            "usage_90d",
            "usage_prev_90d",
            "users_30d",
            "logins_per_week",
            "features_30d",
            "features_ever",
            "days_since_usage",
            "days_since_touch",
            "interactions_90d",
            "seats",
            "revenue_rank",
        ),
        (0, math.inf),
    ),
}


@dataclass(frozen=True)
class _Range:
    """Values from `low` to `high`; an open end does not count itself."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def within(self, other: _Range) -> _Range:
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return _Range(low, high, low_open, not high_closed)

    @property
    def is_empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))


def never_true(rule: Rule) -> str:
    """Return the field that makes the rule impossible, or an empty text for a rule that may hold."""
    match rule:
        case AllOf():
            return _clash(_together(rule)) or next(filter(None, map(never_true, rule.rules)), "")
        case AnyOf(rules):
            reasons = [never_true(inner) for inner in rules]
            return reasons[0] if all(reasons) else ""
        case Not():
            return ""
        case Comparison():
            return _clash([rule])


def _together(rule: Rule) -> list[Comparison]:
    """The comparisons that must all hold."""
    match rule:
        case AllOf(rules):
            return [comparison for inner in rules for comparison in _together(inner)]
        case Comparison():
            return [rule]
        case _:
            return []


def _clash(comparisons: list[Comparison]) -> str:
    """Return the first field whose comparisons leave it no value."""
    left: dict[str, _Range] = {}
    for test in comparisons:
        wanted = _range(test)
        if wanted is None:
            continue
        field = test.field
        held = left.get(field) or _Range(*BOUNDS.get(field, (-math.inf, math.inf)))
        left[field] = held.within(wanted)
        if left[field].is_empty:
            return field
    return ""


def _range(test: Comparison) -> _Range | None:
    """The values that a comparison of numbers lets through, or None where that is no range."""
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    numbers = [float(value) for value in values if isinstance(value, Decimal)]
    if not numbers or len(numbers) != len(values):
        return None
    match test.op:
        case Op.IS:
            return _Range(numbers[0], numbers[0])
        case Op.ABOVE:
            return _Range(low=numbers[0], low_open=True)
        case Op.AT_LEAST:
            return _Range(low=numbers[0])
        case Op.BELOW:
            return _Range(high=numbers[0], high_open=True)
        case Op.AT_MOST:
            return _Range(high=numbers[0])
        case Op.BETWEEN:
            return _Range(numbers[0], numbers[1])
        case Op.IN:
            return _Range(min(numbers), max(numbers))
        case _:
            return None
