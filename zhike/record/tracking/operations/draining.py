"""From the inbox into the lake, exactly once: files are written first, then one transaction makes them live, notes
what they tell, and deletes the rows they came from."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import psycopg
import pyarrow as pa
from django.db import DataError, connection, transaction

from zhike.kit.failpoints import failpoint, register
from zhike.org import company
from zhike.record.events.models import ChangedCustomer
from zhike.record.events.operations.files import (
    DRAIN_LOCK,
    Draft,
    by_month,
    go_live,
    try_lock,
    write_draft,
    write_seen,
)
from zhike.record.events.rules import EVENT_SCHEMA, EVENTS, MOMENT, WAITING
from zhike.record.tracking.models import Inbox
from zhike.record.tracking.operations import decoding, noting
from zhike.record.tracking.operations.decoding import EPOCH, Batch, Digests, InboxRow, Integers, Unreadable
from zhike.record.tracking.operations.people import Census
from zhike.record.tracking.operations.remembering import came_before, first_of_their_kind
from zhike.record.tracking.operations.settling import give_numbers, settle
from zhike.record.tracking.rules.packing import unpacked

register("drain.read", "drain.placed", "drain.drafted", "drain.live", "drain.noted", "drain.deleted")

log = logging.getLogger(__name__)
AT_ONCE = 1_000  # Inbox rows asked for at a time.
MOST_BYTES = 64 * 2**20  # Of bodies in one pass, so that large events do not take more memory than small ones.
UNSTORABLE = (DataError, pa.ArrowInvalid, OverflowError, UnicodeError)


@dataclass(frozen=True, slots=True)
class Drained:
    """What one pass did. `is_busy`: somebody else drains."""

    rows: int = 0
    events: int = 0
    duplicates: int = 0
    refused: int = 0
    waiting: int = 0
    files: int = 0
    is_busy: bool = False


def drain(now: datetime, *, limit: int = 50_000) -> Drained:
    """Move the oldest rows of the inbox, of about `limit` events, into the lake.

    One drains at a time; whoever finds another at it does nothing. A row that cannot be stored is refused where a
    person sees it, and stops nobody.
    """
    while True:
        try:
            with _no_collecting():
                return _drain(now, limit)
        except UNSTORABLE as error:
            log.warning("a batch of %d events could not be stored: %s", limit, error)
            if limit <= 1:
                return _refuse_oldest(now, str(error))
            limit //= 8


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Keep Python from looking for circles among a batch's hundred thousands of objects: there are none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@transaction.atomic(durable=True)
def _drain(now: datetime, limit: int) -> Drained:
    if not try_lock(DRAIN_LOCK):
        return Drained(is_busy=True)
    rows = _oldest(limit)
    if not rows:
        return Drained()
    batch = decoding.read(rows)
    failpoint("drain.read")
    digests, kept = _fresh(batch, min(row.received for row in rows))
    waiting = files = 0
    if len(kept):
        events, drafts = _placed(batch, kept)
        drafts += _remembered(batch, kept, digests)
        failpoint("drain.drafted")
        go_live(drafts, [], now=now)
        failpoint("drain.live")
        noting.note_features(events, company.zone())
        waiting, files = sum(each.rows for each in drafts if each.kind == WAITING), len(drafts)
    _note(batch, kept)
    failpoint("drain.noted")
    _delete(rows)
    failpoint("drain.deleted")
    came = len(batch.calls)
    return Drained(len(rows), len(kept), came - len(kept), len(batch.unreadable), waiting, files)


def _oldest(limit: int) -> list[InboxRow]:
    """Return the oldest rows, of `limit` events or a little more."""
    found: list[InboxRow] = []
    events, size, last, none_left = 0, 0, 0, False
    # Binary, as the bodies would come in hexadecimal digits otherwise; Django's own cursors cannot.
    with connection.wrap_database_errors, connection.cursor() as plain, psycopg.Cursor(plain.connection) as cursor:
        while events < limit and size < MOST_BYTES and not none_left:
            cursor.execute(
                """SELECT id, source_id, received_at, sent_at, body, events FROM tracking_inbox
                WHERE id > %s ORDER BY id LIMIT %s""",
                [last, AT_ONCE],
                binary=True,
            )
            page = cursor.fetchall()
            none_left = len(page) < AT_ONCE
            for pk, source, received, sent, kept, count in page:
                body = unpacked(kept)
                found.append(InboxRow(pk, source, received, sent, body))
                events, size, last = events + count, size + len(body), pk
                if events >= limit or size >= MOST_BYTES:
                    break
    return found


def _fresh(batch: Batch, oldest: datetime) -> tuple[Digests, Integers]:
    """Return the digests, sorted, of the events that did not come before, and the places of those, in order."""
    digests, places = first_of_their_kind(batch.digests)
    new = ~came_before(digests, oldest)
    return digests[:, new], np.sort(places[new])


def _placed(batch: Batch, kept: Integers) -> tuple[pa.Table, list[Draft]]:
    """Find out who it was, write that down, and write the events as drafts."""
    calls = [batch.calls[place] for place in kept]
    placed = Census(calls).place()
    give_numbers(placed.new)
    customer = np.array(placed.customers, np.int64)
    person = np.array([who.pk for who in placed.whos], np.int64)
    at = batch.at[kept]
    waits = (customer == 0).astype(np.int64)
    settle(placed, pa.table({"person": person, "at": at, "waits": waits}))
    failpoint("drain.placed")
    table = pa.Table.from_arrays(
        [
            pa.array(customer),
            pa.array(person),
            pa.array(at).cast(MOMENT),
            pa.array(decoding.titles(calls), pa.string()).dictionary_encode(),
            pa.array(decoding.numbers(calls)),
            pa.array(batch.source[kept].astype(np.int32)),
            pa.array(batch.received[kept]).cast(MOMENT),
            decoding.as_bytes(batch.digests[:, kept]),
            decoding.properties(calls),
        ],
        schema=EVENT_SCHEMA,
    )
    drafts = [
        write_draft(kind, month, rows, final=False)
        for kind, order in (
            (EVENTS, _in_order(np.flatnonzero(customer), customer, at)),
            (WAITING, _in_order(np.flatnonzero(waits), person, at)),
        )
        if len(order)
        for month, rows in by_month(table.take(pa.array(order)))
    ]
    ChangedCustomer.note(np.unique(customer[customer > 0]).tolist())
    return table, drafts


def _in_order(places: Integers, owner: Integers, at: Integers) -> Integers:
    order: Integers = places[np.lexsort((at[places], owner[places]))]
    return order


def _remembered(batch: Batch, kept: Integers, digests: Digests) -> list[Draft]:
    received = batch.received[kept]
    first, last = (EPOCH + timedelta(microseconds=int(each)) for each in (received.min(), received.max()))
    return [write_seen(digests, first, last)]


def _note(batch: Batch, kept: Integers) -> None:
    accepted = np.zeros(len(batch.calls), np.bool_)
    accepted[kept] = True
    if len(accepted):
        noting.note_minutes(pa.array(batch.source), pa.array(batch.received), pa.array(accepted))
    _refuse(batch.unreadable)


def _refuse(unreadable: Sequence[Unreadable]) -> None:
    for lost in noting.refuse(unreadable):
        log.error("an unreadable event of the removed source %d was dropped: %s", lost.source, lost.detail)


def _delete(rows: Sequence[InboxRow]) -> None:
    deleted, _of = Inbox.objects.filter(pk__in=[row.pk for row in rows]).delete()
    if deleted != len(rows):
        raise RuntimeError(f"{len(rows)} rows of the inbox were read and {deleted} found again")


@transaction.atomic(durable=True)
def _refuse_oldest(now: datetime, detail: str) -> Drained:
    """Take the one row that cannot be stored out of the way."""
    if not try_lock(DRAIN_LOCK):
        return Drained(is_busy=True)
    rows = _oldest(1)
    _refuse([Unreadable(row.source, row.received, detail, row.body) for row in rows])
    _delete(rows)
    return Drained(rows=len(rows), refused=len(rows))
