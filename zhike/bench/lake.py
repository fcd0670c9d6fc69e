"""Usage in great number, written by the engine itself: one file a month, sorted as compaction leaves them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from django.conf import settings

from zhike.demo.vocabulary import FEATURES, LOGIN
from zhike.record.events.models import LakeFile

MONTHS = 13
# A customer's liveliness is a fixed fraction of its number, so that some work daily and some hardly ever.
LIVELY = "(hash(c) % 1000 / 1000.0)"
QUERY = """
    COPY (
        SELECT c AS customer,
            CAST($start AS TIMESTAMP) + to_seconds(CAST(floor(random() * $seconds) AS BIGINT)) AS "at",
            CASE WHEN random() < 0.35 THEN $login
                ELSE list_extract($features, 1 + CAST(floor(random() * 14) AS INT)) END AS event,
            CAST(1 + floor(random() * 9) AS BIGINT) AS count, CAST(1 + floor(random() * 3) AS BIGINT) AS users
        FROM range(1, $customers + 1) AS customers(c), range(0, $rows) AS rows(r)
        WHERE random() < 2 * {lively}
        ORDER BY customer, "at"
    ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""


def fill(customers: int, rows_each: int, *, today: date, say: Callable[[str], None]) -> int:
    """Write about `rows_each` usage rows per customer over thirteen months and register the files; returns the rows."""
    lake = Path(settings.LAKE)
    total = 0
    with duckdb.connect() as engine:
        engine.execute("SELECT setseed(0.42)")
        engine.execute(f"SET memory_limit = '4GB'; SET temp_directory = '{settings.HOME / 'temporary'}'")
        for start, end in _months(today):
            path = Path("usage") / f"{start:%Y-%m}" / "bench.parquet"
            (lake / path).parent.mkdir(parents=True, exist_ok=True)
            values = {
                "start": start.replace(tzinfo=None),  # The lake keeps UTC; with a zone, the session's would be used.
                "seconds": (end - start).total_seconds(),
                "login": LOGIN,
                "features": list(FEATURES),
                "customers": customers,
                "rows": max(1, rows_each // MONTHS),
            }
            engine.execute(QUERY.format(lively=LIVELY, path=lake / path), values)
            total += _register(path, start, end, customers)
    say(f"{total:,} usage rows in {MONTHS} files")
    return total


def _months(today: date) -> list[tuple[datetime, datetime]]:
    """Return the months up to yesterday, each as its first moment and the first after it."""
    edges = [datetime(today.year, today.month, 1, tzinfo=UTC)]
    while len(edges) < MONTHS:
        before = edges[-1] - timedelta(days=1)
        edges.append(datetime(before.year, before.month, 1, tzinfo=UTC))
    end = datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(hours=12)
    starts = sorted(edge for edge in edges if edge < end)
    return list(zip(starts, [*starts[1:], end], strict=True))


def _register(path: Path, start: datetime, end: datetime, customers: int) -> int:
    place = Path(settings.LAKE) / path
    rows = int(pq.read_metadata(place).num_rows)
    LakeFile.objects.create(
        path=str(path),
        kind="usage",
        month=start.date(),
        rows=rows,
        bytes=place.stat().st_size,
        first_at=start,
        last_at=end,
        least_customer=1,
        most_customer=customers,
        created_at=end,
    )
    return rows
