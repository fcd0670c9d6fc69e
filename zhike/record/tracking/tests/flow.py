"""What tests of the stream do: put events into the inbox, and read what live files of the lake hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import pyarrow.parquet as pq

from zhike.record.customers.models import Contact, Customer
from zhike.record.events.models import LakeFile
from zhike.record.events.queries import halves, store
from zhike.record.events.rules import EVENTS, SEEN, WAITING
from zhike.record.tracking.models import Inbox, Person, Source
from zhike.record.tracking.rules.packing import packed

NOW = datetime(2026, 3, 12, 2, 18, tzinfo=UTC)


def source(name: str = "Web") -> Source:
    return Source.objects.get_or_create(name=name, defaults={"created_at": NOW})[0]


def customer(ref: str) -> Customer:
    return Customer.objects.create(ref=ref, name=ref, sort_key=ref, created_at=NOW, updated_at=NOW)


def contact(of: Customer, ref: str, email: str = "") -> Contact:
    return Contact.objects.create(customer=of, ref=ref, name=ref, email=email, created_at=NOW, updated_at=NOW)


def event(message: str, user: str | None = "u1", **more: Any) -> dict[str, Any]:
    """Return a track call as the inbox holds it; more fields by their names in JSON."""
    given = {"type": "track", "messageId": message, "userId": user, "event": "Opened", **more}
    return {name: value for name, value in given.items() if value is not None}


def put_in(
    *events: dict[str, Any], received: datetime = NOW, sent: datetime | None = None, source_id: int | None = None
) -> Inbox:
    body = packed(json.dumps(events, ensure_ascii=False).encode())
    at = source_id or source().pk
    return Inbox.objects.create(source_id=at, received_at=received, sent_at=sent, events=len(events), body=body)


def live(*kinds: str) -> list[dict[str, Any]]:
    """Return all rows of the live files of these kinds, of events and waiting ones if none is named."""
    found: list[dict[str, Any]] = []
    for file in LakeFile.objects.filter(kind__in=kinds or (EVENTS, WAITING)).order_by("pk"):
        rows = pq.read_table(store().place(file.path), partitioning=None).to_pylist()
        assert len(rows) == file.rows
        assert rows == sorted(rows, key=lambda row: (row["person" if file.kind == WAITING else "customer"], row["at"]))
        assert {(row["at"].year, row["at"].month) for row in rows} == {(file.month.year, file.month.month)}
        assert min(row["at"] for row in rows) == file.first_at
        assert max(row["at"] for row in rows) == file.last_at
        owners = [row["customer" if file.kind == EVENTS else "person"] for row in rows]
        assert (min(owners), max(owners)) == (file.least_customer, file.most_customer)
        assert all((row["customer"] > 0) == (file.kind == EVENTS) for row in rows)
        found += rows
    return found


def messages(rows: Sequence[dict[str, Any]]) -> list[bytes]:
    return sorted(row["message"] for row in rows)


def digest(message: str, source_id: int | None = None) -> bytes:
    prefix = (source_id or source().pk).to_bytes(8, "big", signed=True)
    return blake2b(prefix + message.encode(), digest_size=16).digest()


def remembered() -> list[bytes]:
    """Return the digests of all live files of the kind `seen`."""
    found = []
    for file in LakeFile.objects.filter(kind=SEEN):
        upper, lower = halves(file.path)
        assert len(upper) == file.rows
        assert list(upper) == sorted(upper)
        found += [int(a).to_bytes(8, "big") + int(b).to_bytes(8, "big") for a, b in zip(upper, lower, strict=True)]
    return sorted(found)


def person(name: str, kind: str = "user") -> Person:
    return Person.objects.get(identities__kind=kind, identities__value=name)
