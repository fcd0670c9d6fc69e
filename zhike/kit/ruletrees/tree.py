"""The parsed rule: a small frozen tree with typed values."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from zhike.kit.ruletrees.fields import ATTRIBUTES, FieldType, Op


@dataclass(frozen=True, slots=True)
class DaysFromToday:
    """A day counted from the day of the question; negative is in the past."""

    days: int

    def on(self, today: date) -> date:
        """Return the day meant, when the question is asked on `today`."""
        return today + timedelta(days=self.days)


Scalar = Decimal | str | bool | date | DaysFromToday
Value = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field compared with one value (a tuple for in, not_in and between)."""

    field: str
    type: FieldType
    op: Op
    value: Value

    @property
    def attribute(self) -> str | None:
        """The key inside the JSON column, or None for an ordinary column."""
        head, dot, name = self.field.partition(".")
        return name if dot and head == ATTRIBUTES else None


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every rule is."""

    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one rule is."""

    rules: tuple["Rule", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the rule is not; so it is true where the field is unknown."""

    rule: "Rule"


Rule = AllOf | AnyOf | Not | Comparison


def comparisons(rule: Rule) -> Iterator[Comparison]:
    """Yield every comparison of the tree from left to right."""
    match rule:
        case AllOf(rules) | AnyOf(rules):
            for inner in rules:
                yield from comparisons(inner)
        case Not(inner):
            yield from comparisons(inner)
        case Comparison():
            yield rule


def fields_of(rule: Rule) -> frozenset[str]:
    """Return the names of the fields a rule asks about."""
    return frozenset(comparison.field for comparison in comparisons(rule))


def resolved(scalar: Scalar, today: date) -> Decimal | str | bool | date:
    """Return the value with a relative day turned into a date."""
    return scalar.on(today) if isinstance(scalar, DaysFromToday) else scalar


def to_tree(rule: Rule) -> dict[str, object]:
    """Return the JSON shape of a rule: `parse` of it gives the same rule again."""
    match rule:
        case AllOf(rules):
            return {"all": [to_tree(inner) for inner in rules]}
        case AnyOf(rules):
            return {"any": [to_tree(inner) for inner in rules]}
        case Not(inner):
            return {"not": to_tree(inner)}
        case Comparison(field=field, op=op, value=value):
            plain = [_plain(each) for each in value] if isinstance(value, tuple) else _plain(value)
            return {field: {op.value: plain}}


def _plain(scalar: Scalar) -> object:
    match scalar:
        case DaysFromToday(days):
            return {"days_ago": -days} if days < 0 else {"days_ahead": days}
        case Decimal():
            return int(scalar) if scalar == scalar.to_integral_value() else float(scalar)
        case date():
            return scalar.isoformat()
        case _:
            return scalar
