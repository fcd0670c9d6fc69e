"""Need orientation: three customers who differ in what they look for, and a colleague's word that wins."""

from datetime import timedelta

import pytest

from zhike.conftest import Person
from zhike.measure import turns
from zhike.measure.models import CustomerFacts
from zhike.measure.offers import operations
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import NOW, TODAY, Book, at
from zhike.record.commerce.models import OrderLine, Product
from zhike.record.customers.models import Customer
from zhike.record.interactions.models import Interaction

DAY = timedelta(days=1)
pytestmark = pytest.mark.slow


def buy(book: Book, customer: Customer, name: str, price: float, back: int = 30) -> None:
    product = Product.objects.get_or_create(ref=name, defaults={"name": name, "category": "货"})[0]
    order = book.order(customer, TODAY - back * DAY, price)
    OrderLine.objects.create(
        order=order, product=product, kind="sale", quantity=1, price=price, amount=price, key=f"L{book.next()}"
    )


def say(book: Book, customer: Customer, text: str) -> None:
    Interaction.objects.create(
        customer=customer,
        at=at(TODAY - 3 * DAY),
        channel="phone",
        outcome="reached",
        text=text,
        key=str(book.next()),
        created_at=NOW,
    )


def needs() -> dict[str, tuple[str | None, str | None]]:
    rows = CustomerFacts.objects.values_list("customer__ref", "need_orientation", "need_reason")
    return {ref: (need, reason) for ref, need, reason in rows}


def test_what_they_buy_and_say_tells_what_they_look_for(book: Book, spec: MeasureSpec, mei: Person) -> None:
    for _ in range(8):
        usual = book.customer()
        for name in ("茶杯", "茶壶", "茶盘"):
            buy(book, usual, name, 100)
    saver, cared, curious, quiet = (book.customer(ref) for ref in ("saver", "cared", "curious", "quiet"))
    for name in ("茶杯", "茶壶", "茶盘"):
        buy(book, saver, name, 70)
    buy(book, cared, "上门培训", 500)
    buy(book, cared, "茶杯", 100)
    for text in ("想要新的功能：和 ERP 集成", "下个版本支持什么接口？"):
        say(book, curious, text)
    say(book, quiet, "价格多少？")  # Once is not enough.
    turns.measure(spec, today=TODAY, now=NOW)
    found = needs()
    assert found["saver"] == ("price", "discount=0.3")
    assert found["cared"] == ("service", "service=0.833")
    assert found["curious"] == ("product", "words=2")
    assert found["quiet"] == (None, None)
    assert {found[one.ref][0] for one in book.customers[:8]} == {None}
    operations.state_need(saver, "product", by=mei.staff, now=NOW)
    turns.measure(spec, today=TODAY + DAY, now=NOW + DAY)
    assert needs()["saver"] == ("product", "stated")
    # The morning before the colleague spoke, nobody knew.
    past = turns.compute(spec, TODAY).to_pylist()
    assert next(row for row in past if row["ref"] == "saver")["need_orientation"] == "price"
