"""Who is likely to leave: from kept days over the nightly turn and the ready plan's alert to the words on Today."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command

from zhike.act.engagement.models import Alert, Touch
from zhike.conftest import NOW, Person
from zhike.decide.plans import operations as plans
from zhike.measure.models import CustomerFacts
from zhike.measure.tests.conftest import Book
from zhike.measure.tests.test_leaving import keep
from zhike.org.models import Company
from zhike.record.commerce.models import Product, Subscription
from zhike.record.customers.models import Customer

pytestmark = pytest.mark.slow

DAY = date(2026, 3, 12)
SIZE, WEEKS = 260, 34
YEAR = 365
Make = Callable[..., Customer]


@pytest.fixture
def idle(db: None, customer: Make, mei: Person) -> list[Customer]:
    """A company in which those who hardly use the product do not renew; returns the idle ones who renew soon."""
    Company.objects.create(id=1, name="Yunzhou", currency="CNY", language="en")
    plans.ensure_ready_plan("saas", now=NOW)
    draw = np.random.default_rng(2)
    product = Product.objects.create(ref="P", name="Suite")
    people, lazy = [], draw.random(SIZE) < 0.35
    ends = draw.integers(1 - 7 * WEEKS, YEAR - 7 * WEEKS, SIZE)  # Days from the last day to a contract's first end.
    leaves = draw.random(SIZE) < np.where(lazy, 0.75, 0.03)
    book = Book()
    for at in range(SIZE):
        one = customer(f"客户{at}", mei.staff, ref=f"C{at:03}", joined=DAY - timedelta(days=900))
        people.append(one)
        gone = leaves[at] and ends[at] <= 0
        until = DAY + timedelta(days=int(ends[at]) + (0 if ends[at] > 0 or gone else YEAR))
        since = DAY - timedelta(days=800)
        Subscription.objects.create(
            customer=one, product=product, start=since, end=until, mrr=Decimal(1000), currency="CNY", key=one.ref
        )
        for back in range(1, 30, 12 if lazy[at] else 2):
            book.used(one, DAY - timedelta(days=back), event="login", count=2, users=1 if lazy[at] else 6)
    book.file_usage()
    _history([one.pk for one in people], lazy, ends, leaves, draw)
    return [one for one, idle, end in zip(people, lazy, ends, strict=True) if idle and 0 < end <= 50]


def _history(ids: list[int], lazy: Any, ends: Any, leaves: Any, draw: Any) -> None:
    for week in range(WEEKS, 0, -1):
        day, ago = DAY - timedelta(weeks=week), -7 * week
        over = ends <= ago
        gone = over & leaves
        days = np.where(over, ends + YEAR, ends) - ago
        use = draw.poisson(np.where(lazy, 3, 15))
        keep(
            day,
            ids,
            {
                "mrr": [None if one else Decimal(1000) for one in gone],
                "days_to_renewal": [None if one else int(left) for one, left in zip(gone, days, strict=True)],
                "contract_days": [None if one else YEAR for one in gone],
                "active_days_30d": use,
                "usage_30d": 2 * use,
                "users_30d": np.where(lazy, 1, 6),
                "days_since_usage": draw.integers(1, 10, SIZE),
                "last_usage": [day - timedelta(days=3)] * SIZE,
            },
        )


def turn() -> None:
    call_command("turn", today=DAY.isoformat(), json=True, stdout=StringIO(), stderr=StringIO())


@pytest.mark.django_db
def test_an_alert_names_what_makes_leaving_likely_and_today_says_it(idle: list[Customer], mei: Person) -> None:
    turn()
    likely = CustomerFacts.objects.filter(churn_probability__gte=0.2)
    assert {one.pk for one in idle} & set(likely.values_list("customer_id", flat=True))
    alerts = Alert.objects.filter(rule="churn_likely", day=DAY)
    assert set(alerts.values_list("customer_id", flat=True)) == set(likely.values_list("customer_id", flat=True))
    for alert in alerts:
        drivers = [fact for fact, _value in alert.detail["drivers"]]
        assert "days_to_renewal" in drivers
        assert {"active_days_30d", "usage_30d", "users_30d", "logins_per_week"} & set(drivers)
        assert alert.touch is not None
        assert alert.touch.owner_id == mei.staff.pk
    page = mei.get("/today?show=all").content.decode()
    assert "Churn probability" in page
    assert "within 60 days" in page
    assert "Days to renewal ≤" not in page  # The day itself, not the class that was learnt from.
    shown = alerts.first()
    assert shown is not None
    assert f"Churn probability {100 * shown.detail['chance']:.0f}%" in page
    before = Touch.objects.count(), Alert.objects.count()
    turn()
    assert (Touch.objects.count(), Alert.objects.count()) == before
