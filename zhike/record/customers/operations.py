"""What people do with customers and contacts: add, change, hand over."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.kit.searchterms import sort_key, terms_of
from zhike.org import audit
from zhike.org.jobs import defer
from zhike.org.models import Staff
from zhike.record.customers.models import Contact, Customer
from zhike.record.events.models import Event, EventKind

MOST_AT_ONCE = 5000


class NumberTaken(Refusal):
    message = _("Customer number %(ref)s is taken already.")


class TooManyAtOnce(Refusal):
    message = _("%(count)s customers are too many at once; at most %(most)s can be handed over together.")


@transaction.atomic(durable=True)
def add_customer(fields: Mapping[str, Any], *, by: Staff | None, now: datetime) -> Customer:
    """Add a customer from checked fields; without a number one is given, without an owner it is the adder's."""
    customer = Customer(**fields, created_at=now, updated_at=now)
    customer.ref = customer.ref or _next_ref()
    customer.joined = customer.joined or now.date()
    if customer.owner_id is None:
        customer.owner = by
    customer.sort_key = sort_key(customer.name)
    try:
        with transaction.atomic():
            customer.save(force_insert=True)
    except IntegrityError as error:
        raise NumberTaken(ref=customer.ref) from error
    _note_terms(customer)
    audit.note(by, "customer.added", customer, at=now, **_plain(fields))
    Event.append(customer.pk, EventKind.CUSTOMER_CREATED, by=by, at=now, name=customer.name)
    return customer


@transaction.atomic(durable=True)
def change_customer(customer: Customer, fields: Mapping[str, Any], *, by: Staff | None, now: datetime) -> None:
    """Change what is different; a change that changes nothing leaves no trace."""
    before = {name: getattr(customer, name) for name in fields}
    changed = {name: value for name, value in fields.items() if before[name] != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(customer, name, value)
    customer.updated_at, customer.sort_key = now, sort_key(customer.name)
    try:
        with transaction.atomic():
            customer.save(update_fields=[*changed, "updated_at", "sort_key"])
    except IntegrityError as error:
        raise NumberTaken(ref=customer.ref) from error
    _note_terms(customer)
    old = _plain({name: before[name] for name in changed})
    audit.note(by, "customer.changed", customer, at=now, before=old, after=_plain(changed))
    Event.append(customer.pk, EventKind.CUSTOMER_UPDATED, at=now, by=by, fields=sorted(changed))


@transaction.atomic(durable=True)
def hand_over(
    customers: Sequence[Customer], to: Staff | None, *, by: Staff | None, now: datetime
) -> dict[int, int | None]:
    """Give customers a new owner; returns who owned each before, so that it can be taken back."""
    if len(customers) > MOST_AT_ONCE:
        raise TooManyAtOnce(count=len(customers), most=MOST_AT_ONCE)
    moved = [customer for customer in customers if customer.owner_id != (to.pk if to else None)]
    before = {customer.pk: customer.owner_id for customer in moved}
    Customer.objects.filter(pk__in=before).update(owner=to, updated_at=now)
    _note_hand_over(before, dict.fromkeys(before, to.pk if to else None), by=by, now=now)
    return before


@transaction.atomic(durable=True)
def take_back(owners: Mapping[int, int | None], *, by: Staff | None, now: datetime) -> int:
    """Give customers back to the owners they had, as `hand_over` returned them; returns how many."""
    for owner in set(owners.values()):
        keys = [key for key, former in owners.items() if former == owner]
        Customer.objects.filter(pk__in=keys).update(owner_id=owner, updated_at=now)
    _note_hand_over({}, owners, by=by, now=now)
    return len(owners)


def _note_hand_over(
    before: Mapping[int, int | None], after: Mapping[int, int | None], *, by: Staff | None, now: datetime
) -> None:
    if not after:
        return
    Event.objects.bulk_create(
        Event(
            customer_id=key,
            kind=EventKind.CUSTOMER_HANDED_OVER,
            at=now,
            by=by,
            payload={"from": before.get(key), "to": owner},
        )
        for key, owner in after.items()
    )
    defer("loop.react_all", customer_ids=list(after), event=EventKind.CUSTOMER_HANDED_OVER)
    owners = {str(key): owner for key, owner in after.items()}
    audit.note(by, "customer.handed_over", ("customers.customer", "many"), at=now, count=len(after), owners=owners)


@transaction.atomic(durable=True)
def add_contact(customer: Customer, fields: Mapping[str, Any], *, by: Staff | None, now: datetime) -> Contact:
    """Add a person at a customer."""
    contact = Contact(customer=customer, **fields, created_at=now, updated_at=now)
    contact.ref = contact.ref or f"w{now:%Y%m%d%H%M%S%f}"
    contact.save(force_insert=True)
    _note_terms(contact)
    audit.note(by, "contact.added", contact, at=now, customer=customer.pk, name=contact.name)
    return contact


@transaction.atomic(durable=True)
def change_contact(contact: Contact, fields: Mapping[str, Any], *, by: Staff | None, now: datetime) -> None:
    """Change what is different about a contact."""
    before = {name: getattr(contact, name) for name in fields}
    changed = {name: value for name, value in fields.items() if before[name] != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(contact, name, value)
    contact.updated_at = now
    contact.save(update_fields=[*changed, "updated_at"])
    _note_terms(contact)
    audit.note(by, "contact.changed", contact, at=now, fields=sorted(changed))


def search_terms(thing: Customer | Contact) -> list[str]:
    """Return what a customer or contact is found by."""
    if isinstance(thing, Customer):
        return terms_of(thing.name, codes=[thing.ref])
    return terms_of(
        thing.name, phones=[thing.phone] if thing.phone else [], emails=[thing.email] if thing.email else []
    )


def _note_terms(thing: Customer | Contact) -> None:
    table = connection.ops.quote_name(thing._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET terms = array_to_tsvector(%s) WHERE id = %s",  # noqa: S608  One of our two tables.
            [search_terms(thing), thing.pk],
        )


def _next_ref() -> str:
    """Return a free number of our own making: K000001 and on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(substring(ref FROM 2)::int), 0) + 1 FROM customers_customer WHERE ref ~ '^K[0-9]{6}$'"
        )
        return f"K{cursor.fetchone()[0]:06d}"


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields as the audit log keeps them."""
    kept = (str, int, float, bool, dict, list, date, Decimal, type(None))
    return {
        name: value if isinstance(value, kept) else getattr(value, "pk", str(value)) for name, value in fields.items()
    }
