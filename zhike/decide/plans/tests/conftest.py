"""A plan in force, published by somebody."""

from datetime import timedelta

import pytest

from zhike.conftest import NOW, Person
from zhike.decide.plans import operations
from zhike.decide.plans.models import PlanVersion
from zhike.decide.plans.tests.plans import SMALL

EARLIER = NOW - timedelta(days=3)


@pytest.fixture
def first(lead: Person) -> PlanVersion:
    """Version 1, in force since three days."""
    return operations.publish(SMALL, note="The first", by=lead.staff, now=EARLIER)
