"""Survey answers, noted as the events that a survey of our own would have left."""

import csv
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction

from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, EventKind


@transaction.atomic(durable=True)
def bring_in(path: Path, zone: ZoneInfo) -> int:
    """Note every answer of the file and return how many; where answers are noted already, none."""
    if Event.objects.filter(kind=EventKind.SURVEY_ANSWERED).exists():
        return 0
    ids = dict(Customer.objects.values_list("ref", "pk"))
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        events = [
            Event(
                customer_id=ids[customer],
                kind=EventKind.SURVEY_ANSWERED,
                at=datetime.fromisoformat(at).replace(tzinfo=zone),
                payload={"nps": int(score), "comment": comment},
            )
            for customer, at, score, comment in rows
        ]
    return len(Event.objects.bulk_create(events, batch_size=2000))
