"""Tables of one row per customer, set beside each other by position: a million rows need no joins for that."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Marks = np.ndarray[tuple[int], np.dtype[np.bool_]]
Integers = np.ndarray[tuple[int], np.dtype[np.int64]]


class DifferentCustomers(RuntimeError):
    """Tables that should hold the same customers do not."""


def ids(table: pa.Table) -> Integers:
    """Return the column `customer_id`."""
    found: Integers = table["customer_id"].to_numpy()
    return found


def in_order(table: pa.Table) -> pa.Table:
    """Return the rows by `customer_id`; nothing is copied when they stand so already."""
    keys = ids(table)
    if not len(keys) or bool(np.all(keys[1:] > keys[:-1])):
        return table
    return table.combine_chunks().take(pa.array(np.argsort(keys, kind="stable")))


def together(parts: Sequence[pa.Table], names: Collection[str]) -> pa.Table:
    """Return customer_id and the named columns of tables `in_order` that hold the same customers, each name once."""
    first = ids(parts[0])
    for part in parts[1:]:
        if not np.array_equal(first, ids(part)):
            raise DifferentCustomers
    where = {name: part for part in reversed(parts) for name in part.column_names}
    return pa.table({"customer_id": parts[0]["customer_id"], **{name: where[name][name] for name in names}})


def replaced(before: pa.Table, taken: Collection[int], now: pa.Table) -> pa.Table:
    """Return the rows of `before` but for the taken customers, whose rows are those of `now`; all three in order."""
    now = now.select(before.column_names).cast(before.schema)
    its = np.isin(ids(before), ids(now))
    if its.sum() == now.num_rows == len(taken):  # Nobody new and nobody gone, as nearly always: nothing has to move.
        mask = pa.array(its)
        columns = {
            name: pc.replace_with_mask(before[name], mask, now[name].combine_chunks()) for name in now.column_names
        }
        return pa.table(columns, schema=before.schema)
    stays = ~np.isin(ids(before), np.fromiter(taken, np.int64, len(taken)))
    rest = before.filter(pa.array(stays))
    return in_order(pa.concat_tables([rest, now]))


def aligned(table: pa.Table, keys: Integers) -> tuple[pa.Table, Marks]:
    """Return for each of the customers a row of the ordered table, and whether it is theirs: a table may lack some."""
    has = ids(table)
    if np.array_equal(has, keys):
        return table, np.ones(len(keys), np.bool_)
    if not len(has):
        return pa.table({field.name: pa.nulls(len(keys), field.type) for field in table.schema}), np.zeros(
            len(keys), np.bool_
        )
    place = np.minimum(np.searchsorted(has, keys), len(has) - 1)
    return table.combine_chunks().take(pa.array(place)), has[place] == keys


def differ(one: pa.Table, other: pa.Table, names: Collection[str]) -> Marks:
    """Return in which rows two tables differ in any of these columns; unknown equals unknown and nothing else."""
    found = np.zeros(one.num_rows, np.bool_)
    for name in names:
        left, right = one[name], other[name]
        unequal = pc.fill_null(pc.not_equal(left, right), False)
        apart = pc.or_(unequal, pc.xor(left.is_null(), right.is_null()))
        found |= apart.to_numpy()
    return found


def chosen(marks: Marks, one: pa.Table, other: pa.Table) -> pa.Table:
    """Return the rows of `one` where the mark is set, elsewhere those of `other`."""
    mask = pa.array(marks)
    return pa.table({name: pc.if_else(mask, one[name], other[name]) for name in one.column_names})
