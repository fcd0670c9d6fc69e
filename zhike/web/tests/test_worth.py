"""Value, need, offers and usage report of a customer, through the page that brings them."""

from collections.abc import Callable
from datetime import UTC, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from zhike.conftest import NOW, Person
from zhike.decide.plans import operations as plans
from zhike.measure.models import CustomerFacts, FactsDay, OfferPair, PeerShare, StatedNeed
from zhike.org.models import AuditLine, Company
from zhike.record.commerce.models import Order, OrderLine, Product
from zhike.record.customers.models import Customer
from zhike.record.events.models import LakeFile

Make = Callable[..., Customer]
CARD = {
    "horizon_months": 36,
    "discount": 0.1,
    "margin": 0.8,
    "orders": {
        "model": "BG/NBD",
        "parameters": {"r": 0.5, "alpha": 10.0, "a": 0.8, "b": 2.5},
        "customers": 4000,
        "holdout": {"weeks": 26.0, "error": -0.031},
    },
    "subscriptions": {"reason": "no_subscriptions"},
}


@pytest.fixture
def tea(db: None, customer: Make, mei: Person) -> Customer:
    Company.objects.create(id=1, name="云舟科技", currency="CNY", language="en")
    plans.ensure_ready_plan("saas", now=NOW)
    made = customer(
        "清茗茶业",
        mei.staff,
        industry="零售",
        tier="core",
        clv=Decimal("86000.50"),
        clv_to_cac=6.4,
        p_alive=0.87,
        expected_orders_12m=3.25,
        need_orientation="price",
        need_reason="discount=0.23;words=5",
    )
    FactsDay.objects.create(
        day=NOW.date(),
        path="x",
        rows=1,
        spec={},
        computed_at=NOW,
        seconds=1,
        cards={"value": CARD, "offers": {"use": "together"}},
    )
    cup, pot, book = (Product.objects.create(ref=name, name=name.title()) for name in ("cup", "pot", "book"))
    order = Order.objects.create(ref="1", customer=made, placed_at=NOW - timedelta(days=9), currency="CNY", bought=10)
    OrderLine.objects.create(order=order, product=cup, kind="sale", quantity=1, price=10, amount=10, key="1")
    for item, other, both, weight in ((cup, pot, 38, 0.4), (cup, cup, 100, 9), (pot, pot, 60, 5), (book, book, 80, 8)):
        OfferPair.objects.create(item=item, other=other, both=both, owners=100, weight=weight)
    PeerShare.objects.create(kind="product", group="industry:零售", item="pot", customers=62, among=100)
    return made


def used(customer: Customer, *rows: tuple[str, int, int]) -> None:
    """File use of features: name, days ago, times."""
    schema = pa.schema(
        [
            ("customer", pa.int64()),
            ("at", pa.timestamp("us")),
            ("event", pa.string()),
            ("count", pa.int64()),
            ("users", pa.int64()),
        ]
    )
    made = [
        (customer.pk, (NOW - timedelta(days=ago)).replace(tzinfo=None), name, times, 1) for name, ago, times in rows
    ]
    columns = dict(zip(schema.names, map(list, zip(*made, strict=True)), strict=True))
    table = pa.Table.from_pydict(columns, schema)
    place = Path(settings.LAKE) / "usage/1.parquet"
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, place)
    moments = [row[1].replace(tzinfo=UTC) for row in made]
    LakeFile.objects.create(
        path="usage/1.parquet",
        kind="usage",
        month=min(moments).date().replace(day=1),
        rows=len(made),
        bytes=1,
        first_at=min(moments),
        last_at=max(moments),
        least_customer=customer.pk,
        most_customer=customer.pk,
        created_at=NOW,
    )


def shown(person: Person, customer: Customer) -> str:
    return unescape(person.get(f"/customers/{customer.pk}/worth").content.decode())


def test_value_stands_against_the_goal_with_how_it_was_counted(tea: Customer, mei: Person) -> None:
    page = shown(mei, tea)
    assert "6.4 ×" in page
    assert "goal of core customers 10 ×" in page
    assert "87%" in page
    assert "BG/NBD, learnt from 4,000 customers (r 0.5, alpha 10, a 0.8, b 2.5)." in page
    assert "the total was off by 3.1%" in page
    hidden = mei.staff.role
    type(hidden).objects.filter(pk=hidden.pk).update(sees_revenue=False)
    assert "6.4 ×" not in shown(mei, tea)


def test_offers_have_reasons_and_one_that_does_not_fit_is_gone(tea: Customer, mei: Person, jun: Person) -> None:
    page = shown(mei, tea)
    assert page.index("Pot") < page.index("Book")
    assert "38% of customers with Cup have it, too; 62% of 零售 have it" in page
    address = f"/customers/{tea.pk}/offers/dismiss"
    assert jun.post(address, {"key": "product:pot"}).status_code == 404
    answer = mei.post(address, {"key": "product:pot"}, headers={"HX-Request": "true"})
    assert "Pot" not in answer.content.decode()
    assert CustomerFacts.objects.get(pk=tea.pk).next_offer == "product:book"
    assert AuditLine.objects.filter(action="offer.dismissed").exists()
    assert mei.post(address, {"key": "product:none"}).status_code == 409
    mei.post(f"/customers/{tea.pk}/offers/allow?key=product:pot")
    assert "Pot" in shown(mei, tea)


def test_a_feature_of_customers_alike_is_offered_with_how_offers_were_judged(tea: Customer, mei: Person) -> None:
    used(tea, ("报表", 5, 6), ("登录", 3, 9))
    for group, item, customers in (("all", "审批", 55), ("industry:零售", "审批", 62), ("all", "报表", 90)):
        PeerShare.objects.create(kind="feature", group=group, item=item, customers=customers, among=100)
    CustomerFacts.objects.filter(pk=tea.pk).update(last_usage=NOW.date() - timedelta(days=3))
    figures = {"hit_rate": 0.52, "popular_hit_rate": 0.41, "customers": 812}
    card = {
        "use": "together",
        "gain_low": 0.01,
        "gain_high": 0.03,
        "gain": 0.02,
        "taken": 0.01,
        "mean_share": 0.5,
        **figures,
        "kinds": {"cross_sell": figures, "up_sell": {"customers": 3}},
        "feature": {**figures, "use": "peers", "taken": 0.2, "mean_share": 0.5},
        "seats": {"hit_rate": 0.3, "others": 0.05, "held_days": 90, "customers": 40},
    }
    FactsDay.objects.update(cards={"offers": card})
    page = shown(mei, tea)
    assert "62% of 零售 use it; never tried here" in page
    assert page.index('name="key" value="feature:审批"') < page.index('name="key" value="product:pot"')
    assert "Cross-sell: 52% hits among three against 41% (812 customers)." in page
    assert "Features by what customers alike use: 52% hits among three against 41% by popularity" in page
    assert "30% of those offered more seats took them within 90 days, 5% of the others did." in page
    assert "Up-sell:" not in page
    answer = mei.post(f"/customers/{tea.pk}/offers/dismiss", {"key": "feature:审批"}, headers={"HX-Request": "true"})
    assert 'value="feature:审批"' not in answer.content.decode()


def test_a_colleagues_word_on_the_need_wins_and_says_whose_it_is(tea: Customer, mei: Person) -> None:
    page = shown(mei, tea)
    assert "pays 23% less than usual" in page
    assert "spoke of it 5 times within a year" in page
    mei.post(f"/customers/{tea.pk}/need", {"need": "service"})
    stated = StatedNeed.objects.get(customer=tea)
    assert (stated.need, stated.by) == ("service", mei.staff)
    assert CustomerFacts.objects.get(pk=tea.pk).need_orientation == "service"
    assert f"said by {mei.staff.name} on" in shown(mei, tea)
    assert mei.post(f"/customers/{tea.pk}/need", {"need": "fun"}).status_code == 409
    mei.post(f"/customers/{tea.pk}/need", {"need": ""})
    assert CustomerFacts.objects.get(pk=tea.pk).need_orientation is None


def test_the_usage_report_names_what_falls_and_what_was_never_tried(tea: Customer, mei: Person) -> None:
    used(tea, ("报表", 40, 20), ("报表", 5, 6), ("导出", 45, 3), ("登录", 3, 9), ("登录", 35, 9), ("旧功能", 200, 9))
    for name, customers in (("报表", 90), ("审批", 55), ("旧功能", 40), ("罕用", 2)):
        PeerShare.objects.create(kind="feature", group="all", item=name, customers=customers, among=100)
    PeerShare.objects.create(kind="feature", group="industry:零售", item="审批", customers=62, among=100)
    page = shown(mei, tea)
    assert "−70%" in page
    assert "20 → 6" in page
    assert "导出" not in page  # Three times before say nothing.
    assert page.index("审批") < page.index("旧功能")
    assert "62%" in page
    assert "never tried" in page
    assert "not for 90 days" in page
    assert "罕用" not in page


def test_the_number_of_questions_to_the_database_stays(
    tea: Customer, mei: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    mei.get(f"/customers/{tea.pk}/worth")
    with django_assert_num_queries(QUERIES):
        mei.get(f"/customers/{tea.pk}/worth")


QUERIES = 19
