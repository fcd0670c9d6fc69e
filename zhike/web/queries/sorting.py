"""By what the customer list can be ordered: up to ten thousand customers by any fact, beyond by one with an index."""

from datetime import date
from decimal import Decimal

from zhike.kit.ruletrees import Kind
from zhike.measure.facts import FACTS, Unit
from zhike.web.rules.paging import Order

INDEXED = frozenset(
    {
        "revenue",
        "revenue_12m",
        "mrr",
        "arr",
        "health",
        "health_change_30d",
        "contract_end",
        "days_to_renewal",
        "next_touch",
        "last_touch",
        "days_since_touch",
    }
)
SAME_ORDER = {
    "mrr": ("arr", False),
    "days_to_renewal": ("contract_end", False),
    "days_since_touch": ("last_touch", True),
}
"""Facts that stand in the order of another one, which has the index; True when in the opposite order."""

TYPES: dict[Kind, type] = {
    Kind.NUMBER: float,
    Kind.INTEGER: int,
    Kind.MONEY: Decimal,
    Kind.DATE: date,
    Kind.TEXT: str,
    Kind.CHOICE: str,
}
OWN = frozenset({"joined", "industry", "region", "size"})
"""Columns of the customer by which a short list can be ordered as well."""


def is_sortable(fact: str, *, few: bool) -> bool:
    """Say whether a list can be ordered by this fact; `few` is a list of at most ten thousand."""
    if fact == "name":
        return True
    known = FACTS.get(fact)
    return known is not None and (fact in INDEXED or (few and (known.stored or fact in OWN)))


def order_by(fact: str, *, down: bool) -> Order:
    """Return how the list is read for an order by a fact."""
    if fact == "name":
        return Order("sort_key", str, down=down, is_nullable=False, is_fact=False)
    if fact in OWN:
        return Order(fact, TYPES[FACTS[fact].kind], down=down, is_nullable=fact == "joined", is_fact=False)
    name, opposite = SAME_ORDER.get(fact, (fact, False))
    found = FACTS[name]
    kind = Decimal if found.unit is Unit.POINTS else TYPES[found.kind]
    return Order(f"facts__{name}", kind, down=down != opposite)
