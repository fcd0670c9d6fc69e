"""From JSON or YAML shape to a typed rule, with precise complaints."""

import difflib
import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeGuard

from zhike.kit.ruletrees import problems
from zhike.kit.ruletrees.fields import NUMERIC, FieldType, Kind, Op
from zhike.kit.ruletrees.tree import AllOf, AnyOf, Comparison, DaysFromToday, Not, Rule, Scalar, Value

MAX_DEPTH = 8
MAX_COMPARISONS = 200
MAX_VALUES = 500
MAX_TEXT = 1_000
MAX_DAYS = 36_500
MAX_DIGITS = 15  # A double holds 15 digits exactly, so every engine compares the same number.

_GROUPS = ("all", "any", "not")


def parse(tree: object, fields: Mapping[str, FieldType], *, at: str = "") -> Rule:
    """Read a rule tree.

    `tree` is what JSON or YAML gives: `{"all": […]}`, `{"any": […]}`, `{"not": {…}}` or `{field: {op: value}}`.
    `fields` maps every field that may be asked about to its type; keys of the JSON column are written
    `attributes.NAME`. `at` is put before the path in complaints, such as `segments.silent.when`.
    Raises RuleError, whose `path` names the place in the tree.
    """
    return _Reader(fields).rule(tree, at, depth=1)


@dataclass
class _Reader:
    fields: Mapping[str, FieldType]
    seen: int = 0

    def rule(self, tree: object, path: str, depth: int) -> Rule:
        """Read one node; `depth` counts from 1 at the root."""
        if not isinstance(tree, Mapping) or not tree:
            raise problems.NotARule(path or "rule")
        if len(tree) > 1:
            raise problems.SeveralKeys(path or "rule", found=_listed(tree))
        ((key, inner),) = tree.items()
        here = f"{path}.{key}" if path else _shown(key)
        if key not in _GROUPS:
            return self.leaf(key, inner, here)
        if depth > MAX_DEPTH:
            raise problems.TooDeep(here, limit=MAX_DEPTH)
        if key == "not":
            return Not(self.rule(inner, here, depth + 1))
        if not _is_list(inner) or not inner:
            raise problems.EmptyGroup(here)
        rules = tuple(self.rule(each, f"{here}[{index}]", depth + 1) for index, each in enumerate(inner))
        return AllOf(rules) if key == "all" else AnyOf(rules)

    def leaf(self, name: object, tests: object, path: str) -> Rule:
        """Read the comparisons of one field; several of them must all hold."""
        kind = self.field_type(name, path)
        if not isinstance(tests, Mapping) or not tests:
            example = f"{name}: {{{kind.operators[0]}: …}}"
            raise problems.MissingOperator(path, example=example, allowed=", ".join(kind.operators))
        rules = tuple(self.comparison(str(name), kind, op, value, f"{path}.{op}") for op, value in tests.items())
        return rules[0] if len(rules) == 1 else AllOf(rules)

    def field_type(self, name: object, path: str) -> FieldType:
        """Return the type of the field, or refuse with the nearest name."""
        if isinstance(name, str) and name in self.fields:
            return self.fields[name]
        near = difflib.get_close_matches(_shown(name), self.fields, n=1)
        if near:
            raise problems.MisspeltField(path, field=_shown(name), suggestion=near[0])
        raise problems.UnknownField(path, field=_shown(name))

    def comparison(self, name: str, kind: FieldType, op: object, value: object, path: str) -> Comparison:
        """Read one operator with its value."""
        self.seen += 1
        if self.seen > MAX_COMPARISONS:
            raise problems.TooLarge(path, limit=MAX_COMPARISONS)
        if op not in kind.operators:
            allowed = ", ".join(kind.operators)
            raise problems.UnknownOperator(path, operator=_shown(op), kind=kind.kind.value, allowed=allowed)
        operator = Op(str(op))
        return Comparison(name, kind, operator, _value(operator, kind, value, path))


def _value(op: Op, kind: FieldType, value: object, path: str) -> Value:
    if op is Op.KNOWN:
        return _yes_no(value, path)
    if op in (Op.IN, Op.NOT_IN):
        if not _is_list(value) or not 1 <= len(value) <= MAX_VALUES:
            raise problems.ListNeeded(path, limit=MAX_VALUES, value=_shown(value))
        return tuple(_scalar(kind, each, f"{path}[{index}]") for index, each in enumerate(value))
    if op is Op.BETWEEN:
        return _pair(kind, value, path)
    return _scalar(kind, value, path)


def _pair(kind: FieldType, value: object, path: str) -> tuple[Scalar, ...]:
    if not _is_list(value) or len(value) != 2:
        raise problems.PairNeeded(path, value=_shown(value))
    low, high = (_scalar(kind, each, f"{path}[{index}]") for index, each in enumerate(value))
    if isinstance(low, DaysFromToday) and isinstance(high, DaysFromToday):
        backward = low.days > high.days
    elif isinstance(low, Decimal) and isinstance(high, Decimal):
        backward = low > high
    else:  # A fixed day and a moving one: their order depends on the day of asking.
        backward = isinstance(low, date) and isinstance(high, date) and low > high
    if backward:
        raise problems.PairNeeded(path, value=_shown(value))
    return low, high


def _scalar(kind: FieldType, value: object, path: str) -> Scalar:
    if kind.kind in NUMERIC:
        return _number(value, path, whole=kind.kind is Kind.INTEGER)
    if kind.kind is Kind.DATE:
        return _day(value, path)
    if kind.kind is Kind.BOOLEAN:
        return _yes_no(value, path)
    text = _text(value, path)
    if kind.choices and text not in kind.choices:
        raise problems.NotAChoice(path, value=_shown(text), allowed=", ".join(kind.choices))
    return text


def _number(value: object, path: str, *, whole: bool) -> Decimal:
    complaint = problems.WholeNumberNeeded if whole else problems.NumberNeeded
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise complaint(path, value=_shown(value))
    endless = not isinstance(value, int) and not math.isfinite(value)
    if endless or abs(value) >= 10**MAX_DIGITS:
        raise complaint(path, value=_shown(value))
    number = Decimal(str(value))
    digits, exponent = number.normalize().as_tuple()[1:]
    fits = len(digits) <= MAX_DIGITS and int(exponent) >= -MAX_DIGITS
    if not fits or (whole and number != number.to_integral_value()):
        raise complaint(path, value=_shown(value))
    return number


def _day(value: object, path: str) -> date | DaysFromToday:
    complaint = problems.DateNeeded(path, limit=MAX_DAYS, value=_shown(value))
    if isinstance(value, Mapping) and len(value) == 1:
        ((word, days),) = value.items()
        counted = isinstance(days, int) and not isinstance(days, bool) and 0 <= days <= MAX_DAYS
        if counted and word in ("days_ago", "days_ahead"):
            return DaysFromToday(-int(days) if word == "days_ago" else int(days))
        raise complaint
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and len(value) == len("2026-03-31"):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise complaint from error
    raise complaint


def _text(value: object, path: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT or not _storable(value):
        raise problems.TextNeeded(path, limit=MAX_TEXT, value=_shown(value))
    return str(value)


def _storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: no NUL and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _yes_no(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise problems.YesNoNeeded(path, value=_shown(value))
    return value


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)


def _listed(keys: Mapping[object, object]) -> str:
    return _shown(", ".join(_shown(key) for key in list(keys)[:5]))


class _Short(reprlib.Repr):
    """A bounded repr that also bears integers too long to be written out."""

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() <= 100 else "an endless number"


def _shown(value: object) -> str:
    """A value short enough for a sentence."""
    text = value if isinstance(value, str) else _Short().repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
