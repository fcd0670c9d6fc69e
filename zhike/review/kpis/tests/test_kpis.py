"""Each key figure on a handful of rows whose answer can be told by hand."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from zhike.conftest import NOW
from zhike.decide.plans.rules.schema import KpiTarget, Plan
from zhike.measure.models import CustomerFacts, FactsDay
from zhike.org.models import Company, ExchangeRate
from zhike.record.commerce.models import Order, Product, Subscription
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, EventKind
from zhike.review.kpis import operations, queries
from zhike.review.kpis.models import KpiValue
from zhike.review.kpis.rules import KPIS, band

DAY = date(2026, 3, 12)
MARCH = NOW.replace(day=1)


@pytest.fixture
def company(db: None) -> Company:
    return Company.objects.create(id=1, name="Yunzhou", currency="CNY")


@pytest.fixture
def customer(company: Company) -> Callable[[str], Customer]:
    def make(ref: str) -> Customer:
        return Customer.objects.create(ref=ref, name=ref, sort_key=ref, terms="", created_at=NOW, updated_at=NOW)

    return make


def subscribe(customer: Customer, start: date, end: date | None, mrr: int = 100, currency: str = "CNY") -> None:
    product = Product.objects.get_or_create(ref="P", defaults={"name": "P"})[0]
    key = f"{customer.ref}{start}"
    Subscription.objects.create(
        customer=customer, product=product, start=start, end=end, mrr=mrr, currency=currency, key=key
    )


def buy(customer: Customer, day: date, bought: int = 100, returned: int = 0) -> None:
    at = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    ref = f"{customer.ref}-{day}"
    Order.objects.create(
        ref=ref, customer=customer, placed_at=at, currency="CNY", bought=Decimal(bought), returned=Decimal(returned)
    )


def answer(customer: Customer, kind: str, score: Any, at: datetime = MARCH) -> None:
    payload = {kind: score}
    Event.objects.create(customer=customer, kind=EventKind.SURVEY_ANSWERED, at=at, payload=payload)


def test_without_anything_to_measure_there_is_no_value(company: Company) -> None:
    noted = operations.note(DAY)
    assert {(value.value, value.basis) for value in noted.values()} == {(None, 0)}
    assert set(noted) == set(KPIS)


def test_retention_counts_subscriptions_in_force_then_and_now(customer: Callable[[str], Customer]) -> None:
    subscribe(customer("stays"), date(2025, 1, 1), None)
    renewed = customer("renewed")
    subscribe(renewed, date(2025, 1, 1), date(2026, 1, 1))
    subscribe(renewed, date(2026, 1, 1), date(2027, 1, 1))
    subscribe(customer("left in the month"), date(2025, 1, 1), date(2026, 3, 1))
    subscribe(customer("left last year"), date(2025, 1, 1), date(2025, 9, 1))
    subscribe(customer("new"), date(2026, 3, 1), None)
    noted = operations.note(DAY)
    assert noted["retention_month"].value == pytest.approx(2 / 3)
    assert noted["retention_month"].basis == 3
    assert (noted["retention_year"].value, noted["retention_year"].basis) == (0.5, 4)
    assert noted["retention_year"].detail == {"kept": 2, "lost": 2}


def test_without_subscriptions_retention_counts_purchases(customer: Callable[[str], Customer]) -> None:
    again, gone, only_returned = customer("again"), customer("gone"), customer("only returned")
    buy(again, date(2026, 2, 1))
    buy(again, date(2026, 3, 11))
    buy(gone, date(2026, 2, 1))
    buy(only_returned, date(2026, 2, 1))
    buy(only_returned, date(2026, 3, 1), bought=0, returned=50)
    noted = operations.note(DAY)
    assert noted["retention_month"].value == pytest.approx(1 / 3)
    assert noted["retention_month"].basis == 3


def test_the_latest_answer_of_each_customer_counts(customer: Callable[[str], Customer]) -> None:
    promoter, changed, passive, old = (customer(name) for name in "abcd")
    answer(promoter, "nps", 9)
    answer(changed, "nps", 10)
    answer(changed, "nps", 6, NOW.replace(day=2))
    answer(passive, "nps", 8)
    answer(passive, "nps", "ten", NOW.replace(day=3))
    answer(old, "nps", 0, NOW.replace(year=2025))
    answer(promoter, "csat", 5)
    answer(changed, "csat", 3)
    noted = operations.note(DAY)
    assert (noted["nps"].value, noted["nps"].basis) == (0.0, 3)
    assert (noted["csat"].value, noted["csat"].basis) == (0.5, 2)


def test_value_per_customer_grows_in_the_reporting_currency(customer: Callable[[str], Customer]) -> None:
    ExchangeRate.objects.create(currency="EUR", from_day=date(2020, 1, 1), rate=Decimal(8))
    subscribe(customer("yuan"), date(2024, 3, 12), date(2026, 3, 12), mrr=100)  # 1,200 in both years.
    subscribe(customer("euro"), date(2025, 3, 12), date(2026, 3, 12), mrr=20, currency="EUR")  # 1,920 now.
    subscribe(customer("no rate"), date(2025, 3, 12), None, mrr=999, currency="XXX")
    noted = operations.note(DAY)["clv_growth"]
    assert noted.value == pytest.approx((1200 + 1920) / 2 / 1200 - 1)
    assert noted.basis == 2
    assert noted.detail == {"now": 1560.0, "before": 1200.0, "customers_before": 1}


def test_noting_a_day_again_replaces_it(customer: Callable[[str], Customer]) -> None:
    operations.note(DAY)
    subscribe(customer("late news"), date(2025, 1, 1), None)
    operations.note(DAY)
    assert KpiValue.objects.count() == len(KPIS)
    assert KpiValue.objects.get(name="retention_year").value == 1.0


def test_meters_stand_against_goal_and_last_month(company: Company) -> None:
    KpiValue.objects.create(day=date(2026, 2, 10), name="retention_month", value=0.92, basis=50)
    KpiValue.objects.create(day=DAY, name="retention_month", value=0.9, basis=60)
    KpiValue.objects.create(day=DAY, name="nps", value=None, basis=0)
    plan = Plan.model_construct(kpis={"retention_month": KpiTarget(target=0.95, warn_below=0.8)})
    month, nps = queries.meters(DAY, plan)
    assert (month.value, month.unit, month.band, month.share, month.goal) == ("90", "%", "warn", 90.0, 95.0)
    assert "−2" in month.comparison
    assert (nps.value, nps.band, nps.comparison) == ("—", "", "")


def test_bands() -> None:
    assert [band(value, 50, 30) for value in (50, 49, 29, None)] == ["ok", "warn", "risk", ""]


def test_every_key_figure_is_explained() -> None:
    page = (Path(__file__).parents[4] / "docs" / "reference" / "kpis.md").read_text(encoding="utf-8")
    assert [key for key in KPIS if f"`{key}`" not in page] == []


def worth(customer: Customer, tier: str, clv: int | None, cost: int | None) -> None:
    Customer.objects.filter(pk=customer.pk).update(acquisition_cost=cost)
    times = clv / cost if clv is not None and cost else None
    CustomerFacts.objects.create(customer=customer, tier=tier, clv=clv, clv_to_cac=times)


def test_core_customers_are_worth_so_many_times_what_winning_them_cost(customer: Callable[[str], Customer]) -> None:
    worth(customer("well"), "core", 30_000, 1_000)
    worth(customer("badly"), "core", 4_000, 1_000)
    worth(customer("without a cost"), "core", 9_000, None)
    worth(customer("without a value"), "core", None, 500)
    worth(customer("key"), "key", 1_000, 1_000)
    FactsDay.objects.create(day=DAY, path="x", rows=5, spec={}, computed_at=NOW, seconds=1)
    noted = operations.note(DAY)["core_value"]
    assert (noted.value, noted.basis) == (17.0, 2)
    assert noted.detail == {"reached": 1, "without_cost_or_value": 2}
    plan = Plan.model_construct(kpis={"core_value": KpiTarget(target=10, warn_below=5)})
    (meter,) = (one for one in queries.meters(DAY, plan) if one.key == "core_value")
    assert (meter.value, meter.unit, meter.band, meter.share, meter.goal) == ("17", "×", "ok", 85.0, 50.0)
    assert (meter.off, meter.aim_text) == ("+7", "10×")
    # The facts are those of that day: they say nothing of another one.
    assert operations.note(date(2026, 3, 1))["core_value"].value is None
