"""Orders and subscriptions: what is a purchase, what is not, and what is known already."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from zhike.conftest import Person
from zhike.org import company
from zhike.record.commerce.models import LineKind, Order, OrderLine, Product, Subscription
from zhike.record.customers.models import Customer
from zhike.record.imports import operations
from zhike.record.imports.models import Import
from zhike.record.imports.tests.conftest import Command

Write = Callable[..., Path]
NOW = datetime(2026, 3, 12, 2, 18, tzinfo=UTC)

LINES = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID
1,85123A,LAMP,6,2010-12-01 08:26,2.55,17850
1,85123a,LAMP,1,2010-12-01 08:26,2.55,17850
1,71053,LANTERN,6,2010-12-01 08:26,3.39,17850
1,71053,LANTERN,6,2010-12-01 08:26,3.39,17850
1,POST,POSTAGE,1,2010-12-01 08:26,18,17850
1,22423,CAKESTAND,1,2010-12-01 08:26,0,17850
C2,85123A,LAMP,-2,2010-12-02 09:00,2.55,17850
3,71053,LANTERN,1,2010-12-03 09:00,3.39,
4,71053,LANTERN,1,2010-12-03 09:00,abc,13047
5,71053,LANTERN,2,2010-12-03 09:00,3.39,13047
"""
MAP = (
    "--map",
    "order=InvoiceNo",
    "customer=CustomerID",
    "time=InvoiceDate",
    "product=StockCode",
    "description=Description",
    "quantity=Quantity",
    "price=UnitPrice",
    "--default",
    "currency=GBP",
)


def test_every_line_is_told_apart_and_counted(bring_in: Command, write: Write) -> None:
    done = bring_in("orders", write("lines.csv", LINES), *MAP, "--create-customers")
    assert (done["rows"], done["created"], done["duplicates"], done["orders_created"]) == (10, 7, 1, 3)
    assert done["reasons"] == {"no customer": 1, "not a number": 1}
    assert (done["returns"], done["fees"], done["free"], done["customers_created"]) == (1, 1, 1, 2)
    assert done["named"] == {"fees": {"POST": 1}, "free": {"22423": 1}, "returns": {"85123A": 1}}
    first = Order.objects.get(ref="1")
    assert (first.bought, first.returned, first.fees, first.currency) == (
        Decimal("38.19"),
        Decimal(0),
        Decimal(18),
        "GBP",
    )
    assert first.placed_at == datetime(2010, 12, 1, 0, 26, tzinfo=UTC), "naive times are the company's"
    back = Order.objects.get(ref="C2")
    assert (back.bought, back.returned) == (Decimal(0), Decimal("5.10"))
    assert OrderLine.objects.get(order=back).kind == LineKind.RETURN
    assert Product.objects.filter(ref__iexact="85123a").count() == 1
    assert Product.objects.get(ref="POST").is_fee
    assert company.current().currency == "GBP"
    assert Customer.objects.get(ref="17850").name == "17850"


def test_the_same_lines_again_and_an_overlapping_file_add_only_what_is_new(bring_in: Command, write: Write) -> None:
    bring_in("orders", write("lines.csv", LINES), *MAP, "--create-customers")
    sums = list(Order.objects.order_by("id").values_list("bought", "returned", "fees"))
    done = bring_in("orders", write("again.csv", LINES), *MAP, "--create-customers")
    assert (done["created"], done["unchanged"], done["duplicates"]) == (0, 7, 1)
    assert list(Order.objects.order_by("id").values_list("bought", "returned", "fees")) == sums
    more = LINES + "5,22423,CAKESTAND,1,2010-12-03 09:00,12.75,13047\n"
    done = bring_in("orders", write("more.csv", more), *MAP)
    assert (done["created"], done["unchanged"], done.get("orders_created", 0)) == (1, 7, 0)
    assert Order.objects.get(ref="5").bought == Decimal("19.53")


def test_unknown_customers_are_refused_by_name_without_create_customers(bring_in: Command, write: Write) -> None:
    bring_in("customers", write("c.csv", "id\n17850\n"))
    done = bring_in("orders", write("lines.csv", LINES), *MAP)
    assert done["reasons"] == {"no customer": 1, "unknown customer": 1, "not a number": 1}
    assert Customer.objects.count() == 1


def test_an_order_has_one_currency_and_a_wrong_code_is_refused(bring_in: Command, write: Write) -> None:
    text = "order,customer,time,price,currency\n1,A,2024-01-01,5,EUR\n1,A,2024-01-01,6,usd\n"
    text += "2,A,2024-01-02,7,ABC\n3,A,2024-01-03,8,¥\n"
    done = bring_in("orders", write("o.csv", text), "--create-customers")
    assert done["reasons"] == {"other currency than its order": 1, "not a currency": 1}
    assert dict(Order.objects.values_list("ref", "currency")) == {"1": "EUR", "3": "CNY"}


def test_orders_without_numbers_and_products_are_grouped_by_customer_and_time(bring_in: Command, write: Write) -> None:
    text = "Id,Date,Price\n1,2005-01-02,230.3\n1,2005-09-06,84.39\n2,2005-01-02,10\n"
    done = bring_in("orders", write("apparel.csv", text), "--create-customers", "--default", "currency=CHF")
    assert (done["orders_created"], done["unnumbered"]) == (3, 3)


def test_the_company_says_which_products_are_fees(bring_in: Command, write: Write) -> None:
    text = "order,customer,time,product,price\n1,A,2024-01-01,SETUP,100\n1,A,2024-01-01,X1,6\n"
    done = bring_in(
        "orders",
        write("o.csv", text),
        "--create-customers",
        "--default",
        "currency=CNY",
        "--fee-products",
        "setup,none",
    )
    assert (done["fees"], Order.objects.get().fees, Order.objects.get().bought) == (1, Decimal(100), Decimal(6))


def test_taking_back_lines_restores_what_the_order_was(bring_in: Command, write: Write, admin: Person) -> None:
    bring_in("orders", write("lines.csv", LINES), *MAP, "--create-customers")
    header, line = LINES.splitlines()[0], "22423,CAKE,1,2010-12-03 09:00,12.75,13047"
    more = f"{header}\n5,{line}\n9,{line}\n"
    done = bring_in("orders", write("more.csv", more), *MAP)
    operations.undo(Import.objects.get(pk=done["import"]), by=admin.staff, now=NOW)
    assert Order.objects.get(ref="5").bought == Decimal("6.78")
    assert not Order.objects.filter(ref="9").exists()


SUBSCRIPTIONS = """account_id,product,start_date,end_date,mrr,quantity
A,pro,2024-01-01,2025-01-01,100.5,10
A,pro,2024-01-01,2025-01-01,100.5,10
A,Pro,2025-01-01,,120,10
B,pro,2024-02-01,2024-01-01,50,5
B,pro,2024-02-01,2024-03-01,-50,5
A,pro,2025-01-01,2026-01-01,120,10
"""


def test_subscriptions_may_get_their_end_later(bring_in: Command, write: Write) -> None:
    options = ("--create-customers", "--default", "currency=USD")
    done = bring_in("subscriptions", write("s.csv", SUBSCRIPTIONS), *options)
    assert (done["created"], done["duplicates"]) == (2, 1)
    assert done["reasons"] == {"ends before it starts": 1, "negative number": 1, "contradicts an earlier row": 1}
    ended = write(
        "t.csv",
        "account_id,product,start_date,end_date,mrr,quantity\nA,pro,2025-01-01,2026-01-01,120,10\nA,x,2025-01-01,,1,1\n",
    )
    assert bring_in("subscriptions", ended, *options)["reasons"] == {"exists with other values": 1}
    done = bring_in("subscriptions", ended, *options, "--update")
    assert (done["updated"], done["unchanged"]) == (1, 1)
    assert str(Subscription.objects.get(start="2025-01-01", product__ref="pro").end) == "2026-01-01"


@pytest.mark.parametrize("number", ["1e400", "9" * 30, "inf"])
def test_numbers_beyond_all_measure_are_refused(bring_in: Command, write: Write, number: str) -> None:
    text = f"order,customer,time,price\n1,A,2024-01-01,5\n2,A,2024-01-01,5\n3,A,2024-01-01,{number}\n"
    done = bring_in("orders", write("o.csv", text), "--create-customers", "--default", "currency=CNY")
    assert done["refused"] == 1
