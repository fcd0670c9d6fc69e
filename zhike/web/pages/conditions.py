"""The conditions of the customer list in words, and the small form by which each is made or changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.html import strip_tags
from django.utils.translation import get_language, gettext, gettext_lazy

from zhike.kit.ruletrees import FieldType, Kind, Op, RuleError, describe, parse
from zhike.measure.facts import FACTS, Unit
from zhike.measure.saying import number
from zhike.record.customers.queries import attribute_definitions
from zhike.ui import words
from zhike.ui.templatetags import parts
from zhike.web.pages.names import Names
from zhike.web.rules.filters import Tree, attribute_of, leaf_of

PHRASES = {
    Op.IS: gettext_lazy("%(value)s"),
    Op.IN: gettext_lazy("%(value)s"),
    Op.IS_NOT: gettext_lazy("not %(value)s"),
    Op.NOT_IN: gettext_lazy("not %(value)s"),
    Op.ABOVE: gettext_lazy("above %(value)s"),
    Op.AT_LEAST: gettext_lazy("%(value)s or more"),
    Op.BELOW: gettext_lazy("below %(value)s"),
    Op.AT_MOST: gettext_lazy("%(value)s or less"),
    Op.BETWEEN: gettext_lazy("%(first)s–%(value)s"),
    Op.CONTAINS: gettext_lazy("with %(value)s"),
}
DAY_PHRASES = {
    Op.ABOVE: gettext_lazy("after %(value)s"),
    Op.AT_LEAST: gettext_lazy("from %(value)s"),
    Op.BELOW: gettext_lazy("before %(value)s"),
    Op.AT_MOST: gettext_lazy("by %(value)s"),
}
OPERATOR_NAMES = {
    Op.IS: gettext_lazy("is"),
    Op.IS_NOT: gettext_lazy("is not"),
    Op.IN: gettext_lazy("is one of"),
    Op.NOT_IN: gettext_lazy("is none of"),
    Op.ABOVE: gettext_lazy("above"),
    Op.AT_LEAST: gettext_lazy("at least"),
    Op.BELOW: gettext_lazy("below"),
    Op.AT_MOST: gettext_lazy("at most"),
    Op.BETWEEN: gettext_lazy("between"),
    Op.CONTAINS: gettext_lazy("contains"),
    Op.KNOWN: gettext_lazy("is known"),
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is needed to say a condition: the fields, their labels, the names of values, the currency."""

    fields: Mapping[str, FieldType]
    titles: Mapping[str, str]
    names: Names
    currency: str

    def label(self, field: str) -> str:
        """Return how a field is called in the reader's language."""
        if field == "owner_id":
            return gettext("Owner")
        return self.titles.get(field) or (FACTS[field].label(get_language() or "en") if field in FACTS else field)


def attribute_titles() -> dict[str, str]:
    """Return the titles of the company's own attributes by their field names."""
    return {f"attributes.{one.name}": one.title for one in attribute_definitions()}


def said(condition: Tree, vocabulary: Vocabulary) -> tuple[str, str]:
    """Return label and value of a condition's chip; a condition of another shape is all value."""
    leaf = leaf_of(condition)
    if leaf is None or leaf[0] not in vocabulary.fields:
        return "", _described(condition, vocabulary)
    field, op, value = leaf
    kind = vocabulary.fields[field].kind
    if op is Op.KNOWN:
        return vocabulary.label(field), gettext("known") if value else gettext("unknown")
    values = value if isinstance(value, list | tuple) else [value]
    shown = [_value(field, kind, each, vocabulary) for each in values]
    if field == "days_to_renewal" and op in {Op.AT_MOST, Op.BETWEEN} and (op is Op.AT_MOST or values[0] == 0):
        return gettext("Renewal"), gettext("within %(days)s") % {"days": shown[-1]}
    phrases = DAY_PHRASES if kind is Kind.DATE and op in DAY_PHRASES else PHRASES
    listed = shown[-1] if op is Op.BETWEEN else ("、" if words.language() == "zh" else ", ").join(shown)
    return vocabulary.label(field), str(phrases[op]) % {"value": listed, "first": shown[0]}


def _described(condition: Tree, vocabulary: Vocabulary) -> str:
    """Return a condition of any shape in words."""
    language = words.language()
    labels = {name: vocabulary.label(name) for name in vocabulary.fields}
    for field, of in vocabulary.fields.items():
        choices = (of.choices if field in FACTS else ()) or tuple(vocabulary.names.tiers if field == "tier" else ())
        labels |= {f"{field}={key}": vocabulary.names.value(field, key) for key in choices}

    def told(field: str, value: Decimal) -> str:
        return vocabulary.names.value(field, str(value)) if field == "owner_id" else number(field, value)

    try:
        return describe(parse(condition, vocabulary.fields), labels, language, told)
    except RuleError as error:
        return str(error)


def _value(field: str, kind: Kind, value: Any, vocabulary: Vocabulary) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, Mapping):
        return _relative_day(value)
    if kind is Kind.MONEY and field in FACTS:
        return strip_tags(parts.money(Decimal(str(value)), vocabulary.currency))
    if isinstance(value, int | float) and field != "owner_id":
        return number(field, value)
    return vocabulary.names.value(field, str(value))


def _relative_day(value: Mapping[str, int]) -> str:
    ((word, days),) = value.items()
    if days == 0:
        return gettext("today")
    if word == "days_ago":
        return gettext("%(days)s days ago") % {"days": days}
    return gettext("in %(days)s days") % {"days": days}


def entered(field: str, given: Mapping[str, list[str]], fields: Mapping[str, FieldType]) -> str:
    """Return what somebody entered in the form of a condition as the address writes it; "" for nothing."""
    kind = fields[field].kind
    op = given.get("op", [""])[-1]
    values = [value.strip() for value in given.get("value", []) if value.strip()]
    if op not in set(Op) or not values:
        return ""
    if op == Op.BETWEEN:
        values = sorted(values[:2], key=_sortable) if len(values) > 1 else values * 2
    elif op not in {Op.IN, Op.NOT_IN}:
        values = values[:1]
    if kind is Kind.DATE and op != Op.KNOWN:
        sign = {"ago": "-", "ahead": "+"}.get(given.get("counting", [""])[-1], "")
        values = [f"{sign}{value}d" if sign and value.isdigit() else value for value in values]
    if _is_percent(field):
        values = [_as_share(value) for value in values]
    escaped = (value.replace("%", "%25").replace(",", "%2C") for value in values)
    return f"{field}:{op}:{','.join(escaped)}"


def _sortable(text: str) -> tuple[float, str]:
    try:
        return float(text), text
    except ValueError:
        return 0.0, text


def _is_percent(field: str) -> bool:
    return field in FACTS and FACTS[field].unit is Unit.SHARE


def _as_share(text: str) -> str:
    try:
        return format(Decimal(text.rstrip("%％")) / 100, "f")
    except ArithmeticError:
        return text


GROUPS: dict[str, Any] = {
    "judged": gettext_lazy("Standing"),
    "customer": gettext_lazy("Customer"),
    "money": gettext_lazy("Revenue and orders"),
    "usage": gettext_lazy("Usage"),
    "contact": gettext_lazy("Contact"),
    "attributes": gettext_lazy("Own fields"),
}
_GROUP_OF_SOURCE = {
    "customer": "customer",
    "orders": "money",
    "subscriptions": "money",
    "rfm": "money",
    "shares": "money",
    "usage": "usage",
    "interactions": "contact",
    "answers": "contact",
    "given": "contact",
    "lifecycle": "judged",
    "health": "judged",
    "tiers": "judged",
}
_GROUP_OF_WIDE = {"revenue": "money", "revenue_12m": "money", "days_to_renewal": "money", "days_since_touch": "contact"}


def group_of(field: str) -> str:
    if attribute_of(field) is not None:
        return "attributes"
    source = FACTS[field].source.value
    if field == "tenure_days":
        return "customer"
    return _GROUP_OF_SOURCE.get(source) or _GROUP_OF_WIDE.get(field, "usage")


def grouped(fields: Iterable[str]) -> dict[str, list[str]]:
    """Return the fields under the headings of the chooser, in its order."""
    found: dict[str, list[str]] = {key: [] for key in GROUPS}
    for field in fields:
        found[group_of(field)].append(field)
    return {key: names for key, names in found.items() if names}
