"""Logging what was said with a customer, and taking a slip back."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import audit
from zhike.org.models import Staff
from zhike.record.customers.models import Contact, Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import Direction, Interaction, Outcome

UNDO_FOR = timedelta(minutes=15)
CLOCKS_DIFFER = timedelta(minutes=5)


class NotYet(Refusal):
    message = _("An interaction cannot lie in the future.")


class NotTheirContact(Refusal):
    message = _("This contact belongs to another customer.")


class TooLateToUndo(Refusal):
    message = _("Only what you logged yourself in the last 15 minutes can be taken back.")


@transaction.atomic(durable=True)
def log(
    customer: Customer,
    *,
    channel: str,
    text: str,
    at: datetime,
    by: Staff | None,
    now: datetime,
    direction: str = Direction.OUT,
    outcome: str = Outcome.REACHED,
    contact: Contact | None = None,
) -> Interaction:
    """Log an interaction with a customer, with its event and its audit line."""
    if at > now + CLOCKS_DIFFER:
        raise NotYet
    if contact is not None and contact.customer_id != customer.pk:
        raise NotTheirContact
    interaction = Interaction.objects.create(
        customer=customer,
        contact=contact,
        at=at,
        channel=channel,
        direction=direction,
        outcome=outcome,
        by=by,
        by_name=by.name if by else "",
        text=text,
        key=f"log:{uuid.uuid4().hex}",
        created_at=now,
    )
    detail = {"interaction": interaction.pk, "channel": channel, "direction": direction, "outcome": outcome}
    Event.append(customer.pk, EventKind.INTERACTION_LOGGED, at=at, by=by, **detail)
    audit.note(by, "interaction.logged", interaction, at=now, customer=customer.pk, channel=channel, outcome=outcome)
    return interaction


@transaction.atomic(durable=True)
def take_back(interaction: Interaction, *, by: Staff, now: datetime) -> None:
    """Remove an interaction that the same person has just logged by mistake; its event and audit lines stay."""
    own = Interaction.objects.filter(pk=interaction.pk, by=by, created_at__gte=now - UNDO_FOR, key__startswith="log:")
    if not own.exists():
        raise TooLateToUndo
    audit.note(
        by,
        "interaction.taken_back",
        interaction,
        at=now,
        customer=interaction.customer_id,
        channel=interaction.channel,
        text=interaction.text,
    )
    own.delete()
