"""The kept days: one Parquet file of facts per day in the lake, and what is asked of several of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from pyarrow import parquet

from zhike.kit.ruletrees import ATTRIBUTES
from zhike.measure import lake
from zhike.measure.facts import FACTS
from zhike.measure.lake import Engine
from zhike.measure.models import HEALTH_WEEKS, FactsDay

FOLDER = "facts"
NEAR = timedelta(days=7)
REPLACED_AFTER = 3600  # Seconds.
HEALTH = pa.schema([("customer_id", pa.int64()), ("health", pa.decimal128(5, 1))])
_TYPES = {
    "DECIMAL(5, 1)": pa.decimal128(5, 1),
    "DECIMAL(18, 2)": pa.decimal128(18, 2),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "BOOLEAN": pa.bool_(),
}
ROW_GROUP = 20_000  # Small enough that one customer's history reads little of each file.


def write(table: pa.Table, day: date) -> str:
    """Write a day's facts, sorted by customer, and return the path within the lake.

    The name carries a digest of the content: the same facts give the same file, and a file that is registered is never
    written again.
    """
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd", row_group_size=ROW_GROUP, write_page_index=True)
    content = sink.getvalue()
    name = f"{FOLDER}/day={day.isoformat()}.{hashlib.sha256(content).hexdigest()[:12]}.parquet"
    place = Path(settings.LAKE) / name
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_suffix(".part")
        draft.write_bytes(content)
        draft.replace(place)
    return name


def sweep() -> None:
    """Remove the files of days that were written again, or whose transaction failed.

    Files of the last hour stay: somebody may still be reading one that was just replaced.
    """
    live = set(FactsDay.objects.values_list("path", flat=True))
    for place in (Path(settings.LAKE) / FOLDER).glob("day=*"):
        is_old = time.time() - place.stat().st_mtime > REPLACED_AFTER
        if is_old and f"{FOLDER}/{place.name}" not in live:
            place.unlink(missing_ok=True)


def read(day: FactsDay, columns: Sequence[str] | None = None) -> pa.Table:
    """Return a kept day's rows; raises LakeFileMissing.

    A fact that was not measured yet on that day is unknown of everybody.
    """
    place, names = lake.present(day.path), list(columns) if columns else ["customer_id", *FACTS, ATTRIBUTES]
    kept = columns_of(day.path)
    table = parquet.read_table(place, columns=[name for name in names if name in kept], partitioning=None)
    for name in names:
        if name not in kept:
            table = table.append_column(name, unknown(name, table.num_rows))
    return table.select(names)


def unknown(name: str, rows: int) -> pa.Array:
    """Return a fact of so many customers that is unknown of each."""
    return pa.nulls(rows, _TYPES[FACTS[name].duckdb_type])


@lru_cache(maxsize=512)
def columns_of(path: str) -> frozenset[str]:
    """Return the columns of a kept file, which is never written again."""
    return frozenset(parquet.read_schema(lake.present(path)).names)


def relation(day: FactsDay, columns: Sequence[str]) -> str:
    """Return the FROM item with these columns of a kept day, customer_id first; a fact unknown to it is NULL."""
    kept = columns_of(day.path)
    named = ["customer_id", *(name for name in columns if name != "customer_id")]
    listed = [f'"{name}"' if name in kept else f'CAST(NULL AS {FACTS[name].duckdb_type}) AS "{name}"' for name in named]
    path = lake.quoted(str(lake.present(day.path)))
    return lake.filled("(SELECT {columns} FROM read_parquet({path}))", columns=", ".join(listed), path=path)


def kept_near(day: date) -> FactsDay | None:
    """Return the kept day nearest to `day`, at most a week off, of two equally near the earlier one; None without."""
    kept = FactsDay.objects.filter(day__gte=day - NEAR, day__lte=day + NEAR)
    return min(kept, key=lambda each: (abs(each.day - day), each.day), default=None)


def health_near(day: date) -> pa.Table:
    """Return customer_id and health of the kept day nearest to `day`, at most a week off; empty when there is none."""
    nearest = kept_near(day)
    if nearest is None:
        return HEALTH.empty_table()
    table = read(nearest, HEALTH.names)
    return table.filter(pc.is_valid(table["health"]))


def health_by_week(engine: Engine, today: date) -> pa.Table:
    """Return customer_id and `weeks`: rounded health of the weeks before this one, oldest first, one shorter than kept.

    Each week is told by its latest kept day; a week ends on the weekday of `today`.
    """
    weeks = HEALTH_WEEKS - 1
    paths = latest_by_week(today, weeks)
    if not paths:
        return pa.schema([("customer_id", pa.int64()), ("weeks", pa.list_(pa.uint8()))]).empty_table()
    # A row per kept week and customer; week 1 is the one before today's.
    kept = " UNION ALL ".join(
        lake.filled(
            "SELECT customer_id, CAST(ROUND(health) AS UTINYINT) AS health, {week} AS week FROM read_parquet({path})",
            week=str(week),
            path=lake.quoted(str(lake.present(path))),
        )
        for week, path in paths.items()
    )
    columns = ", ".join(f"MAX(health) FILTER (week = {week})" for week in range(weeks, 0, -1))
    return engine.query(
        lake.filled(
            "SELECT customer_id, LIST_VALUE({columns}) AS weeks FROM ({kept}) GROUP BY customer_id",
            columns=columns,
            kept=kept,
        )
    )


def latest_by_week(today: date, weeks: int) -> dict[int, str]:
    """Return the path of the latest kept day of each of the weeks that end 1, 2, … weeks before today."""
    kept = FactsDay.objects.filter(day__gt=today - timedelta(weeks=weeks + 1), day__lte=today - timedelta(weeks=1))
    return {(today - day).days // 7: path for day, path in kept.order_by("day").values_list("day", "path")}
