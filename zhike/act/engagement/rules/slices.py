"""Equal slices of time, one contact each, and the workday in a slice that is a customer's own.

A cadence of so many touches per period cuts the period into that many slices; a cadence of every so many days cuts
time itself. A customer's place in a slice is a stable fraction, so the days of many customers lie level over the weeks
and the same customer's days lie one interval apart.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b

from zhike.decide.plans.rules.contact import Cadence
from zhike.kit.calendars import WorkCalendar
from zhike.kit.periods import period_of

MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
_DENOMINATOR = float(1 << 64)


@dataclass(frozen=True, slots=True)
class Slice:
    """The days from `start` up to, not including, `end`; `name` says which, `number` counts slices without end."""

    name: str
    number: int
    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days


def fraction(ref: str) -> float:
    """Return a customer's place in every slice: at least 0, below 1, the same for ever."""
    digest = blake2b(ref.encode(), digest_size=8).digest()
    return min(int.from_bytes(digest, "big") / _DENOMINATOR, 1 - 2**-53)


def slices_over(cadence: Cadence, first: date, last: date) -> list[Slice]:
    """Return the slices of a cadence that contain any day from `first` to `last`, in order."""
    found = _counted(cadence, first) if cadence.every_days is None else _running(cadence.every_days, first)
    kept: list[Slice] = []
    for each in found:
        if each.start > last:
            break
        if each.end > first:
            kept.append(each)
    return kept


def _running(days: int, first: date) -> Iterator[Slice]:
    number = first.toordinal() // days
    while True:
        start = date.fromordinal(max(number * days, 1))
        yield Slice(start.isoformat(), number, start, date.fromordinal((number + 1) * days))
        number += 1


def _counted(cadence: Cadence, first: date) -> Iterator[Slice]:
    kind, times = cadence.per or "year", cadence.times or 1
    period = period_of(first, kind)
    while True:
        number = (period.start.year * 12 + period.start.month - 1) // MONTHS[kind]
        edges = [period.start + timedelta(days=period.days * part // times) for part in range(times + 1)]
        for part in range(times):
            yield Slice(f"{period.key}#{part + 1}", number * times + part, edges[part], edges[part + 1])
        period = period.next


@lru_cache(maxsize=512)
def workdays_of(start: date, end: date, calendar: WorkCalendar) -> tuple[date, ...]:
    """Return the workdays from `start` up to, not including, `end`; without any, the first workday after them."""
    every = (start + timedelta(days=offset) for offset in range((end - start).days))
    return tuple(day for day in every if calendar.is_workday(day)) or (calendar.next_workday(end),)


def own_day(part: Slice, place: float, calendar: WorkCalendar) -> date:
    """Return the workday in a slice that belongs to the customer at this place."""
    days = workdays_of(part.start, part.end, calendar)
    return days[int(place * len(days))]


def due_in(part: Slice, place: float, last_touch: date | None, calendar: WorkCalendar) -> date | None:
    """Return when the contact of a slice is due, or None when a contact in the slice has satisfied it.

    A contact shortly before the slice puts the day off until half a slice has passed, and never out of the slice.
    """
    day = own_day(part, place, calendar)
    if last_touch is None:
        return day
    if last_touch >= part.start:
        return None
    earliest = last_touch + timedelta(days=part.days // 2)
    if earliest <= day:
        return day
    days = workdays_of(part.start, part.end, calendar)
    return days[min(bisect_left(days, earliest), len(days) - 1)]


def next_due(
    cadence: Cadence, place: float, last_touch: date | None, today: date, calendar: WorkCalendar
) -> date | None:
    """Return the next day from today on which this cadence wishes a contact."""
    for part in slices_over(cadence, today, today + timedelta(days=2 * max(cadence.days, 1) + 400)):
        day = due_in(part, place, last_touch, calendar)
        if day is not None and day >= today:
            return day
    return None
