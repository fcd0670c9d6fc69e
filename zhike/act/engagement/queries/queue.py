"""The queue of a day: what to do first, today, and what can wait, in the order of impact times urgency."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from math import inf
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext, ngettext

from zhike.act.engagement.models import Touch, TouchKind, TouchState
from zhike.act.engagement.queries.load import calendar_in_force, is_of_book, open_in_queue
from zhike.act.engagement.queries.rows import NAMES, Drawer, QueueRow
from zhike.org.prepared import Prepared, Slot
from zhike.org.principals import Principal
from zhike.ui import words

FIRST, TODAY, WAIT = "first", "today", "wait"
SIZES = {FIRST: 20, TODAY: 20, WAIT: 10}
MOST = 499
MOST_OF_CUSTOMER = 10
Counted = dict[str, list[tuple[str, int]]]  # Kind and minutes of the touches of each section.


@dataclass(frozen=True, slots=True)
class QueueSection:
    """One stretch of the queue. `more` continues it: the value of `after` for the rows that follow, or empty.

    `is_capped` says that counting ended at MOST touches: there are as many as `count` says, or more.
    """

    key: str
    count: int
    minutes: int
    rows: list[QueueRow]
    more: str = ""
    is_capped: bool = False

    @property
    def title(self) -> str:
        match self.key:
            case "first":
                count = {"count": at_least(self.count, capped=self.is_capped)}
                return ngettext("Do this one first", "Do these %(count)s first", self.count) % count
            case "today":
                return gettext("Today")
            case _:
                return gettext("Can wait until tomorrow")

    @property
    def note(self) -> str:
        about = {
            "count": at_least(self.count, capped=self.is_capped),
            "time": f"{duration(self.minutes)}{'+' if self.is_capped else ''}",
        }
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
    """What one person sees of a day. Counts and minutes of the sections follow the filter, `kinds` does not.

    No section is counted further than MOST: nobody works through more in a day. Figures of a longer one say so.
    """

    day: date
    sections: list[QueueSection]
    kinds: dict[str, int] = field(default_factory=dict)
    kind: str = ""
    plan_number: int | None = None

    @property
    def count(self) -> int:
        return sum(section.count for section in self.sections)

    @property
    def is_capped(self) -> bool:
        return any(section.is_capped for section in self.sections)

    @property
    def all(self) -> int:
        return sum(self.kinds.values())

    @property
    def everything(self) -> str:
        """How many there are of all kinds, in words."""
        return at_least(self.all, capped=self.is_capped)

    @property
    def choices(self) -> list[tuple[str, str, str]]:
        """The kinds to choose from: key, name, count."""
        return [
            (kind, str(NAMES[TouchKind(kind)]), at_least(count, capped=self.is_capped))
            for kind, count in self.kinds.items()
        ]

    @property
    def effort(self) -> str:
        sections = [section for section in self.sections if section.key != WAIT]
        more = "+" if any(section.is_capped for section in sections) else ""
        time = duration(sum(section.minutes for section in sections))
        return gettext("What is due takes about %(time)s") % {"time": f"{time}{more}"}


def at_least(count: int, *, capped: bool) -> str:
    """Write a count; one that ended at a bound says that there may be more."""
    return f"{words.plain(count)}{'+' if capped else ''}"


def duration(minutes: int) -> str:
    """Write a length of time: 3 h 40 min."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return gettext("%(minutes)s min") % {"minutes": rest}
    if not rest:
        return gettext("%(hours)s h") % {"hours": words.plain(hours)}
    return gettext("%(hours)s h %(minutes)s min") % {"hours": words.plain(hours), "minutes": rest}


def today_queue(
    principal: Principal, day: date, *, kind: str = "", after: str = "", opened: int | None = None
) -> Queue:
    """Return the queue of a day for a person.

    `kind` keeps one kind of touch. `after`, the `more` of a section, gives the rows that follow in that section alone.
    `opened` names a touch whose row is shown in full.
    """
    limit = calendar_in_force().add_workdays(day, 1)
    asking = _Asking(principal, day, limit, kind)
    drawer = Drawer(principal, day)
    only, place = _place(after)
    counted = asking.counted()
    sections = [
        _section(key, asking, counted[key], place if key == only else None, drawer, opened)
        for key in SIZES
        if only in ("", key)
    ]
    return Queue(day, sections, _by_kind(counted), kind, drawer.plan.number if drawer.plan else None)


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked of the database for one queue; each question is written once for each shape."""

    principal: Principal
    day: date
    limit: date
    kind: str

    def counted(self) -> Counted:
        """Return kind and minutes of each touch by section, at most MOST + 1 of a section."""
        found: Counted = {key: [] for key in SIZES}
        ask = _in_sections(is_of_book(self.principal))
        for section, kind, minutes in ask.list(self.principal, day=self.day, limit=self.limit):
            found[section].append((kind, minutes))
        return found

    def rows(self, key: str, place: tuple[float, int] | None) -> list[Touch]:
        """Return the touches of a section in their order, one more than are shown."""
        priority, number = place or (inf, 0)
        ask = _of_section(key, by_book=is_of_book(self.principal), by_kind=bool(self.kind))
        given = {"day": self.day, "limit": self.limit, "priority": priority, "number": number, "kind": self.kind}
        return ask.list(self.principal, **given)


@cache
def _in_sections(by_book: bool) -> Prepared[tuple[str, str, int]]:
    def make(viewer: Principal) -> QuerySet[Any, Any]:
        touches = open_in_queue(viewer, by_book=by_book).awake(Slot("day")).order_by()
        first, *others = (
            touches.filter(condition).annotate(section=Value(key)).values_list("section", "kind", "minutes")[: MOST + 1]
            for key, condition in conditions(Slot("day"), Slot("limit")).items()
        )
        found: QuerySet[Any, Any] = first.union(*others, all=True)
        return found

    return Prepared(make)


@cache
def _of_section(key: str, *, by_book: bool, by_kind: bool) -> Prepared[Touch]:
    def make(viewer: Principal) -> QuerySet[Touch]:
        touches = open_in_queue(viewer, by_book=by_book).awake(Slot("day"))
        found = touches.filter(conditions(Slot("day"), Slot("limit"))[key])
        if by_kind:
            found = found.filter(kind=Slot("kind"))
        keys = found.in_order(Slot("priority"), Slot("number")).values("pk")[: SIZES[key] + 1]
        # What a row shows is looked up for the rows that are shown, not for all that are sorted.
        return Touch.objects.filter(pk__in=keys).with_row().order_by("-priority", "id")

    return Prepared(make)


def conditions(day: date | Slot, limit: date | Slot) -> dict[str, Q]:
    """Return what belongs to each section; `limit` is the next workday."""
    due = Q(due_on__lte=day)
    return {
        FIRST: due & Q(urgency__gte=3),
        TODAY: due & Q(urgency__lt=3),
        WAIT: Q(due_on__gt=day, due_on__lte=limit),
    }


def _by_kind(counted: Counted) -> dict[str, int]:
    found = Counter(kind for touches in counted.values() for kind, _minutes in touches[:MOST])
    return {kind: found[kind] for kind in TouchKind.values if found[kind]}


def _section(
    key: str,
    asking: _Asking,
    counted: list[tuple[str, int]],
    place: tuple[float, int] | None,
    drawer: Drawer,
    opened: int | None,
) -> QueueSection:
    size = SIZES[key]
    among = [minutes for kind, minutes in counted[:MOST] if asking.kind in ("", kind)]
    found = asking.rows(key, place) if counted else []
    shown = found[:size]
    more = f"{key}:{shown[-1].priority!r}:{shown[-1].pk}" if len(found) > size else ""
    rows = [drawer.row(touch, opened=touch.pk == opened, primary=key == FIRST) for touch in shown]
    # Of one kind, more may be shown than were among those counted.
    return QueueSection(key, max(len(among), len(rows)), sum(among), rows, more, len(counted) > MOST)


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


def touches_of(principal: Principal, customer_id: int, day: date) -> list[QueueRow]:
    """Return the open touches of one customer as rows, the most pressing first."""
    drawer = Drawer(principal, day)
    return [drawer.row(touch) for touch in _OF_CUSTOMER.list(principal, customer=customer_id)]


_OF_CUSTOMER: Prepared[Touch] = Prepared(
    lambda viewer: (
        Touch.objects.visible_to(viewer)
        .filter(customer_id=Slot("customer"), state=TouchState.OPEN)
        .with_row()
        .order_by("due_on", "-priority", "id")[:MOST_OF_CUSTOMER]
    )
)


def row_of(principal: Principal, touch: Touch, day: date, *, opened: bool) -> QueueRow:
    """Return one touch as a row of the queue; `touch` comes from `touch_for`."""
    return Drawer(principal, day).row(touch, opened=opened, primary=touch.urgency >= 3 and touch.due_on <= day)
