"""Tracked events in great number, in files as the drain and compaction leave them.

A month's files hold about a million rows each, all customers within a stretch of time, sorted by customer and time, in
groups of as many rows. Use is as uneven as in life: a few customers send very much, half of them little; of many
names a few make up most events; a customer's people are of all degrees of zeal, and some events name nobody.

Columns that no fact is made from (received, message, properties) are left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from django.conf import settings

from zhike.demo.vocabulary import FEATURES, LOGIN
from zhike.record.events.models import LakeFile
from zhike.record.events.rules import EVENTS, ROWS_IN_FILE, ROWS_IN_GROUP

DAYS = 395  # Thirteen months.
NAMES = [LOGIN, *FEATURES, *(f"step_{number:02d}" for number in range(40))]

QUERY = """
    COPY (
        SELECT c AS customer,
            CASE WHEN random() < 0.02 THEN 0
                ELSE c * 1000 + CAST(floor(power(random(), 2) * least(200, 1 + 3 * weight)) AS BIGINT) END AS person,
            to_timestamp($start + random() * $seconds) AS "at",
            list_extract($names, 1 + CAST(floor(power(random(), 3) * len($names)) AS INT)) AS event,
            CAST(1 + CAST(random() < 0.2 AS INT) AS UTINYINT) AS "call", CAST(1 AS INT) AS source
        FROM (SELECT c, weight, CAST(floor($each * weight + random()) AS INT) AS times FROM (
                SELECT c, least(60, 0.5 * power(1 - (hash(c) % 1000000) / 1000000.0, -0.5)) AS weight
                FROM range(1, $customers + 1) AS customers(c))) AS busy,
            range(0, times) AS events(n)
        ORDER BY customer, "at"
    ) TO '{path}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {group})
"""


@dataclass(frozen=True)
class Stretch:
    """A file's part of the time."""

    start: datetime
    end: datetime


def fill(customers: int, events: int, *, today: date, say: Callable[[str], None]) -> int:
    """Write about so many events of the thirteen months before today and register the files; returns the events."""
    lake, total = Path(settings.LAKE), 0
    pieces = stretches(today, max(13, events // ROWS_IN_FILE))
    with duckdb.connect() as engine:
        engine.execute("SELECT setseed(0.42)")
        engine.execute(f"SET memory_limit = '2GB'; SET temp_directory = '{settings.HOME / 'temporary'}'")
        for number, piece in enumerate(pieces, start=1):
            path = Path(EVENTS) / f"month={piece.start:%Y-%m}" / f"{number:04d}.parquet"
            (lake / path).parent.mkdir(parents=True, exist_ok=True)
            values = {
                "start": piece.start.timestamp(),
                "seconds": (piece.end - piece.start).total_seconds(),
                "names": NAMES,
                "customers": customers,
                "each": events / customers * ((piece.end - piece.start) / timedelta(days=DAYS)),
            }
            engine.execute(QUERY.format(path=lake / path, group=ROWS_IN_GROUP), values)
            total += _register(path, piece, customers)
            if number % 10 == 0 or number == len(pieces):
                say(f"{total:,} events in {number} of {len(pieces)} files")
    return total


def stretches(today: date, number: int) -> list[Stretch]:
    """Return about `number` stretches of time up to this morning, none of which reaches over the end of a month."""
    end = datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(hours=12)
    start = end - timedelta(days=DAYS)
    length = (end - start) / number
    found = []
    while start < end:
        month = (start.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
        stop = min(start + length, month, end)
        found.append(Stretch(start, stop))
        start = stop
    return found


def _register(path: Path, piece: Stretch, customers: int) -> int:
    place = Path(settings.LAKE) / path
    rows = int(pq.read_metadata(place).num_rows)
    LakeFile.objects.create(
        path=str(path),
        kind=EVENTS,
        month=piece.start.date().replace(day=1),
        rows=rows,
        bytes=place.stat().st_size,
        first_at=piece.start,
        last_at=piece.end,
        least_customer=1,
        most_customer=customers,
        created_at=piece.end,
    )
    return rows
