"""Tables set beside each other by position say what joins of the same tables would say."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhike.measure import rows

SCHEMA = pa.schema([("customer_id", pa.int64()), ("money", pa.decimal128(18, 2)), ("name", pa.string())])
MONEY = st.sampled_from([None, Decimal("0.00"), Decimal("1.50")])
TABLES = st.dictionaries(st.integers(1, 12), st.tuples(MONEY, st.sampled_from([None, "", "x"])), max_size=12)
Rows = dict[int, tuple[Decimal | None, str | None]]


def table(of: Rows) -> pa.Table:
    found = [dict(zip(SCHEMA.names, (key, *values), strict=True)) for key, values in of.items()]
    return rows.in_order(pa.Table.from_pylist(found, SCHEMA))


def told(of: pa.Table) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in of.to_pylist()]


def as_rows(of: Rows) -> list[tuple[object, ...]]:
    return [(key, *of[key]) for key in sorted(of)]


@given(TABLES, TABLES)
def test_what_differs_and_what_is_chosen(now: Rows, before: Rows) -> None:
    stands, has = rows.aligned(table(before), rows.ids(table(now)))
    assert has.tolist() == [key in before for key in sorted(now)]
    apart = rows.differ(table(now), stands, ["money", "name"])
    assert [bool(mark) for mark, known in zip(apart, has, strict=True) if known] == [
        now[key] != before[key] for key in sorted(now) if key in before
    ]
    put = ~has | apart
    assert told(rows.chosen(put, table(now), stands)) == as_rows(now)
    assert told(rows.chosen(~has, table(now), stands)) == as_rows(
        {**now, **{k: v for k, v in before.items() if k in now}}
    )


@given(TABLES, TABLES, st.sets(st.integers(1, 12)))
def test_rows_of_the_taken_are_replaced_and_those_who_are_gone_go(before: Rows, now: Rows, more: set[int]) -> None:
    taken = {*now, *more}
    stays = {key: values for key, values in before.items() if key not in taken}
    assert told(rows.replaced(table(before), taken, table(now))) == as_rows(stays | now)


def test_columns_come_from_the_part_that_has_them_and_customers_must_be_the_same() -> None:
    one, other = table({2: (None, "b"), 1: (None, "a")}), pa.table({"customer_id": [1, 2], "health": [7, 8]})
    found = rows.together([one, other], ["health", "name"])
    assert told(found) == [(1, 7, "a"), (2, 8, "b")]
    with pytest.raises(rows.DifferentCustomers):
        rows.together([one, other.slice(1)], ["health"])
    assert np.array_equal(rows.ids(rows.in_order(other.take([1, 0]))), [1, 2])
