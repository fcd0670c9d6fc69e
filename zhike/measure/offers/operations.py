"""What colleagues say to what models found: an offer does not fit, a customer looks for something else."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure.facts.value import NEEDS
from zhike.measure.models import CustomerFacts, DismissedOffer, PeerShare, StatedNeed
from zhike.measure.offers.offering import SEATS
from zhike.measure.offers.queries import judged, offers_of
from zhike.measure.orienting import STATED
from zhike.org import audit
from zhike.org.models import Staff
from zhike.record.commerce.models import Product
from zhike.record.customers.models import Customer


class NoSuchOffer(Refusal):
    message = _("There is no offer %(key)s.")


class NoSuchNeed(Refusal):
    message = _("A customer looks for product, price or service, not for %(need)s.")


@transaction.atomic(durable=True)
def dismiss(customer: Customer, key: str, *, by: Staff, now: datetime) -> None:
    """Never offer this to the customer again; said twice, it changes nothing. Raises NoSuchOffer."""
    if not _is_offer(key):
        raise NoSuchOffer(key=key)
    _row, is_new = DismissedOffer.objects.get_or_create(customer=customer, key=key, defaults={"by": by, "at": now})
    if is_new:
        audit.note(by, "offer.dismissed", customer, at=now, key=key)
        _refresh(customer)


def _is_offer(key: str) -> bool:
    kind, _colon, ref = key.partition(":")
    if kind == "product":
        return Product.objects.filter(ref=ref).exists()
    if kind == "feature":
        return PeerShare.objects.filter(kind="feature", item=ref).exists()
    return key == SEATS


@transaction.atomic(durable=True)
def take_back(customer: Customer, key: str, *, by: Staff, now: datetime) -> None:
    """Allow an offer again that was found unfit."""
    gone, _kinds = DismissedOffer.objects.filter(customer=customer, key=key).delete()
    if gone:
        audit.note(by, "offer.allowed", customer, at=now, key=key)
        _refresh(customer)


def _refresh(customer: Customer) -> None:
    facts = CustomerFacts.objects.filter(pk=customer.pk).first()
    first = next(iter(offers_of(customer, facts, judged(), limit=1)), None)
    CustomerFacts.objects.filter(pk=customer.pk).update(next_offer=first.key if first else None)


@transaction.atomic(durable=True)
def state_need(customer: Customer, need: str, *, by: Staff, now: datetime) -> None:
    """Note what the customer looks for; it wins over what is told from behaviour. Empty leaves it to that again.

    Raises NoSuchNeed.
    """
    if need and need not in NEEDS:
        raise NoSuchNeed(need=need)
    before = StatedNeed.objects.filter(customer=customer).values_list("need", flat=True).first() or ""
    if before == need:
        return
    if need:
        StatedNeed.objects.update_or_create(customer=customer, defaults={"need": need, "by": by, "at": now})
    else:
        StatedNeed.objects.filter(customer=customer).delete()
    facts = {"need_orientation": need or None, "need_reason": STATED if need else None}
    CustomerFacts.objects.filter(pk=customer.pk).update(**facts)
    audit.note(by, "need.stated", customer, at=now, before=before, after=need)
