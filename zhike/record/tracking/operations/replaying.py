"""Refused events: sent through the same checks again, and forgotten after a week."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from zhike.kit.refusal import Refusal
from zhike.org import audit, company
from zhike.org.models import Staff
from zhike.record.tracking.models import FeatureDay, Inbox, RefusedEvent, StreamMinute
from zhike.record.tracking.rules import INBOX, REASONS, happened_at, read_time
from zhike.record.tracking.rules.checking import Checked, Unreadable, check

KEPT_FOR = timedelta(days=7)
MINUTES_KEPT_FOR = timedelta(days=30)
DAYS_KEPT_FOR = timedelta(days=400)
AT_ONCE = 2_000


class StillRefused(Refusal):
    message = _("The event is still refused: %(sentence)s %(detail)s")


class AlreadyReplayed(Refusal):
    message = _("This event was replayed already.")


class NotJson(Refusal):
    message = _("This is not one JSON object.")


@dataclass(frozen=True)
class Replayed:
    """How many of the asked events were taken in now, how many are still refused, and how many were left for later."""

    accepted: int
    refused: int
    left: int = 0


@transaction.atomic(durable=True)
def replay_one(refused: RefusedEvent, body: str, *, by: Staff, now: datetime) -> None:
    """Send one refused event, as a person mended it, through the checks and into the inbox."""
    claimed = RefusedEvent.objects.select_for_update().get(pk=refused.pk)
    if claimed.replayed_at is not None:
        raise AlreadyReplayed
    checked = _checked(body, claimed.received_at)
    if checked is None:
        raise NotJson
    if checked.refused:
        wrong = checked.refused[0]
        raise StillRefused(sentence=gettext(REASONS[wrong.reason]), detail=wrong.detail)
    _take_in([(claimed, checked)], now)
    audit.note(by, "stream.replayed", claimed, at=now, mended=body != claimed.body)


@transaction.atomic(durable=True)
def replay_all(rows: models.QuerySet[RefusedEvent], *, by: Staff, now: datetime) -> Replayed:
    """Send many refused events, oldest first, through the checks again; at most 2,000 at a time."""
    waiting = rows.filter(replayed_at=None)
    claimed = list(waiting.select_for_update(of=("self",)).order_by("id")[:AT_ONCE])
    good = []
    for one in claimed:
        checked = _checked(one.body, one.received_at)
        if checked is not None and not checked.refused:
            good.append((one, checked))
    _take_in(good, now)
    done = Replayed(len(good), len(claimed) - len(good), waiting.count() - (len(claimed) - len(good)))
    audit.note(by, "stream.replayed_many", ("refused", ""), at=now, accepted=done.accepted, refused=done.refused)
    return done


def _checked(body: str, received: datetime) -> Checked | None:
    """Return what the door says of a single event today, or None when it is not one JSON value."""
    raw = body.encode(errors="replace")
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
        return check(b'{"batch":[' + raw + b"]}", "batch", received, lambda: f"zhike-{uuid.uuid4().hex}")
    except (msgspec.DecodeError, RecursionError, Unreadable):
        return None


def _take_in(events: Sequence[tuple[RefusedEvent, Checked]], now: datetime) -> None:
    """Write events into the inbox with the moment at which they happened, and mark what they were."""
    rows = []
    for refused, checked in events:
        for row in checked.rows:
            body = _as_of_then(row.body, row.sent_at, refused.received_at)
            rows.append(Inbox(source_id=refused.source_id, received_at=now, events=row.events, body=body))
    Inbox.objects.bulk_create(rows)
    RefusedEvent.objects.filter(pk__in=[refused.pk for refused, _ in events]).update(replayed_at=now)


def _as_of_then(body: bytes, sent_at: datetime | None, received: datetime) -> bytes:
    """Fix when the events happened, for the inbox will say that they are received now."""
    events = INBOX.decode(body)
    for event in events:
        moment = read_time(event.timestamp) if event.timestamp else None
        event.timestamp = happened_at(moment, sent_at, received).isoformat()
    return msgspec.json.encode(events)


@transaction.atomic(durable=True)
def forget_old(*, now: datetime) -> int:
    """Remove what was kept long enough: refused events, minutes of the stream, daily counts of features."""
    StreamMinute.objects.filter(minute__lt=now - MINUTES_KEPT_FOR).delete()
    FeatureDay.objects.filter(day__lt=company.today(now) - DAYS_KEPT_FOR).delete()
    return RefusedEvent.objects.filter(received_at__lt=now - KEPT_FOR).delete()[0]
