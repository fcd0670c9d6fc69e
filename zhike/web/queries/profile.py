"""What the page of one customer shows, beside its facts and its story."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from zhike.measure.models import CustomerFacts
from zhike.org.prepared import Prepared, Slot, Slots
from zhike.org.principals import Principal
from zhike.record.commerce.models import Order, Subscription
from zhike.record.customers.models import Consent, Contact, ContactRole, Customer
from zhike.record.interactions.queries import MOST_SUBSCRIPTIONS, newest

MARKETING = "marketing"
MOST_PEOPLE, MOST_LINES = 12, 5
RANK = {role: place for place, role in enumerate(ContactRole.values)}


@dataclass(frozen=True, slots=True)
class Person:
    """A contact with what he or she allowed. `marketing` is the newest word on it, None while nothing was said."""

    contact: Contact
    marketing: bool | None
    refused: frozenset[str] = field(default_factory=frozenset)


def facts_of(customer: Customer) -> CustomerFacts | None:
    return _FACTS.first(customer=customer.pk)


def people_at(customer: Customer) -> list[Person]:
    """Return the people there: decision makers first, who left last."""
    contacts = _CONTACTS.list(customer=customer.pk)
    contacts.sort(key=lambda one: (one.left_on is not None, RANK.get(one.role, len(RANK)), one.pk))
    contacts = contacts[:MOST_PEOPLE]
    latest: dict[int, dict[tuple[str, str], bool]] = defaultdict(dict)
    lines = _CONSENTS.list(contacts=[one.pk for one in contacts]) if contacts else []
    for contact_id, purpose, channel, granted in lines:
        latest[contact_id][purpose, channel] = granted
    return [_person(one, latest[one.pk]) for one in contacts]


def _person(contact: Contact, words: dict[tuple[str, str], bool]) -> Person:
    said = [granted for (purpose, _channel), granted in words.items() if purpose == MARKETING]
    refused = frozenset(channel for (_purpose, channel), granted in words.items() if not granted)
    return Person(contact, any(said) if said else None, refused)


def subscriptions_of(
    customer: Customer, reader: Principal, today: date, *, is_past: bool = False
) -> Sequence[Subscription]:
    """Return the newest subscriptions, running ones first; for a past day, those that had begun."""
    rows: Sequence[Subscription]
    if is_past:
        rows = _SUBSCRIPTIONS_THEN.list(customer=customer.pk, before=today)
    else:
        rows = newest("subscription", customer, reader)
    running = sorted(rows, key=lambda one: one.end is not None and one.end <= today)
    return running[:MOST_LINES]


def orders_of(customer: Customer, reader: Principal, *, before: datetime | None = None) -> Sequence[Order]:
    """Return the newest orders; for a past day, those from before it was measured."""
    if before is None:
        return newest("order", customer, reader)[:MOST_LINES]
    return _ORDERS_THEN.list(customer=customer.pk, before=before)


_FACTS: Prepared[CustomerFacts] = Prepared(lambda _viewer: CustomerFacts.objects.filter(pk=Slot("customer")))
_CONTACTS: Prepared[Contact] = Prepared(
    lambda _viewer: Contact.objects.filter(customer=Slot("customer")).order_by("id")[:200]
)
_CONSENTS: Prepared[tuple[int, str, str, bool]] = Prepared(
    lambda _viewer: (
        Consent.objects.filter(contact__in=Slots("contacts"))
        .order_by("at", "id")
        .values_list("contact_id", "purpose", "channel", "granted")
    )
)
_SUBSCRIPTIONS_THEN: Prepared[Subscription] = Prepared(
    lambda _viewer: (
        Subscription.objects.filter(customer=Slot("customer"), start__lt=Slot("before"))
        .select_related("product")
        .order_by("-start", "-id")[:MOST_SUBSCRIPTIONS]
    )
)
_ORDERS_THEN: Prepared[Order] = Prepared(
    lambda _viewer: Order.objects.filter(customer=Slot("customer"), placed_at__lt=Slot("before")).order_by(
        "-placed_at", "-id"
    )[:MOST_LINES]
)
