"""The one way in which files of the lake become live, and the locks of those who change it.

Write a draft, wait for the disk, rename, wait for the folder, then one transaction that registers the new files and
forgets the old ones. What no row names does not exist, so a crash anywhere leaves at worst a file for `sweep`.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import connection

from zhike.kit.failpoints import failpoint, register
from zhike.record.events.models import LakeFile
from zhike.record.events.queries import store
from zhike.record.events.rules import OWNERS, ROWS_IN_GROUP, SCHEMAS, SEEN

register("lake.written", "lake.published", "lake.registered", "lake.forgotten")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Advisory locks, held until commit. Whoever needs several takes them in this order.
DRAIN_LOCK = 7_164_202  # Inbox, persons and what was seen.
LAKE_LOCK = 7_164_203  # Files of imported usage, and sweeping.
REWRITE_LOCK = 7_164_204  # Files of every other kind that are live already; adding new ones needs no lock.


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that is written but not live, and what the catalogue will say of it."""

    path: str
    written: Path
    kind: str
    month: date
    rows: int
    first: datetime
    last: datetime
    least: int = 0
    most: int = 0
    import_id: int | None = None


def lock(*locks: int) -> None:
    """Wait for advisory locks and hold them until the transaction ends."""
    with connection.cursor() as cursor:
        for each in sorted(locks):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [each])


def try_lock(*locks: int) -> bool:
    """Take advisory locks until the transaction ends; False when somebody else holds one of them."""
    with connection.cursor() as cursor:
        for each in sorted(locks):
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [each])
            if not cursor.fetchone()[0]:
                return False
    return True


def new_path(kind: str, month: date, ending: str = "parquet") -> str:
    return f"{kind}/month={month:%Y-%m}/{uuid.uuid4().hex}.{ending}"


def by_month(table: pa.Table) -> Iterator[tuple[date, pa.Table]]:
    """Yield the rows of each month of `at`, in their order."""
    months = pc.cast(table["at"], pa.int64()).to_numpy().view("datetime64[us]").astype("datetime64[M]")
    found = np.unique(months)
    for month in found:
        rows = table if len(found) == 1 else table.filter(pa.array(months == month))
        yield month.astype("datetime64[D]").item(), rows


def write_draft(kind: str, month: date, table: pa.Table, *, final: bool, import_id: int | None = None) -> Draft:
    """Write sorted rows of one month as a draft; `final` files are packed harder than those that soon come together."""
    path = new_path(kind, month)
    draft = store().draft(path)
    compression = {name: "none" if name == "message" else "zstd" for name in table.schema.names}
    pq.write_table(
        table.cast(SCHEMAS[kind]) if table.schema != SCHEMAS[kind] else table,
        draft,
        row_group_size=ROWS_IN_GROUP,
        compression=compression,
        compression_level={name: 6 if final else 1 for name, how in compression.items() if how == "zstd"},
        use_dictionary=["event"],
        write_statistics=[name for name in ("customer", "person", "at") if name in table.schema.names],
    )
    failpoint("lake.written")
    first, last = _ends(table["at"])
    least, most = _ends(table[OWNERS[kind]])
    return Draft(path, draft, kind, month, table.num_rows, _moment(first), _moment(last), least, most, import_id)


def write_seen(digests: np.ndarray[tuple[int, ...], np.dtype[np.uint64]], first: datetime, last: datetime) -> Draft:
    """Write digests, rows of upper and of lower halves sorted by both, as a draft: all upper halves, then the lower."""
    month = last.astimezone(UTC).date().replace(day=1)
    path = new_path(SEEN, month, "digests")
    draft = store().draft(path)
    with draft.open("wb") as file:
        for column in digests:
            file.write(np.ascontiguousarray(column).tobytes())
    failpoint("lake.written")
    return Draft(path, draft, SEEN, month, digests.shape[1], first, last)


def go_live(drafts: Sequence[Draft], replaced: Collection[int], *, now: datetime) -> list[LakeFile]:
    """Publish drafts and register them in the place of live files, inside the caller's transaction.

    The old files stay on the disk until `sweep`: whoever listed them before may still read them.
    """
    store().publish((each.written, each.path) for each in drafts)
    failpoint("lake.published")
    made = LakeFile.objects.bulk_create(
        LakeFile(
            path=each.path,
            kind=each.kind,
            month=each.month,
            rows=each.rows,
            bytes=(store().folder / each.path).stat().st_size,
            first_at=each.first,
            last_at=each.last,
            least_customer=each.least,
            most_customer=each.most,
            import_id=each.import_id,
            created_at=now,
        )
        for each in drafts
    )
    failpoint("lake.registered")
    if replaced:
        LakeFile.objects.filter(pk__in=replaced).delete()
        failpoint("lake.forgotten")
    return made


def _ends(column: pa.ChunkedArray) -> tuple[int, int]:
    ends = pc.min_max(column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).as_py()
    return ends["min"], ends["max"]


def _moment(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)
