"""Working days, Chinese statutory holidays included, and lunar birthdays."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, lru_cache

from chinese_calendar import constants as statutory
from lunardate import LunarDate

_WEEK = 7
_WEEK_WORKDAYS = 5
_FIRST_LUNAR_YEAR, _LAST_LUNAR_YEAR = 1900, 2099  # The table of lunardate.


@dataclass(frozen=True)
class WorkCalendar:
    """Which days are worked.

    With `chinese` the State Council's holidays and adjusted workdays apply in the years they are known for
    (see `covers`); in all other years, and without `chinese`, Monday to Friday are worked.
    `holidays` and `workdays` are the company's own exceptions and win over everything else; a day in both is worked.
    Every question costs microseconds, whatever the distance of the days.
    """

    chinese: bool = True
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    def covers(self, day: date) -> bool:
        """Whether the official arrangement for the year of this day is known (always, for Monday to Friday)."""
        return not self.chinese or day.year in _announced_years()

    def is_workday(self, day: date) -> bool:
        """Whether this day is worked."""
        number = day.toordinal()
        return self._worked_before(number + 1) > self._worked_before(number)

    def next_workday(self, day: date) -> date:
        """Return the day itself when it is worked, else the first workday after it."""
        return day if self.is_workday(day) else self.add_workdays(day, 1)

    def add_workdays(self, day: date, count: int) -> date:
        """Return the count-th workday after `day` (before it, for a negative count); 0 gives `day` itself.

        `day` need not be worked: one workday after a Saturday is Monday. Raises
        OverflowError beyond the years 1 to 9999.
        """
        if count == 0:
            return day
        number = day.toordinal()
        # Enough calendar days for the worst case, in which every exception lies in between.
        span = (abs(count) + len(self._off) + 2 * _WEEK) * _WEEK // _WEEK_WORKDAYS + 1
        if count > 0:
            wanted = self._worked_before(number + 1) + count
            found = bisect_left(range(number, number + span), wanted, key=lambda n: self._worked_before(n + 1))
            return _dated(number + found)
        wanted = self._worked_before(number) + count
        start = number - span
        found = bisect_left(range(start, number), wanted + 1, key=lambda n: self._worked_before(n + 1))
        return _dated(start + found)

    def workdays_between(self, start: date, end: date) -> int:
        """Return the workdays after `start` up to and including `end`.

        Negative when `end` is earlier: minus the workdays before `start` back to and including `end`. So
        `workdays_between(day, add_workdays(day, n)) == n`.
        """
        first, last = start.toordinal(), end.toordinal()
        if last >= first:
            return self._worked_before(last + 1) - self._worked_before(first + 1)
        return self._worked_before(last) - self._worked_before(first)

    def _worked_before(self, number: int) -> int:
        """Workdays with an ordinal in [1, number): Mondays to Fridays corrected by the exceptions."""
        weeks, rest = divmod(number - 1, _WEEK)  # Ordinal 1 is a Monday.
        usual = weeks * _WEEK_WORKDAYS + min(rest, _WEEK_WORKDAYS)
        return usual - bisect_left(self._off, number) + bisect_left(self._on, number)

    @cached_property
    def _off(self) -> list[int]:
        """Ordinals of Mondays to Fridays that are not worked."""
        announced = _announced_off() if self.chinese else frozenset()
        days = (announced | self.holidays) - self.workdays
        return sorted(day.toordinal() for day in days if day.weekday() < _WEEK_WORKDAYS)

    @cached_property
    def _on(self) -> list[int]:
        """Ordinals of Saturdays and Sundays that are worked."""
        days = (self._official_on() - self.holidays) | self.workdays
        return sorted(day.toordinal() for day in days if day.weekday() >= _WEEK_WORKDAYS)

    def _official_on(self) -> frozenset[date]:
        return frozenset(statutory.workdays) if self.chinese else frozenset()


def _dated(number: int) -> date:
    if not 1 <= number <= date.max.toordinal():
        raise OverflowError("That many workdays lead out of the calendar.")
    return date.fromordinal(number)


@cache
def _announced_years() -> frozenset[int]:
    return frozenset(day.year for day in statutory.holidays)


@cache
def _announced_off() -> frozenset[date]:
    return frozenset(statutory.holidays)


CHINA = WorkCalendar()
"""Chinese statutory holidays and adjusted workdays."""

WEEKDAYS = WorkCalendar(chinese=False)
"""Monday to Friday."""


def work_calendar(*, chinese: bool, holidays: Iterable[date] = (), workdays: Iterable[date] = ()) -> WorkCalendar:
    """Return a calendar with the company's own exceptions, given in any order."""
    return _calendar(chinese, frozenset(holidays), frozenset(workdays))


@lru_cache(maxsize=64)
def _calendar(chinese: bool, holidays: frozenset[date], workdays: frozenset[date]) -> WorkCalendar:
    # One object for each, as it sorts its exceptions at the first question.
    return WorkCalendar(chinese, holidays, workdays)


def next_lunar_birthday(month: int, day: int, after: date, *, leap: bool = False) -> date:
    """Return the first day strictly after `after` on which a birthday of the Chinese calendar is kept.

    `month` 1–12 and `day` 1–30 are of the lunar calendar; `leap` says that the birth was in a leap month (闰月).
    A leap-month birthday is kept in the leap month in the years that have it, else in the ordinary month of
    that number. A birthday on the 30th is kept on the 29th where the month has only 29 days.
    Raises ValueError for another month or day, and beyond 2099 (the table ends there).
    """
    if not 1 <= month <= 12 or not 1 <= day <= 30:
        raise ValueError(f"Month {month}, day {day} is not a day of the lunar calendar.")
    # The lunar year starts after the solar one: the birthday of the year before may still lie ahead.
    for year in range(max(after.year - 1, _FIRST_LUNAR_YEAR), min(after.year + 2, _LAST_LUNAR_YEAR + 1)):
        kept = _lunar_day(year, month, day, leap=leap and LunarDate.leap_month_for_year(year) == month)
        if kept > after:
            return kept
    raise ValueError(f"The lunar calendar is known from {_FIRST_LUNAR_YEAR} to {_LAST_LUNAR_YEAR}.")


def _lunar_day(year: int, month: int, day: int, *, leap: bool) -> date:
    try:
        solar = LunarDate(year, month, day, leap).to_solar_date()
    except ValueError:
        if day != 30:
            raise
        solar = LunarDate(year, month, 29, leap).to_solar_date()
    return date(solar.year, solar.month, solar.day)
