import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhike.kit.calendars import (
    CHINA,
    WEEKDAYS,
    WorkCalendar,
    next_lunar_birthday,
    work_calendar,
)

# The notices of the State Council as kept by NateScarlet/holiday-cn (MIT licence).
OFFICIAL = Path(__file__).with_name("cn_holidays_2015_2024.csv")
DAYS = st.dates(date(2003, 1, 1), date(2029, 12, 31))
CALENDARS = st.builds(
    WorkCalendar,
    chinese=st.booleans(),
    holidays=st.frozensets(DAYS, max_size=12),
    workdays=st.frozensets(DAYS, max_size=12),
)


def test_every_day_agrees_with_the_notices_of_the_state_council() -> None:
    with OFFICIAL.open(encoding="utf-8") as lines:
        notices = {date.fromisoformat(row["date"]): row["is_off_day"] == "1" for row in csv.DictReader(lines)}
    day, wrong = date(2015, 1, 1), []
    while day <= date(2024, 12, 31):
        worked = not notices[day] if day in notices else day.weekday() < 5
        if CHINA.is_workday(day) is not worked:
            wrong.append(day)
        day += timedelta(days=1)
    assert wrong == []


def test_known_days() -> None:
    assert not CHINA.is_workday(date(2024, 2, 12))  # Spring Festival, a Monday.
    assert CHINA.is_workday(date(2024, 2, 4))  # A Sunday worked in exchange.
    assert CHINA.next_workday(date(2024, 2, 10)) == date(2024, 2, 18)
    assert CHINA.add_workdays(date(2024, 2, 9), 1) == date(2024, 2, 18)
    assert WEEKDAYS.add_workdays(date(2024, 2, 10), 1) == date(2024, 2, 12)
    assert WEEKDAYS.add_workdays(date(2024, 2, 12), -1) == date(2024, 2, 9)


def test_years_without_a_notice_fall_back_to_monday_to_friday() -> None:
    assert CHINA.covers(date(2024, 5, 1))
    assert not CHINA.covers(date(1999, 5, 3))
    assert not CHINA.covers(date(2090, 1, 1))
    assert CHINA.is_workday(date(1999, 5, 3))
    assert WEEKDAYS.covers(date(2090, 1, 1))


def test_the_companys_own_days_win() -> None:
    calendar = work_calendar(chinese=True, holidays=[date(2024, 2, 4)], workdays=[date(2024, 2, 10)])
    assert not calendar.is_workday(date(2024, 2, 4))
    assert calendar.is_workday(date(2024, 2, 10))
    weekday = date(2024, 3, 13)
    assert not work_calendar(chinese=False, holidays=[weekday]).is_workday(weekday)
    assert work_calendar(chinese=False, holidays=[weekday], workdays=[weekday]).is_workday(weekday)


@given(CALENDARS, DAYS, st.integers(-400, 400))
def test_counting_undoes_adding(calendar: WorkCalendar, day: date, count: int) -> None:
    assert calendar.workdays_between(day, calendar.add_workdays(day, count)) == count


@given(CALENDARS, DAYS, st.integers(-400, 400).filter(bool))
def test_adding_ends_on_a_workday(calendar: WorkCalendar, day: date, count: int) -> None:
    assert calendar.is_workday(calendar.add_workdays(day, count))


@given(CALENDARS, DAYS, st.integers(0, 60))
def test_counting_is_counting(calendar: WorkCalendar, start: date, length: int) -> None:
    days = [start + timedelta(days=n) for n in range(length + 1)]
    assert calendar.workdays_between(start, days[-1]) == sum(map(calendar.is_workday, days[1:]))
    assert calendar.workdays_between(days[-1], start) == -sum(map(calendar.is_workday, days[:-1]))


@given(CALENDARS, DAYS)
def test_the_next_workday_is_the_first(calendar: WorkCalendar, day: date) -> None:
    found = calendar.next_workday(day)
    assert calendar.is_workday(found)
    assert not any(calendar.is_workday(day + timedelta(days=n)) for n in range((found - day).days))


def test_far_days_cost_nothing_and_the_end_of_the_calendar_is_said() -> None:
    assert WEEKDAYS.workdays_between(date(1, 1, 1), date(9999, 12, 31)) == 2_608_614
    with pytest.raises(OverflowError):
        CHINA.add_workdays(date(9999, 12, 30), 10)
    with pytest.raises(OverflowError):
        CHINA.add_workdays(date(1, 1, 3), -10)


def test_lunar_birthdays() -> None:
    assert next_lunar_birthday(1, 1, date(2024, 1, 1)) == date(2024, 2, 10)
    assert next_lunar_birthday(1, 1, date(2024, 2, 10)) == date(2025, 1, 29)
    # The twelfth month of the lunar year 2023 lies in the solar year 2024.
    assert next_lunar_birthday(12, 8, date(2024, 1, 1)) == date(2024, 1, 18)


def test_a_leap_month_birthday_is_kept_in_the_ordinary_month_of_other_years() -> None:
    assert next_lunar_birthday(2, 10, date(2023, 1, 1), leap=True) == date(2023, 3, 31)  # 2023 has a leap second month.
    assert next_lunar_birthday(2, 10, date(2023, 1, 1)) == date(2023, 3, 1)
    assert next_lunar_birthday(2, 10, date(2024, 1, 1), leap=True) == next_lunar_birthday(2, 10, date(2024, 1, 1))


@given(st.integers(1, 12), st.integers(1, 30), st.dates(date(1901, 1, 1), date(2097, 12, 31)), st.booleans())
def test_a_birthday_comes_within_thirteen_months(month: int, day: int, after: date, leap: bool) -> None:
    kept = next_lunar_birthday(month, day, after, leap=leap)
    assert timedelta(0) < kept - after <= timedelta(days=414)
    if not leap:
        assert kept - after <= timedelta(days=385)
    assert next_lunar_birthday(month, day, kept - timedelta(days=1), leap=leap) == kept


@pytest.mark.parametrize(("month", "day"), [(0, 1), (13, 1), (1, 0), (1, 31)])
def test_days_that_do_not_exist_are_refused(month: int, day: int) -> None:
    with pytest.raises(ValueError, match="not a day of the lunar calendar"):
        next_lunar_birthday(month, day, date(2024, 1, 1))
