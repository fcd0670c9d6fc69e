"""What a row of the queue is drawn from, read in one go: fifty rows of models would be 250 objects."""

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple


class Shown(NamedTuple):
    """What a row is drawn from, as it is read: a touch, its customer, the contact and some of the customer's facts."""

    id: int
    customer_id: int
    kind: str
    reason: dict[str, Any]
    content: dict[str, Any]
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


_ELSEWHERE = {
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
