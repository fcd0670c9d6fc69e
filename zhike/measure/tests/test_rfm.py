"""RFM: fair to equals, never worse for buying more recently, more often or for more."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from zhike.measure import rfm
from zhike.measure.lake import Engine
from zhike.measure.reading import Morning
from zhike.measure.specs import RfmSpec
from zhike.measure.tests.conftest import TODAY

Seen = tuple[int | None, int, int]
SEEN = st.lists(st.tuples(st.none() | st.integers(1, 20), st.integers(0, 9), st.integers(-50, 500)), max_size=30)
SCHEMA = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("seen_last", pa.date32()),
        ("seen_times", pa.int64()),
        ("money_window", pa.decimal128(18, 2)),
    ]
)


def scored(engine: Engine, when: Morning, seen: list[Seen], spec: RfmSpec | None = None) -> list[dict[str, Any]]:
    """Score customers given as days ago, times and money; the rows in the order given."""
    days = [None if ago is None else TODAY - timedelta(days=ago) for ago, *_rest in seen]
    columns: list[list[Any]] = [
        list(range(len(seen))),
        days,
        [each[1] for each in seen],
        [Decimal(each[2]) for each in seen],
    ]
    table = pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )
    found = rfm.score(engine, table, spec or RfmSpec(), when).to_pylist()
    return sorted(found, key=lambda row: int(row["customer_id"]))


@settings(max_examples=20, deadline=None)
@given(SEEN)
def test_more_never_means_a_lower_score_and_equals_are_equal(engine: Engine, when: Morning, seen: list[Seen]) -> None:
    rows = [row for row in scored(engine, when, seen) if row["recency_days"] is not None]
    for key, score, sign in (("recency_days", "r_score", -1), ("frequency", "f_score", 1), ("monetary", "m_score", 1)):
        ranked = sorted(rows, key=lambda row: sign * row[key])
        assert all(1 <= row[score] <= 5 for row in rows)
        for one, other in pairwise(ranked):
            assert one[score] <= other[score]
            assert one[key] != other[key] or one[score] == other[score]
    if rows:
        assert max(row["r_score"] for row in rows) == 5


BOUNDS = RfmSpec(
    scores="bounds",
    recency_bounds=[2, 5, 9, 15],
    frequency_bounds=[1, 2, 4, 7],
    monetary_bounds=[Decimal(0), Decimal(10), Decimal(100), Decimal(300)],
)
SPECS = st.sampled_from([RfmSpec(), BOUNDS])
BUYERS = st.lists(
    st.tuples(st.integers(1, 20), st.integers(0, 9), st.integers(-50, 500)), min_size=1, max_size=25, unique=True
)


@settings(max_examples=40, deadline=None)
@given(BUYERS, SPECS, st.data())
def test_more_recent_more_often_more_money_never_lowers_ones_own_score(
    engine: Engine, when: Morning, seen: list[Seen], spec: RfmSpec, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(seen) - 1))
    sooner, times, money = data.draw(st.tuples(st.integers(0, 19), st.integers(0, 5), st.integers(0, 400)))
    ago, often, paid = seen[place]
    assert ago is not None
    better: list[Seen] = [*seen]
    better[place] = (max(1, ago - sooner), often + times, paid + money)
    before, after = (scored(engine, when, each, spec)[place] for each in (list(seen), better))
    for score in ("r_score", "f_score", "m_score"):
        assert after[score] >= before[score], score


@settings(max_examples=25, deadline=None)
@given(SEEN, SPECS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(
    engine: Engine, when: Morning, seen: list[Seen], spec: RfmSpec, random: Any
) -> None:
    order = list(range(len(seen)))
    random.shuffle(order)
    rows = scored(engine, when, list(seen), spec)
    moved = scored(engine, when, [seen[place] for place in order], spec)
    unnamed = [{**row, "customer_id": 0} for row in rows]
    assert [unnamed[place] for place in order] == [{**row, "customer_id": 0} for row in moved]


def test_ties_get_the_kinder_score(engine: Engine, when: Morning) -> None:
    rows = scored(engine, when, [(1, 1, 1)] * 7)
    assert {row["rfm"] for row in rows} == {"555"}


def test_five_different_customers_fill_the_five_fifths(engine: Engine, when: Morning) -> None:
    rows = scored(engine, when, [(ago, 6 - ago, 100 - ago) for ago in (1, 2, 3, 4, 5)])
    assert [row["rfm"] for row in rows] == ["555", "444", "333", "222", "111"]


def test_who_never_bought_has_no_score(engine: Engine, when: Morning) -> None:
    never, once = scored(engine, when, [(None, 0, 0), (3, 1, 10)])
    assert (never["rfm"], never["r_score"], never["frequency"]) == (None, None, 0)
    assert (once["rfm"], once["recency_days"]) == ("555", 3)


def test_fixed_bounds_count_those_reached(engine: Engine, when: Morning) -> None:
    spec = RfmSpec(
        scores="bounds",
        recency_bounds=[7, 30, 90, 180],
        frequency_bounds=[2, 3, 5, 10],
        monetary_bounds=[Decimal(100), Decimal("200.50"), Decimal(500), Decimal(1000)],
    )
    seen: list[Seen] = [(7, 10, 1000), (8, 9, 999), (181, 1, 99), (180, 2, 201)]
    assert [row["rfm"] for row in scored(engine, when, seen, spec)] == ["555", "444", "111", "223"]


def test_yesterday_is_one_day_ago(engine: Engine, when: Morning) -> None:
    assert when.today - timedelta(days=1) == date(2026, 3, 11)
    assert scored(engine, when, [(1, 1, 1)])[0]["recency_days"] == 1
