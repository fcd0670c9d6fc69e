"""What a customer looks for first — the product, the price or the service — from what it buys, uses and says (B4).

Each sign gives points to one of the three; the one with the most is the orientation when it has two points or more and
no equal. A colleague's word wins over all signs.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zhike.measure import lake
from zhike.measure.facts.value import NEEDS
from zhike.measure.lake import Engine, filled
from zhike.measure.models import StatedNeed
from zhike.measure.reading import Morning, rows
from zhike.record.interactions.models import Interaction

STATED = "stated"
WORDS = {
    "product": "功能|接口|集成|对接|性能|报表|版本|新品|规格|质量|feature|integrat|api|performance|quality|function",
    "price": "价格|报价|便宜|折扣|优惠|降价|太贵|预算|促销|price|pricing|discount|cheap|expensive|budget|coupon",
    "service": "服务|培训|支持|响应|售后|上门|态度|客服|service|support|training|respon|onboarding|help desk",
}
SERVICES = "培训|服务|实施|咨询|维保|定制|上线|training|service|support|consult|implementation|maintenance|onboarding"
DISCOUNT, CHEAP, SERVED = 0.1, 0.6, 0.3  # Shares from which a sign counts.
TALKS, FEATURES, PRODUCTS = 6, 3, 3  # Least numbers from which a sign counts.
FEW_WORDS = 2
YEAR = 365
Floats = npt.NDArray[np.float64]

# What a product usually costs is the median over its buyers; cheap is a product below the median of its category.
BOUGHT = """
WITH paid AS (SELECT customer, item, currency, amount, quantity, amount / quantity AS price FROM had
              WHERE quantity > 0 AND amount > 0),
usual AS (SELECT item, currency, MEDIAN(price) AS price, COUNT(*) AS buyers FROM paid GROUP BY item, currency),
placed AS (SELECT usual.*, category, REGEXP_MATCHES(LOWER(name || ' ' || category), $services) AS is_service,
                  usual.price < MEDIAN(usual.price) OVER (PARTITION BY category, currency) AS is_cheap,
                  COUNT(*) OVER (PARTITION BY category, currency) >= 3 AS has_range
           FROM usual JOIN products ON products.id = usual.item)
SELECT customer AS customer_id, COUNT(*) AS products,
       1 - SUM(amount) FILTER (buyers >= 5) / SUM(quantity * placed.price) FILTER (buyers >= 5) AS discount,
       COUNT(*) FILTER (buyers >= 5) AS compared,
       SUM(amount) FILTER (is_cheap AND has_range) / SUM(amount) AS cheap,
       SUM(amount) FILTER (is_service) / SUM(amount) AS served
FROM paid JOIN placed USING (item, currency) GROUP BY customer
"""
SAID = pa.schema([("customer_id", pa.int64()), *((name, pa.int64()) for name in NEEDS)])
STATED_NEEDS = pa.schema([("customer_id", pa.int64()), ("need", pa.string())])
TOGETHER = """
SELECT known.customer_id, features_30d, interactions_90d, bought.products, discount, compared, cheap, served,
       said.product AS say_product, said.price AS say_price, said.service AS say_service
FROM known LEFT JOIN bought USING (customer_id) LEFT JOIN said USING (customer_id) ORDER BY known.customer_id
"""


def needs(
    engine: Engine, had: pa.Table, products: pa.Table, known: pa.Table, when: Morning
) -> tuple[pa.Array, pa.Array, dict[str, int]]:
    """Return the orientation and its reason for each customer of `known`, and how many have which.

    A reason is the signs that speak for it, such as `discount=0.23;words=5`, or `stated`.
    """
    bought = engine.query(BOUGHT, {"services": SERVICES}, had=had, products=products)
    names = ["customer_id", "features_30d", "interactions_90d"]
    table = engine.query(TOGETHER, known=known.select(names), bought=bought, said=_said(when))
    columns = {
        name: np.nan_to_num(np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=np.float64))
        for name in table.column_names
    }
    found, reasons = _judged(columns)
    stated = _stated(when)
    place_of = {key: at for at, key in enumerate(known["customer_id"].to_pylist())} if stated else {}
    for customer, need in stated:
        if (at := place_of.get(customer)) is not None:
            found[at], reasons[at] = need, STATED
    counts = {name: found.count(name) for name in NEEDS}
    return pa.array(found, pa.string()), pa.array(reasons, pa.string()), {**counts, "stated": len(stated)}


def _said(when: Morning) -> pa.Table:
    """Return how often each customer spoke of each of the three within a year."""
    counted = ", ".join(f"count(*) FILTER (WHERE text ~* {{{name}}})" for name in NEEDS)
    return rows(
        filled(
            "SELECT customer_id, {counted} FROM {interactions} "
            "WHERE at < {cut_off} AND at >= {since} AND text <> '' GROUP BY customer_id",
            counted=counted,
        ),
        SAID,
        interactions=Interaction,
        cut_off=when.cut_off,
        since=lake.midnight(when.today - timedelta(days=YEAR), when.zone),
        **WORDS,
    )


def _stated(when: Morning) -> list[tuple[int, str]]:
    found = rows(
        "SELECT customer_id, need FROM {stated} WHERE at < {cut_off} ORDER BY 1",
        STATED_NEEDS,
        stated=StatedNeed,
        cut_off=when.cut_off,
    )
    return list(zip(found["customer_id"].to_pylist(), found["need"].to_pylist(), strict=True))


def _judged(of: dict[str, Floats]) -> tuple[list[str | None], list[str | None]]:
    """Return orientation and reason of each row."""
    size = len(of["customer_id"])
    most = np.max([of[f"say_{name}"] for name in NEEDS], axis=0) if size else np.zeros(0)
    signs: dict[str, list[tuple[str, int, Floats, npt.NDArray[np.bool_]]]] = {
        "product": [
            ("features", 1, of["features_30d"], _many(of["features_30d"], FEATURES)),
            ("products", 1, of["products"], _many(of["products"], PRODUCTS)),
        ],
        "price": [
            ("discount", 2, of["discount"], (of["discount"] >= DISCOUNT) & (of["compared"] >= 2)),
            ("cheap", 1, of["cheap"], of["cheap"] >= CHEAP),
        ],
        "service": [
            ("service", 2, of["served"], of["served"] >= SERVED),
            ("talks", 1, of["interactions_90d"], _many(of["interactions_90d"], TALKS)),
        ],
    }
    for name in NEEDS:
        words = of[f"say_{name}"]
        signs[name].append(("words", 2, words, (words >= FEW_WORDS) & (words == most)))
    points = np.array([sum(weight * holds for _key, weight, _value, holds in signs[name]) for name in NEEDS])
    first = points.argmax(axis=0) if size else np.zeros(0, dtype=np.int64)
    top = points.max(axis=0) if size else np.zeros(0)
    clear = (top >= 2) & ((points == top).sum(axis=0) == 1)
    found: list[str | None] = [None] * size
    reasons: list[str | None] = [None] * size
    for at in np.flatnonzero(clear).tolist():
        found[at] = NEEDS[first[at]]
        told = [f"{key}={value[at]:.3g}" for key, _weight, value, holds in signs[NEEDS[first[at]]] if holds[at]]
        reasons[at] = ";".join(told)
    return found, reasons


def _many(values: Floats, least: int) -> npt.NDArray[np.bool_]:
    """Say who is among the upper quarter of those who have any, with at least so many."""
    some = values[values > 0]
    mark = float(np.quantile(some, 0.75)) if len(some) else np.inf
    return np.asarray((values >= least) & (values >= mark))
