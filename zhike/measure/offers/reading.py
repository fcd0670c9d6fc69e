"""What the record says of who has what: products bought, features used, and offers that were turned down."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zhike.measure import lake
from zhike.measure.lake import Engine
from zhike.measure.models import DismissedOffer
from zhike.measure.offers.together import Ids, Kinds, Pairs
from zhike.measure.reading import Morning, rows
from zhike.record.commerce.models import LineKind, Order, OrderLine, Product, Subscription

HAD = pa.schema(
    [
        ("customer", pa.int64()),
        ("item", pa.int64()),
        ("currency", pa.string()),
        ("day", pa.int64()),
        ("amount", pa.float64()),
        ("quantity", pa.float64()),
    ]
)
PRODUCTS = pa.schema([("id", pa.int64()), ("ref", pa.string()), ("name", pa.string()), ("category", pa.string())])
DISMISSED = pa.schema([("customer", pa.int64()), ("key", pa.string())])
USED = pa.schema([("customer", pa.int64()), ("event", pa.string()), ("times", pa.int64())])
YEARS = 3  # Who bought a thing longer ago than that is no owner of it any more.
RECENT = 90  # Days.
SAMPLE = 20_000  # Customers whose use of features stands for that of all.

BOUGHT = """
SELECT customer_id, product_id, currency, min(day) - DATE '1970-01-01', sum(amount), sum(quantity) FROM (
  SELECT o.customer_id, l.product_id, o.currency, (o.placed_at AT TIME ZONE {zone})::date AS day, l.amount, l.quantity
  FROM {orders} AS o JOIN {lines} AS l ON l.order_id = o.id
  WHERE o.placed_at < {cut_off} AND o.placed_at >= {since} AND l.kind = {sale} AND l.amount > 0 AND l.quantity > 0
  UNION ALL SELECT customer_id, product_id, currency, start, NULL, NULL FROM {subscriptions} WHERE start < {today}
) AS had WHERE product_id IN (SELECT id FROM {products} WHERE NOT is_fee)
GROUP BY customer_id, product_id, currency ORDER BY customer_id, product_id, currency
"""


def had(when: Morning) -> pa.Table:
    """Return who had which product (HAD) up to a morning, since which day (counted from 1970), for how much.

    The amount is unknown of subscriptions.
    """
    return rows(
        BOUGHT,
        HAD,
        zone=when.zone,
        orders=Order,
        lines=OrderLine,
        subscriptions=Subscription,
        products=Product,
        sale=str(LineKind.SALE),
        cut_off=when.cut_off,
        since=lake.midnight(when.today - timedelta(days=366 * YEARS), when.zone),
        today=when.today,
    )


def pairs_of(engine: Engine, table: pa.Table) -> Pairs:
    """Return each customer's products once, whatever was paid with."""
    found = engine.query(
        "SELECT customer, item, MIN(day) AS day FROM had GROUP BY customer, item ORDER BY customer, item", had=table
    )
    return Pairs(*(found[name].to_numpy() for name in ("customer", "item", "day")))


def products() -> pa.Table:
    """Return all products that are no fees."""
    return rows("SELECT id, ref, name, category FROM {products} WHERE NOT is_fee", PRODUCTS, products=Product)


def kinds(table: pa.Table, listed: pa.Table) -> Kinds:
    """Return what kind of thing each product is, from HAD and PRODUCTS; its price in the most usual currency."""
    usual = pc.mode(table["currency"].combine_chunks().dictionary_encode().indices) if table.num_rows else []
    paid = table.filter(pc.greater(pc.fill_null(table["quantity"], 0), 0))
    if len(usual):
        words = table["currency"].combine_chunks().dictionary_encode().dictionary
        paid = paid.filter(pc.equal(paid["currency"], words[usual[0]["mode"].as_py()]))
    sums = paid.group_by("item").aggregate([("amount", "sum"), ("quantity", "sum")])
    prices = zip(*(sums[name].to_pylist() for name in ("item", "amount_sum", "quantity_sum")), strict=True)
    return Kinds(
        dict(zip(listed["id"].to_pylist(), listed["category"].to_pylist(), strict=True)),
        {item: amount / quantity for item, amount, quantity in prices if amount and quantity},
    )


def dismissed(when: Morning) -> list[tuple[int, str]]:
    """Return customer and key of the offers that had been turned down by a morning."""
    found = rows(
        "SELECT customer_id, key FROM {dismissed} WHERE at < {cut_off} ORDER BY 1, 2",
        DISMISSED,
        dismissed=DismissedOffer,
        cut_off=when.cut_off,
    )
    return list(zip(found["customer"].to_pylist(), found["key"].to_pylist(), strict=True))


def features(engine: Engine, known: pa.Table, when: Morning) -> tuple[pa.Table, Ids]:
    """Return which features a sample of the customers who use any used within RECENT days, and that sample."""
    files = lake.usage_files(since=lake.midnight(when.today - timedelta(days=RECENT), when.zone), until=when.cut_off)
    used = known["last_usage"].to_numpy(zero_copy_only=False)
    since = np.datetime64(when.today - timedelta(days=RECENT))
    users = known["customer_id"].to_numpy()[used.astype("datetime64[D]") >= since]
    if len(users) > SAMPLE:
        users = np.sort(np.random.default_rng(len(users)).choice(users, SAMPLE, replace=False))
    if not files.rows or not len(users):
        return USED.empty_table(), users
    relation = lake.usage_relation(
        files, since=lake.midnight(when.today - timedelta(days=RECENT), when.zone), until=when.cut_off
    )
    statement = lake.filled(
        "SELECT customer, event, COUNT(*) AS times FROM {usage} SEMI JOIN asked ON customer = customer_id "
        "GROUP BY customer, event ORDER BY customer, event",
        usage=relation,
    )
    return engine.query(statement, asked=pa.table({"customer_id": pa.array(users, pa.int64())})).cast(USED), users


def number(day: date) -> int:
    """Return a day as pairs count it."""
    return lake.day_number(day)
