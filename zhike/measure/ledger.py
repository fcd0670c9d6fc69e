"""The score ledger: a change of health between two days, split into named causes that add up to it exactly.

What may have changed are facts, and the plan: weights, scales, and which segment's weights hold for the customer. Each
cause is given its Shapley value (Shapley 1953, *A Value for n-Person Games*): its effect, averaged over all orders in
which the changes could have come. So no cause is favoured by being told first, and the ledger of the way back is the
same with the signs turned. Amounts are tenths of points, as health is shown; what rounding leaves over goes to the
causes with the largest remainders (Hare's method on amounts without their sign), so that the causes sum to the change.

All arithmetic before rounding is of exact fractions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import combinations
from typing import Literal

from zhike.kit.ruletrees import FieldType
from zhike.measure import health
from zhike.measure.specs import HEALTH_PARTS, HealthPart, HealthSpec

Kind = Literal["fact", "known", "unknown", "weights", "scales", "segment", "other"]
Parts = Mapping[str, HealthPart]
ALL_ORDERS = 9  # With more changes than this, two orders stand for all of them: 2 ** n states would take too long.
WHOLE = 1000  # Tenths of points.
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))


@dataclass(frozen=True)
class Standing:
    """How a customer stood on a day: the kept row of facts by name, and the yardsticks in force."""

    day: date
    spec: HealthSpec
    facts: Mapping[str, object]

    @property
    def health(self) -> Decimal | None:
        found = self.facts.get("health")
        return found if isinstance(found, Decimal) else None

    @property
    def tenths(self) -> int | None:
        return None if self.health is None else int(self.health * 10)

    def value(self, fact: str) -> Fraction | None:
        """Return a fact as an exact number; None when it is unknown."""
        found = self.facts.get(fact)
        if not isinstance(found, int | float | Decimal) or (isinstance(found, float) and not math.isfinite(found)):
            return None
        return Fraction(found)


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause of a change, in tenths of points.

    `kind` is `fact` for a value that changed, `known` and `unknown` for one that came or went (its weight is taken from
    the others, or left to them), `weights`, `scales` or `segment` for the plan, and `other` for what the kept facts do
    not explain. `name` is the fact, or the segment's place. `parts` are the parts of health that the fact feeds.
    """

    kind: Kind
    name: str
    parts: tuple[str, ...]
    before: object
    after: object
    tenths: int


@dataclass(frozen=True)
class Ledger:
    """A change of health. `before` and `after` are tenths of points; without one of them there is no change to split.

    `parts` holds for each part its contribution before and after, in tenths, None when it was unknown.
    """

    since: date
    until: date
    before: int | None
    after: int | None
    causes: tuple[Cause, ...] = ()
    parts: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)

    @property
    def change(self) -> int | None:
        return None if self.before is None or self.after is None else self.after - self.before


def between(before: Standing, after: Standing, fields: Mapping[str, FieldType]) -> Ledger:
    """Return the ledger of the change from one day to another, the largest causes first.

    `fields` are what rules of segments may name. Raises RuleError for a segment's rule that names anything else.
    """
    parts = {key: (_tenths(before, key), _tenths(after, key)) for key in HEALTH_PARTS}
    parts = {key: pair for key, pair in parts.items() if pair != (None, None)}
    if before.tenths is None or after.tenths is None:
        return Ledger(before.day, after.day, before.tenths, after.tenths, (), parts)
    game = _Game(before, after, fields)
    amounts = {player: sum(by, Fraction()) for player, by in game.shares().items()}
    rounded = _rounded(amounts, after.tenths - before.tenths)
    causes = [game.cause(player, tenths) for player, tenths in rounded.items() if tenths]
    causes.sort(key=lambda cause: (-abs(cause.tenths), cause.kind, cause.name))
    return Ledger(before.day, after.day, before.tenths, after.tenths, tuple(causes), parts)


def _tenths(standing: Standing, key: str) -> int | None:
    found = standing.facts.get(f"health_{key}")
    return int(found * 10) if isinstance(found, Decimal) else None


class _Game:
    """What health would be, had only some of the changes happened."""

    def __init__(self, before: Standing, after: Standing, fields: Mapping[str, FieldType]) -> None:
        self.days = (before, after)
        # By plan, and by the day whose facts say which segment holds.
        self.places = {
            (plan, day): health.segment_of(self.days[plan].spec, fields, self.days[day].facts, self.days[day].day)
            for plan, day in CORNERS
        }
        self.by: dict[tuple[int, int], Parts] = {
            (plan, day): {str(key): part for key, part in self._weights(plan, day)} for plan, day in CORNERS
        }
        self.players = self._players()

    def _weights(self, plan: int, day: int) -> Sequence[tuple[str, HealthPart]]:
        return list(health.weights_of(self.days[plan].spec, self.places[plan, day]).items())

    def _players(self) -> list[str]:
        found = []
        if any(_weights(self.by[0, day]) != _weights(self.by[1, day]) for day in (0, 1)):
            found.append("weights")
        if any(_scales_differ(self.by[0, day], self.by[1, day]) for day in (0, 1)):
            found.append("scales")
        if any(self.by[plan, 0] != self.by[plan, 1] for plan in (0, 1)):
            found.append("segment")
        facts = sorted({part.fact for parts in self.by.values() for part in parts.values()})
        return found + [fact for fact in facts if self.days[0].value(fact) != self.days[1].value(fact)]

    def score(self, changed: frozenset[str]) -> Fraction:
        """Return health in tenths, not rounded, once these have changed; 0 while no part is known."""
        weights, scales = int("weights" in changed), int("scales" in changed)
        day = int("segment" in changed)
        parts, other = self.by[weights, day], self.by[scales, day]
        total, whole = Fraction(), Fraction()
        for key, part in parts.items():
            scale = other.get(key, part)
            value = self.days[int(scale.fact in changed)].value(scale.fact)
            if value is not None:
                low, high = Fraction(scale.zero_at), Fraction(scale.full_at)
                share = max(Fraction(), min(Fraction(1), (value - low) / (high - low)))
                total += Fraction(part.weight) * share
                whole += Fraction(part.weight)
        return WHOLE * total / whole if whole else Fraction()

    def shares(self) -> dict[str, list[Fraction]]:
        """Return of each player its weighed effects, which sum to the Shapley value."""
        if len(self.players) > ALL_ORDERS:
            return self._of_two_orders()
        known: dict[frozenset[str], Fraction] = {}

        def score(changed: frozenset[str]) -> Fraction:
            if changed not in known:
                known[changed] = self.score(changed)
            return known[changed]

        return {player: list(self._effects(player, score)) for player in self.players}

    def _effects(self, player: str, score: Callable[[frozenset[str]], Fraction]) -> list[Fraction]:
        others = [each for each in self.players if each != player]
        found = []
        for size in range(len(others) + 1):
            often = Fraction(1, len(self.players) * math.comb(len(others), size))
            for chosen in combinations(others, size):
                group = frozenset(chosen)
                found.append(often * (score(group | {player}) - score(group)))
        return found

    def _of_two_orders(self) -> dict[str, list[Fraction]]:
        """Return the mean effect when all come in one order, and when they come in the opposite one."""
        found: dict[str, list[Fraction]] = {player: [] for player in self.players}
        for order in (self.players, self.players[::-1]):
            changed, last = frozenset[str](), self.score(frozenset())
            for player in order:
                changed |= {player}
                now = self.score(changed)
                found[player].append((now - last) / 2)
                last = now
        return found

    def cause(self, player: str, tenths: int) -> Cause:
        before, after = self.days
        if player == "segment":
            names = [_segment(day.spec, self.places[at, at]) for at, day in enumerate(self.days)]
            return Cause("segment", "", (), names[0], names[1], tenths)
        if player in {"weights", "scales", "other"}:
            return Cause(player, "", (), None, None, tenths)  # type: ignore[arg-type]  # These are three of the kinds.
        old, new = before.value(player), after.value(player)
        kind: Kind = "known" if old is None else "unknown" if new is None else "fact"
        keys = {key for parts in self.by.values() for key, part in parts.items() if part.fact == player}
        fed = tuple(key for key in HEALTH_PARTS if key in keys)
        return Cause(kind, player, fed, before.facts.get(player), after.facts.get(player), tenths)


def _segment(spec: HealthSpec, place: int) -> str | None:
    return None if place < 0 else spec.segments[place].key


def _weights(parts: Parts) -> dict[str, float]:
    return {key: part.weight for key, part in parts.items()}


def _scales_differ(one: Parts, other: Parts) -> bool:
    """Say whether a part that both have is scaled differently; one that only one of them has changes the weights."""
    both = one.keys() & other.keys()
    return any(
        (one[key].fact, one[key].zero_at, one[key].full_at) != (other[key].fact, other[key].zero_at, other[key].full_at)
        for key in both
    )


def _rounded(amounts: Mapping[str, Fraction], change: int) -> dict[str, int]:
    """Return whole tenths that sum to the change.

    Scores are rounded to tenths each, so the change is at most one tenth off the sum of the amounts. More than that is
    nothing that these facts and plans explain, and stands under a cause of its own.
    """
    exact = sum(amounts.values(), Fraction())
    found: dict[str, int] = {}
    if abs(change - exact) > 1 or not amounts:
        found["other"] = change - _nearest(exact)
        change -= found["other"]
    whole = {player: math.trunc(amount) for player, amount in amounts.items()}
    left = change - sum(whole.values())
    sign = 1 if left > 0 else -1
    rest = {player: sign * (amount - whole[player]) for player, amount in amounts.items()}
    # A cause takes one tenth more at a time; those with the largest remainder first, by name where they are equal.
    order = sorted(amounts, key=lambda player: (-rest[player], player))
    for turn in range(abs(left)):
        whole[order[turn % len(order)]] += sign
    return whole | found


def _nearest(amount: Fraction) -> int:
    """Return the nearest whole number, halves away from nothing, so that the sign does not matter."""
    return math.trunc(amount + (Fraction(1, 2) if amount > 0 else -Fraction(1, 2)))
