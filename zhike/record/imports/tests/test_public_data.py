"""Data that nobody here wrote, brought in and compared with plain questions to the files themselves."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.conf import settings
from django.db.models import Count, Q, Sum

from zhike.record.commerce.models import Order, OrderLine, Subscription
from zhike.record.customers.models import Customer
from zhike.record.events.models import LakeFile
from zhike.record.imports.tests.conftest import Command

DATA = Path(settings.PACKAGE).parent.parent / "shared" / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data are not beside this checkout"),
]
RETAIL = (
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
    "--create-customers",
)
FEES = "('POST', 'DOT', 'M', 'C2', 'D', 'S', 'BANK CHARGES', 'AMAZONFEE', 'CRUK')"


def ask(question: str) -> tuple[Any, ...]:
    with duckdb.connect() as connection:
        found = connection.execute(question).fetchone()
    assert found is not None
    return tuple(found)


def test_online_retail(bring_in: Command) -> None:
    path = DATA / "online_retail" / "online_retail_2010-12_2011-06.parquet"
    done = bring_in("orders", path, *RETAIL)
    lines = f"(SELECT DISTINCT * EXCLUDE Country FROM '{path}' WHERE CustomerID IS NOT NULL)"
    rows, nobody, kept, customers, orders = ask(
        f"""SELECT (SELECT count(*) FROM '{path}'), (SELECT count(*) FROM '{path}' WHERE CustomerID IS NULL), count(*),
            count(DISTINCT CustomerID), count(DISTINCT (InvoiceNo, CustomerID)) FROM {lines}"""
    )
    assert (done["rows"], done["reasons"], done["created"]) == (rows, {"no customer": nobody}, kept)
    assert done["duplicates"] == rows - nobody - kept
    assert (Customer.objects.count(), Order.objects.count()) == (customers, orders)
    product = f"upper(StockCode) NOT IN {FEES} AND StockCode NOT ILIKE 'gift_%'"
    sales, returned, fees, free, bought_orders = ask(
        f"""SELECT sum(Quantity * UnitPrice) FILTER (WHERE {product} AND Quantity > 0),
            -sum(Quantity * UnitPrice) FILTER (WHERE {product} AND Quantity < 0),
            sum(Quantity * UnitPrice) FILTER (WHERE NOT ({product})),
            count(*) FILTER (WHERE {product} AND UnitPrice = 0),
            count(DISTINCT InvoiceNo) FILTER (WHERE {product} AND Quantity > 0 AND UnitPrice > 0) FROM {lines}"""
    )
    ours = Order.objects.aggregate(bought=Sum("bought"), returned=Sum("returned"), fees=Sum("fees"))
    assert [round(float(ours[name]), 2) for name in ("bought", "returned", "fees")] == [
        round(float(each), 2) for each in (sales, returned, fees)
    ]
    assert done["free"] == free
    assert Order.objects.filter(bought__gt=0).count() == bought_orders
    again = bring_in("orders", path, *RETAIL)
    assert (again["created"], again["unchanged"]) == (0, kept)


def test_a_simulated_subscription_business(bring_in: Command) -> None:
    folder = DATA / "saas_usage_sim"
    names = ("id=account_id", "region=state", "size=account_users", "attributes.channel=channel")
    done = bring_in("customers", folder / "accounts.csv.gz", "--map", *names)
    assert done["created"] == Customer.objects.count() == 1099
    subscriptions = folder / "subscriptions.csv.gz"
    guessed = bring_in("subscriptions", subscriptions, "--default", "currency=USD")
    rows, total = ask(f"SELECT count(*), sum(mrr) FROM '{subscriptions}'")
    assert guessed["created"] == rows
    assert Subscription.objects.aggregate(total=Sum("mrr"))["total"] == Decimal(str(round(total, 4)))
    events = folder / "daily_events.parquet"
    done = bring_in("usage", events)
    rows, count, users, customers = ask(
        f"SELECT count(*), sum(event_count), sum(distinct_users), count(DISTINCT account_id) FROM '{events}'"
    )
    assert done["created"] == rows == LakeFile.objects.aggregate(rows=Sum("rows"))["rows"]
    files = [str(Path(settings.LAKE) / path) for path in LakeFile.objects.values_list("path", flat=True)]
    assert ask(f'SELECT count(*), sum("count"), sum(users), count(DISTINCT customer) FROM read_parquet({files})') == (
        rows,
        count,
        users,
        customers,
    )
    first = Customer.objects.get(ref="0")
    theirs = ask(f"SELECT sum(event_count) FROM '{events}' WHERE account_id = 0 AND event_type = 'add_lead'")
    question = f"SELECT sum(\"count\") FROM read_parquet({files}) WHERE customer = {first.pk} AND event = 'add_lead'"
    assert ask(question) == theirs


def test_dates_with_the_day_first_are_told_from_the_whole_file(bring_in: Command) -> None:
    folder = DATA / "saas_ravenstack"
    done = bring_in("customers", folder / "accounts.csv.gz")
    assert (done["created"], done["refused"]) == (500, 0)
    assert str(Customer.objects.get(ref="A-2e4581").joined) == "2024-10-16"
    names = (
        "customer=account_id",
        "product=plan_tier",
        "start=start_date",
        "end=end_date",
        "mrr=mrr_amount",
        "quantity=seats",
    )
    done = bring_in("subscriptions", folder / "subscriptions.csv.gz", "--map", *names, "--default", "currency=USD")
    assert done["rows"] == 5000
    assert done["created"] + done["refused"] + done["duplicates"] == 5000


def test_other_files_of_the_kinds_need_no_care_of_their_own(bring_in: Command) -> None:
    crm = bring_in("customers", DATA / "crm_opportunities" / "accounts.csv", "--map", "id=account", "industry=sector")
    assert crm["created"] == 85
    grocery = bring_in(
        "orders",
        DATA / "retail_campaigns" / "transactions_sample.parquet",
        "--create-customers",
        "--default",
        "currency=USD",
    )
    assert grocery["created"] + grocery["duplicates"] == grocery["rows"] == 44263
    apparel = bring_in(
        "orders",
        DATA / "clv_apparel" / "apparel_transactions.csv.gz",
        "--create-customers",
        "--default",
        "currency=CHF",
    )
    assert apparel["rows"] == 3187
    lines = OrderLine.objects.filter(order__currency="CHF").aggregate(all=Count("id"), free=Count("id", Q(kind="free")))
    assert lines["all"] + apparel["duplicates"] == 3187
