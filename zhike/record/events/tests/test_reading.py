"""Reading from the lake: pages of a customer's events, and counts by day."""

from __future__ import annotations

import base64
import random
import struct
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from zhike.record.events.models import LakeFile
from zhike.record.events.operations import compact
from zhike.record.events.operations.files import by_month, go_live, write_draft
from zhike.record.events.operations.merging import in_order
from zhike.record.events.queries import reading
from zhike.record.events.queries.reading import LakeEvent, daily_counts, events_of, latest_of
from zhike.record.events.rules import EVENT_SCHEMA, EVENTS, MOMENT

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 12, 2, 18, tzinfo=UTC)


def write(seed: int, rows: int, *, customers: int = 5, days: int = 100) -> list[tuple[int, int, bytes, str]]:
    """Write a live file of random events; returns customer, µs, message and event of each."""
    draw = random.Random(seed)
    base = int(NOW.timestamp()) * 10**6
    made = [
        (
            draw.randint(1, customers),
            base - draw.randrange(days * 86400 // 7) * 7 * 10**6,  # Equal times happen.
            draw.randbytes(16),
            draw.choice(["Opened", "Saved"]),
        )
        for _ in range(rows)
    ]
    columns = list(zip(*made, strict=True))
    table = pa.Table.from_arrays(
        [
            pa.array(columns[0], pa.int64()),
            pa.array(np.arange(rows, dtype=np.int64)),
            pa.array(columns[1], pa.int64()).cast(MOMENT),
            pa.array(columns[3]).dictionary_encode(),
            pa.array([draw.randint(1, 4) for _ in made], pa.uint8()),
            pa.array([1] * rows, pa.int32()),
            pa.array(columns[1], pa.int64()).cast(MOMENT),
            pa.array(columns[2], pa.binary(16)),
            pa.array(["{}"] * rows),
        ],
        schema=EVENT_SCHEMA,
    )
    ordered = in_order(table, "customer")
    go_live([write_draft(EVENTS, month, part, final=False) for month, part in by_month(ordered)], [], now=NOW)
    return made


def pages(customer: int, limit: int) -> list[LakeEvent]:
    found: list[LakeEvent] = []
    while page := events_of(customer, before=found[-1].cursor if found else "", limit=limit):
        assert len(page) <= limit
        found += page
    return found


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_give_every_event_once_newest_first(limit: int) -> None:
    made = [row for seed in range(12) for row in write(seed, 40)]
    for _round in range(2):
        for customer in (1, 5):
            found = [(int(each.at.timestamp() * 10**6), each.message) for each in pages(customer, limit)]
            expected = [(at, message) for owner, at, message, _event in made if owner == customer]
            assert found == sorted(expected, reverse=True)
        while compact(NOW):
            pass


def test_a_customer_without_events_has_an_empty_page() -> None:
    write(1, 10)
    assert events_of(99) == []
    beyond = [struct.pack(">q", time) + b"\0" * 16 for time in (2**63 - 2, 10**18, -(2**62))]
    for cursor in ["no cursor", *(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in beyond)]:
        assert events_of(1, before=cursor, limit=3) == events_of(1, limit=3)


def test_a_page_reads_the_newest_month_alone_when_that_fills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        write(seed, 200)
    opened: list[str] = []
    real = reading._rows_of

    def noted(path: str, customer: int, columns: list[str]) -> pa.Table | None:
        opened.append(path)
        return real(path, customer, columns)

    monkeypatch.setattr(reading, "_rows_of", noted)
    events_of(1, limit=5)
    assert all("month=2026-03" in path for path in opened)


def test_counts_by_local_day() -> None:
    made = write(3, 300, days=4)
    zone = ZoneInfo("Asia/Shanghai")
    since, until = NOW - timedelta(days=3), NOW
    found = daily_counts(since=since, until=until, zone=zone, customer_id=2, event="Saved")
    expected: dict[date, int] = {}
    calls = {each.message: each.call for each in pages(2, 1000)}
    for owner, at, message, event in made:
        moment = datetime.fromtimestamp(at / 1e6, UTC)
        if owner == 2 and event == "Saved" and since <= moment < until and calls[message] <= 3:
            day = moment.astimezone(zone).date()
            expected[day] = expected.get(day, 0) + 1
    assert found == {"Saved": expected}
    both = daily_counts(since=since, until=until, zone=zone)
    assert set(both) == {"Opened", "Saved"}
    assert sum(both["Saved"].values()) > sum(expected.values())


def test_the_latest_events_of_a_source() -> None:
    made = write(5, 50)
    newest = sorted(((at, message) for _owner, at, message, _event in made), reverse=True)[:3]
    assert [(int(each.at.timestamp() * 10**6), each.message) for each in latest_of(1, limit=3)] == newest
    assert latest_of(2) == []
    assert LakeFile.objects.exists()
