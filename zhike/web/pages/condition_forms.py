"""The small form by which one condition of the customer list is made or changed."""

from typing import Any

from django.http import Http404, QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext

from zhike.kit.ruletrees import Kind, Op
from zhike.measure.facts import FACTS, Unit
from zhike.org.models import Staff
from zhike.record.customers.queries import possible_owners
from zhike.web.pages.conditions import GROUPS, OPERATOR_NAMES, grouped, said
from zhike.web.pages.listing import CustomerList
from zhike.web.queries.suggesting import common_values
from zhike.web.rules.filters import Tree, leaf_of

NOT_ASKED = {"ref", "name"}  # The search does these better.
KINDS = {Kind.DATE: "date", Kind.BOOLEAN: "boolean", Kind.TEXT: "text", Kind.MULTI: "multi"}
Shown = tuple[str, dict[str, Any]]


def form_of(found: CustomerList, given: QueryDict) -> Shown:
    """Return template and context: the fields to choose from, or the form of the one that was chosen."""
    place, conditions = given.get("place", ""), found.conditions
    if place.isdigit() and int(place) < len(conditions):
        return _form_of_condition(found, conditions[int(place)], place)
    field = given.get("field", "")
    if field:
        if field not in found.fields:
            raise Http404
        return _form(found, field, "", None, None)
    return _fields(found)


def _fields(found: CustomerList) -> Shown:
    language = get_language() or "en"
    groups = []
    for key, names in grouped(name for name in found.fields if name not in NOT_ASKED).items():
        fields = [
            {
                "label": found.vocabulary.label(name),
                "meaning": FACTS[name].meaning(language) if name in FACTS else "",
                "url": f"{reverse('customers-condition')}?{found.query}&{urlencode({'field': name})}",
            }
            for name in names
        ]
        groups.append((GROUPS[key], fields))
    return "web/condition.html#choose", {"groups": groups}


def _form_of_condition(found: CustomerList, condition: Tree, place: str) -> Shown:
    leaf = leaf_of(condition)
    rest = [each for each in found.conditions if each is not condition]
    remove = f"{reverse('customers')}?{found.state.query(conditions=tuple(rest))}"
    if leaf is None:
        _label, words = said(condition, found.vocabulary)
        return "web/condition.html#other", {"words": words, "remove_url": remove}
    field, op, value = leaf
    template, context = _form(found, field, place, op, value)
    return template, {**context, "remove_url": remove}


def _form(found: CustomerList, field: str, place: str, op: Op | None, value: Any) -> Shown:
    kind = found.fields[field]
    values = [_written(field, each) for each in (value if isinstance(value, list | tuple) else [value])]
    fact, language = FACTS.get(field), get_language() or "en"
    chosen = _choices(found, field)
    context = {
        "carried": _carried(found),
        "place": place,
        "field": {
            "name": field,
            "label": found.vocabulary.label(field),
            "meaning": fact.meaning(language) if fact else "",
            "unit": _unit(field, language, found.firm.currency),
        },
        "kind": KINDS.get(kind.kind, "number"),
        "choices": [(key, name, op in {Op.IN, Op.IS} and key in values) for key, name in chosen],
        "operators": [(each.value, OPERATOR_NAMES[each], each is op) for each in _operators(kind.operators)],
        "first": values[0] if value is not None else "",
        "second": values[1] if len(values) > 1 else "",
        "counting": _counting(value),
        "suggestions": common_values(found.staff, field) if kind.kind is Kind.TEXT else kind.choices,
        "back_url": f"{reverse('customers-condition')}?{found.query}",
    }
    return "web/condition.html#edit", context


def _operators(operators: tuple[Op, ...]) -> list[Op]:
    """Return the operators that take one value or a pair; lists have their boxes."""
    return [op for op in operators if op not in {Op.IN, Op.NOT_IN, Op.KNOWN}]


def _choices(found: CustomerList, field: str) -> list[tuple[str, str]]:
    if field == "owner_id":
        return [(str(person.pk), person.name) for person in _owners(found.staff)]
    keys = tuple(found.names.tiers) if field == "tier" else found.fields[field].choices
    return [(key, found.names.value(field, key)) for key in keys]


def _owners(staff: Staff) -> list[Staff]:
    return list(possible_owners(staff)) or [staff]


def _carried(found: CustomerList) -> list[tuple[str, str]]:
    query = QueryDict(found.state.query(conditions=found.conditions))
    return [(name, value) for name, values in query.lists() for value in values]


def _written(field: str, value: Any) -> str:
    """Return a value as the form shows it."""
    if isinstance(value, dict):
        return str(next(iter(value.values())))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field in FACTS and FACTS[field].unit is Unit.SHARE and isinstance(value, int | float):
        return f"{round(value * 100, 4):g}"
    return "" if value is None else str(value)


def _unit(field: str, language: str, currency: str) -> str:
    fact = FACTS.get(field)
    if fact is None:
        return ""
    if fact.unit is Unit.SHARE:
        return "%"
    return currency if fact.unit is Unit.MONEY else fact.unit_name(language)


def _counting(value: Any) -> list[tuple[str, str, bool]]:
    word = next(iter(value)) if isinstance(value, dict) else ""
    return [
        ("", gettext("date"), not word),
        ("ago", gettext("days ago"), word == "days_ago"),
        ("ahead", gettext("days ahead"), word == "days_ahead"),
    ]
