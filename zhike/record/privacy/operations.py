"""How long events are kept, and forgetting a person on request."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org import audit, works
from zhike.org.jobs import defer
from zhike.org.models import Staff, Work
from zhike.record.customers.models import Contact
from zhike.record.events.models import ErasureReceipt, RetentionRule
from zhike.record.tracking.operations import erase_person


class NobodyToErase(Refusal):
    message = _("Nobody is known under this name any more; nothing was erased.")


@transaction.atomic(durable=True)
def keep_for(event: str, days: int, *, by: Staff | None, now: datetime) -> RetentionRule:
    """Keep events of this name for so many days from now on; `*` is for all that have no rule of their own."""
    rule, made = RetentionRule.objects.get_or_create(event=event, defaults={"days": days})
    before = None if made else rule.days
    RetentionRule.objects.filter(pk=rule.pk).update(days=days)
    audit.note(by, "retention.set", rule, at=now, event=event, before=before, after=days)
    rule.refresh_from_db()
    return rule


@transaction.atomic(durable=True)
def keep_without_end(rule: RetentionRule, *, by: Staff | None, now: datetime) -> None:
    """Take a rule back: what is still there stays."""
    audit.note(by, "retention.dropped", rule, at=now, event=rule.event, before=rule.days)
    rule.delete()


@transaction.atomic(durable=True)
def ask_to_erase(people: Collection[int], contacts: Collection[int], *, reason: str, by: Staff, now: datetime) -> Work:
    """Ask for these people and contacts to be erased and return the work, to be watched on its card."""
    if not people and not contacts:
        raise NobodyToErase
    work = works.start("privacy.erase", gettext("Erase a person"), by=by, now=now)
    defer(
        "privacy.erase",
        work_id=work.pk,
        people=sorted(people),
        contacts=sorted(contacts),
        reason=reason,
        asked_by=by.pk,
    )
    return work


def erase(
    people: Collection[int], contacts: Collection[int], *, reason: str, by: Staff | None, now: datetime
) -> ErasureReceipt:
    """Remove the contacts, and the people's events wherever they lie; doing it twice leaves a second, empty receipt."""
    with transaction.atomic(durable=True):
        gone = Contact.objects.filter(pk__in=contacts)
        for contact in gone:
            audit.note(by, "contact.erased", contact, at=now, customer=contact.customer_id)
        gone.delete()
    return erase_person(people, by=by, reason=reason, now=now)
