"""The queue of a day: what to do first, today, and what can wait, in the order of impact times urgency."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import chain, zip_longest
from math import inf
from typing import Any

from django.db.models import JSONField, Q, QuerySet, Subquery
from django.http import Http404
from django.utils.translation import gettext, ngettext

from zhike.act.engagement.models import Touch, TouchKind, TouchState
from zhike.act.engagement.queries.load import calendar_of, is_of_book, open_in_queue
from zhike.act.engagement.queries.rows import NAMES, Drawer, QueueRow
from zhike.act.engagement.queries.shown import PATHS, Shown
from zhike.org.models import Staff
from zhike.org.prepared import Prepared, Slot, Slots
from zhike.org.principals import Principal
from zhike.ui import words

FIRST, TODAY, WAIT = "first", "today", "wait"
SIZES = {FIRST: 20, TODAY: 20, WAIT: 10}
MOST = 499
MOST_OF_CUSTOMER = 10
Tally = list[tuple[str, int, int, int]]  # Kind; how many and their minutes, as far as is counted; how many were seen.


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
    drawer = Drawer(principal, day)
    asking = _Asking(principal, day, calendar_of(drawer.plan).add_workdays(day, 1), kind)
    only, place = _place(after)
    counted = asking.counted()
    keys = tuple(key for key in SIZES if only in ("", key))
    found = asking.rows(keys, place) if any(counted[key] for key in keys) else {}
    sections = [_section(key, counted[key], found.get(key, []), kind, drawer, opened) for key in keys]
    return Queue(day, sections, _by_kind(counted), kind, drawer.plan.number if drawer.plan else None)


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked of the database for one queue; each question is written once for each shape."""

    principal: Principal
    day: date
    limit: date
    kind: str

    def counted(self) -> dict[str, Tally]:
        """Return what the touches of each section come to, at most MOST + 1 of a section."""
        ask = _in_sections(is_of_book(self.principal))
        found = ask.first(self.principal, day=self.day, limit=self.limit) or ()
        return {key: tally or [] for key, tally in zip_longest(SIZES, found)}

    def rows(self, keys: tuple[str, ...], place: tuple[float, int] | None) -> dict[str, list[Shown]]:
        """Return the touches of sections in their order, one more of each than are shown."""
        priority, number = place or (inf, 0)
        ask = _of_sections(keys, by_book=is_of_book(self.principal), by_kind=bool(self.kind))
        given = {"day": self.day, "limit": self.limit, "priority": priority, "number": number, "kind": self.kind}
        ids = [touch_id for (touch_id,) in ask.list(self.principal, **given)]
        found: dict[str, list[Shown]] = {}
        for touch in map(Shown._make, _ROWS.list(ids=ids)):
            found.setdefault(self._section(touch), []).append(touch)
        return found

    def _section(self, touch: Shown) -> str:
        if touch.due_on > self.day:
            return WAIT
        return FIRST if touch.urgency >= 3 else TODAY


class _Tally(Subquery):
    """What some touches come to, by kind; all are seen, and no more than `most` are counted."""

    template = """(
        SELECT jsonb_agg(jsonb_build_array(kind, number, minutes, seen)) FROM (
            SELECT kind, count(*) FILTER (WHERE place <= %(most)s) AS number,
                coalesce(sum(minutes) FILTER (WHERE place <= %(most)s), 0) AS minutes, count(*) AS seen
            FROM (SELECT *, row_number() OVER () AS place FROM (%(subquery)s) AS touches) AS placed GROUP BY kind
        ) AS kinds
    )"""
    output_field = JSONField()


@cache
def _in_sections(by_book: bool) -> Prepared[tuple[Tally | None, ...]]:
    def make(viewer: Principal) -> QuerySet[Any, Any]:
        touches = open_in_queue(viewer, by_book=by_book).awake(Slot("day")).order_by().values("kind", "minutes")
        asked = [touches.filter(condition) for condition in conditions(Slot("day"), Slot("limit")).values()]
        # All in one row, of whichever table has one.
        return Staff.objects.order_by().values_list(*(_Tally(each[: MOST + 1], most=MOST) for each in asked))[:1]

    return Prepared(make)


@cache
def _of_sections(keys: tuple[str, ...], *, by_book: bool, by_kind: bool) -> Prepared[tuple[int]]:
    """Return the question for the numbers of the touches that sections show; their rows are asked for by number."""

    def make(viewer: Principal) -> QuerySet[Any, Any]:
        touches = open_in_queue(viewer, by_book=by_book).awake(Slot("day"))
        if by_kind:
            touches = touches.filter(kind=Slot("kind"))
        touches = touches.in_order(Slot("priority"), Slot("number"))
        wanted = conditions(Slot("day"), Slot("limit"))
        found, *others = (touches.filter(wanted[key]).values_list("pk")[: SIZES[key] + 1] for key in keys)
        return found.union(*others, all=True) if others else found

    # How much is due, and for whom, decides which index leads to the first ones.
    return Prepared(make, is_kept=False)


_ROWS: Prepared[tuple[Any, ...]] = Prepared(
    lambda _viewer: Touch.objects.filter(pk__in=Slots("ids")).order_by("-priority", "id").values_list(*PATHS)
)


def conditions(day: date | Slot, limit: date | Slot) -> dict[str, Q]:
    """Return what belongs to each section; `limit` is the next workday."""
    due = Q(due_on__lte=day)
    return {
        FIRST: due & Q(urgency__gte=3),
        TODAY: due & Q(urgency__lt=3),
        WAIT: Q(due_on__gt=day, due_on__lte=limit),
    }


def _by_kind(counted: dict[str, Tally]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for kind, number, _minutes, _seen in chain.from_iterable(counted.values()):
        found[kind] += number
    return {kind: found[kind] for kind in TouchKind.values if found[kind]}


def _section(key: str, tally: Tally, found: list[Shown], kind: str, drawer: Drawer, opened: int | None) -> QueueSection:
    size = SIZES[key]
    among = [(number, minutes) for each, number, minutes, _seen in tally if kind in ("", each)]
    count, minutes = (sum(figures) for figures in zip(*among, strict=True)) if among else (0, 0)
    is_capped = sum(seen for _kind, _number, _minutes, seen in tally) > MOST
    shown = found[:size]
    more = f"{key}:{shown[-1].priority!r}:{shown[-1].id}" if len(found) > size else ""
    rows = [drawer.row(touch, opened=touch.id == opened, primary=key == FIRST) for touch in shown]
    # Of one kind, more may be shown than were among those counted.
    return QueueSection(key, max(count, len(rows)), minutes, rows, more, is_capped)


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
    found = _OF_CUSTOMER.list(principal, customer=customer_id)
    return [drawer.row(Shown._make(touch)) for touch in found]


_OF_CUSTOMER: Prepared[tuple[Any, ...]] = Prepared(
    lambda viewer: (
        Touch.objects.visible_to(viewer)
        .filter(customer_id=Slot("customer"), state=TouchState.OPEN)
        .order_by("due_on", "-priority", "id")
        .values_list(*PATHS)[:MOST_OF_CUSTOMER]
    )
)


def row_of(principal: Principal, touch: Touch, day: date, *, opened: bool) -> QueueRow:
    """Return one touch as a row of the queue; `touch` comes from `touch_for`."""
    found = _ROWS.first(ids=[touch.pk])
    if found is None:
        raise Http404  # Its customer was removed this very moment.
    shown = Shown._make(found)
    return Drawer(principal, day).row(shown, opened=opened, primary=shown.urgency >= 3 and shown.due_on <= day)
