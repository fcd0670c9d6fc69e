import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import count

import pytest
from django.db import connection
from django.db.models import QuerySet

from zhike.record.customers.models import Customer
from zhike.web.queries.paging import Listing, Page
from zhike.web.rules.paging import Order, Place, place_from

ORDERS = [
    Order("facts__health", Decimal),
    Order("facts__health", Decimal, down=True),
    Order("facts__orders", int),
    Order("sort_key", str, is_nullable=False, is_fact=False),
    Order("sort_key", str, down=True, is_nullable=False, is_fact=False),
    Order("joined", date, down=True, is_fact=False),
]


@pytest.fixture
def many(customer: Callable[..., Customer]) -> int:
    draw = random.Random(7)
    for number in range(23):
        score = draw.choice([None, Decimal(50), Decimal("61.5"), Decimal(80)])
        joined = draw.choice([date(2025, 1, 1), date(2025, 3, 1)])
        made = customer(f"客户 {number % 5}", health=score, orders=draw.choice([None, 1, 2]), joined=joined)
        if number % 4 == 0:
            Customer.objects.filter(pk=made.pk).update(joined=None)
    for number in range(6):
        customer(f"新客户 {number}")
    return 29


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: f"{order.path} {'down' if order.down else 'up'}")
@pytest.mark.parametrize("size", [1, 4, 7, 40])
def test_paging_shows_everybody_once_and_leads_back(many: int, order: Order, size: int) -> None:
    listing = Listing(Customer.objects.all, order, ["name"], measured_only=False)
    pages = [listing.page(size=size)]
    while pages[-1].has_older:
        place = pages[-1].last(order)
        assert place is not None
        assert place_from(place.text(), order.kind) == place
        pages.append(listing.page(after=place, size=size))
        assert len(pages) <= many
    shown = _ids(pages)
    assert len(shown) == many
    assert len(set(shown)) == many
    back = [pages[-1]]
    while back[-1].has_newer:
        back.append(listing.page(before=back[-1].first(order), size=size))
        assert len(back) <= many
    assert sorted(_ids(back)) == sorted(shown)
    assert _ids(back[1:2]) == _ids(pages[-2:-1])


def test_known_values_come_in_order_then_unknown_ones_then_the_unmeasured(many: int) -> None:
    rows = (
        Listing(Customer.objects.all, Order("facts__health", Decimal, down=True), ["name"], measured_only=False)
        .page()
        .rows
    )
    known = [row["facts__health"] for row in rows if row["phase"] == "known"]
    assert known == sorted(known, reverse=True)
    assert [row["phase"] for row in rows] == sorted(
        (row["phase"] for row in rows), key=["known", "unknown", "unmeasured"].index
    )


def test_a_customer_that_appears_meanwhile_moves_nobody_else(many: int, customer: Callable[..., Customer]) -> None:
    order = Order("facts__health", Decimal)
    listing = Listing(Customer.objects.all, order, ["name"], measured_only=False)
    first = listing.page(size=5)
    expected = _ids([listing.page(after=first.last(order), size=5)])
    customer("插队", health=Decimal(1))
    assert _ids([listing.page(after=first.last(order), size=5)]) == expected


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("health", [None, 50], ids=["without health", "with health"])
@pytest.mark.parametrize("question", [1, 2, 3])
@pytest.mark.parametrize("back", [False, True], ids=["forwards", "backwards"])
def test_a_customer_who_is_measured_meanwhile_stands_on_the_page_once(
    customer: Callable[..., Customer], question: int, health: int | None, back: bool
) -> None:
    """Its facts come from elsewhere just before one of the questions of which a page is put together."""
    customer("早就在", health=Decimal(60))
    new, other, asked = customer("刚导入"), connection.copy(), count(1)

    def base() -> QuerySet[Customer]:
        if next(asked) == question:
            facts = "INSERT INTO measure_customerfacts (customer_id, health, health_weeks) VALUES (%s, %s, '{}')"
            with other.cursor() as cursor:
                cursor.execute(facts, [new.pk, health])
        return Customer.objects.all()

    try:
        listing = Listing(base, Order("facts__health", Decimal), ["name"], measured_only=False)
        page = listing.page(before=Place("unmeasured", None, new.pk + 1)) if back else listing.page()
    finally:
        other.close()
    assert next(asked) > question
    assert sorted(row["name"] for row in page.rows) == ["刚导入", "早就在"]


@pytest.mark.parametrize("text", ["", "k", "kx~1", "k5", "k5~abc", "k5~NaN", "z9~1", "u", "k99999999999999999999999~1"])
def test_a_mistyped_place_is_the_first_page(text: str) -> None:
    assert place_from(text, Decimal) is None


def _ids(pages: list[Page]) -> list[int]:
    return [row["id"] for page in pages for row in page.rows]
