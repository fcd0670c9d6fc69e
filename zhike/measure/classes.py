"""Why a class changed between two days: RFM scores, and the tier with the condition that turned.

Scores and tiers jump, so their changes have no amounts to split; what is told is which condition turned, and whether
the customer moved or the others did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from zhike.kit import ruletrees
from zhike.kit.ruletrees import FieldType
from zhike.measure import tiers
from zhike.measure.specs import MeasureSpec

Why = Literal["own", "others", "plan"]
SCORES = {"r_score": ("recency_days", -1), "f_score": ("frequency", 1), "m_score": ("monetary", 1)}
"""The fact behind each score, and whether more of it is better."""


@dataclass(frozen=True)
class Seen:
    """A customer on a day: facts by name, yardsticks, and the share of revenue that those before it bring."""

    day: date
    spec: MeasureSpec
    facts: Mapping[str, object]
    above: float | None = None


@dataclass(frozen=True, slots=True)
class ScoreMove:
    """A score that changed. `why` is `own` when the fact moved that way, `others` when the others did."""

    name: str
    before: int
    after: int
    fact: str
    value_before: object
    value_after: object
    why: Why


@dataclass(frozen=True, slots=True)
class Turned:
    """A condition of a tier that holds now and did not, or the other way round; `share` is of the place in revenue."""

    tier: str
    field: str
    holds: bool
    before: object
    after: object
    limit: float | None = None


@dataclass(frozen=True)
class TierMove:
    """Another tier, with the conditions that turned; `by_plan` when the plan's tiers are others now."""

    before: str
    after: str
    turned: tuple[Turned, ...]
    by_plan: bool


def scores(before: Seen, after: Seen) -> list[ScoreMove]:
    """Return the RFM scores that changed; one that is unknown on either day is left out."""
    found = []
    for name, (fact, better) in SCORES.items():
        old, new = before.facts.get(name), after.facts.get(name)
        if not isinstance(old, int) or not isinstance(new, int) or old == new:
            continue
        one, other = before.facts.get(fact), after.facts.get(fact)
        why: Why = "others"
        if before.spec.rfm != after.spec.rfm:
            why = "plan"
        elif (
            one is not None
            and other is not None
            and _sign(float(str(other)) - float(str(one))) * better == _sign(new - old)
        ):
            why = "own"
        found.append(ScoreMove(name, old, new, fact, one, other, why))
    return found


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def tier(before: Seen, after: Seen, fields: Mapping[str, FieldType]) -> TierMove | None:
    """Return why the tier is another one; None when it is not. `fields` are what rules of tiers may name.

    Of a customer who fell, the conditions of the tier it left that hold no more; of one who rose, the conditions of the
    tier it came to that did not hold before.
    """
    old, new = str(before.facts.get("tier") or ""), str(after.facts.get("tier") or "")
    if not old or not new or old == new:
        return None
    if before.spec.tiers != after.spec.tiers:
        return TierMove(old, new, (), by_plan=True)
    keys = [each.key for each in after.spec.tiers.tiers]
    if old not in keys or new not in keys:
        return TierMove(old, new, (), by_plan=True)
    place = min(keys.index(old), keys.index(new))
    return TierMove(old, new, tuple(_turned(place, before, after, fields)), by_plan=False)


def _turned(place: int, before: Seen, after: Seen, fields: Mapping[str, FieldType]) -> Iterator[Turned]:
    spec = after.spec.tiers
    asked = spec.tiers[place]
    limit = asked.revenue_up_to
    if limit is not None and before.above is not None and after.above is not None:
        held, holds = before.above < limit, after.above < limit
        if held != holds:
            yield Turned(asked.key, spec.revenue, holds, before.above, after.above, limit)
    rule = tiers.rules(spec, fields)[place]
    for test in ruletrees.comparisons(rule) if rule is not None else ():
        held = ruletrees.evaluate(test, before.facts, before.day)
        holds = ruletrees.evaluate(test, after.facts, after.day)
        if held != holds:
            yield Turned(asked.key, test.field, holds, _value(test, before), _value(test, after))


def _value(test: ruletrees.Comparison, seen: Seen) -> object:
    if test.attribute is None:
        return seen.facts.get(test.field)
    attributes = seen.facts.get(ruletrees.ATTRIBUTES)
    return attributes.get(test.attribute) if isinstance(attributes, Mapping) else None
