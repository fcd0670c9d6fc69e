"""Writing usage events into the lake: immutable Parquet files, and the table that says which of them are live."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from zhike.record.events.models import ChangedCustomer, LakeFile
from zhike.record.events.operations.files import EPOCH, LAKE_LOCK, Draft, go_live, lock, new_path
from zhike.record.events.queries import customers_in, engine, quoted, store
from zhike.record.events.rules import MOMENT, USAGE, USAGE_SCHEMA

ROWS_IN_GROUP = 100_000
STAGED = pa.schema(
    [
        ("line", pa.int64()),
        ("ref", pa.string()),
        ("us", pa.int64()),
        ("event", pa.string()),
        ("count", pa.int64()),
        ("users", pa.int64()),
    ]
)


@dataclass(slots=True)
class Written:
    """What became of staged usage: counts, and the lines that could not be taken."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    unknown: list[tuple[int, str]] = field(default_factory=list)
    contradicting: list[tuple[int, int]] = field(default_factory=list)
    existing: list[tuple[int, str]] = field(default_factory=list)


@contextmanager
def staging_file() -> Iterator[Path]:
    """Yield a place for staged rows (schema `STAGED`, `us` are microseconds since 1970) that vanishes at the end."""
    folder = Path(settings.LAKE) / "staging"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.parquet"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def write_usage(
    staged: Path, people: dict[str, int], *, update: bool, dry: bool, import_id: int | None, now: datetime
) -> Written:
    """Add staged usage to the lake inside the caller's transaction.

    A row is known by customer, time and event. The same again is unchanged; other values are refused, or with
    `update` replace the old ones. `people` maps customer numbers to ids. New files become live when the caller's
    transaction commits; if it does not, they are orphans that `sweep` removes.
    """
    lock(LAKE_LOCK)
    with engine() as lake:
        written = _load(lake, staged, people)
        replaced = _compare(lake, written, update=update)
        if not dry:
            _rewrite(lake, replaced, now)
            _write_new(lake, import_id, now)
            ChangedCustomer.note([row[0] for row in lake.execute("SELECT DISTINCT customer FROM fresh").fetchall()])
    return written


def _load(lake: duckdb.DuckDBPyConnection, staged: Path, people: dict[str, int]) -> Written:
    """Fill the table `fresh` with one row per customer, time and event."""
    lake.register(
        "people",
        pa.table({"ref": pa.array(list(people), pa.string()), "id": pa.array(list(people.values()), pa.int64())}),
    )
    written = Written()
    lake.execute("CREATE VIEW staged AS SELECT * FROM read_parquet($path)".replace("$path", quoted(str(staged))))
    written.unknown = lake.execute("SELECT line, ref FROM staged ANTI JOIN people USING (ref) ORDER BY line").fetchall()
    lake.execute(
        """CREATE TABLE ranked AS SELECT line, id AS customer, us, event, count, users,
            row_number() OVER same AS place, first(line) OVER same AS first_line,
            first(count) OVER same AS first_count, first(users) OVER same AS first_users
        FROM staged JOIN people USING (ref) WINDOW same AS (PARTITION BY id, us, event ORDER BY line)"""
    )
    repeated = "place > 1 AND count = first_count AND users IS NOT DISTINCT FROM first_users"
    written.duplicates = _number(lake, f"SELECT count(*) FROM ranked WHERE {repeated}")  # noqa: S608  A constant.
    written.contradicting = lake.execute(
        f"SELECT line, first_line FROM ranked WHERE place > 1 AND NOT ({repeated}) ORDER BY line"  # noqa: S608  A constant.
    ).fetchall()
    lake.execute(
        """CREATE TABLE fresh AS SELECT line, customer, us, event, count, users,
            strftime(make_timestamp(us), '%Y-%m') AS month FROM ranked WHERE place = 1"""
    )
    lake.execute("DROP TABLE ranked")
    return written


def _compare(lake: duckdb.DuckDBPyConnection, written: Written, *, update: bool) -> list[LakeFile]:
    """Take from `fresh` what the live files have already; returns the files that hold values to be replaced."""
    lake.execute("CREATE TABLE changed (line BIGINT, customer BIGINT, us BIGINT, event VARCHAR, file VARCHAR)")
    live = _live_files(lake)
    if live:
        paths = ", ".join(quoted(str(store().place(each.path))) for each in live)
        lake.execute(
            f"""CREATE TABLE known AS SELECT f.line, f.customer, f.us, f.event, o.filename AS file,
                f.count = o.count AND f.users IS NOT DISTINCT FROM o.users AS same
            FROM fresh f JOIN read_parquet([{paths}], filename = true) o
                ON o.customer = f.customer AND epoch_us(o."at") = f.us AND o.event = f.event"""  # noqa: S608  Our own paths.
        )
        written.unchanged = _number(lake, "SELECT count(*) FROM known WHERE same")
        if update:
            lake.execute("INSERT INTO changed SELECT line, customer, us, event, file FROM known WHERE NOT same")
            written.updated = _number(lake, "SELECT count(*) FROM changed")
            lake.execute("DELETE FROM fresh WHERE line IN (SELECT line FROM known WHERE same)")
        else:
            written.existing = lake.execute("SELECT line, event FROM known WHERE NOT same ORDER BY line").fetchall()
            lake.execute("DELETE FROM fresh WHERE line IN (SELECT line FROM known)")
    written.created = _number(lake, "SELECT count(*) FROM fresh") - written.updated
    touched = {row[0] for row in lake.execute("SELECT DISTINCT file FROM changed").fetchall()}
    return [each for each in live if str(store().place(each.path)) in touched]


def _live_files(lake: duckdb.DuckDBPyConnection) -> list[LakeFile]:
    """Return the live files that can hold a row of `fresh`."""
    months = [
        date.fromisoformat(f"{month}-01") for (month,) in lake.execute("SELECT DISTINCT month FROM fresh").fetchall()
    ]
    least, most = lake.execute("SELECT min(customer), max(customer) FROM fresh").fetchone() or (None, None)
    if least is None:
        return []
    files = LakeFile.objects.filter(kind=USAGE, month__in=months, least_customer__lte=most, most_customer__gte=least)
    return list(files.order_by("id"))


def _rewrite(lake: duckdb.DuckDBPyConnection, replaced: list[LakeFile], now: datetime) -> None:
    """Write the files that hold replaced values anew, without those."""
    for old in replaced:
        path = quoted(str(store().place(old.path)))
        rows = f"""SELECT o.customer, epoch_us(o."at") AS us, o.event, o.count, o.users FROM read_parquet({path}) o
            ANTI JOIN changed c ON c.customer = o.customer AND c.us = epoch_us(o."at") AND c.event = o.event"""  # noqa: S608  Our own path.
        _write_file(lake, rows, old.month, old.import_id, now, [old.pk])


def _write_new(lake: duckdb.DuckDBPyConnection, import_id: int | None, now: datetime) -> None:
    for (month,) in lake.execute("SELECT DISTINCT month FROM fresh ORDER BY 1").fetchall():
        rows = f"SELECT customer, us, event, count, users FROM fresh WHERE month = {quoted(month)}"  # noqa: S608  A month.
        _write_file(lake, rows, date.fromisoformat(f"{month}-01"), import_id, now)


def _write_file(
    lake: duckdb.DuckDBPyConnection,
    rows: str,
    month: date,
    import_id: int | None,
    now: datetime,
    replaced: Collection[int] = (),
) -> None:
    """Write rows as one sorted file and make it live in the place of the replaced ones."""
    question = f"SELECT count(*), min(us), max(us), min(customer), max(customer) FROM ({rows})"  # noqa: S608  As built above.
    # All rows are fetched: one left over would keep the connection from the reader below.
    [(count, first, last, least, most)] = lake.execute(question).fetchall()
    if not count:
        go_live([], replaced, now=now)
        return
    path = new_path(USAGE, month)
    draft = store().draft(path)
    with pq.ParquetWriter(draft, USAGE_SCHEMA, compression="zstd", use_dictionary=["event"]) as writer:
        reader = lake.sql(f"{rows} ORDER BY customer, us, event").to_arrow_reader(ROWS_IN_GROUP)
        for batch in reader:
            writer.write_batch(_as_stored(batch), row_group_size=ROWS_IN_GROUP)
    begin, end = (EPOCH + timedelta(microseconds=us) for us in (first, last))
    go_live([Draft(path, draft, USAGE, month, count, begin, end, least, most, import_id)], replaced, now=now)


def _as_stored(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        batch.column("customer").cast(pa.int64()),
        batch.column("us").cast(MOMENT),
        batch.column("event").cast(pa.string()).dictionary_encode(),
        batch.column("count").cast(pa.int64()),
        batch.column("users").cast(pa.int64()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=USAGE_SCHEMA)


def _number(lake: duckdb.DuckDBPyConnection, question: str) -> int:
    row = lake.execute(question).fetchone()
    return int(row[0]) if row else 0


def forget_files(import_id: int) -> int:
    """Take the files that an import wrote out of the lake, inside the caller's transaction; returns their rows."""
    files = LakeFile.objects.filter(import_id=import_id)
    rows = sum(files.values_list("rows", flat=True))
    ChangedCustomer.note(customers_in(files))
    files.delete()
    return rows
