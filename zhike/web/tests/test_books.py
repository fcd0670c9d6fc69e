"""One colleague's customers found by their facts alone: the same list as through the customers, and nobody else's."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection

from zhike.conftest import NOW, Person
from zhike.kit.ruletrees import parse
from zhike.measure.facts import FACTS, fields
from zhike.measure.models import FactsDay
from zhike.record.customers import operations
from zhike.record.customers.models import Customer
from zhike.web.queries import views
from zhike.web.queries.paging import Listing
from zhike.web.queries.selection import Selection, Totals
from zhike.web.queries.sorting import is_sortable, order_by
from zhike.web.queries.views import View
from zhike.web.rules.paging import Order

TODAY = date(2026, 3, 12)
MEASURED = date(2026, 3, 10)  # Rules count days from there, as the facts do.
RULES: list[dict[str, object]] = [
    {"health": {"below": 70}},
    {"all": [{"tier": {"in": ["core"]}}, {"health": {"at_least": 40}}]},
    {"not": {"stage": {"is": "churned"}}},
    {"days_to_renewal": {"between": [0, 60]}},
    {"any": [{"days_since_usage": {"at_least": 30}}, {"days_since_touch": {"known": False}}]},
    {"all": [{"days_since_usage": {"between": [0, 60]}}, {"days_since_touch": {"not_in": [12]}}]},
    {"any": [{"days_to_renewal": {"above": 30}}, {"days_since_usage": {"below": 30}}, {"days_since_touch": {"is": 0}}]},
    {"not": {"any": [{"days_to_renewal": {"at_most": 12}}, {"days_since_touch": {"above": 10**10}}]}},
]
ORDERS = [
    Order("facts__health", Decimal, down=True),
    Order("facts__health", Decimal),
    Order("facts__orders", int),
    Order("sort_key", str, down=True, is_nullable=False, is_fact=False),
    Order("sort_key", str, is_nullable=False, is_fact=False),
    Order("joined", date, is_fact=False),
]


@pytest.fixture
def crowd(customer: Callable[..., Customer], mei: Person, jun: Person) -> list[Customer]:
    draw = random.Random(3)
    FactsDay.objects.create(day=MEASURED, path="", rows=60, spec={}, computed_at=NOW, seconds=1)

    def days(column: str, counted: str, sign: int) -> dict[str, object]:
        number = draw.choice([None, 0, 12, 30, 60, 61])
        date_of = None if number is None else MEASURED + sign * timedelta(number)
        return {counted: number, column: date_of}

    return [
        customer(
            f"客户 {number}",
            draw.choice([mei, jun]).staff,
            health=draw.choice([None, Decimal(35), Decimal(55), Decimal("81.5")]),
            tier=draw.choice(["core", "general"]),
            stage=draw.choice(["maturity", "churned"]),
            orders=draw.choice([None, 1, 2, 3]),
            mrr=Decimal(draw.randint(0, 9)),
            **days("contract_end", "days_to_renewal", 1),
            **days("last_usage", "days_since_usage", -1),
            **days("last_touch", "days_since_touch", -1),
        )
        for number in range(60)
    ]


def selection(person: Person, rule: dict[str, object]) -> Selection:
    return Selection(person.staff, parse(rule, fields(["core", "general"])), "", None, TODAY)


def pages(chosen: Selection, order: Order, *, by_facts: bool) -> list[int]:
    book = chosen.book if by_facts else None
    assert (book is not None) is by_facts
    listing = Listing(
        chosen.customers, order, ["name"], measured_only=chosen.measured_only, book=book, reader=chosen.principal
    )
    found, page = [], listing.page(size=7)
    while True:
        found += [row["id"] for row in page.rows]
        if not page.has_older:
            return found
        page = listing.page(after=page.last(order), size=7)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_facts_alone_find_the_same_list_as_the_customers(
    crowd: list[Customer], mei: Person, lead: Person, rule: dict[str, object]
) -> None:
    mine = selection(mei, rule)
    operations.hand_over(crowd[:20], mei.staff, by=lead.staff, now=NOW)
    operations.hand_over(crowd[40:], lead.staff, by=lead.staff, now=NOW)
    shown = {order: pages(mine, order, by_facts=False) for order in ORDERS}
    assert {order: pages(mine, order, by_facts=True) for order in ORDERS} == shown
    assert len(shown[ORDERS[0]]) > 7
    totals = mine.totals()
    assert totals.count == mine.customers().count()
    known = [one.facts.health for one in mine.customers() if one.facts.health is not None]
    assert totals.health == pytest.approx(float(sum(known)) / len(known))


def test_a_long_book_is_said_to_be_that_long_or_longer(
    crowd: list[Customer], mei: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = selection(mei, RULES[0])
    count = mine.customers().count()
    assert mine.totals().is_exact
    monkeypatch.setattr("zhike.web.queries.selection.COUNTED_TO", count - 1)
    assert mine.totals() == Totals(count, is_exact=False)


@pytest.mark.django_db(transaction=True)
def test_a_book_whose_sums_take_too_long_is_shown_without_them(
    crowd: list[Customer], mei: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zhike.web.queries.selection.BOOK_MS", 50)
    mine, other = selection(mei, RULES[0]), connection.copy()
    try:
        with other.cursor() as cursor:
            other.set_autocommit(False)
            cursor.execute("LOCK TABLE measure_customerfacts")
            assert mine.totals() == Totals(None, is_exact=False)
            other.rollback()
    finally:
        other.close()
    cache.clear()  # That it took too long is remembered for a while.
    assert mine.totals().is_exact


def test_a_book_that_is_not_ones_own_is_asked_of_the_customers(crowd: list[Customer], mei: Person, jun: Person) -> None:
    """Whoever sees only some of a colleague's customers must not learn from facts how many there are."""
    theirs = Selection(mei.staff, parse(RULES[0], fields(["core", "general"])), "", jun.staff.pk, TODAY)
    assert theirs.facts() is None
    assert (theirs.count(), list(theirs.customers())) == (0, [])


def test_the_tabs_of_a_book_are_counted_in_one_look(
    crowd: list[Customer],
    mei: Person,
    lead: Person,
    django_assert_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    known = fields(["core", "general"])
    tabs = [View(str(number), f"视图 {number}", (rule,)) for number, rule in enumerate(RULES)]
    attribute = View("own", "行业", ({"industry": {"is": "餐饮"}},))
    # The day of the facts, and the book between the two statements of its time limit, in a savepoint.
    with django_assert_num_queries(6):
        found = views.counted(tabs, mei.staff, known, TODAY)
    each = [Selection(mei.staff, parse(rule, known), "", None, TODAY).customers().count() for rule in RULES]
    assert [view.count for view in found] == each
    assert min(each) > 0
    assert [view.count for view in views.counted([*tabs, attribute], mei.staff, known, TODAY)] == [*each, 0]
    with django_assert_num_queries(6):
        of_team = [view.count for view in views.counted(tabs, lead.staff, known, TODAY)]
    assert of_team == [Selection(lead.staff, parse(rule, known), "", None, TODAY).customers().count() for rule in RULES]


@pytest.mark.parametrize("fact", [name for name in FACTS if is_sortable(name, few=True)])
def test_a_book_is_read_in_the_order_of_every_fact(crowd: list[Customer], mei: Person, fact: str) -> None:
    mine, order = selection(mei, RULES[2]), order_by(fact, down=True)
    assert pages(mine, order, by_facts=True) == pages(mine, order, by_facts=False) != []
