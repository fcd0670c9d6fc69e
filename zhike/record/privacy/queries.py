"""Who is meant by a name that somebody wants forgotten."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from zhike.record.customers.models import Contact
from zhike.record.events.models import ErasureReceipt, RetentionRule
from zhike.record.tracking.models import Identity, Person

RECEIPTS_SHOWN = 100
MOST_PEOPLE = 20


@dataclass(frozen=True, slots=True)
class Meant:
    """The tracked people and the contacts that a name stands for."""

    people: list[Person]
    contacts: list[Contact]

    @property
    def is_nobody(self) -> bool:
        return not self.people and not self.contacts


def meant_by(name: str) -> Meant:
    """Return everybody known under a user number, visitor number, contact number, e-mail or phone, letter by letter."""
    given = name.strip()
    if not given:
        return Meant([], [])
    contacts = list(
        Contact.objects.filter(Q(ref=given) | Q(email__iexact=given) | Q(phone=given)).select_related("customer")[
            :MOST_PEOPLE
        ]
    )
    named = Identity.objects.filter(value=given).values("person")
    people = Person.objects.filter(Q(pk__in=named) | Q(email__iexact=given) | Q(contact__in=contacts))
    return Meant(list(people.select_related("contact", "customer").order_by("pk")[:MOST_PEOPLE]), contacts)


def rules() -> QuerySet[RetentionRule]:
    """Return the rules of retention, the general one first."""
    return RetentionRule.objects.order_by("event")


def receipts() -> QuerySet[ErasureReceipt]:
    """Return the latest receipts of erasures."""
    return ErasureReceipt.objects.select_related("by").order_by("-id")[:RECEIPTS_SHOWN]
