"""Rows of the inbox as columns: what was sent, when it happened, and the digest that knows a message again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zhike.record.events.rules import DIGEST, MOMENT
from zhike.record.tracking.rules import CALLS, MESSAGE_ID_LIMIT, NAME_LIMIT, OLDEST, read_time

Integers = np.ndarray[tuple[int], np.dtype[np.int64]]
Digests = np.ndarray[tuple[int, int], np.dtype[np.uint64]]
Name = Annotated[str, msgspec.Meta(max_length=NAME_LIMIT)]
NOTHING = msgspec.Raw(b"{}")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_TIME = np.iinfo(np.int64).min


class Context(msgspec.Struct, rename="camel", gc=False):
    group_id: Name | int | None = None


class Call(msgspec.Struct, rename="camel", gc=False):
    """An event as the inbox holds it (see `rules.Event`); what is only handed on stays as it was written."""

    type: Literal["track", "page", "screen", "identify", "group", "alias"]
    message_id: Annotated[str, msgspec.Meta(max_length=MESSAGE_ID_LIMIT, min_length=1)]
    user_id: Name | int | None = None
    anonymous_id: Name | int | None = None
    previous_id: Name | int | None = None
    group_id: Name | int | None = None
    event: Name | None = None
    name: Name | None = None
    timestamp: str | None = None
    properties: msgspec.Raw = NOTHING
    traits: msgspec.Raw = NOTHING
    context: Context | None = None


class InboxRow(NamedTuple):
    pk: int
    source: int
    received: datetime
    sent: datetime | None
    body: bytes


class Unreadable(NamedTuple):
    """Something in the inbox that is no event: refused where a person sees it."""

    source: int
    received: datetime
    detail: str
    body: bytes


@dataclass(slots=True)
class Batch:
    """Events in the order in which they came, as columns of equal length; times in µs since 1970."""

    calls: list[Call] = field(default_factory=list)
    source: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    received: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    at: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    digests: Digests = field(default_factory=lambda: np.empty((2, 0), np.uint64))
    unreadable: list[Unreadable] = field(default_factory=list)


_BODY = msgspec.json.Decoder(list[Call])
_PIECES = msgspec.json.Decoder(list[msgspec.Raw])
_CALL = msgspec.json.Decoder(Call)
_WRONG = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read(rows: Sequence[InboxRow]) -> Batch:
    """Return the events of inbox rows; what cannot be read is told apart and stops nothing."""
    batch = Batch()
    counts = []
    prefixes: list[bytes] = []
    for row in rows:
        try:
            calls = _BODY.decode(row.body)
        except _WRONG:
            calls = _readable(row, batch.unreadable)
        batch.calls += calls
        counts.append(len(calls))
        prefixes += [row.source.to_bytes(8, "big", signed=True)] * len(calls)
    batch.source = np.repeat(np.array([row.source for row in rows], np.int64), counts)
    batch.received = np.repeat(np.array([_microseconds(row.received) for row in rows], np.int64), counts)
    sent = np.repeat(np.array([_microseconds(row.sent) for row in rows], np.int64), counts)
    batch.at = _happened(_times([call.timestamp for call in batch.calls]), sent, batch.received)
    batch.digests = _digests(prefixes, [call.message_id for call in batch.calls])
    return batch


def _readable(row: InboxRow, unreadable: list[Unreadable]) -> list[Call]:
    """Return what can be read of a row that cannot be read as a whole."""
    try:
        pieces = _PIECES.decode(row.body)
    except _WRONG as error:
        unreadable.append(Unreadable(row.source, row.received, str(error), row.body))
        return []
    calls = []
    for piece in pieces:
        try:
            calls.append(_CALL.decode(piece))
        except _WRONG as error:
            unreadable.append(Unreadable(row.source, row.received, str(error), bytes(piece)))
    return calls


def _microseconds(moment: datetime | None) -> int:
    return NO_TIME if moment is None else (moment - EPOCH) // timedelta(microseconds=1)


def _times(texts: list[str | None]) -> Integers:
    """Return timestamps in µs, `NO_TIME` where there is none; nearly all are written as Arrow reads them."""
    try:
        times = pa.array(texts, pa.string()).cast(MOMENT)
    except pa.ArrowInvalid:
        times = pa.array([read_time(text) if text else None for text in texts], MOMENT)
    return np.asarray(pc.fill_null(times.cast(pa.int64()), NO_TIME))


def _happened(times: Integers, sent: Integers, received: Integers) -> Integers:
    """Return what `rules.happened_at` says, for all at once; never before the oldest time that is kept."""
    at = np.where(sent == NO_TIME, times, times - sent + received)
    at = np.where(times == NO_TIME, received, at)
    return np.maximum(np.minimum(at, received), _microseconds(OLDEST))


def _digests(prefixes: list[bytes], messages: list[str]) -> Digests:
    """Return the upper and lower halves of BLAKE2b-16 of source and messageId, as numbers that sort like the bytes."""
    found = b"".join(
        [
            blake2b(prefix + message.encode(), digest_size=DIGEST).digest()
            for prefix, message in zip(prefixes, messages, strict=True)
        ]
    )
    halves = np.frombuffer(found, ">u8").reshape(-1, 2)
    return np.ascontiguousarray(halves.T.astype(np.uint64))


def as_bytes(digests: Digests) -> pa.Array:
    """Return digests as the lake keeps them."""
    packed = np.ascontiguousarray(digests.T.astype(">u8")).tobytes()
    return pa.Array.from_buffers(pa.binary(DIGEST), digests.shape[1], [None, pa.py_buffer(packed)])


def text(value: str | int | None) -> str:
    """Return a name as it is kept: numbers as digits, nothing as an empty text."""
    return value if type(value) is str else "" if value is None else str(value)


def texts(values: Sequence[str | int | None]) -> list[str]:
    return [value if type(value) is str else text(value) for value in values]


def titles(calls: Sequence[Call]) -> list[str]:
    """Return the names of the events: of a track call its event, of a page or screen its name, else the call itself."""
    return [
        (call.event if call.type == "track" else call.name if call.type in NAMED else None) or call.type
        for call in calls
    ]


NAMED = {"page", "screen"}


def numbers(calls: Sequence[Call]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.array([_NUMBER[call.type] for call in calls], np.uint8)


def properties(calls: Sequence[Call]) -> pa.Array:
    """Return what an event carries, as JSON: the traits of identify and group, the properties of the others."""
    carried: list[Any] = [bytes(call.traits if call.type in TRAITED else call.properties) for call in calls]
    return pa.array(carried, pa.string())


TRAITED = {"identify", "group"}
_NUMBER = {name: int(call) for name, call in CALLS.items()}
