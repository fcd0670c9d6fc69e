"""Attaching: people who have become known, by an import, an edit or another call, get the events that waited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection, transaction

from zhike.kit.failpoints import failpoint, register
from zhike.record.events.models import ChangedCustomer, LakeFile
from zhike.record.events.operations.files import (
    DRAIN_LOCK,
    REWRITE_LOCK,
    Draft,
    by_month,
    go_live,
    try_lock,
    write_draft,
)
from zhike.record.events.operations.merging import ensure_all, in_order
from zhike.record.events.queries import store
from zhike.record.events.rules import EVENTS, WAITING

register("attach.recognised", "attach.written", "attach.live", "attach.counted")

# The rules of `queries.people.Match.of`, for everybody who belongs nowhere yet. More than one match is no match.
UNKNOWN = "p.customer_id IS NULL AND p.merged_into_id IS NULL"
ONCE = "NOT EXISTS (SELECT 1 FROM customers_contact o WHERE {same} AND o.id <> k.id)"
RULES = [
    """UPDATE tracking_person p SET customer_id = c.id FROM customers_customer c
        WHERE p."group" <> '' AND c.ref = p."group" AND {unknown}""",
    """UPDATE tracking_person p SET customer_id = m.customer, contact_id = m.contact FROM (
            SELECT i.person_id, min(k.customer_id) AS customer, min(k.id) AS contact
            FROM tracking_identity i JOIN tracking_person p ON p.id = i.person_id AND {unknown}
            JOIN customers_contact k ON k.ref = i.value WHERE i.kind = 'user' AND {once_ref}
            GROUP BY i.person_id HAVING count(DISTINCT k.id) = 1) m
        WHERE p.id = m.person_id""",
    """UPDATE tracking_person p SET customer_id = k.customer_id, contact_id = k.id FROM customers_contact k
        WHERE p.email <> '' AND lower(k.email) = p.email AND k.email <> '' AND {once_email} AND {unknown}""",
    """UPDATE tracking_person p SET customer_id = m.customer FROM (
            SELECT i.person_id, min(c.id) AS customer
            FROM tracking_identity i JOIN tracking_person p ON p.id = i.person_id AND {unknown}
            JOIN customers_customer c ON c.ref = i.value WHERE i.kind = 'user'
            GROUP BY i.person_id HAVING count(DISTINCT c.id) = 1) m
        WHERE p.id = m.person_id""",
]
WHO_WAITS = """
    SELECT p.id, p.id, p.customer_id FROM tracking_person p WHERE p.waiting > 0 AND p.customer_id IS NOT NULL
    UNION ALL
    SELECT o.id, p.id, p.customer_id FROM tracking_person p JOIN tracking_person o ON o.merged_into_id = p.id
    WHERE p.waiting > 0 AND p.customer_id IS NOT NULL
"""
COUNT = """
    UPDATE tracking_person p SET waiting = greatest(0, p.waiting - n.moved)
    FROM unnest(%s::bigint[], %s::bigint[]) AS n (id, moved) WHERE p.id = n.id
"""
AT_ONCE = 200_000  # Events; then others get their turn.
Places = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Attached:
    """What one pass did: people who became known, files looked through, events that found their customer."""

    people: int = 0
    files: int = 0
    events: int = 0
    is_busy: bool = False


@transaction.atomic(durable=True)
def recognise() -> Attached:
    """Let people who belong nowhere belong to the customer that is known of them by now."""
    if not try_lock(DRAIN_LOCK):
        return Attached(is_busy=True)
    found = 0
    with connection.cursor() as cursor:
        for rule in RULES:
            cursor.execute(
                rule.format(
                    unknown=UNKNOWN,
                    once_ref=ONCE.format(same="o.ref = k.ref"),
                    once_email=ONCE.format(same="lower(o.email) = lower(k.email)"),
                )
            )
            found += cursor.rowcount
    failpoint("attach.recognised")
    return Attached(people=found)


@transaction.atomic(durable=True)
def attach(now: datetime) -> Attached:
    """Move the waiting events of people who are known to their customers, many at a time.

    Returns with `events` = 0 when nothing is left to do; call again otherwise.
    """
    if not try_lock(DRAIN_LOCK, REWRITE_LOCK):
        return Attached(is_busy=True)
    with connection.cursor() as cursor:
        cursor.execute(WHO_WAITS)
        known = np.array(cursor.fetchall(), np.int64).reshape(-1, 3)
    if not len(known):
        return Attached()
    known = known[np.argsort(known[:, 0])]
    files = moved = 0
    for file in LakeFile.objects.filter(kind=WAITING).order_by("pk"):
        found = _attach_from(file, known, now)
        files, moved = files + bool(found), moved + found
        if moved >= AT_ONCE:
            return Attached(files=files, events=moved)
    # None of them waits any more; what is still counted was taken out by erasure or retention.
    _count(known[:, 1], np.full(len(known), np.iinfo(np.int64).max))
    return Attached(files=files, events=moved)


def _attach_from(file: LakeFile, known: np.ndarray[tuple[int, int], np.dtype[np.int64]], now: datetime) -> int:
    """Move from one waiting file what belongs to people who are known; returns how many events."""
    if not np.any((known[:, 0] >= file.least_customer) & (known[:, 0] <= file.most_customer)):
        return 0
    place = store().place(file.path)
    person = pq.read_table(place, columns=["person"], partitioning=None)["person"].to_numpy()
    where = np.minimum(np.searchsorted(known[:, 0], person), len(known) - 1)
    is_known = known[where, 0] == person
    moved = int(is_known.sum())
    if not moved:
        return 0
    rows = pq.read_table(place, partitioning=None)
    customer = pa.array(known[where, 2][is_known])
    found = rows.filter(pa.array(is_known)).set_column(0, rows.schema.field("customer"), customer)
    drafts = _drafts(EVENTS, "customer", found) + _drafts(WAITING, "person", rows.filter(pa.array(~is_known)))
    ensure_all(drafts, file.rows)
    failpoint("attach.written")
    go_live(drafts, [file.pk], now=now)
    failpoint("attach.live")
    roots, counts = np.unique(known[where, 1][is_known], return_counts=True)
    _count(roots, counts)
    ChangedCustomer.note(np.unique(known[where, 2][is_known]).tolist())
    failpoint("attach.counted")
    return moved


def _drafts(kind: str, owner: str, rows: pa.Table) -> list[Draft]:
    if not rows.num_rows:
        return []
    return [write_draft(kind, month, part, final=False) for month, part in by_month(in_order(rows, owner))]


def _count(people: Places, moved: Places) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [people.tolist(), moved.tolist()])
