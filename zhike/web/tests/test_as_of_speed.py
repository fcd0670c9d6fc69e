"""How long the list of a past day takes with 100,000 customers; `-s` prints the figures."""

import statistics
import time
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from django.db import connection
from django.utils.timezone import now

from zhike.conftest import Person
from zhike.measure import snapshots
from zhike.measure.facts import FACTS
from zhike.measure.models import FactsDay
from zhike.measure.tests.conftest import PLAN
from zhike.org.models import Company

MANY, TURNS = 100_000, 7
MOST_SECONDS = 0.9  # The aim is 0.3 s on a machine with nothing else to do; tests share theirs.
FILL = """
INSERT INTO customers_customer (ref, name, kind, industry, region, size, owner_id, attributes, sort_key, created_at,
                                updated_at)
SELECT 'S' || n, '客户' || n, 'organisation', (ARRAY['零售', '制造', '酒店'])[1 + n %% 3], '杭州', '', %s, '{}',
       'kh' || n, now(), now()
FROM generate_series(1, %s) AS n RETURNING id
"""


@pytest.fixture
def then(viewer: Person, mei: Person) -> date:
    """A kept day of a large company."""
    Company.objects.create(id=1, name="云舟科技", currency="CNY", language="zh-hans")
    with connection.cursor() as cursor:
        cursor.execute(FILL, [mei.staff.pk, MANY])
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute("ANALYZE customers_customer")
    day = now().date() - timedelta(days=60)
    draw = np.random.default_rng(7)
    columns: dict[str, pa.Array] = {"customer_id": pa.array(sorted(ids), pa.int64())}
    for name, fact in FACTS.items():
        columns[name] = _column(name, fact.duckdb_type, draw)
    columns["owner_id"] = pa.array(np.full(MANY, mei.staff.pk), pa.int64())
    columns["attributes"] = pa.array(["{}"] * MANY)
    path = snapshots.write(pa.table(columns), day)
    FactsDay.objects.create(day=day, path=path, rows=MANY, spec=PLAN, computed_at=now(), seconds=0)
    return day


def _column(name: str, kind: str, draw: np.random.Generator) -> pa.Array:
    numbers = draw.integers(0, 1000, MANY)
    words = {"tier": ["core", "key", "general"], "stage": ["growth", "maturity"], "health_band": ["risk", "healthy"]}
    match kind:
        case "VARCHAR":
            known = words.get(name, ["零售", "制造", "酒店"])
            return pa.array([known[each % len(known)] for each in numbers]) if name != "name" else _names()
        case "DATE":
            return pa.array(20_000 + numbers, pa.int32()).cast(pa.date32())
        case "BOOLEAN":
            return pa.array(numbers % 2 == 0)
        case "BIGINT":
            return pa.array(numbers, pa.int64())
        case "DOUBLE":
            return pa.array(numbers / 7)
        case "DECIMAL(5, 1)":
            return _decimals(5, 1).take(pa.array(numbers))
    return _decimals(18, 2).take(pa.array(numbers))


def _decimals(digits: int, places: int) -> pa.Array:
    return pa.array([Decimal(each) / 10 for each in range(1000)], pa.decimal128(digits, places))


def _names() -> pa.Array:
    return pa.array([f"客户{place}" for place in range(MANY)])


@pytest.mark.parametrize(
    "query", ["", "&f=tier:is:core&sort=health", "&q=客户99", "&sort=-tenure_days&f=industry:is:零售"]
)
def test_the_list_of_a_past_day_is_quick(then: date, viewer: Person, query: str) -> None:
    took = []
    for _turn in range(TURNS):
        began = time.perf_counter()
        assert viewer.get(f"/customers?as_of={then}{query}").status_code == 200
        took.append(time.perf_counter() - began)
    first, median = took[0], statistics.median(took[1:])
    print(f"\nas of, {MANY} customers, {query}: first {first * 1000:.0f} ms, median {median * 1000:.0f} ms")  # noqa: T201  Its purpose.
    assert median < MOST_SECONDS
