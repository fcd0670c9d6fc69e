"""A person's own figures of the month, each with something to compare it with."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, F, Q
from django.db.models.functions import TruncDate

from zhike.act.engagement.models import Touch, TouchState
from zhike.kit.calendars import WorkCalendar
from zhike.measure.models import CustomerFacts
from zhike.org.principals import Principal


@dataclass(frozen=True, slots=True)
class Month:
    """Touches of a person within a month, up to a day: made, made in time, and due so far."""

    made: int
    in_time: int
    due: int

    @property
    def share(self) -> float | None:
        return self.in_time / self.due if self.due else None


@dataclass(frozen=True, slots=True)
class Goals:
    now: Month
    before: Month
    workdays_passed: int
    workdays: int
    late: int
    health: float | None
    health_before: float | None
    at_risk: int
    customers: int


def goals_of(principal: Principal, today: date, zone: ZoneInfo, calendar: WorkCalendar) -> Goals:
    """Return the month of a day so far, and the whole month before."""
    first = today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    end = (first + timedelta(days=32)).replace(day=1)
    # Who has left weighs on nobody's average any more.
    kept = CustomerFacts.objects.filter(customer__owner_id=principal.pk).exclude(stage="churned")
    seen = kept.aggregate(
        health=Avg("health"),
        before=Avg("health_30d_ago"),
        at_risk=Count("pk", filter=Q(health_band="risk")),
        customers=Count("pk"),
    )
    late = Touch.objects.filter(owner_id=principal.pk, state=TouchState.OPEN, due_on__lt=today).count()
    return Goals(
        now=_month(principal, first, today + timedelta(days=1), zone),
        before=_month(principal, before, first, zone),
        workdays_passed=_workdays(first, today + timedelta(days=1), calendar),
        workdays=_workdays(first, end, calendar),
        late=late,
        health=_float(seen["health"]),
        health_before=_float(seen["before"]),
        at_risk=seen["at_risk"],
        customers=seen["customers"],
    )


def _month(principal: Principal, first: date, end: date, zone: ZoneInfo) -> Month:
    start, stop = (datetime.combine(day, time(), zone) for day in (first, end))
    mine = Touch.objects.filter(owner_id=principal.pk)
    made = Q(state=TouchState.DONE, closed_at__gte=start, closed_at__lt=stop)
    due = Q(due_on__gte=first, due_on__lt=end, state__in=[TouchState.OPEN, TouchState.DONE])
    in_time = Q(state=TouchState.DONE, closed_day__lte=F("due_on")) & due
    found = (
        mine.filter(made | due)
        .annotate(closed_day=TruncDate("closed_at", tzinfo=zone))
        .aggregate(
            made=Count("pk", filter=made),
            due=Count("pk", filter=due & (Q(due_on__lt=end - timedelta(days=1)) | Q(state=TouchState.DONE))),
            in_time=Count("pk", filter=in_time),
        )
    )
    return Month(**found)


def _workdays(first: date, end: date, calendar: WorkCalendar) -> int:
    days = (first + timedelta(days=offset) for offset in range((end - first).days))
    return sum(calendar.is_workday(day) for day in days)


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))
