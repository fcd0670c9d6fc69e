"""Calendar periods with their keys, and months with fractions."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

PeriodKind = Literal["week", "month", "quarter", "half_year", "year"]

_MONTHS: dict[PeriodKind, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


@dataclass(frozen=True, slots=True)
class Period:
    """The days of [start, end), with the key of the period: `2026-W03`, `2026-03`, `2026-Q1`, `2026-H1` or `2026`.

    Keys of one kind sort by time.
    """

    start: date
    end: date
    kind: PeriodKind
    key: str

    @property
    def days(self) -> int:
        """How many days the period holds."""
        return (self.end - self.start).days

    @property
    def next(self) -> "Period":
        """The period that follows."""
        return period_of(self.end, self.kind)


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
