"""Upper limits: contact must never turn into disturbance (requirements D5, E9)."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, timedelta

from zhike.decide.plans.rules.contact import Limit
from zhike.kit.calendars import WorkCalendar

PUT_OFF_AT_MOST = 31  # Workdays; a wish that finds no room in them is dropped until a later turn wishes it again.


def fits(day: date, contacts: Sequence[date], limit: Limit | None) -> bool:
    """Say whether one more contact on `day` keeps every window of the limit's days at or under its number."""
    if limit is None:
        return True
    near = sorted(other for other in contacts if abs((other - day).days) < limit.days)
    place = bisect_left(near, day)
    near.insert(place, day)
    # Only windows that hold the day itself: an excess of long ago forbids nothing today.
    runs = range(max(0, place - limit.touches), min(place, len(near) - limit.touches - 1) + 1)
    return all((near[first + limit.touches] - near[first]).days >= limit.days for first in runs)


def first_fitting(
    day: date, contacts: Sequence[date], limit: Limit | None, calendar: WorkCalendar, *, before: date | None = None
) -> date | None:
    """Return the first workday from `day` on that keeps the limit, or None when there is none before `before`."""
    tried = calendar.next_workday(day)
    for _attempt in range(PUT_OFF_AT_MOST):
        if before is not None and tried >= before:
            return None
        if fits(tried, contacts, limit):
            return tried
        tried = calendar.next_workday(tried + timedelta(days=1))
    return None
