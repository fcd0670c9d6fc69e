"""The story of a customer: everything that happened, newest first, by kind and by time."""

from datetime import date
from typing import Any

from zhike.org.models import Staff
from zhike.record.customers.models import Customer


def drawn(found: Customer, reader: Staff, kind: str, before: str, today: date) -> dict[str, Any]:
    return {"chips": [], "groups": [], "older_url": "", "empty": "", "empty_why": ""}
