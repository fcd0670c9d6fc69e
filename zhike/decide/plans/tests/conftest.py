"""A plan in force, published by somebody."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from zhike.conftest import NOW, Person
from zhike.decide.plans import operations
from zhike.decide.plans.models import PlanVersion
from zhike.decide.plans.tests.plans import SMALL

EARLIER = NOW - timedelta(days=3)


@pytest.fixture
def first(lead: Person) -> PlanVersion:
    """Version 1, in force since three days."""
    return operations.publish(SMALL, note="The first", by=lead.staff, now=EARLIER)


@pytest.fixture
def emptied_afterwards(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let `transactional_db`, named after this in a test, empty the audit log too, which else forbids it."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE org_auditline DISABLE TRIGGER audit_is_not_emptied")
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE org_auditline ENABLE TRIGGER audit_is_not_emptied")
