"""What to offer one customer and why, from what the last night learnt; only this customer's own rows are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db.models import F

from zhike.measure.models import CustomerFacts, DismissedOffer, FactsDay, OfferPair, PeerShare
from zhike.measure.offers import features
from zhike.measure.offers.offering import SEATS, is_feature_first, key_of
from zhike.measure.offers.peers import ALL, GROUPS, LONGEST, USUAL, scored
from zhike.measure.offers.reading import RECENT, YEARS
from zhike.measure.offers.together import Kinds
from zhike.measure.offers.upselling import short_of_seats
from zhike.measure.queries import usage_since
from zhike.record.commerce.models import LineKind, OrderLine, Product, Subscription
from zhike.record.customers.models import Customer

SHOWN = 3
LOOKED_AT = 400  # Of the products a customer has.
LATEST_SALES = 50


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
    `peers` the share among customers alike; `seats` are people seen and seats paid for. `kind` is product, cross_sell,
    up_sell or feature.
    """

    key: str
    name: str
    kind: str
    because: tuple[tuple[str, float], ...] = ()
    peers: Share | None = None
    seats: tuple[int, int] | None = None


@dataclass(frozen=True)
class Judged:
    """How offers were judged against popularity, as the card of the night says."""

    card: Mapping[str, Any]
    day: date | None = None

    @property
    def by_popularity(self) -> bool:
        return self.card.get("use") != "together"


def judged() -> Judged:
    """Return how the last night judged them."""
    day, cards = FactsDay.objects.order_by("-day").values_list("day", "cards").first() or (None, {})
    return Judged(cards.get("offers", {}), day)


def offers_of(customer: Customer, facts: CustomerFacts | None, card: Judged, *, limit: int = SHOWN) -> list[Offer]:
    """Return what to offer, the best first; what a colleague found unfit is left out.

    Seats that run short come first, then the product or the feature that is likelier to be taken, then the other.
    """
    refused = set(DismissedOffer.objects.filter(customer=customer).values_list("key", flat=True))
    found = [offer for offer in (_seats(facts),) if offer is not None and offer.key not in refused]
    products = _products(customer, facts, card, refused, limit)
    tried = _features(customer, facts, card, refused, limit)
    if products and tried and not is_feature_first(card.card, _share(products[0]), _share(tried[0])):
        found += [products.pop(0), tried.pop(0)]
    elif tried:
        found += [tried.pop(0)]
    return [*found, *products, *tried][:limit]


def _share(offer: Offer) -> float:
    return offer.peers.share if offer.peers else float("nan")


def _products(
    customer: Customer, facts: CustomerFacts | None, card: Judged, refused: set[str], limit: int
) -> list[Offer]:
    owned = _owned(customer)
    scores, why = ({}, {}) if card.by_popularity else _going_with(owned)
    order = sorted(scores, key=lambda item: (-round(scores[item], 6), item))
    order += [item for item in _popular(len(owned) + len(refused) + limit) if item not in scores]
    listed = Product.objects.in_bulk([item for item in order if item not in owned][: limit + len(refused)])
    chosen = [listed[item] for item in order if item in listed and key_of(listed[item].ref) not in refused][:limit]
    shares = peers_of(customer, facts, "product", [one.ref for one in chosen])
    others = {item for one in chosen for item, _share in why.get(one.pk, ())}
    names = dict(Product.objects.filter(pk__in=others).values_list("pk", "name"))
    kinds = _kinds(chosen, owned)
    return [
        Offer(
            key_of(one.ref),
            one.name,
            kinds[one.pk],
            tuple((names[item], share) for item, share in why.get(one.pk, ())),
            shares.get(one.ref),
        )
        for one in chosen
    ]


def _kinds(chosen: list[Product], owned: set[int]) -> dict[int, str]:
    """Return for each product whether it is a first one, a cross-sell, or an up-sell to a dearer one of its kind."""
    if not owned:
        return {one.pk: "product" for one in chosen}
    named = {one.category for one in chosen if one.category}
    alike = dict(Product.objects.filter(pk__in=owned, category__in=named).values_list("pk", "category"))
    both = {**alike, **{one.pk: one.category for one in chosen}}
    prices = {item: _price(item) for item, category in both.items() if category in set(alike.values())}
    kinds = Kinds(both, prices)
    return {one.pk: kinds.of(one.pk, owned) or "cross_sell" for one in chosen}


def _price(item: int) -> float:
    """Return what a product cost in its latest sales, NaN when it was never sold by the piece."""
    lines = OrderLine.objects.filter(product=item, kind=LineKind.SALE, quantity__gt=0, amount__gt=0).order_by("-id")
    sold = list(lines.values_list("amount", "quantity")[:LATEST_SALES])
    return float(sum(amount for amount, _quantity in sold) / sum(quantity for _a, quantity in sold)) if sold else np.nan


def _features(
    customer: Customer, facts: CustomerFacts | None, card: Judged, refused: set[str], limit: int
) -> list[Offer]:
    """Return features that customers alike use and this one never did, of who used anything lately."""
    if facts is None or facts.last_usage is None or card.day is None or (card.day - facts.last_usage).days > RECENT:
        return []
    everybody = PeerShare.objects.filter(kind="feature", group=ALL).values_list("item", "customers", "among")
    popular = {
        item: customers / among
        for item, customers, among in everybody
        if customers >= USUAL * among and len(item) <= LONGEST and features.key_of(item) not in refused
    }
    if popular:
        ever = {one.event for one in usage_since(customer.pk, days=366 * YEARS, today=card.day)}
        popular = {item: share for item, share in popular.items() if item not in ever}
    if not popular:
        return []
    shares = peers_of(customer, facts, "feature", popular)
    by_peers = card.card.get("feature", {}).get("use") == "peers"

    def score(item: str) -> float:
        own = shares[item].share if by_peers and item in shares else popular[item]
        return float(scored(np.array(own), np.array(popular[item])))

    order = sorted(popular, key=lambda item: (-score(item), item))[:limit]
    return [Offer(features.key_of(item), item, "feature", peers=shares.get(item)) for item in order]


def _seats(facts: CustomerFacts | None) -> Offer | None:
    if facts is None or not facts.seats or not facts.users_30d:
        return None
    if not short_of_seats(facts.seats, facts.users_30d, facts.usage_change_90d or 0):
        return None
    return Offer(SEATS, "", "up_sell", seats=(facts.users_30d, facts.seats))


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
