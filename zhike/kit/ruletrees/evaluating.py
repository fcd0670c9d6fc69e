"""Ask a rule of one row in plain Python; the meaning is that of the compiled SQL."""

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from zhike.kit.ruletrees.fields import ATTRIBUTES, NUMERIC, Kind, Op
from zhike.kit.ruletrees.tree import AllOf, AnyOf, Comparison, Not, Rule, resolved

ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def evaluate(rule: Rule, row: Mapping[str, object], today: date) -> bool:
    """Say whether a row satisfies the rule.

    `row` holds a value (or None for unknown) under every column the rule names, dates as `date`, MULTI as a list of
    texts, and a mapping or None under `attributes`. A comparison with an unknown value is False, whatever the
    operator (also is_not and not_in); `not` of it is True. NaN counts as above every number.
    An attribute of another JSON type than its field's counts as unknown.
    Raises KeyError for a missing column and TypeError for a value of the wrong type.
    """
    match rule:
        case AllOf(rules):
            return all(evaluate(inner, row, today) for inner in rules)
        case AnyOf(rules):
            return any(evaluate(inner, row, today) for inner in rules)
        case Not(inner):
            return not evaluate(inner, row, today)
        case Comparison():
            return _holds(rule, row, today)


def _holds(test: Comparison, row: Mapping[str, object], today: date) -> bool:
    found = _found(test, row)
    if test.op is Op.KNOWN:
        return (found is not None) is test.value
    if found is None:
        return False
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    wanted = [_comparable(resolved(value, today), found) for value in values]
    if test.type.kind is Kind.MULTI:
        return _among(test.op, found, wanted)
    return _compare(test.op, found, wanted)


def _found(test: Comparison, row: Mapping[str, object]) -> object:
    """The value in the row, None when unknown."""
    kind = test.type.kind
    if test.attribute is not None:
        attributes = row[ATTRIBUTES]
        value = attributes.get(test.attribute) if isinstance(attributes, Mapping) else None
        return value if _fits(kind, value) else None
    value = row[test.field]
    if isinstance(value, datetime):
        raise TypeError(f"{test.field} holds a date with a time; a rule compares days.")
    if isinstance(value, float | Decimal) and math.isnan(value):
        return math.inf
    return value


def _fits(kind: Kind, value: object) -> bool:
    """Whether a JSON value has the type of its field."""
    if kind in NUMERIC:
        return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if kind is Kind.BOOLEAN:
        return isinstance(value, bool)
    if kind is Kind.MULTI:
        return isinstance(value, list | tuple)
    return isinstance(value, str) and (kind is not Kind.DATE or ISO_DAY.fullmatch(value) is not None)


def _comparable(wanted: Decimal | str | bool | date, found: object) -> object:
    """The wanted value in the form of the found one: 0.1 as a double equals a double 0.1, not the decimal."""
    if isinstance(wanted, Decimal) and isinstance(found, float):
        return float(wanted)
    if isinstance(wanted, date) and isinstance(found, str):
        return wanted.isoformat()
    return wanted


def _among(op: Op, found: object, wanted: list[object]) -> bool:
    if not isinstance(found, list | tuple | set | frozenset):
        raise TypeError(f"A field of several values holds {found!r}.")
    hit = any(value in found for value in wanted)
    return not hit if op is Op.NOT_IN else hit


def _compare(op: Op, found: Any, wanted: list[Any]) -> bool:
    first = wanted[0]
    match op:
        case Op.IS:
            return bool(found == first)
        case Op.IS_NOT:
            return bool(found != first)
        case Op.IN:
            return found in wanted
        case Op.NOT_IN:
            return found not in wanted
        case Op.ABOVE:
            return bool(found > first)
        case Op.AT_LEAST:
            return bool(found >= first)
        case Op.BELOW:
            return bool(found < first)
        case Op.AT_MOST:
            return bool(found <= first)
        case Op.BETWEEN:
            return bool(first <= found <= wanted[1])
        case Op.CONTAINS:
            return first in found
        case Op.KNOWN:
            raise AssertionError("known is answered before")
