"""What a row of the queue is drawn from, read in one go: fifty rows of models would be 250 objects."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import TextField
from django.db.models.functions import Cast


class Shown(NamedTuple):
    """What a row is drawn from, as it is read: a touch, its customer, the contact and some of the customer's facts."""

    id: int
    customer_id: int
    kind: str
    reason_text: str
    content_text: str
    channel: str
    minutes: int
    stake: Decimal
    urgency: int
    priority: float
    due_on: date
    customer: str
    industry: str
    owner: str | None
    contact: str | None
    tier: str | None
    health: float | None
    health_band: str | None
    health_change_30d: float | None
    last_touch: date | None
    days_since_usage: int | None
    usage_30d: Decimal | None
    usage_prev_30d: Decimal | None
    contract_end: date | None
    days_to_renewal: int | None
    seats: Decimal | None
    features_30d: int | None

    @property
    def reason(self) -> Mapping[str, Any]:
        return read(self.reason_text)

    @property
    def content(self) -> Mapping[str, Any]:
        return read(self.content_text)


@lru_cache(maxsize=4096)
def read(text: str) -> Mapping[str, Any]:
    """Return what a text of JSON holds; many touches share it, and nobody changes it."""
    found: Mapping[str, Any] = json.loads(text)
    return found


_ELSEWHERE: dict[str, Any] = {
    "reason_text": Cast("reason", TextField()),
    "content_text": Cast("content", TextField()),
    "customer": "customer__name",
    "industry": "customer__industry",
    "owner": "customer__owner__name",
    "contact": "contact__name",
}
_FIRST_FACT = Shown._fields.index("tier")
PATHS = (
    *(_ELSEWHERE.get(name, name) for name in Shown._fields[:_FIRST_FACT]),
    *(f"customer__facts__{name}" for name in Shown._fields[_FIRST_FACT:]),
)
"""Where each of them stands, seen from the touch."""
