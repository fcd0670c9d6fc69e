"""What a person does with a touch: make it, put it off, find it not needed, take that back, or add one by hand.

Every one of these claims the touch in one statement, so that two clicks, or two people, count once.
"""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from zhike.act.engagement.models import Touch, TouchKind, TouchState
from zhike.kit.calendars import WorkCalendar
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import audit, company
from zhike.org.jobs import defer
from zhike.org.models import Staff
from zhike.record.customers.models import Contact, Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import Direction, Interaction, Outcome

UNDO_FOR = timedelta(minutes=2)  # The toast offers it for 8 seconds, longer while somebody reads it.


class AlreadyClosed(Refusal):
    message = _("This touch has been closed already, by you in another window or by a colleague.")


class NotClosed(Refusal):
    message = _("This touch is open; there is nothing to take back.")


class NotInThePast(Refusal):
    message = _("A touch can be put off to tomorrow or later, at most a year.")


@transaction.atomic(durable=True)
def complete(
    touch: Touch,
    *,
    outcome: Outcome = Outcome.REACHED,
    text: str = "",
    channel: str = "",
    calendar: WorkCalendar,
    now: datetime,
    by: Staff | None,
) -> Interaction:
    """Note that the contact was made and close the touch; when nobody answered, it comes back the next workday."""
    answered = outcome != Outcome.NO_ANSWER
    if answered:
        _claim(touch, state=TouchState.DONE, closed_at=now, closed_by=by, note=text[:500])
    else:
        again = calendar.add_workdays(company.today(now), 1)
        _claim(touch, snoozed_until=again)
    interaction = _interaction(touch, outcome=outcome, text=text, channel=channel, now=now, by=by)
    Touch.objects.filter(pk=touch.pk).update(interaction=interaction)
    audit.note(
        by, "touch.made", touch, at=now, customer=touch.customer_id, outcome=outcome, channel=interaction.channel
    )
    kind = EventKind.TOUCH_MADE if answered else EventKind.TOUCH_POSTPONED
    detail: dict[str, Any] = {"outcome": outcome, "interaction": interaction.pk, "channel": interaction.channel}
    if not answered:
        detail["before"] = touch.snoozed_until.isoformat() if touch.snoozed_until else None
    Event.append(touch.customer_id, kind, at=now, by=by, touch=touch.pk, key=touch.key, **detail)
    defer("loop.react", customer_id=touch.customer_id)
    return interaction


@transaction.atomic(durable=True)
def postpone(touch: Touch, until: date, *, now: datetime, by: Staff | None) -> None:
    """Take a touch out of the queue until a day; the customer's story notes it, as no contact."""
    today = company.today(now)
    if not today < until <= today + timedelta(days=366):
        raise NotInThePast
    before = touch.snoozed_until
    _claim(touch, snoozed_until=until)
    noted = _interaction(touch, outcome=Outcome.POSTPONED, text="", channel="", now=now, by=by)
    day, former = until.isoformat(), before.isoformat() if before else None
    audit.note(by, "touch.postponed", touch, at=now, customer=touch.customer_id, until=day, before=former)
    Event.append(
        touch.customer_id,
        EventKind.TOUCH_POSTPONED,
        at=now,
        by=by,
        touch=touch.pk,
        key=touch.key,
        interaction=noted.pk,
        until=day,
        before=former,
    )
    defer("loop.react", customer_id=touch.customer_id)


@transaction.atomic(durable=True)
def not_needed(touch: Touch, *, reason: str = "", now: datetime, by: Staff | None) -> None:
    """Close a touch without a contact, with a word of why; the customer's story notes it, as no contact."""
    _claim(touch, state=TouchState.NOT_NEEDED, closed_at=now, closed_by=by, note=reason[:500])
    noted = _interaction(touch, outcome=Outcome.NOT_NEEDED, text=reason[:500], channel="", now=now, by=by)
    audit.note(by, "touch.dropped", touch, at=now, customer=touch.customer_id, reason=reason[:500])
    detail = {"touch": touch.pk, "key": touch.key, "interaction": noted.pk, "reason": reason[:500]}
    Event.append(touch.customer_id, EventKind.TOUCH_DROPPED, at=now, by=by, **detail)
    defer("loop.react", customer_id=touch.customer_id)


@transaction.atomic(durable=True)
def reopen(touch: Touch, *, now: datetime, by: Staff | None) -> None:
    """Take back what was just done with a touch; the contact it noted is taken back too while the undo is fresh."""
    last = _last_act(touch)
    if touch.state == TouchState.OPEN and touch.snoozed_until is None:
        raise NotClosed
    before = date.fromisoformat(last.payload["before"]) if last and last.payload.get("before") else None
    snoozed_until = before if touch.state == TouchState.OPEN else touch.snoozed_until
    reopened = Touch.objects.filter(pk=touch.pk, state=touch.state, snoozed_until=touch.snoozed_until).update(
        state=TouchState.OPEN, closed_at=None, closed_by=None, note="", snoozed_until=snoozed_until
    )
    if not reopened:
        raise NotClosed
    removed = _take_back_interaction(last, now=now)
    audit.note(
        by, "touch.reopened", touch, at=now, customer=touch.customer_id, was=touch.state, interaction_removed=removed
    )
    Event.append(
        touch.customer_id, EventKind.TOUCH_REOPENED, at=now, by=by, touch=touch.pk, key=touch.key, was=touch.state
    )
    defer("loop.react", customer_id=touch.customer_id)


@transaction.atomic(durable=True)
def plan_by_hand(
    customer: Customer,
    *,
    due_on: date,
    title: str,
    words: str = "",
    contact: Contact | None = None,
    channel: str = "",
    urgency: int = 2,
    minutes: int = 15,
    now: datetime,
    by: Staff | None,
) -> Touch:
    """Add a touch that no rule asked for."""
    said = {"zh": words, "en": words} if words else None
    touch = Touch.objects.create(
        customer=customer,
        contact=contact,
        owner_id=customer.owner_id or (by.pk if by else None),
        kind=TouchKind.MANUAL,
        key=f"manual:{now:%Y%m%d%H%M%S%f}",
        reason={"code": "by_hand", "by": by.name if by else ""},
        content={"title": {"zh": title, "en": title}, "words": said},
        channel=channel,
        minutes=minutes,
        urgency=urgency,
        priority=float(urgency),
        due_on=due_on,
        created_on=company.today(now),
    )
    audit.note(by, "touch.planned", touch, at=now, customer=customer.pk, due_on=due_on, title=title)
    Event.append(
        customer.pk, EventKind.TOUCH_PLANNED, at=now, by=by, touch=touch.pk, touch_kind=touch.kind, due_on=str(due_on)
    )
    defer("loop.react", customer_id=customer.pk)
    return touch


def _claim(touch: Touch, **changes: Any) -> None:
    """Change an open touch that stands as the person saw it; whoever comes second is refused."""
    seen = Touch.objects.filter(pk=touch.pk, state=TouchState.OPEN, snoozed_until=touch.snoozed_until)
    if not seen.update(**changes):
        raise AlreadyClosed


def _interaction(
    touch: Touch, *, outcome: Outcome, text: str, channel: str, now: datetime, by: Staff | None
) -> Interaction:
    return Interaction.objects.create(
        customer_id=touch.customer_id,
        contact_id=touch.contact_id,
        at=now,
        channel=channel or touch.channel or "phone",
        direction=Direction.OUT,
        outcome=outcome,
        by=by,
        by_name=by.name if by else "",
        text=text,
        key=f"touch:{touch.pk}:{now.timestamp():.6f}",
        created_at=now,
    )


def _last_act(touch: Touch) -> Event | None:
    kinds = [EventKind.TOUCH_MADE, EventKind.TOUCH_POSTPONED, EventKind.TOUCH_DROPPED]
    found = Event.objects.filter(customer_id=touch.customer_id, kind__in=kinds, payload__touch=touch.pk)
    return found.order_by("-at", "-id").first()


def _take_back_interaction(last: Event | None, *, now: datetime) -> int | None:
    """Remove the contact that the act just taken back had noted; an older one did happen and stays."""
    number = last.payload.get("interaction") if last else None
    if last is None or number is None or now - last.at > UNDO_FOR:
        return None
    Interaction.objects.filter(pk=number).delete()
    return int(number)
