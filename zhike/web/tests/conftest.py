"""Customers for the tests of the pages: made through the operations, measured by hand where a test needs a figure."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from zhike.conftest import NOW
from zhike.measure.models import CustomerFacts
from zhike.org.models import Staff
from zhike.record.customers import operations
from zhike.record.customers.models import Customer


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """Forget what the navigation remembers for a minute, so that no test sees another's figures."""
    cache.clear()


@pytest.fixture
def customer(db: None) -> Callable[..., Customer]:
    """Make a customer: `customer("澜庭家居", mei.staff, region="杭州", health=58)`; facts given mean it is measured."""
    own = {"ref", "kind", "industry", "region", "size", "joined", "attributes", "acquisition_cost"}

    def make(name: str, owner: Staff | None = None, **given: Any) -> Customer:
        fields = {key: value for key, value in given.items() if key in own}
        fields = {"ref": f"T{Customer.objects.count():05d}", **fields, "name": name, "owner": owner}
        made = operations.add_customer(fields, by=None, now=NOW)
        facts = {key: value for key, value in given.items() if key not in own}
        if facts:
            CustomerFacts.objects.create(customer=made, **facts)
        return made

    return make
