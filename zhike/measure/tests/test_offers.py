"""Offers: what goes with what is found, popularity is the bar, and what a colleague finds unfit is not made again."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from zhike.conftest import Person
from zhike.measure import turns
from zhike.measure.models import CustomerFacts, FactsDay, OfferPair, PeerShare
from zhike.measure.offers import operations
from zhike.measure.offers.queries import judged, offers_of
from zhike.measure.offers.together import Pairs, following, judge, learn, matrix
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import NOW, TODAY, Book
from zhike.record.commerce.models import Order, OrderLine, Product
from zhike.record.customers.models import Customer

DAY = timedelta(days=1)


def pairs(kinds: int, *, seed: int = 2, customers: int = 1500, items: int = 40) -> Pairs:
    """Customers who take things, one after another, from the lot of their kind; with one kind all are alike."""
    draw = np.random.default_rng(seed)
    rows = []
    for customer in range(customers):
        lot = np.arange(items)[draw.integers(0, kinds) :: kinds]
        wanted = draw.choice(lot, size=min(len(lot), 5), replace=False, p=None)
        days = np.sort(draw.integers(0, 400, len(wanted)))
        rows += [(customer, int(item), int(day)) for item, day in zip(wanted, days, strict=True)]
    return Pairs(*(np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)))


def test_what_goes_together_beats_popularity_where_customers_differ() -> None:
    found = judge(pairs(4), split=320, since=230)
    assert found["use"] == "together"
    assert found["gain_low"] > 0.05
    assert found["hit_rate"] > found["popular_hit_rate"]
    assert found["mrr"] > found["popular_mrr"]


def test_where_all_are_alike_popularity_stays() -> None:
    found = [judge(pairs(1, seed=seed), split=320, since=230)["use"] for seed in range(3, 9)]
    assert found.count("popular") >= 5  # An interval of 95 per cent may err.


def test_nothing_owned_and_nothing_refused_is_offered_and_the_order_of_rows_does_not_matter() -> None:
    given = pairs(4)
    learnt = learn(given, since=300)
    _customers, have = matrix(given, learnt.items)
    nothing = have * 0
    first = following(have, learnt, nothing, by="together")
    assert (first >= 0).all()
    assert not np.asarray(have[np.arange(have.shape[0]), first]).any()
    # The offers of four kinds of customers are from the lot of their own kind.
    lots = np.array([row.indices[0] % 4 for row in have])
    assert (first % 4 == lots).mean() > 0.95
    refused = nothing.tolil()
    refused[np.arange(have.shape[0]), first] = 1
    assert (following(have, learnt, refused.tocsr(), by="together") != first).all()
    order = np.random.default_rng(1).permutation(len(given.customer))
    again = learn(Pairs(given.customer[order], given.item[order], given.day[order]), since=300)
    assert (again.weights != learnt.weights).nnz == 0


@pytest.fixture
def shop(book: Book) -> Book:
    """Two kinds of customers: those of tea take tea, cup and pot, those of ink take ink, pen and paper."""
    sets = (("tea", "cup", "pot"), ("ink", "pen", "paper"))
    products = {name: Product.objects.create(ref=name, name=name.title()) for lot in sets for name in lot}
    for number in range(40):
        customer = book.customer(industry="零售" if number % 2 else "制造")
        lot = sets[number % 2]
        for place, name in enumerate(lot[: 1 + number % 3]):
            buy(book, customer, products[name], back=200 - 40 * place)
    return book


def buy(book: Book, customer: Customer, product: Product, back: int) -> None:
    order: Order = book.order(customer, TODAY - back * DAY, 10)
    OrderLine.objects.create(
        order=order, product=product, kind="sale", quantity=1, price=10, amount=10, key=f"L{book.next()}"
    )


@pytest.mark.slow
def test_the_night_says_what_to_offer_and_a_colleague_may_refuse_it(shop: Book, spec: MeasureSpec, mei: Person) -> None:
    turns.measure(spec, today=TODAY, now=NOW)
    cards: dict[str, Any] = FactsDay.objects.get().cards
    assert cards["offers"]["items"] == 6
    assert OfferPair.objects.exists()
    share = PeerShare.objects.get(kind="product", group="industry:零售", item="ink")
    assert (share.customers, share.among) == (20, 20)
    FactsDay.objects.update(cards={**cards, "offers": {**cards["offers"], "use": "together"}})
    customer = next(one for one in shop.customers if one.orders.count() == 1 and one.industry == "零售")
    offers = offers_of(customer, None, judged())
    assert {offer.key for offer in offers[:2]} == {"product:pen", "product:paper"}
    assert offers[0].because[0][0] == "Ink"
    assert offers[0].peers is not None
    assert (offers[0].peers.group, offers[0].peers.value) == ("industry", "零售")
    operations.dismiss(customer, offers[0].key, by=mei.staff, now=NOW)
    assert offers[0].key not in {offer.key for offer in offers_of(customer, None, judged())}
    assert CustomerFacts.objects.get(pk=customer.pk).next_offer == offers[1].key
    turns.measure(spec, today=TODAY + DAY, now=NOW + DAY)
    assert CustomerFacts.objects.get(pk=customer.pk).next_offer != offers[0].key
    operations.take_back(customer, offers[0].key, by=mei.staff, now=NOW + DAY)
    with pytest.raises(operations.NoSuchOffer):
        operations.dismiss(customer, "product:none", by=mei.staff, now=NOW)


@pytest.mark.slow
def test_seats_that_are_nearly_full_come_first(shop: Book, spec: MeasureSpec) -> None:
    customer = shop.customers[0]
    shop.subscription(customer, TODAY - 100 * DAY, None, 100, quantity=10)
    shop.used(customer, TODAY - DAY, users=9)
    shop.file_usage()
    turns.measure(spec, today=TODAY, now=NOW)
    assert CustomerFacts.objects.get(pk=customer.pk).next_offer == "seats"
