"""The queue of a day: what to do first, today, and what can wait, in the order of impact times urgency."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    CharField,
    Count,
    DateField,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Greatest
from django.utils.translation import gettext, ngettext

from zhike.act.engagement.models import Touch, TouchKind, TouchQuerySet, TouchState
from zhike.act.engagement.queries.rows import NAMES, Drawer, QueueRow, plan_or_none
from zhike.kit.calendars import CHINA, WorkCalendar
from zhike.org.models import Staff
from zhike.org.prepared import Prepared, Slot
from zhike.org.principals import Principal
from zhike.org.roles import Scope
from zhike.ui import words

FIRST, TODAY, WAIT = "first", "today", "wait"
SIZES = {FIRST: 30, TODAY: 30, WAIT: 15}
MOST_OF_CUSTOMER = 10
DUE_TO = 999


@dataclass(frozen=True, slots=True)
class QueueSection:
    """One stretch of the queue. `more` continues it: the value of `after` for the rows that follow, or empty."""

    key: str
    count: int
    minutes: int
    rows: list[QueueRow]
    more: str = ""

    @property
    def title(self) -> str:
        match self.key:
            case "first":
                return ngettext("Do this one first", "Do these %(count)s first", self.count) % {"count": self.count}
            case "today":
                return gettext("Today")
            case _:
                return gettext("Can wait until tomorrow")

    @property
    def note(self) -> str:
        about = {"count": words.plain(self.count), "time": duration(self.minutes)}
        match self.key:
            case "first":
                return gettext("urgent, about %(time)s") % about
            case "today":
                return (
                    ngettext("%(count)s touch, about %(time)s", "%(count)s touches, about %(time)s", self.count) % about
                )
            case _:
                return gettext("%(count)s; a day later keeps the plan") % about


@dataclass(frozen=True, slots=True)
class Queue:
    """What one person sees of a day. Counts and minutes of the sections follow the filter, `kinds` does not."""

    day: date
    sections: list[QueueSection]
    kinds: dict[str, int] = field(default_factory=dict)
    kind: str = ""
    plan_number: int | None = None

    @property
    def count(self) -> int:
        return sum(section.count for section in self.sections)

    @property
    def all(self) -> int:
        return sum(self.kinds.values())

    @property
    def choices(self) -> list[tuple[str, str, int]]:
        """The kinds to choose from: key, name, count."""
        return [(kind, str(NAMES[TouchKind(kind)]), count) for kind, count in self.kinds.items()]

    @property
    def effort(self) -> str:
        due = sum(section.minutes for section in self.sections if section.key != WAIT)
        return gettext("What is due takes about %(time)s") % {"time": duration(due)}


def duration(minutes: int) -> str:
    """Write a length of time: 3 h 40 min."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return gettext("%(minutes)s min") % {"minutes": rest}
    if not rest:
        return gettext("%(hours)s h") % {"hours": words.plain(hours)}
    return gettext("%(hours)s h %(minutes)s min") % {"hours": words.plain(hours), "minutes": rest}


def calendar_in_force() -> WorkCalendar:
    """Return the working days of the plan in force, the Chinese ones while there is no plan."""
    plan = plan_or_none()
    return plan.calendar.days() if plan else CHINA


def mine(principal: Principal) -> TouchQuerySet:
    """Return the open touches in this person's queue: those of the own customers; without a book, all that are seen."""
    seen = Touch.objects.visible_to(principal).filter(state=TouchState.OPEN)
    if principal.scope == Scope.OWN or has_book(principal):
        return seen.filter(owner_id=principal.pk)
    return seen


def has_book(principal: Principal) -> bool:
    return principal.pk is not None and _ANY_OF_BOOK.first(principal) is not None


_ANY_OF_BOOK: Prepared[tuple[int]] = Prepared(
    lambda viewer: Touch.objects.filter(owner_id=viewer.pk, state=TouchState.OPEN).order_by().values_list("pk")[:1]
)


def today_queue(
    principal: Principal, day: date, *, kind: str = "", after: str = "", opened: int | None = None
) -> Queue:
    """Return the queue of a day for a person.

    `kind` keeps one kind of touch. `after`, the `more` of a section, gives the rows that follow in that section alone.
    `opened` names a touch whose row is shown in full.
    """
    calendar = calendar_in_force()
    touches = mine(principal).awake(day)
    limit = calendar.add_workdays(day, 1)
    wanted = touches.filter(kind=kind) if kind else touches
    drawer = Drawer(principal, day)
    only, place = _place(after)
    counted = _counted(touches, day, limit, kind)
    sections = [
        _section(key, wanted.filter(condition), counted, place if key == only else None, drawer, opened)
        for key, condition in conditions(day, limit).items()
        if only in ("", key)
    ]
    return Queue(day, sections, _by_kind(counted), kind, drawer.plan.number if drawer.plan else None)


def conditions(day: date, limit: date) -> dict[str, Q]:
    """Return what belongs to each section; `limit` is the next workday."""
    due = Q(due_on__lte=day)
    return {
        FIRST: due & Q(urgency__gte=3),
        TODAY: due & Q(urgency__lt=3),
        WAIT: Q(due_on__gt=day, due_on__lte=limit),
    }


@dataclass(frozen=True, slots=True)
class _Counted:
    """Counts by section and kind."""

    rows: list[tuple[str, str, int, int]]
    kind: str


def _counted(touches: TouchQuerySet, day: date, limit: date, kind: str) -> _Counted:
    whens = [When(condition, then=Value(key)) for key, condition in conditions(day, limit).items()]
    section = Case(*whens, output_field=CharField())
    found = touches.filter(due_on__lte=limit).annotate(section=section).values_list("section", "kind")
    return _Counted(list(found.annotate(count=Count("pk"), minutes=Sum("minutes")).order_by()), kind)


def _by_kind(counted: _Counted) -> dict[str, int]:
    found: Counter[str] = Counter()
    for _section, kind, count, _minutes in counted.rows:
        found[kind] += count
    return {kind: found[kind] for kind in TouchKind.values if found[kind]}


def _section(
    key: str,
    touches: TouchQuerySet,
    counted: _Counted,
    place: tuple[float, int] | None,
    drawer: "Drawer",
    opened: int | None,
) -> QueueSection:
    size = SIZES[key]
    count = sum(row[2] for row in counted.rows if row[0] == key and counted.kind in ("", row[1]))
    minutes = sum(row[3] for row in counted.rows if row[0] == key and counted.kind in ("", row[1]))
    found = list(touches.in_order(place)[: size + 1]) if count else []
    shown = found[:size]
    more = f"{key}:{shown[-1].priority!r}:{shown[-1].pk}" if len(found) > size else ""
    rows = [drawer.row(touch, opened=touch.pk == opened, primary=key == FIRST) for touch in shown]
    return QueueSection(key, count, minutes, rows, more)


def _place(after: str) -> tuple[str, tuple[float, int] | None]:
    """Read where a section goes on; what cannot be read is the beginning."""
    key, _, rest = after.partition(":")
    priority, _, number = rest.partition(":")
    if key not in SIZES or not number.isdigit():
        return "", None
    try:
        return key, (float(priority), int(number))
    except ValueError:
        return "", None


@dataclass(frozen=True, slots=True)
class Load:
    """Touches of one person: due by a day, counted no further than DUE_TO + 1, and made since a moment."""

    due: int
    made: int


def load_of(principal: Principal, day: date, since: datetime) -> Load:
    """Return how many touches of this person's queue are due and how many were made; for the navigation."""
    ask = _LOAD_OF_BOOK if principal.scope == Scope.OWN or has_book(principal) else _LOAD_IN_VIEW
    return Load(*(ask.first(principal, day=day, since=since) or (0, 0)))


def _load(touches: TouchQuerySet) -> QuerySet[Any, Any]:
    due = touches.due(Slot("day")).order_by().values("pk")[: DUE_TO + 1]
    made = Touch.objects.filter(closed_by=OuterRef("pk"), state=TouchState.DONE, closed_at__gte=Slot("since"))
    # One statement for both, and counting ends at a bound.
    return Staff.objects.filter(pk=Slot("viewer")).values_list(_Length(ArraySubquery(due)), _Length(_keys(made)))


def _keys(touches: TouchQuerySet) -> ArraySubquery:
    return ArraySubquery(touches.order_by().values("pk"))


class _Length(Func):
    function = "CARDINALITY"
    output_field = IntegerField()


_LOAD_OF_BOOK: Prepared[tuple[int, int]] = Prepared(
    lambda viewer: _load(Touch.objects.visible_to(viewer).filter(owner_id=viewer.pk))
)
_LOAD_IN_VIEW: Prepared[tuple[int, int]] = Prepared(lambda viewer: _load(Touch.objects.visible_to(viewer)))


@dataclass(frozen=True, slots=True)
class DayLoad:
    day: date
    done: int
    planned: int
    is_today: bool


@dataclass(frozen=True, slots=True)
class Capacity:
    """A week of one person: touches made and still planned per workday, against the touches a week they can make."""

    days: list[DayLoad]
    weekly: int
    done: int
    planned: int

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
    # In PostgreSQL the greatest of several days passes over unknown ones.
    turn = Greatest("due_on", "snoozed_until", Value(earliest), output_field=DateField())
    coming = mine(principal).filter(due_on__lte=week[-1]).annotate(turn=turn).values_list("turn")
    planned = Counter(dict(coming.annotate(count=Count("pk")).order_by()))
    shown = [each for each in week if calendar.is_workday(each) or done[each] or planned[each]]
    days = [DayLoad(each, done[each], planned[each], each == day) for each in shown]
    made, open_ = sum(each.done for each in days), sum(each.planned for each in days)
    return Capacity(days, weekly, made, open_)


def _done_by_day(principal: Principal, monday: date) -> Counter[date]:
    made = Touch.objects.filter(
        state=TouchState.DONE,
        closed_by_id=principal.pk,
        closed_at__date__gte=monday,
        closed_at__date__lt=monday + timedelta(days=7),
    )
    return Counter(dict(made.values_list("closed_at__date").annotate(count=Count("pk"))))


def touches_of(principal: Principal, customer_id: int, day: date) -> list[QueueRow]:
    """Return the open touches of one customer as rows, the most pressing first."""
    drawer = Drawer(principal, day)
    return [drawer.row(touch) for touch in _OF_CUSTOMER.list(principal, customer=customer_id)]


_OF_CUSTOMER: Prepared[Touch] = Prepared(
    lambda viewer: (
        Touch.objects.visible_to(viewer)
        .filter(customer_id=Slot("customer"), state=TouchState.OPEN)
        .with_everything()
        .order_by("due_on", "-priority", "id")[:MOST_OF_CUSTOMER]
    )
)


def row_of(principal: Principal, touch: Touch, day: date, *, opened: bool) -> QueueRow:
    """Return one touch as a row of the queue; `touch` comes from `touch_for`."""
    return Drawer(principal, day).row(touch, opened=opened, primary=touch.urgency >= 3 and touch.due_on <= day)
