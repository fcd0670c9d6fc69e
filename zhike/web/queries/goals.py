"""The figures of a month for one person or, for who has no customers of their own, for everybody in view."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from time import perf_counter as time_passed
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.db.models import Avg, F, Q, Sum, Value

from zhike.kit.calendars import WorkCalendar
from zhike.measure.models import CustomerFacts, FactsSummary
from zhike.org.models import Staff
from zhike.org.prepared import Prepared, Slot, Slots
from zhike.org.principals import Principal
from zhike.org.roles import Scope
from zhike.org.statements import answered
from zhike.web.queries.budget import within

Answer = TypeVar("Answer")
PATIENCE_MS = 200
SLOW, MINUTE = 0.05, 60  # Seconds.


class _Nothing:
    """Stands in the cache for an answer that is None, which a cache returns for what it does not know."""


NOTHING = _Nothing()


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

    @property
    def key(self) -> str:
        """What tells this book apart from others."""
        return f"{self.is_shared}:{hash(tuple(sorted(self.owners)))}"


def book_of(principal: Principal, weekly: int) -> Book:
    """Return the own book, or the shared one of those in view when there is none of one's own."""
    owners = FactsSummary.objects.order_by().values_list("owner_id", flat=True).distinct()
    if principal.pk is None or principal.scope == Scope.OWN or _ANY_OF_BOOK.first(owner=principal.pk):
        return Book([principal.pk or 0], weekly, is_shared=False)
    people = Staff.objects.filter(pk__in=owners, is_active=True)
    if principal.scope == Scope.TEAM and principal.team_id is not None:
        people = people.filter(team_id=principal.team_id)
    found = dict(people.values_list("id", "weekly_touches"))
    return Book(list(found), sum(found.values()) or weekly, is_shared=True)


_ANY_OF_BOOK: Prepared[tuple[int]] = Prepared(
    lambda _viewer: FactsSummary.objects.filter(owner_id=Slot("owner")).order_by().values_list("owner_id")[:1]
)


def goals_of(book: Book, today: date, zone: ZoneInfo, calendar: WorkCalendar) -> Goals | None:
    """Return the month of a day so far beside the whole month before; None when counting takes too long."""
    first = today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    end = (first + timedelta(days=32)).replace(day=1)
    tomorrow = today + timedelta(days=1)

    def ask() -> Goals:
        now, late = _month(book, first, tomorrow, today, zone)
        return Goals(
            now=now,
            before=_remembered(f"month:{before}:{book.key}", lambda: _month(book, before, first, first, zone)[0]),
            workdays_passed=_workdays(first, tomorrow, calendar),
            workdays=_workdays(first, end, calendar),
            late=late,
            weekly=book.weekly,
            standing=_standing(book),
        )

    key = f"goals:{today}:{book.key}"
    known: Goals | _Nothing | None = cache.get(key)
    if known is not None:
        return None if isinstance(known, _Nothing) else known
    began = time_passed()
    found = within(PATIENCE_MS, ask)
    if time_passed() - began > SLOW:
        # A book so large that counting it is felt does not change visibly within a minute, nor does it become smaller.
        cache.set(key, found or NOTHING, MINUTE)
    return found


def _remembered(key: str, ask: Callable[[], Answer]) -> Answer:
    """Return what is as it was since the night, asked for once in a while; nothing is an answer too."""
    known: Answer | _Nothing | None = cache.get(key)
    if known is None:
        known = ask()
        cache.set(key, NOTHING if known is None else known, 10 * MINUTE)
    return cast("Answer", None) if isinstance(known, _Nothing) else known


def _standing(book: Book) -> Standing:
    number, points, known, at_risk = _STANDING.first(owners=list(book.owners)) or (None, None, None, None)
    health = float(points) / known if points is not None and known else None
    before = None if book.is_shared else _remembered(f"health-before:{book.key}", lambda: _health_before(book))
    return Standing(number or 0, health, before, at_risk or 0)


# Who has left weighs on nobody any more. The constant makes one row of all, as `aggregate` does.
_STANDING: Prepared[tuple[int | None, Decimal | None, int | None, int | None]] = Prepared(
    lambda _viewer: (
        FactsSummary.objects.filter(owner_id__in=Slots("owners"))
        .exclude(stage="churned")
        .values(every=Value(1))
        .annotate(
            number=Sum("customers"),
            points=Sum("health_sum"),
            known=Sum("health_known"),
            at_risk=Sum("customers", filter=Q(band="risk")),
        )
        .values_list("number", "points", "known", "at_risk")
    )
)


def _health_before(book: Book) -> float | None:
    kept = CustomerFacts.objects.filter(book_id__in=book.owners).exclude(stage="churned")
    # What health was is left out of the index of books; the two it is the difference of stand there.
    past = kept.aggregate(before=Avg(F("health") - F("health_change_30d")))["before"]
    return None if past is None else float(past)


# What is due on the last day and still open is not late yet. Each count reads an index of its own.
MONTH = """
SELECT
    (SELECT count(*) FROM engagement_touch
     WHERE owner_id = ANY(%s::bigint[]) AND state = 'done' AND closed_at >= %s AND closed_at < %s),
    (SELECT count(*) FROM engagement_touch
     WHERE owner_id = ANY(%s::bigint[]) AND state = 'done' AND due_on >= %s AND due_on < %s
         AND (closed_at AT TIME ZONE %s::text)::date <= due_on),
    (SELECT count(*) FROM engagement_touch
     WHERE owner_id = ANY(%s::bigint[]) AND state = 'done' AND due_on >= %s AND due_on < %s)
    + (SELECT count(*) FROM engagement_touch
       WHERE owner_id = ANY(%s::bigint[]) AND state = 'open' AND due_on >= %s AND due_on < %s - 1),
    (SELECT count(*) FROM engagement_touch
     WHERE owner_id = ANY(%s::bigint[]) AND state = 'open' AND due_on < %s)
"""


def _month(book: Book, first: date, end: date, today: date, zone: ZoneInfo) -> tuple[Month, int]:
    """Return the touches of a month up to a day, and how many are open that were due before `today`."""
    owners = list(book.owners)
    made_in = [owners, datetime.combine(first, time(), zone), datetime.combine(end, time(), zone)]
    due_in = [owners, first, end]
    found = answered(MONTH, [*made_in, *due_in, str(zone), *due_in, *due_in, owners, today])
    made, in_time, due, late = found[0]
    return Month(made, in_time, due), late


def _workdays(first: date, end: date, calendar: WorkCalendar) -> int:
    """Return the workdays from a day up to, and without, another."""
    return calendar.workdays_between(first - timedelta(days=1), end - timedelta(days=1))
