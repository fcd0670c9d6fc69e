"""What people do on the pages of web itself, beside reading: taking a list away."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from zhike.org import audit
from zhike.org.models import Staff


@transaction.atomic(durable=True)
def note_export(
    *, by: Staff, now: datetime, conditions: Sequence[Any], words: str, columns: Sequence[str], count: int | None
) -> None:
    """Note who took which customers away, before the first line leaves."""
    detail = {"conditions": list(conditions), "words": words, "columns": list(columns), "count": count}
    audit.note(by, "customers.exported", ("customers.customer", "many"), at=now, **detail)
