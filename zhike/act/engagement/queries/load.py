"""How much there is to do: whose touches a queue holds, how many are due, how full the week is."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateField, Func, IntegerField, JSONField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest
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
    begin = make_aware(datetime.combine(monday, time()))
    given = {"begin": begin, "end": begin + timedelta(days=7), "earliest": earliest, "until": week[-1]}
    closed, coming = _week(is_of_book(principal)).first(principal, **given) or ((), None)
    done = Counter(localtime(at).date() for at in closed)
    planned = Counter({date.fromisoformat(each): number for each, number, _seen in coming or ()})
    shown = [each for each in week if calendar.is_workday(each) or done[each] or planned[each]]
    days = [DayLoad(each, done[each], planned[each], each == day) for each in shown]
    made, open_ = sum(each.done for each in days), sum(each.planned for each in days)
    return Capacity(days, weekly, made, open_, is_capped=sum(seen for _day, _number, seen in coming or ()) > PLANNED_TO)


class _ByDay(Subquery):
    """How many touches each day has; all are seen, and no more than `most` are counted."""

    template = """(
        SELECT jsonb_agg(jsonb_build_array(day, number, seen)) FROM (
            SELECT day, count(*) FILTER (WHERE place <= %(most)s) AS number, count(*) AS seen
            FROM (SELECT *, row_number() OVER () AS place FROM (%(subquery)s) AS touches) AS placed GROUP BY day
        ) AS days
    )"""
    output_field = JSONField()


@cache
def _week(by_book: bool) -> Prepared[tuple[list[datetime], list[tuple[str, int, int]] | None]]:
    """Return the question for when touches were made, and for what is planned, by day."""

    def make(viewer: Principal) -> QuerySet[Any, Any]:
        made = Touch.objects.filter(state=TouchState.DONE, closed_by_id=viewer.pk)
        made = made.filter(closed_at__gte=Slot("begin"), closed_at__lt=Slot("end")).order_by()
        coming = open_in_queue(viewer, by_book=by_book).filter(due_on__lte=Slot("until")).order_by("due_on")
        day = Greatest(Slot("earliest"), "due_on", "snoozed_until", output_field=DateField())
        by_day = _ByDay(coming.values(day=day)[: PLANNED_TO + 1], most=PLANNED_TO)
        # All in one row, of whichever table has one.
        return Staff.objects.order_by().values_list(ArraySubquery(made.values("closed_at")), by_day)[:1]

    return Prepared(make)
