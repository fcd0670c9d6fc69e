"""The order of Today: impact times urgency.

Impact is 1 to 3: where the customer's yearly value stands in the owner's book, 1 at its lower end and 3 at its upper.
Urgency is the plan's 1 to 3, plus a tenth for each overdue workday up to ten: what was put off climbs, but a small
customer's greeting never overtakes a large customer's alarm.
"""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date
from typing import Protocol

from zhike.kit.calendars import WorkCalendar

OVERDUE_STEP, OVERDUE_MOST = 0.1, 10


class Book:
    """The yearly values of one owner's customers."""

    def __init__(self, values: Iterable[float]) -> None:
        self._values = sorted(values)

    def impact(self, value: float) -> float:
        """Return 1 to 3 by the share of the book that is worth less; 2 when all are worth the same."""
        if not self._values or self._values[0] == self._values[-1]:
            return 2.0
        return 1.0 + 2.0 * bisect_left(self._values, value) / max(len(self._values) - 1, 1)


class Dated(Protocol):
    @property
    def due_on(self) -> date: ...


def overdue_workdays(due_on: date, today: date, calendar: WorkCalendar) -> int:
    return max(0, calendar.workdays_between(due_on, today)) if due_on < today else 0


def priority(impact: float, urgency: int, overdue: int) -> float:
    """Return the place in the queue; higher is sooner. `overdue` counts workdays."""
    return round(min(impact, 3.0) * (urgency + OVERDUE_STEP * min(overdue, OVERDUE_MOST)), 4)
