"""How much there is to do: whose touches a queue holds, how many are due, how full the week is."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, QuerySet
from django.utils.timezone import localtime, make_aware

from zhike.act.engagement.models import Touch, TouchQuerySet, TouchState
from zhike.act.engagement.queries.rows import plan_or_none
from zhike.decide.plans.rules.schema import Plan
from zhike.kit.calendars import CHINA, WorkCalendar
from zhike.org.models import Staff
from zhike.org.once import once
from zhike.org.prepared import Prepared, Slot
from zhike.org.principals import Principal
from zhike.org.roles import Scope

DUE_TO = 99
PLANNED_TO = 1000  # More than a week ever holds; counting further would take longer than the page.


def calendar_in_force() -> WorkCalendar:
    """Return the working days of the plan in force, the Chinese ones while there is no plan."""
    return calendar_of(plan_or_none())


def calendar_of(plan: Plan | None) -> WorkCalendar:
    """Return the working days of a plan, the Chinese ones without any."""
    return plan.calendar.days() if plan else CHINA


def is_of_book(principal: Principal) -> bool:
    """Say whether a queue holds the person's own customers alone; without a book, it holds all that are seen."""
    return principal.scope == Scope.OWN or once(f"book of {principal.pk}", lambda: _has_book(principal))


def _has_book(principal: Principal) -> bool:
    return principal.pk is not None and _ANY_OF_BOOK.first(staff=principal.pk) is not None


_ANY_OF_BOOK: Prepared[tuple[int]] = Prepared(
    lambda _viewer: (
        Touch.objects.filter(owner_id=Slot("staff"), state=TouchState.OPEN).order_by().values_list("owner")[:1]
    )
)


def open_in_queue(principal: Principal, *, by_book: bool) -> TouchQuerySet:
    """Return the open touches of a queue: those of the own customers, or all that this person sees."""
    seen = Touch.objects.visible_to(principal).filter(state=TouchState.OPEN)
    return seen.filter(owner_id=principal.pk) if by_book else seen


@dataclass(frozen=True, slots=True)
class Load:
    """Touches of one person: due by a day, counted no further than DUE_TO + 1, and made since a moment."""

    due: int
    made: int


def load_of(principal: Principal, day: date, since: datetime) -> Load:
    """Return how many touches of this person's queue are due and how many were made; for the navigation."""
    ask = _load(is_of_book(principal))
    return Load(*(ask.first(principal, day=day, since=since) or (0, 0)))


@cache
def _load(by_book: bool) -> Prepared[tuple[int, int]]:
    def make(viewer: Principal) -> QuerySet[Any, Any]:
        due = open_in_queue(viewer, by_book=by_book).due(Slot("day")).order_by().values("due_on")[: DUE_TO + 1]
        made = Touch.objects.filter(closed_by=OuterRef("pk"), state=TouchState.DONE, closed_at__gte=Slot("since"))
        counts = (_Length(ArraySubquery(each)) for each in (due, made.order_by().values("closed_at")))
        # One statement for both, and counting ends at a bound.
        return Staff.objects.filter(pk=Slot("viewer")).values_list(*counts)

    return Prepared(make)


class _Length(Func):
    function = "CARDINALITY"
    output_field = IntegerField()


@dataclass(frozen=True, slots=True)
class DayLoad:
    day: date
    done: int
    planned: int
    is_today: bool


@dataclass(frozen=True, slots=True)
class Capacity:
    """A week of one person: touches made and still planned per workday, against the touches a week they can make.

    `is_capped` says that more are planned than were counted.
    """

    days: list[DayLoad]
    weekly: int
    done: int
    planned: int
    is_capped: bool = False

    @property
    def daily(self) -> float:
        return round(self.weekly / max(len(self.days), 1), 1)

    @property
    def room(self) -> int:
        """How many more touches fit into the week; negative when too many are planned."""
        return self.weekly - self.done - self.planned


def capacity(principal: Principal, weekly: int, day: date) -> Capacity:
    """Return the load of the week of a day; what is overdue counts for the day itself, or the first workday after."""
    calendar = calendar_in_force()
    earliest = calendar.next_workday(day)
    monday = day - timedelta(days=day.weekday())
    week = [monday + timedelta(days=offset) for offset in range(7)]
    done = _done_by_day(principal, monday)
    ask = _coming(is_of_book(principal))
    coming = ask.list(principal, earliest=earliest, until=week[-1])
    planned = Counter(max(earliest, *filter(None, days)) for days in coming[:PLANNED_TO])
    shown = [each for each in week if calendar.is_workday(each) or done[each] or planned[each]]
    days = [DayLoad(each, done[each], planned[each], each == day) for each in shown]
    made, open_ = sum(each.done for each in days), sum(each.planned for each in days)
    return Capacity(days, weekly, made, open_, is_capped=len(coming) > PLANNED_TO)


@cache
def _coming(by_book: bool) -> Prepared[tuple[date, date | None]]:
    def make(viewer: Principal) -> QuerySet[Any, Any]:
        touches = open_in_queue(viewer, by_book=by_book).filter(due_on__lte=Slot("until"))
        return touches.order_by("due_on").values_list("due_on", "snoozed_until")[: PLANNED_TO + 1]

    return Prepared(make)


def _done_by_day(principal: Principal, monday: date) -> Counter[date]:
    begin = make_aware(datetime.combine(monday, time()))
    made = _DONE.list(staff=principal.pk, begin=begin, end=begin + timedelta(days=7))
    return Counter(localtime(at).date() for (at,) in made)


_DONE: Prepared[tuple[datetime]] = Prepared(
    lambda _viewer: (
        Touch.objects.filter(
            state=TouchState.DONE, closed_by_id=Slot("staff"), closed_at__gte=Slot("begin"), closed_at__lt=Slot("end")
        )
        .order_by()
        .values_list("closed_at")
    )
)
