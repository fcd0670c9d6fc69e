"""What changed about somebody's queue while the page lay open."""

from datetime import datetime

from zhike.org.models import Staff
from zhike.record.events.models import Event, EventKind

KINDS = (
    EventKind.TOUCH_PLANNED,
    EventKind.TOUCH_MADE,
    EventKind.TOUCH_POSTPONED,
    EventKind.TOUCH_DROPPED,
    EventKind.TOUCH_REOPENED,
)


def touches_changed(whose: Staff, *, since: datetime, reader: Staff) -> int:
    """Return how many customers of this person's book have touches that somebody else, or the turn, has changed."""
    changed = Event.objects.filter(kind__in=KINDS, at__gt=since, customer__owner=whose).exclude(by=reader)
    return changed.values("customer_id").distinct().count()
