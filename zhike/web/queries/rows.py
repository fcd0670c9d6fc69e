"""What the rows of the customer list show beside the facts of the morning: touches as they are now, owners' names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from zhike.act.engagement.models import TouchState
from zhike.org.models import Staff
from zhike.org.prepared import Prepared, Slots
from zhike.org.statements import answered
from zhike.record.interactions.models import Outcome

# One look into an index for each customer and each of the two; GREATEST of PostgreSQL passes over NULL, so a touch that
# was never put off keeps its day.
AROUND = """
SELECT asked.id, latest.at, latest.channel, coming.day
FROM unnest(%s::bigint[]) AS asked (id)
LEFT JOIN LATERAL (
    SELECT at, channel FROM interactions_interaction
    WHERE customer_id = asked.id AND outcome = %s ORDER BY at DESC LIMIT 1
) AS latest ON true
LEFT JOIN LATERAL (
    SELECT MIN(GREATEST(due_on, snoozed_until)) AS day FROM engagement_touch
    WHERE customer_id = asked.id AND state = %s
) AS coming ON true
"""


@dataclass(frozen=True, slots=True)
class Around:
    """When and on which channel a customer was last reached, and the day of the next open touch."""

    last: datetime | None = None
    channel: str = ""
    next: date | None = None


def touches_around(ids: Sequence[int]) -> dict[int, Around]:
    """Return the last and the next touch of each customer."""
    rows = answered(AROUND, [list(ids), Outcome.REACHED.value, TouchState.OPEN.value])
    return {key: Around(last, channel or "", day) for key, last, channel, day in rows}


def owner_names(ids: Iterable[int | None]) -> dict[int, str]:
    return dict(_NAMES.list(ids=[key for key in ids if key]))


_NAMES: Prepared[tuple[int, str]] = Prepared(
    lambda _viewer: Staff.objects.filter(pk__in=Slots("ids")).values_list("id", "name")
)


def facts_in(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row's facts under their own names."""
    return {name.removeprefix("facts__"): value for name, value in row.items()}
