"""Customers and contacts found by what a person types: name, pinyin, initials, phone tail, e-mail, number."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import StrIndex

from zhike.kit import searchterms
from zhike.measure.models import CustomerFacts
from zhike.org.principals import Principal
from zhike.record.customers.models import Contact, Customer

# A term as common as 有限公司 finds hundreds of thousands; the candidates that are ranked stay few.
CANDIDATES = 200
LAST_CHARACTER = "\U0010ffff"


class Terms(SearchQuery):
    """What `kit.searchterms.query_of` returned, as a condition on a search vector."""

    template = "%(expressions)s::tsquery"

    def __init__(self, query: str) -> None:
        super().__init__(Value(query))


@dataclass(frozen=True, slots=True)
class FoundCustomer:
    id: int
    name: str
    ref: str
    region: str
    health: float | None
    band: str
    worth: Decimal | None
    is_subscription: bool


@dataclass(frozen=True, slots=True)
class FoundContact:
    id: int
    name: str
    title: str
    channel: str
    customer_id: int
    customer: str


def matching_terms(text: str, *, personal: bool) -> Q | None:
    """Return the condition on a customer or contact, or None when the text holds nothing to look for."""
    query = searchterms.query_of(text, personal=personal)
    return Q(terms=Terms(query)) if query else None


def customers_found(principal: Principal, text: str, *, limit: int = 8) -> list[FoundCustomer]:
    """Return the customers that the words find: names that begin with them first, then by what they bring."""
    condition = matching_terms(text, personal=principal.sees_personal)
    if condition is None:
        return []
    seen = Customer.objects.visible_to(principal)
    candidates = list(seen.filter(condition).values_list("id", flat=True)[:CANDIDATES])
    if len(candidates) == CANDIDATES:
        candidates += _beginning_with(text, seen, limit)
    return _described(_best(candidates, text, principal, limit))


def recent_customers(principal: Principal, ids: Iterable[int]) -> list[FoundCustomer]:
    """Return the given customers, those that the person may still see, in the given order."""
    wanted = list(ids)
    allowed = set(Customer.objects.visible_to(principal).filter(pk__in=wanted).values_list("id", flat=True))
    return _described([one for one in wanted if one in allowed])


def contacts_found(principal: Principal, text: str, *, limit: int = 5) -> list[FoundContact]:
    """Return the contacts that the words find; those who left come last."""
    condition = matching_terms(text, personal=principal.sees_personal)
    if condition is None:
        return []
    rows = (
        Contact.objects.visible_to(principal)
        .filter(condition)
        .values_list("id", "name", "title", "preferred_channel", "customer_id", "customer__name", "left_on")[
            :CANDIDATES
        ]
    )
    best = sorted(rows, key=lambda row: (row[6] is not None, text not in row[1], row[0]))
    return [FoundContact(*row[:6]) for row in best[:limit]]


def _beginning_with(text: str, seen: QuerySet[Customer], limit: int) -> list[int]:
    """Return customers whose name begins as typed; the index on the sort key finds them without reading the rest."""
    key = searchterms.sort_key(text)
    if not key:
        return []
    rows = seen.filter(sort_key__gte=key, sort_key__lt=key + LAST_CHARACTER).order_by("sort_key", "id")
    return list(rows.values_list("id", flat=True)[:limit])


def _best(candidates: list[int], text: str, principal: Principal, limit: int) -> list[int]:
    names = Customer.objects.filter(pk__in=candidates).annotate(place=StrIndex("name", Value(text)))
    places = dict(names.values_list("id", "place"))
    worth = dict(CustomerFacts.objects.filter(pk__in=candidates).values_list("pk", "revenue"))

    def rank(customer_id: int) -> tuple[int, Decimal, int]:
        place = places.get(customer_id, 0)
        brings = (worth.get(customer_id) or Decimal(0)) if principal.sees_revenue else Decimal(0)
        return (0 if place == 1 else 1 if place else 2, -brings, customer_id)

    return sorted(dict.fromkeys(candidates), key=rank)[:limit]


def _described(ids: list[int]) -> list[FoundCustomer]:
    customers = {one.pk: one for one in Customer.objects.filter(pk__in=ids).only("name", "ref", "region")}
    facts = CustomerFacts.objects.only("health", "health_band", "arr", "revenue_12m").in_bulk(ids)
    return [_found(customers[one], facts.get(one)) for one in ids if one in customers]


def _found(customer: Customer, facts: CustomerFacts | None) -> FoundCustomer:
    return FoundCustomer(
        id=customer.pk,
        name=customer.name,
        ref=customer.ref,
        region=customer.region,
        health=facts.health if facts else None,
        band=(facts.health_band or "") if facts else "",
        worth=(facts.arr or facts.revenue_12m) if facts else None,
        is_subscription=bool(facts and facts.arr),
    )
