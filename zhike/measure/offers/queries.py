"""What to offer one customer and why, from what the last night learnt; only this customer's own rows are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from zhike.measure.models import CustomerFacts, DismissedOffer, FactsDay, OfferPair, PeerShare
from zhike.measure.offers.offering import FILLED, GROUPS, GROWING, NEAR_LIMIT, SEATS, key_of
from zhike.record.commerce.models import LineKind, OrderLine, Product, Subscription
from zhike.record.customers.models import Customer

SHOWN = 3
LOOKED_AT = 400  # Of the products a customer has.


@dataclass(frozen=True)
class Share:
    """How many customers of a group have something; `group` is the fact they share, empty for all customers."""

    group: str
    value: str
    customers: int
    among: int

    @property
    def share(self) -> float:
        return self.customers / self.among


@dataclass(frozen=True)
class Offer:
    """Something to offer. `because` are products the customer has, with the share of their owners who have this, too;
    `peers` the share among customers alike; `seats` are people seen and seats paid for.
    """

    key: str
    name: str
    because: tuple[tuple[str, float], ...] = ()
    peers: Share | None = None
    seats: tuple[int, int] | None = None


@dataclass(frozen=True)
class Judged:
    """How offers were judged against popularity, as the card of the night says."""

    card: Mapping[str, Any]

    @property
    def by_popularity(self) -> bool:
        return self.card.get("use") != "together"


def judged() -> Judged:
    """Return how the last night judged them."""
    cards = FactsDay.objects.order_by("-day").values_list("cards", flat=True).first()
    return Judged((cards or {}).get("offers", {}))


def offers_of(customer: Customer, facts: CustomerFacts | None, card: Judged, *, limit: int = SHOWN) -> list[Offer]:
    """Return what to offer, the best first; what a colleague found unfit is left out."""
    refused = set(DismissedOffer.objects.filter(customer=customer).values_list("key", flat=True))
    found = [offer for offer in (_seats(facts),) if offer is not None and offer.key not in refused]
    owned = _owned(customer)
    scores, why = ({}, {}) if card.by_popularity else _going_with(owned)
    order = sorted(scores, key=lambda item: (-round(scores[item], 6), item))
    order += [item for item in _popular(len(owned) + len(refused) + limit) if item not in scores]
    listed = Product.objects.in_bulk([item for item in order if item not in owned][: limit + len(refused)])
    chosen = [listed[item] for item in order if item in listed and key_of(listed[item].ref) not in refused]
    chosen = chosen[: max(0, limit - len(found))]
    shares = peers_of(customer, facts, "product", [one.ref for one in chosen])
    names = dict(
        Product.objects.filter(pk__in={item for one in chosen for item, _share in why.get(one.pk, ())}).values_list(
            "pk", "name"
        )
    )
    for one in chosen:
        because = tuple((names[item], share) for item, share in why.get(one.pk, ()))
        found.append(Offer(key_of(one.ref), one.name, because, shares.get(one.ref)))
    return found


def _seats(facts: CustomerFacts | None) -> Offer | None:
    if facts is None or not facts.seats or not facts.users_30d:
        return None
    growing = (facts.usage_change_90d or 0) >= GROWING
    if facts.users_30d < (FILLED if growing else NEAR_LIMIT) * facts.seats:
        return None
    return Offer(SEATS, "", seats=(facts.users_30d, facts.seats))


def _owned(customer: Customer) -> set[int]:
    lines = OrderLine.objects.filter(order__customer=customer, kind=LineKind.SALE, amount__gt=0)
    owned = set(lines.values_list("product_id", flat=True).distinct()[:LOOKED_AT])
    return owned | set(Subscription.objects.filter(customer=customer).values_list("product_id", flat=True))


def _going_with(owned: set[int]) -> tuple[dict[int, float], dict[int, list[tuple[int, float]]]]:
    """Return how well each product goes with those owned, and with which of them the most."""
    scores: dict[int, float] = {}
    parts: dict[int, list[tuple[float, int, float]]] = {}
    rows = OfferPair.objects.filter(item__in=owned).exclude(other__in=owned)
    for item, other, both, owners, weight in rows.values_list("item_id", "other_id", "both", "owners", "weight"):
        scores[other] = scores.get(other, 0.0) + weight
        parts.setdefault(other, []).append((weight, item, both / owners if owners else 0.0))
    why = {other: [(item, share) for _weight, item, share in sorted(found)[::-1][:2]] for other, found in parts.items()}
    return scores, why


def _popular(limit: int) -> list[int]:
    rows = OfferPair.objects.filter(item=F("other")).order_by("-weight", "item_id")
    return list(rows.values_list("item_id", flat=True)[:limit])


def peers_of(customer: Customer, facts: CustomerFacts | None, kind: str, items: Iterable[str]) -> dict[str, Share]:
    """Return, for each thing, how many customers alike have it: of the same industry, else size, tier, else all."""
    values = {"industry": customer.industry, "size": customer.size, "tier": (facts.tier if facts else "") or ""}
    groups = {f"{name}:{values[name]}": (name, values[name]) for name in GROUPS if values[name]} | {"all": ("", "")}
    rank = {group: place for place, group in enumerate(groups)}
    rows = PeerShare.objects.filter(kind=kind, group__in=groups, item__in=list(items))
    found: dict[str, Share] = {}
    for row in sorted(rows, key=lambda row: rank[row.group]):
        found.setdefault(row.item, Share(*groups[row.group], row.customers, row.among))
    return found
