"""Reading the sorted rows of several files a range of owners at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zhike.record.events.models import LakeFile
from zhike.record.events.operations.files import Draft, by_month, write_draft
from zhike.record.events.queries import store
from zhike.record.events.rules import OWNERS, ROWS_IN_FILE

BYTES_IN_FILE = 512 * 2**20  # Unpacked; large properties make files of fewer rows.


class RowsLost(RuntimeError):
    """Files that come together gave other rows than went in; nothing is changed."""


def merged(files: Sequence[LakeFile], kind: str) -> Iterator[pa.Table]:
    """Yield all rows of these files sorted by owner and time: tables of whole owners, about a file's worth each."""
    owner = OWNERS[kind]
    opened = [pq.ParquetFile(store().place(each.path)) for each in files]
    try:
        least = -1
        for most in _cuts(opened, owner):
            parts = [part for file in opened if (part := _between(file, owner, least, most)) is not None]
            if parts:
                yield in_order(pa.concat_tables(parts), owner)
            least = most
    finally:
        for file in opened:
            file.close()


def in_order(table: pa.Table, owner: str) -> pa.Table:
    """Return rows sorted by owner and time."""
    table = table.unify_dictionaries().combine_chunks()
    order = np.lexsort((table["at"].cast(pa.int64()).to_numpy(), table[owner].to_numpy()))
    return table.take(pa.array(order))


def written(tables: Iterator[pa.Table], kind: str, import_id: int | None = None) -> list[Draft]:
    """Write tables as drafts, each by its months."""
    return [
        write_draft(kind, month, rows, final=True, import_id=import_id)
        for table in tables
        for month, rows in by_month(table)
    ]


def ensure_all(drafts: Sequence[Draft], expected: int) -> None:
    found = sum(each.rows for each in drafts)
    if found != expected:
        raise RowsLost(f"{expected} rows went in and {found} came out")


def _cuts(files: Sequence[pq.ParquetFile], owner: str) -> list[int]:
    """Return the owners up to which each range goes; the last one takes in all that remain."""
    groups = sorted(
        (_span(file, owner, place)[1], file.metadata.row_group(place).num_rows, _weight(file, place))
        for file in files
        for place in range(file.num_row_groups)
    )
    cuts, rows, weight = [], 0, 0
    for most, count, size in groups:
        rows, weight = rows + count, weight + size
        if rows >= ROWS_IN_FILE or weight >= BYTES_IN_FILE:
            cuts.append(most)
            rows = weight = 0
    if groups and (not cuts or cuts[-1] < groups[-1][0]):
        cuts.append(groups[-1][0])
    return sorted(set(cuts))


def _weight(file: pq.ParquetFile, place: int) -> int:
    size: int = file.metadata.row_group(place).total_byte_size
    return size


def _span(file: pq.ParquetFile, owner: str, place: int) -> tuple[int, int]:
    column = file.schema_arrow.get_field_index(owner)
    statistics = file.metadata.row_group(place).column(column).statistics
    return statistics.min, statistics.max


def _between(file: pq.ParquetFile, owner: str, least: int, most: int) -> pa.Table | None:
    """Return the rows of owners after `least` and up to `most`."""
    places = []
    for place in range(file.num_row_groups):
        low, high = _span(file, owner, place)
        if high > least and low <= most:
            places.append(place)
    if not places:
        return None
    rows = file.read_row_groups(places, use_threads=False)
    mask = pc.and_(pc.greater(rows[owner], least), pc.less_equal(rows[owner], most))
    return rows.filter(mask)
