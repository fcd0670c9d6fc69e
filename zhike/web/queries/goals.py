"""The figures of a month for one person or, for who has no customers of their own, for everybody in view."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, F, Q, Sum
from django.db.models.functions import TruncDate

from zhike.act.engagement.models import Touch, TouchState
from zhike.kit.calendars import WorkCalendar
from zhike.measure.models import CustomerFacts, FactsSummary
from zhike.org.models import Staff
from zhike.org.principals import Principal
from zhike.org.roles import Scope
from zhike.web.queries.budget import within

PATIENCE_MS = 200


@dataclass(frozen=True, slots=True)
class Month:
    """Touches within a month, up to a day: made, made in time, and due so far."""

    made: int
    in_time: int
    due: int

    @property
    def share(self) -> float | None:
        return self.in_time / self.due if self.due else None


@dataclass(frozen=True, slots=True)
class Standing:
    """Customers, their mean health now and 30 days ago, and how many are at high risk."""

    customers: int
    health: float | None
    health_before: float | None
    at_risk: int


@dataclass(frozen=True, slots=True)
class Goals:
    """`weekly` is how many touches these people can make in a week together."""

    now: Month
    before: Month
    workdays_passed: int
    workdays: int
    late: int
    weekly: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Book:
    """Whose customers are counted: one person's, or those of everybody in view."""

    owners: Sequence[int]
    weekly: int
    is_shared: bool


def book_of(principal: Principal, weekly: int) -> Book:
    """Return the own book, or the shared one of those in view when there is none of one's own."""
    owners = FactsSummary.objects.order_by().values_list("owner_id", flat=True).distinct()
    if principal.pk is None or principal.scope == Scope.OWN or owners.filter(owner_id=principal.pk).exists():
        return Book([principal.pk or 0], weekly, is_shared=False)
    people = Staff.objects.filter(pk__in=owners, is_active=True)
    if principal.scope == Scope.TEAM and principal.team_id is not None:
        people = people.filter(team_id=principal.team_id)
    found = dict(people.values_list("id", "weekly_touches"))
    return Book(list(found), sum(found.values()) or weekly, is_shared=True)


def goals_of(book: Book, today: date, zone: ZoneInfo, calendar: WorkCalendar) -> Goals | None:
    """Return the month of a day so far beside the whole month before; None when counting takes too long."""
    first = today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    end = (first + timedelta(days=32)).replace(day=1)
    tomorrow = today + timedelta(days=1)

    def ask() -> Goals:
        open_touches = Touch.objects.filter(owner_id__in=book.owners, state=TouchState.OPEN)
        return Goals(
            now=_month(book, first, tomorrow, zone),
            before=_month(book, before, first, zone),
            workdays_passed=_workdays(first, tomorrow, calendar),
            workdays=_workdays(first, end, calendar),
            late=open_touches.filter(due_on__lt=today).count(),
            weekly=book.weekly,
            standing=_standing(book),
        )

    return within(PATIENCE_MS, ask)


def _standing(book: Book) -> Standing:
    # Who has left weighs on nobody any more.
    rows = FactsSummary.objects.filter(owner_id__in=book.owners).exclude(stage="churned")
    found = rows.aggregate(
        number=Sum("customers"),
        points=Sum("health_sum"),
        known=Sum("health_known"),
        at_risk=Sum("customers", filter=Q(band="risk")),
    )
    health = float(found["points"]) / found["known"] if found["known"] else None
    before = None
    if not book.is_shared:
        kept = CustomerFacts.objects.filter(customer__owner_id__in=book.owners).exclude(stage="churned")
        past = kept.aggregate(before=Avg("health_30d_ago"))["before"]
        before = None if past is None else float(past)
    return Standing(found["number"] or 0, health, before, found["at_risk"] or 0)


def _month(book: Book, first: date, end: date, zone: ZoneInfo) -> Month:
    start, stop = (datetime.combine(day, time(), zone) for day in (first, end))
    made = Q(state=TouchState.DONE, closed_at__gte=start, closed_at__lt=stop)
    due = Q(due_on__gte=first, due_on__lt=end, state__in=[TouchState.OPEN, TouchState.DONE])
    # What is due on the last day and still open is not late yet.
    late = Q(due_on__lt=end - timedelta(days=1)) | Q(state=TouchState.DONE)
    found = (
        Touch.objects.filter(owner_id__in=book.owners)
        .filter(made | due)
        .annotate(closed_day=TruncDate("closed_at", tzinfo=zone))
        .aggregate(
            made=Count("pk", filter=made),
            due=Count("pk", filter=due & late),
            in_time=Count("pk", filter=due & Q(state=TouchState.DONE, closed_day__lte=F("due_on"))),
        )
    )
    return Month(**found)


def _workdays(first: date, end: date, calendar: WorkCalendar) -> int:
    days = (first + timedelta(days=offset) for offset in range((end - first).days))
    return sum(calendar.is_workday(day) for day in days)
