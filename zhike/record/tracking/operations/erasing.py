"""Erasing a person, or a customer, from everything that tracking keeps; the receipt names nobody."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable
from datetime import datetime

import msgspec
import numpy as np
import pyarrow as pa
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest

from zhike.kit.failpoints import failpoint, register
from zhike.org import audit
from zhike.org.models import Staff
from zhike.record.customers.models import Customer
from zhike.record.events.models import ErasureReceipt, LakeFile
from zhike.record.events.operations.files import DRAIN_LOCK, LAKE_LOCK, REWRITE_LOCK, lock
from zhike.record.events.operations.removing import Doomed, Marks, Removed, remove_rows, retain_next
from zhike.record.events.operations.sweeping import remove_unnamed
from zhike.record.events.rules import EVENTS, USAGE, WAITING
from zhike.record.tracking.models import Identity, Inbox, Person
from zhike.record.tracking.operations.decoding import Call, text
from zhike.record.tracking.rules.packing import packed, unpacked

register("erase.inbox", "erase.removed", "erase.forgotten", "erase.committed", "erase.gone")

_PIECES = msgspec.json.Decoder(list[msgspec.Raw])
_CALL = msgspec.json.Decoder(Call)
_WRONG = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def erase_person(
    person_ids: Collection[int], *, customer_id: int | None = None, by: Staff | None, reason: str, now: datetime
) -> ErasureReceipt:
    """Remove these people's events from every live file, the inbox and the refused ones, and all that is known of them.

    With `customer_id` all people and events of that customer go as well, imported usage included. Digests of messages
    stay, so that a client that sends an erased event again does not bring it back. The old files leave the disk at
    once, not after the time of grace: who is reading one asks again.
    """
    receipt = _erase(person_ids, customer_id, by, reason, now)
    failpoint("erase.committed")
    finish_erasures(now)
    receipt.refresh_from_db()
    return receipt


@transaction.atomic(durable=True)
def _erase(
    person_ids: Collection[int], customer_id: int | None, by: Staff | None, reason: str, now: datetime
) -> ErasureReceipt:
    lock(DRAIN_LOCK, LAKE_LOCK, REWRITE_LOCK)
    people = _people(person_ids, customer_id)
    names = set(Identity.objects.filter(person__in=people).values_list("value", flat=True))
    emails = set(Person.objects.filter(pk__in=people).exclude(email="").values_list("email", flat=True))
    group = Customer.objects.filter(pk=customer_id or 0).values_list("ref", flat=True).first() or ""
    rows = _erase_from_inbox(names, group) + _erase_refused(names | emails | ({group} - {""}))
    failpoint("erase.inbox")
    kinds = [EVENTS, WAITING, USAGE] if customer_id else [EVENTS, WAITING]
    files = LakeFile.objects.filter(kind__in=kinds).order_by("pk")
    removed = remove_rows(files, _of(people, customer_id), now=now)
    failpoint("erase.removed")
    Person.objects.filter(pk__in=people).delete()
    receipt = ErasureReceipt.objects.create(
        subject=_subject([*names, group] if group else names),
        asked_at=now,
        by=by,
        reason=reason,
        rows=rows + removed.rows,
        files=removed.files,
    )
    audit.note(by, "tracking.erased", receipt, at=now, people=len(people), rows=receipt.rows, files=len(receipt.files))
    failpoint("erase.forgotten")
    return receipt


@transaction.atomic(durable=True)
def finish_erasures(now: datetime) -> int:
    """Remove every file that no row names, if an erasure waits for that; returns how many receipts are done now."""
    unfinished = ErasureReceipt.objects.filter(done_at=None)
    if not unfinished.exists():
        return 0
    lock(DRAIN_LOCK, LAKE_LOCK, REWRITE_LOCK)  # Nobody is writing a file that is not named yet.
    remove_unnamed(grace=0)
    failpoint("erase.gone")
    return unfinished.update(done_at=now)


def _people(person_ids: Collection[int], customer_id: int | None) -> list[int]:
    """Return these people with everybody who was found to be one of them."""
    chosen = Q(pk__in=person_ids) | (Q(customer=customer_id) if customer_id else Q(pk__in=[]))
    roots = {root or pk for pk, root in Person.objects.filter(chosen).values_list("pk", "merged_into")}
    return sorted(roots | set(Person.objects.filter(merged_into__in=roots).values_list("pk", flat=True)))


def _of(people: Collection[int], customer_id: int | None) -> Doomed:
    known = pa.array(people, pa.int64()).to_numpy()

    def doomed(rows: pa.Table) -> Marks:
        marks = np.zeros(rows.num_rows, np.bool_)
        if "person" in rows.schema.names:
            marks |= np.isin(rows["person"].to_numpy(), known)
        if customer_id:
            marks |= rows["customer"].to_numpy() == customer_id
        return marks

    return doomed


def _erase_from_inbox(names: Collection[str], group: str) -> int:
    """Take a person's events out of what still waits to be drained; returns how many."""
    gone = 0
    for row in Inbox.objects.order_by("pk").iterator(chunk_size=200):
        try:
            pieces = _PIECES.decode(unpacked(bytes(row.body)))
        except _WRONG:
            continue  # It will be refused, and a refused event is found by its text.
        kept = [piece for piece in pieces if not _names(piece, names, group)]
        if len(kept) == len(pieces):
            continue
        gone += len(pieces) - len(kept)
        if kept:
            Inbox.objects.filter(pk=row.pk).update(body=packed(msgspec.json.encode(kept)), events=len(kept))
        else:
            Inbox.objects.filter(pk=row.pk).delete()
    return gone


def _names(piece: msgspec.Raw, names: Collection[str], group: str) -> bool:
    try:
        call = _CALL.decode(piece)
    except _WRONG:
        return any(pattern.strip("%") in bytes(piece).decode(errors="replace") for pattern in _patterns(names))
    shown = {text(call.user_id), text(call.anonymous_id), text(call.previous_id)} - {""}
    groups = {text(call.group_id), text(call.context.group_id) if call.context else ""}
    return bool(shown & set(names)) or (group != "" and group in groups)


def _erase_refused(names: Iterable[str]) -> int:
    patterns = [pattern.replace("\\", "\\\\").replace("_", "\\_") for pattern in _patterns(names)]
    if not patterns:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tracking_refusedevent WHERE body ILIKE ANY(%s)", [patterns])
        return int(cursor.rowcount)


def _patterns(names: Iterable[str]) -> list[str]:
    """Return how the names may stand in JSON: as text, with or without escapes, or as a number after a colon."""
    found = []
    for name in names:
        found += [f"%{json.dumps(name)}%", f"%{json.dumps(name, ensure_ascii=False)}%"]
        if name.isdigit():
            found += [f'%Id":{name}%', f'%Id": {name}%']
    return found


def _subject(names: Iterable[str]) -> str:
    """Return a digest that only this installation can compute: whoever asks again with the names finds the receipt."""
    return hmac.new(settings.SECRET_KEY.encode(), "\n".join(sorted(names)).encode(), hashlib.sha256).hexdigest()


def retain(now: datetime) -> Removed:
    """Take out of all files what is older than the rules of retention allow; returns what went."""
    total, after = Removed(), 0
    while after := retain_next(now, after, lambda gone: _let_go(gone, total)):
        pass
    return total


def _let_go(gone: Removed, total: Removed) -> None:
    total.add(gone)
    for person, count in sorted(gone.waited.items()):
        Person.objects.filter(pk=person).update(waiting=Greatest(F("waiting") - count, 0))
