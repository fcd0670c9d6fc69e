"""The order of Today: impact times urgency.

Impact is 1 to 3: where the customer's yearly value stands in the owner's book, 1 at its lower end and 3 at its upper.
Urgency is the plan's 1 to 3, plus a tenth for each overdue workday up to ten: what was put off climbs, but a small
customer's greeting never overtakes a large customer's alarm.
"""

from datetime import date

from zhike.kit.calendars import WorkCalendar

OVERDUE_STEP, OVERDUE_MOST = 0.1, 10


def impact(rank: float) -> float:
    """Return 1 to 3 for a customer's rank in the owner's book: the share of the other customers who are worth less."""
    return 1.0 + 2.0 * min(max(rank, 0.0), 1.0)


def overdue_workdays(due_on: date, today: date, calendar: WorkCalendar) -> int:
    return max(0, calendar.workdays_between(due_on, today)) if due_on < today else 0


def priority(rank: float, urgency: int, overdue: int) -> float:
    """Return the place in the queue; higher is sooner. `overdue` counts workdays."""
    return round(impact(rank) * (urgency + OVERDUE_STEP * min(overdue, OVERDUE_MOST)), 4)
