"""Questions about touches: for planning, for the queue of a day, for a customer."""

from zhike.act.engagement.queries.load import DUE_TO, Capacity, calendar_in_force, capacity, load_of
from zhike.act.engagement.queries.planning import (
    Past,
    columns_for,
    contact_days,
    customers_measured,
    latest_alerts,
    open_touches,
    parsed_rules,
    people_of,
    planning_began,
    rows_for_planning,
    touched_since,
    wished_keys,
)
from zhike.act.engagement.queries.queue import Queue, row_of, today_queue, touches_of
from zhike.act.engagement.queries.rows import QueueRow, plan_or_none, touch_for
from zhike.act.engagement.queries.wording import sentence, superseded

__all__ = [
    "DUE_TO",
    "Capacity",
    "Past",
    "Queue",
    "QueueRow",
    "calendar_in_force",
    "capacity",
    "columns_for",
    "contact_days",
    "customers_measured",
    "latest_alerts",
    "load_of",
    "open_touches",
    "parsed_rules",
    "people_of",
    "plan_or_none",
    "planning_began",
    "row_of",
    "rows_for_planning",
    "sentence",
    "superseded",
    "today_queue",
    "touch_for",
    "touched_since",
    "touches_of",
    "wished_keys",
]
