"""Bringing in orders and subscriptions, and the products they name."""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b

from zhike.org.models import Company
from zhike.record.commerce.rules import is_fee
from zhike.record.imports.operations.people import resolve_staged
from zhike.record.imports.operations.running import Row, Run, ask, copy_rows, do, make_from, make_table, stage
from zhike.record.imports.rules.problems import Bad, Reason

UNSPECIFIED = "-"
BETWEEN = "\x1f"


def key_of(*parts: object) -> str:
    """Return the digest under which a row is known again, however its file wrote it."""
    text = BETWEEN.join(f"{part.normalize():f}" if isinstance(part, Decimal) else str(part or "") for part in parts)
    return blake2b(text.encode(), digest_size=20).hexdigest()


NAMED_PRODUCTS = """
    SELECT n.key, n.ref, n.name, p.id FROM (
        SELECT lower(product) AS key, (array_agg(product ORDER BY line))[1] AS ref, min(line) AS line,
            coalesce(mode() WITHIN GROUP (ORDER BY description), '') AS name
        FROM import_stage GROUP BY 1) n
    LEFT JOIN (SELECT lower(ref) AS key, min(id) AS id FROM commerce_product GROUP BY 1) p ON p.key = n.key
    ORDER BY n.line
"""
MAKE_PRODUCTS = """
    INSERT INTO commerce_product (ref, name, category, is_fee)
    SELECT ref, name, '', is_fee FROM import_products WHERE id IS NULL
"""
FIND_PRODUCTS = """
    UPDATE import_products i SET id = p.id, is_fee = p.is_fee
    FROM commerce_product p WHERE p.ref = i.ref AND i.id IS NULL OR p.id = i.id
"""
MARK_FEES = """
    UPDATE commerce_product p SET is_fee = true
    FROM import_products i WHERE p.id = i.id AND i.key = ANY(%(fees)s) AND NOT p.is_fee
"""


def resolve_products(run: Run) -> None:
    """Fill `import_products (key, id, is_fee)`; codes that differ only in case are one product."""
    fees = [str(code) for code in run.options.get("fee_products") or []]
    named = ask(NAMED_PRODUCTS)
    make_table(
        "import_products",
        {"key": "text PRIMARY KEY", "ref": "text", "name": "text", "is_fee": "boolean", "id": "bigint"},
    )
    rows = ((key, ref, (name or ref)[:200], is_fee(ref, name, fees), known) for key, ref, name, known in named)
    copy_rows("import_products", ["key", "ref", "name", "is_fee", "id"], rows)
    run.counts["products_created"] += do(MAKE_PRODUCTS)
    do(MARK_FEES, fees=[code.lower() for code in fees])
    do(FIND_PRODUCTS)
    do("ANALYZE import_products")


def adopt_currency() -> None:
    """Make the most frequent currency of the first import with money the company's, while it has none."""
    for (currency,) in ask(
        "SELECT currency FROM import_stage GROUP BY currency ORDER BY count(*) DESC, currency LIMIT 1"
    ):
        Company.objects.filter(pk=1, currency="").update(currency=currency)


ORDER_COLUMNS = {
    "order_ref": "text",
    "customer": "text",
    "at": "timestamptz",
    "product": "text",
    "description": "text",
    "quantity": "numeric(16,4)",
    "price": "numeric(16,4)",
    "currency": "text",
    "key": "text",
}
DROP_DUPLICATES = """
    DELETE FROM import_stage s USING (
        SELECT line, row_number() OVER (PARTITION BY key ORDER BY line) AS place FROM import_stage) d
    WHERE d.line = s.line AND d.place > 1
"""
DROP_KNOWN_LINES = "DELETE FROM import_stage s USING commerce_orderline l WHERE l.key = s.key"
FIND_ORDERS = """
    CREATE TEMP TABLE import_orders ON COMMIT DROP AS
    SELECT s.order_ref, p.id AS customer_id, min(s.at) AS placed_at, o.id AS known,
        coalesce(o.currency, (array_agg(s.currency ORDER BY s.line))[1]) AS currency
    FROM import_stage s JOIN import_people p ON p.ref = s.customer
    LEFT JOIN commerce_order o ON o.ref = s.order_ref AND o.customer_id = p.id
    GROUP BY s.order_ref, p.id, o.id
"""
OTHER_CURRENCY = """
    DELETE FROM import_stage s USING import_people p, import_orders o
    WHERE p.ref = s.customer AND o.order_ref = s.order_ref AND o.customer_id = p.id AND o.currency <> s.currency
    RETURNING s.line, s.currency, o.currency
"""
MAKE_ORDERS = """
    INSERT INTO commerce_order (ref, customer_id, placed_at, currency, bought, returned, fees, import_id)
    SELECT o.order_ref, o.customer_id, o.placed_at, o.currency, 0, 0, 0, %(import_id)s FROM import_orders o
    WHERE o.known IS NULL ORDER BY o.placed_at, o.order_ref
"""
CLASSIFY = """
    CREATE TEMP TABLE import_lines ON COMMIT DROP AS
    SELECT s.line, o.id AS order_id, i.id AS product_id, i.ref AS product, s.at, s.quantity * s.price AS amount,
        CASE WHEN i.is_fee THEN 'fee' WHEN s.quantity * s.price = 0 THEN 'free'
             WHEN s.quantity * s.price < 0 THEN 'return' ELSE 'sale' END AS kind,
        coalesce(s.description, '') AS description, s.quantity, s.price, s.key
    FROM import_stage s JOIN import_people p ON p.ref = s.customer
    JOIN commerce_order o ON o.ref = s.order_ref AND o.customer_id = p.id
    JOIN import_products i ON i.key = lower(s.product)
"""
MAKE_LINES = """
    INSERT INTO commerce_orderline (order_id, product_id, kind, description, quantity, price, amount, key, import_id)
    SELECT order_id, product_id, kind, description, quantity, price, amount, key, %(import_id)s
    FROM import_lines ORDER BY order_id, line
"""
ADD_UP = """
    UPDATE commerce_order o SET bought = o.bought + n.bought, returned = o.returned + n.returned,
        fees = o.fees + n.fees, placed_at = least(o.placed_at, n.at)
    FROM (
        SELECT order_id, min(at) AS at,
            coalesce(sum(amount) FILTER (WHERE kind = 'sale'), 0) AS bought,
            coalesce(-sum(amount) FILTER (WHERE kind = 'return'), 0) AS returned,
            coalesce(sum(amount) FILTER (WHERE kind = 'fee'), 0) AS fees
        FROM import_lines GROUP BY order_id) n
    WHERE o.id = n.order_id
"""
SPECIAL = "SELECT kind, product, count(*) FROM import_lines WHERE kind <> 'sale' GROUP BY 1, 2 ORDER BY 3 DESC"
KINDS_COUNTED = {"return": "returns", "fee": "fees", "free": "free"}


def bring_in_orders(run: Run) -> None:
    """Bring in the lines of orders; lines known already are left alone, whichever file they come from."""
    stage(run, ORDER_COLUMNS, _Lines(run))
    resolve_staged(run)
    adopt_currency()
    run.counts["duplicates"] += do(DROP_DUPLICATES)
    run.counts["unchanged"] += do(DROP_KNOWN_LINES)
    make_from("import_orders", FIND_ORDERS)
    for line, found, expected in ask(OTHER_CURRENCY):
        run.refuse(line, Bad(Reason.OTHER_CURRENCY, "currency", found, {"expected": expected}))
    resolve_products(run)
    run.counts["orders_created"] += do(MAKE_ORDERS, import_id=run.import_id)
    do("ANALYZE commerce_order")
    make_from("import_lines", CLASSIFY)
    run.counts["created"] += do(MAKE_LINES, import_id=run.import_id)
    do(ADD_UP)
    for kind, product, times in ask(SPECIAL):
        run.counts[KINDS_COUNTED[kind]] += times
        run.name(KINDS_COUNTED[kind], product, times)


class _Lines:
    """Makes a staged order line from a row's values."""

    def __init__(self, run: Run) -> None:
        self.run, self.has_quantity = run, "quantity" in run.columns

    def __call__(self, _line: int, row: Row) -> Row | Bad:
        order, customer, at, product, description, quantity, price, currency = row
        if quantity is None:
            if self.has_quantity:
                return Bad(Reason.MISSING, "quantity")
            quantity = Decimal(1)
        if order is None:
            self.run.counts["unnumbered"] += 1
            order = at.astimezone(self.run.zone).strftime("%Y-%m-%d %H:%M:%S")
        product = product or (description or UNSPECIFIED)[:100]
        key = key_of("line", order, customer, at.isoformat(), product, description, quantity, price, currency)
        return (order, customer, at, product, description, quantity, price, currency, key)


SUBSCRIPTION_COLUMNS = {
    "customer": "text",
    "product": "text",
    "description": "text",
    "start": "date",
    "ends": "date",
    "mrr": "numeric(16,4)",
    "quantity": "numeric(16,4)",
    "currency": "text",
    "key": "text",
}
CONFLICTING = """
    DELETE FROM import_stage s USING (
        SELECT line, key, first_value(line) OVER w AS first, first_value(ends) OVER w AS ends
        FROM import_stage WINDOW w AS (PARTITION BY key ORDER BY line)) d
    WHERE d.line = s.line AND d.ends IS DISTINCT FROM s.ends RETURNING s.line, d.first
"""
KNOWN_SUBSCRIPTIONS = """
    CREATE TEMP TABLE import_existing ON COMMIT DROP AS
    SELECT s.line, s.product, u.id, s.ends, u."end" IS NOT DISTINCT FROM s.ends OR s.ends IS NULL AS same
    FROM import_stage s JOIN commerce_subscription u ON u.key = s.key
"""
UPDATE_ENDS = """
    UPDATE commerce_subscription u SET "end" = e.ends FROM import_existing e WHERE u.id = e.id AND NOT e.same
"""
MAKE_SUBSCRIPTIONS = """
    INSERT INTO commerce_subscription (customer_id, product_id, start, "end", mrr, quantity, currency, key, import_id)
    SELECT p.id, i.id, s.start, s.ends, s.mrr, s.quantity, s.currency, s.key, %(import_id)s
    FROM import_stage s JOIN import_people p ON p.ref = s.customer JOIN import_products i ON i.key = lower(s.product)
    WHERE NOT EXISTS (SELECT 1 FROM import_existing e WHERE e.line = s.line) ORDER BY p.id, s.start, s.line
"""


def bring_in_subscriptions(run: Run) -> None:
    """Bring in subscriptions. One is known by customer, product, start, price and quantity; its end may come later."""
    stage(run, SUBSCRIPTION_COLUMNS, _subscription)
    resolve_staged(run)
    adopt_currency()
    for line, first in ask(CONFLICTING):
        run.refuse(line, Bad(Reason.CONFLICT, more={"expected": str(first)}))
    run.counts["duplicates"] += do(DROP_DUPLICATES)
    make_from("import_existing", KNOWN_SUBSCRIPTIONS)
    run.counts["unchanged"] += ask("SELECT count(*) FROM import_existing WHERE same")[0][0]
    if run.update:
        run.counts["updated"] += do(UPDATE_ENDS)
    else:
        run.refuse_lines(ask("SELECT line, product FROM import_existing WHERE NOT same ORDER BY line"), Reason.EXISTS)
    do("DELETE FROM import_stage s USING import_existing e WHERE e.line = s.line")
    resolve_products(run)
    run.counts["created"] += do(MAKE_SUBSCRIPTIONS, import_id=run.import_id)


def _subscription(_line: int, row: Row) -> Row | Bad:
    customer, product, start, end, mrr, quantity, currency = row
    if end is not None and end < start:
        return Bad(Reason.ENDS_BEFORE_START, "end", str(end))
    product = product or UNSPECIFIED
    quantity = Decimal(1) if quantity is None else quantity
    key = key_of("subscription", customer, product.casefold(), start, mrr, quantity, currency)
    return (customer, product, None, start, end, mrr, quantity, currency, key)
