"""Reading a customer's events, newest first a page at a time, and counts by day."""

from __future__ import annotations

import base64
import functools
import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zhike.record.events.models import LakeFile
from zhike.record.events.queries import store
from zhike.record.events.rules import DIGEST, EVENTS, USAGE

TRIES = 5  # A file may be erased between being listed and being read; then the list is asked for again.
USED = 3  # Calls up to this one are use of the product: track, page, screen.


@dataclass(frozen=True, slots=True)
class LakeEvent:
    """One tracked event of a customer; `properties` is JSON text, `call` a number of `tracking.rules.Call`."""

    customer: int
    person: int
    at: datetime
    event: str
    call: int
    source: int
    message: bytes
    properties: str

    @property
    def cursor(self) -> str:
        """Return what `events_of(before=…)` takes to go on after this event."""
        micros = int((self.at - EPOCH) / timedelta(microseconds=1))
        return base64.urlsafe_b64encode(struct.pack(">q", micros) + self.message).decode().rstrip("=")


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)  # No event can lie after it.
COLUMNS = ["customer", "person", "at", "event", "call", "source", "message", "properties"]


def events_of(customer_id: int, *, before: str = "", limit: int = 50) -> list[LakeEvent]:
    """Return a customer's tracked events, newest first; a page ends where the `cursor` of its last event says.

    The catalogue tells which files can hold some; months are read from the newest back until the page is full.
    """
    edge = _edge(before)
    for left in reversed(range(TRIES)):
        try:
            return _page(customer_id, edge, limit)
        except FileNotFoundError:
            if not left:
                raise
    return []


def _edge(cursor: str) -> tuple[int, bytes]:
    """Return time and message of a cursor; one that is empty or was tampered with is the newest there can be."""
    newest = np.iinfo(np.int64).max, b"\xff" * DIGEST
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return newest
    if len(packed) != 8 + DIGEST:
        return newest
    time = struct.unpack(">q", packed[:8])[0]
    return (time, packed[8:]) if 0 <= time <= LAST else newest


def _page(customer_id: int, edge: tuple[int, bytes], limit: int) -> list[LakeEvent]:
    files = LakeFile.objects.filter(kind=EVENTS, least_customer__lte=customer_id, most_customer__gte=customer_id)
    if edge[0] != np.iinfo(np.int64).max:
        files = files.filter(first_at__lte=EPOCH + timedelta(microseconds=edge[0]))
    found: list[LakeEvent] = []
    for _month, of_month in groupby(files.order_by("-month", "-last_at"), lambda file: file.month):
        for file in of_month:
            if len(found) >= limit and file.last_at < found[limit - 1].at:
                continue
            found = sorted([*found, *_events_in(file.path, customer_id, edge, limit)], key=_newest)[:limit]
        if len(found) >= limit:
            break
    return found


def _newest(event: LakeEvent) -> tuple[float, list[int]]:
    return -((event.at - EPOCH) // timedelta(microseconds=1)), [255 - byte for byte in event.message]


def _events_in(path: str, customer_id: int, edge: tuple[int, bytes], limit: int) -> list[LakeEvent]:
    """Return the newest events of a customer in one file that lie before the edge, at most `limit`."""
    rows = _rows_of(path, customer_id, COLUMNS)
    if rows is None:
        return []
    at = rows["at"].cast(pa.int64()).to_numpy()
    message = rows["message"].to_pylist()
    before = at < edge[0]
    for tie in np.flatnonzero(at == edge[0]):
        before[tie] = message[tie] < edge[1]
    place = np.flatnonzero(before)
    if len(place) > limit:  # Sorted by time; all of the last moment's are taken, as the page is cut further up.
        place = place[at[place] >= at[place[-limit]]]
    return [LakeEvent(**row) for row in rows.take(pa.array(place)).to_pylist()]


def _rows_of(path: str, customer_id: int, columns: Sequence[str]) -> pa.Table | None:
    """Return a customer's rows of one file, reading only the row groups that can hold them."""
    with pq.ParquetFile(store().place(path), metadata=_footer(path)) as file:
        groups = _groups_of(path)
        places = [place for place, (least, most) in enumerate(groups) if least <= customer_id <= most]
        if not places:
            return None
        # Most files hold nothing of most customers: their one column tells, before the others are unpacked.
        owners = file.read_row_groups(places, columns=["customer"], use_threads=False)["customer"].to_numpy()
        begin, end = np.searchsorted(owners, [customer_id, customer_id + 1])
        if begin == end:
            return None
        rows = file.read_row_groups(places, columns=list(columns), use_threads=False)
    return rows.slice(begin, end - begin)


@functools.lru_cache(maxsize=2048)
def _footer(path: str) -> pq.FileMetaData:
    """Return what a file says of itself; files never change."""
    return pq.read_metadata(store().place(path))


@functools.lru_cache(maxsize=2048)
def _groups_of(path: str) -> list[tuple[int, int]]:
    footer = _footer(path)
    column = footer.schema.to_arrow_schema().get_field_index("customer")
    statistics = (footer.row_group(place).column(column).statistics for place in range(footer.num_row_groups))
    return [(each.min, each.max) for each in statistics]


def daily_counts(
    *,
    since: datetime,
    until: datetime,
    zone: ZoneInfo,
    customer_id: int | None = None,
    event: str | None = None,
) -> dict[str, dict[date, int]]:
    """Return by event name and local day how often it was used in [since, until), of all customers or of one.

    Tracked calls of use count one each, imported usage counts what it says; events of unknown people do not count.
    """
    for left in reversed(range(TRIES)):
        try:
            return _daily_counts(since, until, zone, customer_id, event)
        except FileNotFoundError:
            if not left:
                raise
    return {}


def _daily_counts(
    since: datetime, until: datetime, zone: ZoneInfo, customer_id: int | None, event: str | None
) -> dict[str, dict[date, int]]:
    files = LakeFile.objects.filter(kind__in=[EVENTS, USAGE], first_at__lt=until, last_at__gte=since)
    if customer_id is not None:
        files = files.filter(least_customer__lte=customer_id, most_customer__gte=customer_id)
    found: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for file in files.order_by("pk"):
        for name, day, count in _counts_in(file, since, until, zone, customer_id, event):
            found[name][day] += count
    return {name: dict(days) for name, days in found.items()}


def _counts_in(
    file: LakeFile, since: datetime, until: datetime, zone: ZoneInfo, customer_id: int | None, event: str | None
) -> Iterator[tuple[str, date, int]]:
    columns = ["customer", "at", "event", "count" if file.kind == USAGE else "call"]
    if customer_id is not None:
        rows = _rows_of(file.path, customer_id, columns)
    else:
        rows = pq.read_table(store().place(file.path), columns=columns, partitioning=None)
    if rows is None:
        return
    mask = pc.and_(pc.greater_equal(rows["at"], since), pc.less(rows["at"], until))
    if file.kind == EVENTS:
        mask = pc.and_(mask, pc.less_equal(rows["call"], USED))
    if event is not None:
        mask = pc.and_(mask, pc.equal(rows["event"].cast(pa.string()), event))
    rows = rows.filter(mask)
    local = pc.local_timestamp(rows["at"].cast(pa.timestamp("us", tz=zone.key))).cast(pa.date32(), safe=False)
    count = rows["count"] if file.kind == USAGE else pa.array(np.ones(rows.num_rows, np.int64))
    table = pa.table({"event": rows["event"].cast(pa.string()), "day": local, "count": count})
    grouped = table.group_by(["event", "day"]).aggregate([("count", "sum")])
    yield from zip(*(grouped[name].to_pylist() for name in ("event", "day", "count_sum")), strict=True)


def latest_of(source_id: int, *, limit: int = 20) -> list[LakeEvent]:
    """Return some of the latest events that a source sent, newest first, those of unknown people included."""
    files = LakeFile.objects.exclude(kind__in=[USAGE, "seen"]).order_by("-created_at", "-pk")[:8]
    found: list[LakeEvent] = []
    for file in files:
        try:
            rows = pq.read_table(store().place(file.path), columns=COLUMNS, partitioning=None)
        except FileNotFoundError:
            continue
        rows = rows.filter(pc.equal(rows["source"], source_id))
        order = pc.select_k_unstable(rows, limit, [("at", "descending")])
        found += [LakeEvent(**row) for row in rows.take(order).to_pylist()]
    return sorted(found, key=_newest)[:limit]
