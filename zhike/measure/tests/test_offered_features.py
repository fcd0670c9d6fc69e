"""Features to try next: what customers alike use, judged against what is popular, beside products and seats."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from zhike.conftest import Person
from zhike.measure import turns
from zhike.measure.models import CustomerFacts, FactsDay
from zhike.measure.offers import operations
from zhike.measure.offers.features import judge
from zhike.measure.offers.offering import is_feature_first
from zhike.measure.offers.queries import judged, offers_of
from zhike.measure.offers.together import Ids, Kinds, Pairs
from zhike.measure.offers.together import judge as judge_products
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import NOW, TODAY, Book
from zhike.measure.tests.test_offers import buy, pairs
from zhike.record.commerce.models import Product
from zhike.record.customers.models import Customer

DAY = timedelta(days=1)


def trying(kinds: int, *, customers: int = 900, items: int = 24, seed: int = 3) -> tuple[Pairs, Ids]:
    """Customers who try features one after another, each kind the ones of its own first."""
    draw = np.random.default_rng(seed)
    rows, kind_of = [], []
    for customer in range(customers):
        kind = int(draw.integers(0, kinds))
        chance = np.where(np.arange(items) % kinds == kind, 6.0, 1.0) * np.linspace(1.5, 1, items)
        wanted = draw.choice(items, size=7, replace=False, p=chance / chance.sum())
        days = np.sort(draw.integers(0, 400, 7))
        rows += [(customer, int(item), int(day)) for item, day in zip(wanted, days, strict=True)]
        kind_of += [kind] * 7
    return Pairs(*(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))), np.array(kind_of)


def test_customers_alike_beat_popularity_where_they_differ_and_not_where_they_are_all_alike() -> None:
    used, kind = trying(4)
    found = judge(used, kind, 320, 24)
    assert found["use"] == "peers"
    assert found["hit_rate"] > found["popular_hit_rate"]
    assert found["gain_low"] > 0
    assert 0 < found["taken"] < 1
    same, _kind = trying(1)
    at_random = np.random.default_rng(1).integers(0, 4, 900)[same.customer]
    assert judge(same, at_random, 320, 24)["use"] == "popular"
    assert judge(used, kind, 399, 24)["reason"] == "few_to_judge_by"


def test_products_are_judged_by_the_kind_of_sale() -> None:
    given = pairs(4)
    kinds = Kinds({item: str(item // 8) for item in range(40)}, {item: float(1 + item % 8) for item in range(40)})
    found = judge_products(given, split=320, since=230, kinds=kinds)
    assert {"cross_sell", "up_sell"} == set(found["kinds"])
    assert found["kinds"]["cross_sell"]["customers"] > found["kinds"]["up_sell"]["customers"] > 0
    assert found["kinds"]["cross_sell"]["hit_rate"] > found["kinds"]["cross_sell"]["popular_hit_rate"]
    assert kinds.of(7, [0, 1]) == "up_sell"
    assert kinds.of(0, [7]) == ""
    assert kinds.of(9, [0]) == "cross_sell"


def test_the_likelier_of_product_and_feature_comes_first() -> None:
    card: dict[str, Any] = {"taken": 0.02, "mean_share": 0.2, "feature": {"taken": 0.05, "mean_share": 0.4}}
    assert is_feature_first(card, 0.2, 0.4)
    assert not is_feature_first(card, 0.6, 0.4)
    assert not is_feature_first(card, 0.2, 0.1)
    assert is_feature_first({"feature": {}}, 0.1, 0.2) is False  # Nothing judged, no means: the product.


@pytest.fixture
def workshop(book: Book) -> Book:
    """Customers of two industries, each with features of its own, and one of each that lacks one of them."""
    for number in range(40):
        trade = number % 2
        customer = book.customer(industry="零售" if trade else "制造")
        names = ("pos", "loyalty") if trade else ("bom", "routing")
        for name in names[: 1 if number in {0, 1} else 2]:
            book.used(customer, TODAY - 20 * DAY, event=name)
        book.used(customer, TODAY - DAY, event="login")
    book.file_usage()
    return book


@pytest.mark.slow
def test_a_feature_of_customers_alike_is_offered_with_its_reason_and_may_be_refused(
    workshop: Book, spec: MeasureSpec, mei: Person
) -> None:
    turns.measure(spec, today=TODAY, now=NOW)
    cards: dict[str, Any] = FactsDay.objects.get().cards
    assert cards["offers"]["feature"]["items"] >= 4
    shop, plant, whole = workshop.customers[1], workshop.customers[0], workshop.customers[3]
    # By popularity the equally popular stand in the order of their names; by customers alike each gets its own.
    FactsDay.objects.update(cards={**cards, "offers": {**cards["offers"], "feature": {"use": "peers"}}})
    assert offers_of(shop, CustomerFacts.objects.get(pk=shop.pk), judged())[0].key == "feature:loyalty"
    first = offers_of(plant, CustomerFacts.objects.get(pk=plant.pk), judged())[0]
    assert (first.key, first.kind) == ("feature:routing", "feature")
    assert first.peers is not None
    assert (first.peers.group, first.peers.value, first.peers.customers, first.peers.among) == (
        "industry",
        "制造",
        19,
        20,
    )
    offered = {offer.key for offer in offers_of(whole, CustomerFacts.objects.get(pk=whole.pk), judged())}
    assert not offered & {"feature:pos", "feature:loyalty", "feature:login"}
    operations.dismiss(shop, "feature:loyalty", by=mei.staff, now=NOW)
    assert CustomerFacts.objects.get(pk=shop.pk).next_offer != "feature:loyalty"
    turns.measure(spec, today=TODAY + DAY, now=NOW + DAY)
    again = CustomerFacts.objects.get(pk=shop.pk).next_offer
    assert again is not None
    assert again.startswith("feature:")
    assert again != "feature:loyalty"
    operations.take_back(shop, "feature:loyalty", by=mei.staff, now=NOW + DAY)
    with pytest.raises(operations.NoSuchOffer):
        operations.dismiss(shop, "feature:none", by=mei.staff, now=NOW)


@pytest.mark.slow
def test_the_page_offers_first_what_the_night_wrote_for_every_customer(workshop: Book, spec: MeasureSpec) -> None:
    products = [Product.objects.create(ref=f"P{number}", name=f"P{number}", category="x") for number in range(4)]
    draw = np.random.default_rng(2)
    for customer in workshop.customers[:30]:
        for at in draw.choice(len(products), size=2, replace=False):
            buy(workshop, customer, products[int(at)], back=int(draw.integers(5, 200)))
    book_of: list[Customer] = workshop.customers
    workshop.subscription(book_of[5], TODAY - 100 * DAY, None, 100, quantity=1)
    turns.measure(spec, today=TODAY, now=NOW)
    kinds = set()
    for customer in book_of:
        facts = CustomerFacts.objects.get(pk=customer.pk)
        found = offers_of(customer, facts, judged())
        assert (found[0].key if found else None) == facts.next_offer, customer.ref
        assert len({offer.key for offer in found}) == len(found)
        kinds |= {offer.kind for offer in found}
    assert {"feature", "product", "cross_sell"} <= kinds
    assert CustomerFacts.objects.get(pk=book_of[5].pk).next_offer == "seats"
