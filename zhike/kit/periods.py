"""Stretches of days: windows before a day, calendar periods with their keys, and months with fractions.

A window or period is the days from `start` up to, not including, `end`.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

PeriodKind = Literal["week", "month", "quarter", "half_year", "year"]

_MONTHS: dict[PeriodKind, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


@dataclass(frozen=True, slots=True)
class Window:
    """The days of [start, end)."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days the window holds."""
        return (self.end - self.start).days

    @property
    def before(self) -> "Window":
        """The window of the same length that ends where this one starts."""
        return Window(self.start - (self.end - self.start), self.start)

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


@dataclass(frozen=True, slots=True)
class Period(Window):
    """A calendar period with its key: `2026-W03`, `2026-03`, `2026-Q1`, `2026-H1` or `2026`. Keys sort by time."""

    kind: PeriodKind
    key: str

    @property
    def next(self) -> "Period":
        """The period that follows."""
        return period_of(self.end, self.kind)

    @property
    def previous(self) -> "Period":
        """The period before."""
        return period_of(self.start - timedelta(days=1), self.kind)


def last_days(day: date, count: int) -> Window:
    """Return the `count` whole days before `day`; `day` itself is not in it. Raises ValueError below one day."""
    if count < 1:
        raise ValueError("A window holds at least one day.")
    return Window(day - timedelta(days=count), day)


def period_of(day: date, kind: PeriodKind) -> Period:
    """Return the calendar period the day lies in; weeks are ISO weeks (Monday first, of the year of their Thursday)."""
    if kind == "week":
        year, week, weekday = day.isocalendar()
        start = day - timedelta(days=weekday - 1)
        return Period(start, start + timedelta(days=7), kind, f"{year:04d}-W{week:02d}")
    length = _MONTHS[kind]
    number = (day.month - 1) // length
    start = date(day.year, number * length + 1, 1)
    return Period(start, add_months(start, length), kind, _key(kind, day.year, number + 1))


def period_from_key(key: str) -> Period:
    """Return the period of a key; raises ValueError when it is not one."""
    year, _, rest = key.partition("-")
    try:
        if rest.startswith("W"):
            found = period_of(date.fromisocalendar(int(year), int(rest[1:]), 1), "week")
        elif rest.startswith("Q"):
            found = period_of(date(int(year), 3 * int(rest[1:]), 1), "quarter")
        elif rest.startswith("H"):
            found = period_of(date(int(year), 6 * int(rest[1:]), 1), "half_year")
        else:
            found = period_of(date(int(year), int(rest or "1"), 1), "month" if rest else "year")
    except ValueError as error:
        raise ValueError(f"{key!r} is not a period.") from error
    if found.key != key:
        raise ValueError(f"{key!r} is not a period; did you mean {found.key}?")
    return found


def periods_between(start: date, end: date, kind: PeriodKind) -> Iterator[Period]:
    """Yield the periods that hold a day of [start, end), in order."""
    if start >= end:
        return
    period = period_of(start, kind)
    while period.start < end:
        yield period
        period = period.next


def add_months(day: date, count: int) -> date:
    """Return the same day of another month, its last day when it has no such day (31 January + 1 = 28 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def months_between(start: date, end: date) -> float:
    """Return the months from `start` to `end` with a fraction, negative when `end` is earlier.

    From a day to the same day of the next month (`add_months`) is exactly 1.0, whatever the month's length;
    the rest is a share of the month it falls into.
    """
    if end < start:
        return -months_between(end, start)
    whole = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, whole) > end:
        whole -= 1
    since, until = add_months(start, whole), add_months(start, whole + 1)
    return whole + (end - since).days / (until - since).days


def _key(kind: PeriodKind, year: int, number: int) -> str:
    match kind:
        case "month":
            return f"{year:04d}-{number:02d}"
        case "quarter":
            return f"{year:04d}-Q{number}"
        case "half_year":
            return f"{year:04d}-H{number}"
        case _:
            return f"{year:04d}"
