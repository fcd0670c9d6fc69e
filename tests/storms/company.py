"""The company that storms happen to."""

from datetime import datetime
from typing import Any

from zhike.record.customers.models import Contact, Customer
from zhike.record.tracking.operations.sources import add_source
from zhike.web import setting_up

CUSTOMERS = 200


def fill(now: datetime) -> dict[str, Any]:
    """Fill a fresh data folder; returns sources with their keys, and the user ids that belong to customers."""
    setting_up.prepare(now=now, name="Storm", email="first@storm.example", currency="CNY")
    refs = [f"S{number:04d}" for number in range(CUSTOMERS)]
    customers = Customer.objects.bulk_create(
        Customer(ref=ref, name=ref, sort_key=ref, created_at=now, updated_at=now) for ref in refs
    )
    Contact.objects.bulk_create(
        Contact(customer=each, ref=f"{each.ref}-1", name=each.ref, created_at=now, updated_at=now) for each in customers
    )
    sources = [add_source(name=name, origins=[], by=None, now=now) for name in ("first", "second")]
    return {
        "sources": [source.pk for source, _key in sources],
        "keys": [key for _source, key in sources],
        # Four in five belong to a customer; the others wait.
        "users": [f"{ref}-1" for ref in refs] + [f"stranger-{number}" for number in range(CUSTOMERS // 4)],
    }
