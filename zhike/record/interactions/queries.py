"""The story of a customer: interactions, orders, subscriptions and events in one line, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Model, Q, QuerySet, Value
from django.shortcuts import get_object_or_404

from zhike.org import company
from zhike.org.once import once
from zhike.org.prepared import Prepared, Slot
from zhike.org.principals import Principal
from zhike.record.commerce.models import Order, Subscription
from zhike.record.customers.models import Contact, Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import Interaction

KINDS = ("interaction", "order", "subscription", "event")  # At the same moment they stand in this order.
PAGE = 20
MOST_SUBSCRIPTIONS = 40  # The contract's running ones need not be among the newest few.
# An interaction stands in the story itself, so the event that it was logged would say the same again.
TOLD_ELSEWHERE = (EventKind.INTERACTION_LOGGED, EventKind.CUSTOMER_UPDATED, EventKind.FEEDBACK_LABELLED)


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `row` is the Interaction, Order, Subscription or Event, as `kind` says."""

    kind: str
    at: datetime
    row: Any

    @property
    def cursor(self) -> str:
        """Return the place after which older moments follow."""
        return f"{self.at.isoformat()}|{self.kind}|{self.row.pk}"


@dataclass(frozen=True, slots=True)
class Story:
    """A page of moments, newest first; `older` is the cursor of the next page, "" at the end."""

    moments: Sequence[Moment]
    older: str


def timeline(
    customer: Customer, principal: Principal, before: str = "", limit: int = PAGE, kinds: Collection[str] = KINDS
) -> Story:
    """Return what happened to a customer before a cursor, at most `limit` moments of these kinds.

    Rows of customers this person may not see are never among them. Who may see amounts is for the page to heed:
    orders and subscriptions come whole.
    """
    at, rank, pk = _place(before)
    zone = company.zone()
    found: list[Moment] = []
    for kind in KINDS:
        if kind in kinds:
            rows: Sequence[Any]
            if at is None and limit == PAGE:
                rows = newest(kind, customer, principal)
            else:
                rows = list(_rows(kind, customer.pk, principal, zone, at, _bound(kind, rank, pk))[: limit + 1])
            found += [Moment(kind, _moment_of(kind, row, zone), row) for row in rows]
    found.sort(key=lambda moment: (moment.at, -KINDS.index(moment.kind), moment.row.pk), reverse=True)
    page = found[:limit]
    return Story(page, page[-1].cursor if len(found) > limit else "")


def newest(kind: str, customer: Customer, principal: Principal) -> Sequence[Any]:
    """Return the newest rows of a kind, at least as many as a page of a story tells and one more.

    A page that shows them beside the story as well asks once.
    """
    question = f"newest {kind} of {customer.pk} for {principal.pk}"
    return once(question, lambda: _NEWEST[kind].list(principal, customer=customer.pk))


def counts(customer: Customer, principal: Principal) -> dict[str, int]:
    """Return how many moments of each kind the story of a customer has, by one statement."""
    found = dict(_COUNTS.list(principal, customer=customer.pk))
    return {kind: found.get(kind, 0) for kind in KINDS}


def _counts(viewer: Principal) -> QuerySet[Any, Any]:
    first, *others = (_number(kind, viewer) for kind in KINDS)
    counted: QuerySet[Any, Any] = first.union(*others, all=True).values_list("kind_of", "number")
    return counted


def _number(kind: str, viewer: Principal) -> QuerySet[Any, Any]:
    """Return a query of one row at most: the kind and how many there are."""
    rows: QuerySet[Any, Any] = _whole(kind, viewer).filter(customer=Slot("customer")).order_by()
    counted: QuerySet[Any, Any] = rows.annotate(kind_of=Value(kind)).values("kind_of").annotate(number=Count("pk"))
    return counted


def _place(cursor: str) -> tuple[datetime | None, int, int]:
    """Return moment, rank of its kind and key; a cursor that was tampered with starts from the newest."""
    parts = cursor.split("|")
    try:
        at, kind, pk = parts
        found = datetime.fromisoformat(at)
        return (found, KINDS.index(kind), int(pk)) if found.tzinfo else (None, 0, 0)
    except ValueError:
        return None, 0, 0


def _bound(kind: str, rank: int, pk: int) -> int | None:
    """Return below which key rows of the cursor's very moment still follow it; None: no such row does."""
    own = KINDS.index(kind)
    return pk if own == rank else 2**62 if own > rank else None


def _whole(kind: str, principal: Principal) -> QuerySet[Any, Any]:
    """Return every row of a kind that this person may see and that the story tells."""
    if kind == "interaction":
        return Interaction.objects.visible_to(principal)
    if kind == "order":
        return Order.objects.visible_to(principal)
    if kind == "subscription":
        return Subscription.objects.visible_to(principal)
    events = Event.objects.visible_to(principal).exclude(kind__in=TOLD_ELSEWHERE)
    return events.exclude(payload__has_key="interaction")


def _rows(
    kind: str, customer: int | Slot, principal: Principal, zone: ZoneInfo, at: datetime | None, bound: int | None
) -> QuerySet[Any, Any]:
    if kind == "subscription":
        return _subscriptions(customer, principal, zone, at, bound)
    column = "placed_at" if kind == "order" else "at"
    rows = _whole(kind, principal)
    if kind == "interaction":
        rows = rows.select_related("contact", "by")
    elif kind == "event":
        rows = rows.select_related("by")
    rows = rows.filter(customer=customer).order_by(f"-{column}", "-id")
    return rows if at is None else rows.filter(_before(column, at, bound))


def _before(column: str, value: Any, bound: int | None) -> Q:
    earlier = Q(**{f"{column}__lt": value})
    return earlier if bound is None else earlier | Q(**{column: value, "id__lt": bound})


def _subscriptions(
    customer: int | Slot, principal: Principal, zone: ZoneInfo, at: datetime | None, bound: int | None
) -> QuerySet[Subscription]:
    """Subscriptions count from the midnight on which they start."""
    rows = _whole("subscription", principal).filter(customer=customer).select_related("product")
    rows = rows.order_by("-start", "-id")
    if at is None:
        return rows
    day = at.astimezone(zone).date()
    if datetime.combine(day, time(), zone) == at:
        return rows.filter(_before("start", day, bound))
    return rows.filter(start__lte=day)


def _newest(kind: str) -> Prepared[Any]:
    """Return the question for the first page of a story, and one more."""
    most = MOST_SUBSCRIPTIONS if kind == "subscription" else PAGE + 1
    return Prepared(lambda viewer: _rows(kind, Slot("customer"), viewer, ZoneInfo("UTC"), None, None)[:most])


_NEWEST = {kind: _newest(kind) for kind in KINDS}
_COUNTS: Prepared[tuple[str, int]] = Prepared(_counts)


def _moment_of(kind: str, row: Any, zone: ZoneInfo) -> datetime:
    if kind == "subscription":
        return datetime.combine(row.start, time(), zone)
    found: datetime = row.placed_at if kind == "order" else row.at
    return found


def interaction_for(principal: Principal, interaction_id: int) -> Interaction:
    """Return an interaction with a customer whom this person may see, or raise Http404."""
    rows = Interaction.objects.visible_to(principal).select_related("customer")
    return get_object_or_404(rows, pk=interaction_id)


def contact_names(customer: Customer) -> dict[int, str]:
    """Return the names of the people at a customer who are still there."""
    return dict(_CONTACT_NAMES.list(customer=customer.pk))


_CONTACT_NAMES: Prepared[tuple[int, str]] = Prepared(
    lambda _viewer: (
        Contact.objects.filter(customer=Slot("customer"), left_on=None).order_by("name").values_list("id", "name")
    )
)


def customer_meant(principal: Principal, text: str) -> Customer | None:
    """Return the one visible customer with this number or name, or None when there is none or more than one."""
    visible = Customer.objects.visible_to(principal)
    for condition in (Q(ref=text), Q(name=text), Q(name__istartswith=text)):
        found = list(visible.filter(condition).order_by("id")[:2])
        if len(found) == 1:
            return found[0]
        if found:
            return None
    return None


def recent_customers(principal: Principal, most: int = 50) -> Iterable[Model]:
    """Return customers to choose from, those talked to last first."""
    recent = Interaction.objects.visible_to(principal).order_by("-id").values_list("customer_id", flat=True)[:500]
    keys = list(dict.fromkeys(recent))[:most]
    return Customer.objects.visible_to(principal).filter(pk__in=keys).order_by("sort_key")
