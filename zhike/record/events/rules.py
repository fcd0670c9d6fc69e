"""The kinds of files in the lake, the columns of each, and how files of a month come together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import pyarrow as pa

USAGE, EVENTS, WAITING, SEEN = "usage", "events", "waiting", "seen"
KINDS = (USAGE, EVENTS, WAITING, SEEN)
DIGEST = 16  # Bytes of the digest that stands for a message.
MOMENT = pa.timestamp("us", tz="UTC")

USAGE_SCHEMA = pa.schema(
    [
        pa.field("customer", pa.int64(), nullable=False),
        pa.field("at", MOMENT, nullable=False),
        pa.field("event", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("users", pa.int64()),
    ]
)
EVENT_SCHEMA = pa.schema(
    [
        pa.field("customer", pa.int64(), nullable=False),
        pa.field("person", pa.int64(), nullable=False),
        pa.field("at", MOMENT, nullable=False),
        pa.field("event", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("call", pa.uint8(), nullable=False),
        pa.field("source", pa.int32(), nullable=False),
        pa.field("received", MOMENT, nullable=False),
        pa.field("message", pa.binary(DIGEST), nullable=False),
        pa.field("properties", pa.string(), nullable=False),
    ]
)
SCHEMAS = {USAGE: USAGE_SCHEMA, EVENTS: EVENT_SCHEMA, WAITING: EVENT_SCHEMA}
OWNERS = {USAGE: "customer", EVENTS: "customer", WAITING: "person"}  # What a kind's files are sorted by, before time.

TOGETHER = 8  # As many files of like size become one.
AT_MOST = 24  # Files that come together in one go.
SMALLEST = 4_096  # Rows; files below this count as of like size.
ROWS_IN_FILE = 1_000_000  # About as many rows has a file that is not grown further.
ROWS_IN_SEEN = 32_000_000  # The same for digests.
ROWS_IN_GROUP = 8_192  # One customer's page of events reads a few of these groups.


class Sized(NamedTuple):
    """What choosing files needs to know of one: `span` is the month, or day, that it does not leave."""

    pk: int
    span: date
    rows: int


def level(rows: int) -> int:
    """Return how often a file of so many rows has come together with others of its size: 0, 1, 2, …"""
    found = 0
    while rows > SMALLEST:
        rows //= TOGETHER
        found += 1
    return found


def to_compact(files: Sequence[Sized], *, full: int = ROWS_IN_FILE, least: int = TOGETHER) -> list[int]:
    """Return the files of one kind that should become one now, or none: `least` or more of one span and of like size.

    The smallest come first, they are the most. Files that have half of `full` rows are left as they are.
    """
    groups: dict[tuple[int, date], list[Sized]] = {}
    for each in files:
        if each.rows < full // 2:
            groups.setdefault((level(each.rows), each.span), []).append(each)
    for key in sorted(groups):
        if len(groups[key]) >= least:
            return [each.pk for each in sorted(groups[key])[:AT_MOST]]
    return []
