"""Customers and contacts found by what a person types: name, pinyin, initials, phone tail, e-mail, number."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, StrIndex

from zhike.kit import searchterms
from zhike.org.prepared import Prepared, Slot, Slots
from zhike.org.principals import Principal
from zhike.record.customers.models import Contact, Customer

# A term as common as 有限公司 finds hundreds of thousands; the candidates that are ranked stay few.
CANDIDATES = 200
LAST_CHARACTER = "\U0010ffff"


class Terms(SearchQuery):
    """What `kit.searchterms.query_of` returned, as a condition on a search vector."""

    template = "%(expressions)s::tsquery"

    def __init__(self, query: str | Slot) -> None:
        super().__init__(query if isinstance(query, Slot) else Value(query))


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
    query = searchterms.query_of(text, personal=principal.sees_personal)
    if not query:
        return []
    candidates = [one for (one,) in _CANDIDATES.list(principal, query=query)]
    if not candidates:
        return []
    if len(candidates) == CANDIDATES:
        candidates += _beginning_with(text, Customer.objects.visible_to(principal), limit)
    return _described(_best(candidates, text, principal, limit))


def recent_customers(principal: Principal, ids: Iterable[int]) -> list[FoundCustomer]:
    """Return the given customers, those that the person may still see, in the given order."""
    wanted = list(ids)
    allowed = set(Customer.objects.visible_to(principal).filter(pk__in=wanted).values_list("id", flat=True))
    return _described([one for one in wanted if one in allowed])


def contacts_found(principal: Principal, text: str, *, limit: int = 5) -> list[FoundContact]:
    """Return the contacts that the words find; those who left come last."""
    query = searchterms.query_of(text, personal=principal.sees_personal)
    rows = _CONTACTS.list(principal, query=query) if query else []
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
    known = {one: (place, worth) for one, place, worth in _PLACES.list(ids=candidates, text=text)}

    def rank(customer_id: int) -> tuple[int, Decimal, int]:
        place, worth = known.get(customer_id, (0, None))
        brings = (worth or Decimal(0)) if principal.sees_revenue else Decimal(0)
        return (0 if place == 1 else 1 if place else 2, -brings, customer_id)

    return sorted(dict.fromkeys(candidates), key=rank)[:limit]


def _described(ids: list[int]) -> list[FoundCustomer]:
    found = {row[0]: row for row in _SHOWN.list(ids=ids)} if ids else {}
    return [_found(found[one]) for one in ids if one in found]


def _found(row: tuple[Any, ...]) -> FoundCustomer:
    customer, name, ref, region, health, band, arr, revenue = row
    return FoundCustomer(customer, name, ref, region, health, band or "", arr or revenue, bool(arr))


_CANDIDATES: Prepared[tuple[int]] = Prepared(
    lambda viewer: (
        Customer.objects.visible_to(viewer).filter(terms=Terms(Slot("query"))).values_list("id")[:CANDIDATES]
    ),
    is_kept=False,  # Many or few have what is asked for, and that decides how to look for it.
)
_CONTACTS: Prepared[tuple[Any, ...]] = Prepared(
    lambda viewer: (
        Contact.objects.visible_to(viewer)
        .filter(terms=Terms(Slot("query")))
        .values_list("id", "name", "title", "preferred_channel", "customer_id", "customer__name", "left_on")[
            :CANDIDATES
        ]
    ),
    is_kept=False,
)
_PLACES: Prepared[tuple[int, int, Decimal | None]] = Prepared(
    lambda _viewer: (
        Customer.objects.filter(pk__in=Slots("ids"))
        .annotate(place=StrIndex("name", Cast(Slot("text"), TextField())))
        .values_list("id", "place", "facts__revenue")
    )
)
_SHOWN: Prepared[tuple[Any, ...]] = Prepared(
    lambda _viewer: Customer.objects.filter(pk__in=Slots("ids")).values_list(
        "id", "name", "ref", "region", "facts__health", "facts__health_band", "facts__arr", "facts__revenue_12m"
    )
)
