"""Every fact, declared once: columns, SQL, rule fields and the reference page all come from here."""

from collections.abc import Sequence

from zhike.kit.ruletrees import ATTRIBUTES, FieldType, Kind, choice, multi
from zhike.measure.facts.contact import CONTACT_FACTS
from zhike.measure.facts.customers import CUSTOMER_FACTS
from zhike.measure.facts.fact import AGGREGATED, STANDING, Fact, Source, Unit
from zhike.measure.facts.feedback import FEEDBACK_FACTS
from zhike.measure.facts.judged import (
    BAND_NAMES,
    BANDS,
    HEALTH_FACTS,
    LIFECYCLE_FACTS,
    STAGE_NAMES,
    STAGES,
    TIER_FACTS,
)
from zhike.measure.facts.money import ORDER_FACTS, RFM_FACTS, SUBSCRIPTION_FACTS
from zhike.measure.facts.usage import USAGE_FACTS
from zhike.measure.facts.value import VALUE_FACTS
from zhike.record.customers.models import AttributeKind
from zhike.record.customers.queries import attribute_definitions

__all__ = [
    "AGGREGATED",
    "BANDS",
    "BAND_NAMES",
    "FACTS",
    "HEALTH_INPUTS",
    "HEALTH_RULE_INPUTS",
    "STAGES",
    "STAGE_NAMES",
    "STANDING",
    "STORED",
    "TIER_INPUTS",
    "Fact",
    "Source",
    "Unit",
    "attribute_fields",
    "fact_fields",
    "fields",
    "of_source",
]

FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        *CUSTOMER_FACTS,
        *ORDER_FACTS,
        *RFM_FACTS,
        *SUBSCRIPTION_FACTS,
        *USAGE_FACTS,
        *CONTACT_FACTS,
        *TIER_FACTS,
        *LIFECYCLE_FACTS,
        *HEALTH_FACTS,
        *VALUE_FACTS,
        *FEEDBACK_FACTS,
    )
}

STORED: tuple[Fact, ...] = tuple(fact for fact in FACTS.values() if fact.stored)

HEALTH_INPUTS = frozenset(
    name
    for name, fact in FACTS.items()
    if fact.kind in (Kind.NUMBER, Kind.INTEGER, Kind.MONEY)
    and fact.source not in (Source.HEALTH, Source.TIERS, Source.NIGHTLY)
    and name not in ("owner_id", "next_touch")
)
"""Facts that a part of the health score may be scaled from: numbers known before health is."""

HEALTH_RULE_INPUTS = frozenset(
    name
    for name, fact in FACTS.items()
    if fact.source in (Source.CUSTOMER, *AGGREGATED, Source.WIDE, Source.RFM, Source.SHARES, Source.LIFECYCLE)
    and name != "next_touch"
)
"""Facts that the rule of a segment of the health score may ask about: all that is known before health is."""

TIER_INPUTS = frozenset(name for name, fact in FACTS.items() if fact.source not in (Source.TIERS, Source.NIGHTLY))
"""Facts that the rule of a tier may ask about: all but the tier itself and what models say once it is known."""


def of_source(source: Source) -> tuple[Fact, ...]:
    """Return the facts of one source in the order of their declaration."""
    return tuple(fact for fact in FACTS.values() if fact.source is source)


def fact_fields(tiers: Sequence[str] = ()) -> dict[str, FieldType]:
    """Return the rule fields of all facts. With `tiers`, the keys of the plan, `tier` takes only these."""
    found = {name: fact.field for name, fact in FACTS.items()}
    if tiers:
        found["tier"] = choice(*tiers)
    return found


def attribute_fields() -> dict[str, FieldType]:
    """Return the rule fields of the attributes that the company added, as `attributes.NAME`; reads the database."""
    definitions = sorted(attribute_definitions(), key=lambda one: one.name)
    return {f"{ATTRIBUTES}.{one.name}": _attribute(one.kind, one.choices) for one in definitions}


def fields(tiers: Sequence[str] = ()) -> dict[str, FieldType]:
    """Return everything that a rule may ask about: facts and attributes; reads the database."""
    return {**fact_fields(tiers), **attribute_fields()}


def _attribute(kind: str, choices: list[str]) -> FieldType:
    match AttributeKind(kind):
        case AttributeKind.NUMBER:
            return FieldType(Kind.NUMBER)
        case AttributeKind.MONEY:
            return FieldType(Kind.MONEY)
        case AttributeKind.DATE:
            return FieldType(Kind.DATE)
        case AttributeKind.BOOLEAN:
            return FieldType(Kind.BOOLEAN)
        case AttributeKind.MULTI:
            return multi(*choices)
        case AttributeKind.CHOICE if choices:
            return choice(*choices)
        case _:
            return FieldType(Kind.TEXT)
