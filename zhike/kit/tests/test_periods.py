from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhike.kit.periods import PeriodKind, add_months, months_between, period_of

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
KINDS = st.sampled_from(["week", "month", "quarter", "half_year", "year"])


@pytest.mark.parametrize(
    ("day", "kind", "key", "start", "end"),
    [
        (date(2026, 3, 31), "quarter", "2026-Q1", date(2026, 1, 1), date(2026, 4, 1)),
        (date(2026, 7, 1), "half_year", "2026-H2", date(2026, 7, 1), date(2027, 1, 1)),
        (date(2026, 12, 31), "year", "2026", date(2026, 1, 1), date(2027, 1, 1)),
        (date(2026, 2, 28), "month", "2026-02", date(2026, 2, 1), date(2026, 3, 1)),
        (date(2027, 1, 1), "week", "2026-W53", date(2026, 12, 28), date(2027, 1, 4)),
    ],
)
def test_known_periods(day: date, kind: PeriodKind, key: str, start: date, end: date) -> None:
    period = period_of(day, kind)
    assert (period.key, period.start, period.end) == (key, start, end)


@given(DAYS, KINDS)
def test_periods_tile_time(day: date, kind: PeriodKind) -> None:
    period = period_of(day, kind)
    assert period.start <= day < period.end
    assert period.next.start == period.end
    assert period_of(period.next.start - timedelta(days=1), kind) == period
    assert period.key < period.next.key


@given(DAYS, st.integers(-200, 200))
def test_a_calendar_month_is_exactly_one(day: date, count: int) -> None:
    start = day.replace(day=min(day.day, 28))
    assert months_between(start, add_months(start, count)) == count


@given(DAYS, DAYS)
def test_later_is_more_months(start: date, end: date) -> None:
    assert months_between(start, end + timedelta(days=1)) > months_between(start, end)
    assert abs(months_between(start, end) - (end - start).days / 30.436875) < 1.1
    assert months_between(start, end) == -months_between(end, start)


def test_known_months() -> None:
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_between(date(2026, 1, 31), date(2026, 2, 28)) == 1.0
    assert months_between(date(2026, 3, 1), date(2026, 4, 16)) == 1.5
