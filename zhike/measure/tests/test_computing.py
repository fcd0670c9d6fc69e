"""What is computed: the same as worked out by hand, whatever the order of rows, and never from the future."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.conf import settings

from zhike.measure import computing, lake, reading, turns
from zhike.measure.facts import fields
from zhike.measure.reading import History
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests import reference
from zhike.measure.tests.conftest import PLAN, TODAY, Book
from zhike.org.models import Company, ExchangeRate
from zhike.org.works import Silent

pytestmark = pytest.mark.slow  # Whole turns take seconds.


def by_ref(table: pa.Table) -> dict[str, dict[str, Any]]:
    return {row["ref"]: row for row in table.to_pylist()}


def differing(row: dict[str, Any], wanted: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What is not as it should be, by fact: what it is, and what it should be."""
    return {
        name: (row[name], value)
        for name, value in wanted.items()
        if row[name] != (pytest.approx(value) if isinstance(value, float) else value)
    }


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
def test_the_facts_are_those_worked_out_by_hand(book: Book, spec: MeasureSpec, seed: int) -> None:
    book.fill(seed, customers=25)
    today = TODAY - timedelta(days=[0, 45, 200, 0][seed])
    found, wanted = by_ref(turns.compute(spec, today)), reference.facts(today)
    assert set(found) <= set(wanted)
    assert len(found) > 5
    for ref, row in found.items():
        assert differing(row, wanted[ref]) == {}, ref


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_scores_health_and_tiers_are_those_worked_out_by_hand(book: Book, spec: MeasureSpec, seed: int) -> None:
    book.fill(seed, customers=40)
    found = by_ref(turns.compute(spec, TODAY))
    assert {ref: row["tier"] for ref, row in found.items()} == reference.tiers(found)
    bought = {ref: row for ref, row in found.items() if row["recency_days"] is not None}
    assert {ref: row["r_score"] for ref, row in bought.items()} == reference.fifths(
        {ref: -row["recency_days"] for ref, row in bought.items()}
    )
    assert {ref: row["m_score"] for ref, row in bought.items()} == reference.fifths(
        {ref: row["monetary"] for ref, row in bought.items()}
    )
    for row in found.values():
        health, points = reference.health(row, PLAN["health"]["parts"])
        assert row["health"] == health
        assert {key: row[f"health_{key}"] for key in points} == points


def test_later_rows_change_nothing(book: Book, spec: MeasureSpec) -> None:
    book.fill(5, customers=20, until=TODAY - timedelta(days=60))
    morning = TODAY - timedelta(days=60)
    before = turns.compute(spec, morning)
    late = book.customer("late", joined=None)
    born = book.customer("born", joined=morning + timedelta(days=1))
    for number, customer in enumerate([*book.customers[:10], late, born]):
        day = morning + timedelta(days=number)
        book.order(customer, day, 5000, hour=0)
        book.subscription(customer, day, None, 900)
        book.used(customer, day, "later", 50, hour=0)
        book.talk(customer, day)
        book.answer(customer, day, 10)
    book.file_usage()
    after = turns.compute(spec, morning)
    assert after.equals(before)
    later = by_ref(turns.compute(spec, TODAY))
    assert later["late"]["revenue"] > 5000


@pytest.mark.slow
def test_the_order_of_rows_does_not_show(book: Book, spec: MeasureSpec) -> None:
    book.fill(6, customers=25)
    when = reading.morning(TODAY)
    record = reading.record(when)
    turned = {
        name: getattr(record, name).take(list(range(getattr(record, name).num_rows))[::-1])
        for name in ("customers", "orders", "subscriptions", "interactions", "answers")
    }
    other = reading.Record(**{**vars(record), **turned})
    with lake.engine() as engine:
        one, two = (
            computing.compute(engine, each, spec, when, History.none(), fields(), given=None, watcher=Silent()).table
            for each in (record, other)
        )
    assert one.equals(two)


def test_days_begin_at_the_company_s_midnight(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=date(2025, 1, 1))
    book.order(customer, TODAY - timedelta(days=1), 10, hour=23)
    book.used(customer, TODAY - timedelta(days=1), hour=23)
    book.order(customer, TODAY, 10, hour=0)
    book.used(customer, TODAY, hour=0)
    book.file_usage()
    row = by_ref(turns.compute(spec, TODAY))["A"]
    assert (row["orders"], row["recency_days"], row["last_order"]) == (1, 1, TODAY - timedelta(days=1))
    assert (row["usage_30d"], row["days_since_usage"]) == (1, 1)
    Company.objects.update(time_zone="Pacific/Auckland")
    assert by_ref(turns.compute(spec, TODAY))["A"]["orders"] == 0


def test_returns_and_fees_are_no_purchases(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A")
    day = TODAY - timedelta(days=9)
    book.order(customer, day, 100, fees=12)
    book.order(customer, day, 0, returned=30)
    book.order(customer, day, 0, fees=5)
    row = by_ref(turns.compute(spec, TODAY))["A"]
    assert (row["orders"], row["revenue"], row["returned"], row["fees"]) == (1, 70, 30, 17)


def test_a_month_of_a_subscription_is_worth_its_price(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A")
    book.subscription(customer, date(2026, 1, 10), date(2026, 2, 10), 300)
    book.subscription(customer, date(2026, 2, 10), date(2026, 3, 10), 300)
    book.subscription(customer, date(2026, 3, 10), date(2026, 4, 10), 310)
    row = by_ref(turns.compute(spec, TODAY))["A"]
    assert row["revenue"] == Decimal("620.00")  # Two whole months and 2 of the 31 days from 10 March.
    assert (row["mrr"], row["contract_end"], row["days_to_renewal"]) == (310, date(2026, 4, 10), 29)


@pytest.mark.slow
def test_a_subscription_runs_up_to_the_day_before_its_end(book: Book, spec: MeasureSpec) -> None:
    for ref, end in (("over", TODAY - timedelta(days=1)), ("last", TODAY), ("on", TODAY + timedelta(days=1))):
        book.subscription(book.customer(ref), date(2025, 1, 1), end, 10)
    book.subscription(book.customer("begins"), TODAY, None, 10)
    rows = by_ref(turns.compute(spec, TODAY))
    assert {ref: row["mrr"] for ref, row in rows.items()} == {"over": 0, "last": 10, "on": 10}


def test_money_is_told_in_the_company_s_currency(book: Book, spec: MeasureSpec) -> None:
    ExchangeRate.objects.create(currency="USD", from_day=date(2026, 1, 1), rate="7.0")
    ExchangeRate.objects.create(currency="USD", from_day=date(2026, 2, 1), rate="8.0")
    ExchangeRate.objects.create(currency="USD", from_day=TODAY + timedelta(days=1), rate="100.0")
    customer = book.customer("A")
    for day in (date(2025, 12, 1), date(2026, 1, 31), date(2026, 2, 1)):
        book.order(customer, day, 1, currency="USD")
    book.order(customer, date(2026, 2, 1), 1, currency="")
    book.order(customer, date(2026, 2, 1), 3, currency="EUR")
    book.order(customer, date(2026, 2, 1), 4, currency="EUR")
    done = computing.facts(spec, TODAY, given=None, watcher=Silent())
    assert by_ref(done.table)["A"]["revenue"] == 7 + 7 + 8 + 1
    assert by_ref(done.table)["A"]["orders"] == 6
    assert done.warnings == [{"code": "no_rate", "currency": "EUR", "rows": 2, "amount": "7.0000"}]


@pytest.mark.slow
def test_while_no_currency_is_set_the_first_one_on_record_counts(book: Book, spec: MeasureSpec) -> None:
    Company.objects.update(currency="")
    book.order(book.customer("A"), date(2026, 2, 1), 5, currency="GBP")
    assert by_ref(turns.compute(spec, TODAY))["A"]["revenue"] == 5


def test_named_log_in_events_are_counted_and_else_days(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=TODAY - timedelta(days=14))
    for back, event in ((1, "login"), (1, "report"), (3, "login"), (9, "report")):
        book.used(customer, TODAY - timedelta(days=back), event, 4)
    book.file_usage()
    assert by_ref(turns.compute(spec, TODAY))["A"]["logins_per_week"] == pytest.approx(3 / 2)
    named = spec.model_copy(update={"login_events": ["login", "it's in"]})
    assert by_ref(turns.compute(named, TODAY))["A"]["logins_per_week"] == pytest.approx(8 / 2)


@pytest.mark.slow
def test_rfm_may_count_days_with_usage_within_a_window(book: Book) -> None:
    spec = MeasureSpec.model_validate({**PLAN, "rfm": {"source": "usage", "window_days": 30}})
    customer = book.customer("A")
    for back, event in ((2, "a"), (2, "b"), (10, "a"), (31, "a")):
        book.used(customer, TODAY - timedelta(days=back), event)
    book.order(customer, TODAY - timedelta(days=31), 5)
    book.order(customer, TODAY - timedelta(days=30), 7)
    book.file_usage()
    row = by_ref(turns.compute(spec, TODAY))["A"]
    assert (row["recency_days"], row["frequency"], row["monetary"]) == (2, 2, 7)


def test_a_plan_that_names_unknown_facts_is_refused(book: Book, spec: MeasureSpec) -> None:
    wrong = {"usage": {"fact": "stage", "weight": 1, "zero_at": 0, "full_at": 1}}
    with pytest.raises(computing.HealthFromUnknownFact) as caught:
        turns.compute(MeasureSpec.model_validate({**PLAN, "health": {"parts": wrong}}), TODAY)
    assert "stage" in str(caught.value)
    tiers: list[dict[str, Any]] = [dict(tier) for tier in PLAN["tiers"]["tiers"]]
    tiers[0]["where"] = {"tier": {"is": "core"}}
    with pytest.raises(Exception, match=r"tiers\[0\]\.where"):
        turns.compute(MeasureSpec.model_validate({**PLAN, "tiers": {"tiers": tiers}}), TODAY)


def test_a_lost_file_of_the_lake_stops_the_work(book: Book, spec: MeasureSpec) -> None:
    book.used(book.customer("A"), TODAY - timedelta(days=3))
    book.file_usage()
    path = next((Path(settings.LAKE) / "usage").iterdir())
    path.unlink()
    with pytest.raises(lake.LakeFileMissing):
        turns.compute(spec, TODAY)


def test_a_company_without_anybody_has_no_rows(book: Book, spec: MeasureSpec) -> None:
    assert turns.compute(spec, TODAY).num_rows == 0
