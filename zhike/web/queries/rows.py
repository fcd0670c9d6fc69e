"""What the rows of the customer list show beside the facts of the morning: touches as they are now, owners' names."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Min, OuterRef, Subquery
from django.db.models.functions import Greatest

from zhike.act.engagement.models import Touch, TouchState
from zhike.org.models import Staff
from zhike.record.customers.models import Customer
from zhike.record.interactions.models import Interaction, Outcome


def last_touches(ids: Sequence[int]) -> dict[int, tuple[datetime, str]]:
    """Return when and on which channel each customer was last reached; one look into an index per customer."""
    reached = Interaction.objects.filter(customer=OuterRef("pk"), outcome=Outcome.REACHED).order_by("-at")
    latest = Customer.objects.filter(pk__in=ids).annotate(latest=Subquery(reached.values("pk")[:1]))
    keys = [key for key in latest.values_list("latest", flat=True) if key]
    found = Interaction.objects.filter(pk__in=keys).values_list("customer_id", "at", "channel")
    return {key: (at, channel) for key, at, channel in found}


def next_touches(ids: Sequence[int]) -> dict[int, date]:
    """Return the day of each customer's next open touch."""
    rows = Touch.objects.filter(customer_id__in=ids, state=TouchState.OPEN).values("customer_id")
    # GREATEST of PostgreSQL passes over NULL, so a touch that was never put off keeps its day.
    return dict(rows.annotate(day=Min(Greatest("due_on", "snoozed_until"))).values_list("customer_id", "day"))


def owner_names(ids: Iterable[int | None]) -> dict[int, str]:
    return dict(Staff.objects.filter(pk__in={key for key in ids if key}).values_list("id", "name"))


def facts_in(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's facts under their own names."""
    return {name.removeprefix("facts__"): value for name, value in row.items()}
