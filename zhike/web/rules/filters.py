"""Filters of the customer list as they stand in the address: one short text per condition, all of which must hold.

`tier:in:core,key` is a comparison; a condition of another shape, such as an `any` of a saved view, is its JSON after
`rule:`. Days are written `2026-03-31`, `-30d` (30 days ago) or `+90d` (in 90 days). Commas and percent signs inside a
value are escaped as in an address.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zhike.kit.ruletrees import ATTRIBUTES, FieldType, Kind, Op

Tree = dict[str, Any]
RULE = "rule:"
DAYS = re.compile(r"([+-])([0-9]{1,5})d")
NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
MOST_CONDITIONS = 20


class Unreadable(ValueError):
    """A condition in the address cannot be read; it is left out and the page says so."""


def conditions_of(tree: Mapping[str, Any] | None) -> list[Tree]:
    """Take a rule tree apart into the conditions that must all hold."""
    if not tree:
        return []
    if set(tree) == {"all"}:
        return [part for inner in tree["all"] for part in conditions_of(inner)]
    parts = []
    for name, tests in tree.items():
        if name in {"any", "not"} or not isinstance(tests, Mapping):
            parts.append({name: tests})
        else:
            parts += [{name: {op: value}} for op, value in tests.items()]
    return parts


def together(conditions: Sequence[Tree]) -> Tree | None:
    """Return the rule tree in which all conditions hold, or None for no condition."""
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else {"all": list(conditions)}


def leaf_of(condition: Tree) -> tuple[str, Op, Any] | None:
    """Return field, operator and value when the condition is one comparison."""
    ((name, tests),) = condition.items()
    if name in {"all", "any", "not"} or not isinstance(tests, Mapping) or len(tests) != 1:
        return None
    ((op, value),) = tests.items()
    return name, Op(op), value


def values_of(condition: Mapping[str, Any], field: str) -> Iterator[Any]:
    """Yield what a condition, of whatever shape, compares a field with."""
    for name, tests in condition.items():
        for part in tests if isinstance(tests, list) else [tests]:
            if name == field and isinstance(part, Mapping):
                for value in part.values():
                    yield from value if isinstance(value, list | tuple) else [value]
            elif name in {"all", "any", "not"} and isinstance(part, Mapping):
                yield from values_of(part, field)


def to_text(condition: Tree) -> str:
    """Write one condition for the address."""
    leaf = leaf_of(condition)
    if leaf is None:
        return RULE + json.dumps(condition, ensure_ascii=False, separators=(",", ":"))
    name, op, value = leaf
    values = value if isinstance(value, list | tuple) else [value]
    return f"{name}:{op.value}:{','.join(_written(each) for each in values)}"


def from_text(text: str, fields: Mapping[str, FieldType]) -> Tree:
    """Read one condition from the address; raises Unreadable. Its meaning is checked by the rule parser afterwards."""
    if text.startswith(RULE):
        return _json(text.removeprefix(RULE))
    name, _, rest = text.partition(":")
    word, _, written = rest.partition(":")
    if name not in fields or word not in set(Op):
        raise Unreadable(text)
    values = [_read(part, fields[name], Op(word)) for part in written.split(",")]
    return {name: {word: values if Op(word) in {Op.IN, Op.NOT_IN, Op.BETWEEN} else values[0]}}


def attribute_of(name: str) -> str | None:
    """Return the attribute's own name when a field is one that the company added."""
    head, dot, rest = name.partition(".")
    return rest if dot and head == ATTRIBUTES else None


def _json(text: str) -> Tree:
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise Unreadable(text) from error
    if not isinstance(tree, dict) or len(tree) != 1:
        raise Unreadable(text)
    return tree


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        ((word, days),) = value.items()
        return f"{'-' if word == 'days_ago' else '+'}{days}d"
    return str(value).replace("%", "%25").replace(",", "%2C")


def _read(text: str, kind: FieldType, op: Op) -> Any:
    if op is Op.KNOWN or kind.kind is Kind.BOOLEAN:
        if text not in {"yes", "no"}:
            raise Unreadable(text)
        return text == "yes"
    if kind.kind in {Kind.NUMBER, Kind.INTEGER, Kind.MONEY}:
        if not NUMBER.fullmatch(text.strip()):
            raise Unreadable(text)
        return float(text) if "." in text else int(text)
    relative = DAYS.fullmatch(text)
    if kind.kind is Kind.DATE and relative:
        return {"days_ago" if relative[1] == "-" else "days_ahead": int(relative[2])}
    return text.replace("%2C", ",").replace("%25", "%")
