"""A day measured: rows, snapshot, moves and totals, all or nothing, and the same again when repeated."""

import itertools
import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.conf import settings
from django.db.models import Sum, TextField
from django.db.models.expressions import RawSQL
from django.forms.models import model_to_dict

from zhike.conftest import Person
from zhike.measure import reading, snapshots, turns
from zhike.measure.facts import STORED
from zhike.measure.models import CustomerFacts, FactsDay, FactsSummary, StageMove, TierMove
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import NOW, PLAN, TODAY, Book
from zhike.org.works import Cancelled
from zhike.record.customers.models import Customer

pytestmark = pytest.mark.slow  # Whole turns take seconds.

DAY = timedelta(days=1)


def files() -> set[str]:
    return {place.name for place in (Path(settings.LAKE) / "facts").glob("*")}


def rows() -> list[dict[str, Any]]:
    return [model_to_dict(row) for row in CustomerFacts.objects.order_by("pk")]


def wishes(*pairs: tuple[Customer, date]) -> pa.Table:
    return pa.Table.from_arrays(
        [
            pa.array([customer.pk for customer, _day in pairs], pa.int64()),
            pa.array([day for _, day in pairs], pa.date32()),
        ],
        schema=reading.NEXT_TOUCHES,
    )


def test_the_rows_are_what_was_computed_and_so_is_the_snapshot(book: Book, spec: MeasureSpec) -> None:
    book.fill(1)
    done = turns.measure(spec, today=TODAY, now=NOW, plan_number=3)
    table = turns.compute(spec, TODAY)
    assert (done.customers, done.changed, done.is_latest) == (30, 30, True)
    for row in table.to_pylist():
        kept = CustomerFacts.objects.get(pk=row["customer_id"])
        assert {fact.name: getattr(kept, fact.name) for fact in STORED} == {
            fact.name: row[fact.name] for fact in STORED
        }
    day = FactsDay.objects.get()
    assert (day.day, day.rows, day.plan_number, day.warnings) == (TODAY, 30, 3, [])
    assert day.path.startswith("facts/day=2026-03-12.")
    assert snapshots.read(day).equals(table)
    assert MeasureSpec.model_validate(day.spec) == spec


def test_repeating_a_day_changes_nothing(book: Book, spec: MeasureSpec) -> None:
    book.fill(2)
    turns.measure(spec, today=TODAY - DAY, now=NOW)
    first = turns.measure(spec, today=TODAY, now=NOW)
    before = rows(), files(), list(StageMove.objects.values()), list(TierMove.objects.values())
    again = turns.measure(spec, today=TODAY, now=NOW)
    assert (rows(), files(), list(StageMove.objects.values()), list(TierMove.objects.values())) == before
    assert again.changed == 0
    assert again.stages.table.drop(["new"]).equals(first.stages.table.drop(["new"]))
    assert not any(again.stages.table["new"].to_pylist())


@pytest.mark.slow
def test_only_what_differs_is_written(book: Book, spec: MeasureSpec) -> None:
    book.fill(3)
    turns.measure(spec, today=TODAY, now=NOW)
    book.talk(book.customers[4], TODAY - DAY)
    assert turns.measure(spec, today=TODAY, now=NOW).changed == 1


@pytest.mark.slow
def test_a_past_day_only_has_its_snapshot_rewritten(book: Book, spec: MeasureSpec) -> None:
    book.fill(4)
    turns.measure(spec, today=TODAY, now=NOW)
    before = rows(), list(StageMove.objects.values())
    past = turns.measure(spec, today=TODAY - 40 * DAY, now=NOW)
    assert (past.is_latest, past.changed) == (False, 0)
    assert (rows(), list(StageMove.objects.values())) == before
    assert FactsDay.objects.count() == len(files()) == 2


@pytest.mark.slow
def test_replaced_snapshots_are_removed_after_a_while(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=date(2025, 1, 1))
    turns.measure(spec, today=TODAY - DAY, now=NOW)
    turns.measure(spec, today=TODAY, now=NOW)
    old = {place.name: place for place in (Path(settings.LAKE) / "facts").iterdir()}
    book.order(customer, TODAY - DAY, 100)
    turns.measure(spec, today=TODAY, now=NOW)
    assert len(files()) == 3  # Somebody may still read the one just replaced.
    for place in old.values():
        os.utime(place, (0, 0))
    turns.measure(spec, today=TODAY, now=NOW)
    assert len(files()) == 2
    assert {f"facts/{name}" for name in files()} == set(FactsDay.objects.values_list("path", flat=True))


def test_work_that_is_cancelled_leaves_nothing(book: Book, spec: MeasureSpec) -> None:
    class Impatient:
        def step(self, words: str, done: int = 0, total: int | None = None) -> None:
            if done == 3:
                raise Cancelled

    book.fill(5, customers=5)
    with pytest.raises(Cancelled):
        turns.measure(spec, today=TODAY, now=NOW, progress=Impatient())
    assert (CustomerFacts.objects.count(), FactsDay.objects.count(), StageMove.objects.count()) == (0, 0, 0)


def test_moves_are_noted_with_their_day(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=TODAY - 89 * DAY)
    rich = book.customer("B", joined=TODAY - 400 * DAY)
    book.order(rich, TODAY - 100 * DAY, 100)
    first = turns.measure(spec, today=TODAY, now=NOW)
    assert (first.stages.counts(), first.tiers.counts()) == ([], [])
    book.order(customer, TODAY, 500)
    second = turns.measure(spec, today=TODAY + DAY, now=NOW)
    assert second.stages.counts() == [("onboarding", "growth", 1)]
    assert second.tiers.counts() == [("core", "potential", 1), ("general", "core", 1)]
    assert second.tiers.first(1) == [{"customer_id": customer.pk, "before": "general", "after": "core", "new": True}]
    history = StageMove.objects.filter(customer=customer).order_by("day").values_list("before", "after", "day")
    assert list(history) == [("", "onboarding", TODAY - 89 * DAY), ("onboarding", "growth", TODAY + DAY)]
    assert CustomerFacts.objects.get(pk=customer.pk).stage_since == TODAY + DAY
    turns.measure(spec, today=TODAY + 5 * DAY, now=NOW)
    assert CustomerFacts.objects.get(pk=customer.pk).stage_since == TODAY + DAY


@pytest.mark.slow
def test_a_day_repeated_with_another_plan_has_the_moves_of_that_plan(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=TODAY - 89 * DAY)
    turns.measure(spec, today=TODAY, now=NOW)
    turns.measure(spec, today=TODAY + DAY, now=NOW)
    assert StageMove.objects.filter(customer=customer).count() == 2
    longer = MeasureSpec.model_validate({**PLAN, "lifecycle": {"onboarding_days": 180}})
    again = turns.measure(longer, today=TODAY + DAY, now=NOW)
    assert again.stages.counts() == []
    assert StageMove.objects.filter(customer=customer).count() == 1


@pytest.mark.slow
def test_health_is_set_against_the_day_kept_a_month_ago(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=TODAY - 400 * DAY)
    for back in range(1, 60):
        book.used(customer, TODAY - back * DAY, count=1 if back < 29 else 3)
    book.file_usage()
    turns.measure(spec, today=TODAY - 35 * DAY, now=NOW)
    turns.measure(spec, today=TODAY - 28 * DAY, now=NOW)
    turns.measure(spec, today=TODAY, now=NOW)
    kept = {day.day: snapshots.read(day)["health"][0].as_py() for day in FactsDay.objects.all()}
    row = CustomerFacts.objects.get(pk=customer.pk)
    assert row.health_30d_ago == kept[TODAY - 28 * DAY] != row.health
    assert row.health_change_30d == row.health - row.health_30d_ago
    # Weeks end on today's weekday: 28 days ago closes the week four weeks back, 35 days ago the one before.
    weeks = [None] * 20 + [round(kept[TODAY - 35 * DAY]), round(kept[TODAY - 28 * DAY]), None, None, None]
    assert row.health_weeks == [*weeks, round(row.health)]


@pytest.mark.slow
def test_no_kept_day_means_no_change(book: Book, spec: MeasureSpec) -> None:
    book.fill(6, customers=5)
    turns.measure(spec, today=TODAY - 20 * DAY, now=NOW)
    turns.measure(spec, today=TODAY, now=NOW)
    assert set(CustomerFacts.objects.values_list("health_30d_ago", "health_change_30d")) == {(None, None)}


@pytest.mark.slow
def test_customers_who_are_gone_or_not_yet_there(book: Book, spec: MeasureSpec) -> None:
    book.fill(7, customers=5)
    turns.measure(spec, today=TODAY, now=NOW)
    Customer.objects.filter(pk=book.customers[0].pk).delete()
    tomorrow = book.customer("tomorrow", joined=TODAY + 9 * DAY)
    done = turns.measure(spec, today=TODAY, now=NOW)
    assert done.customers == 4
    assert CustomerFacts.objects.count() == 5
    assert CustomerFacts.objects.get(pk=tomorrow.pk).tier is None


def test_the_next_touch_is_given_kept_and_replaced(book: Book, spec: MeasureSpec) -> None:
    one, two = book.customer("A", joined=date(2025, 1, 1)), book.customer("B", joined=date(2025, 1, 1))
    turns.measure(spec, today=TODAY, now=NOW, given=wishes((one, TODAY + DAY), (two, TODAY)))
    turns.measure(spec, today=TODAY, now=NOW)
    assert list(CustomerFacts.objects.order_by("pk").values_list("next_touch", flat=True)) == [TODAY + DAY, TODAY]
    assert turns.set_next_touch(wishes((one, TODAY + 2 * DAY)), today=TODAY) == 2
    assert turns.set_next_touch(wishes((one, TODAY + 2 * DAY)), today=TODAY) == 0
    assert list(CustomerFacts.objects.order_by("pk").values_list("next_touch", flat=True)) == [TODAY + 2 * DAY, None]
    kept = snapshots.read(FactsDay.objects.get(), ["next_touch"])
    assert kept["next_touch"].to_pylist() == [TODAY + 2 * DAY, None]
    turns.measure(spec, today=TODAY + DAY, now=NOW)
    assert CustomerFacts.objects.get(pk=one.pk).next_touch == TODAY + 2 * DAY


def test_a_touch_made_today_is_seen_today(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=date(2025, 1, 1))
    turns.measure(spec, today=TODAY, now=NOW)
    turns.refresh_contact(customer.pk, TODAY, TODAY + 7 * DAY)
    row = CustomerFacts.objects.get()
    assert (row.last_touch, row.days_since_touch, row.next_touch) == (TODAY, 0, TODAY + 7 * DAY)


@pytest.mark.slow
def test_the_totals_add_up_to_the_rows(book: Book, spec: MeasureSpec) -> None:
    book.fill(8)
    turns.measure(spec, today=TODAY, now=NOW)
    sums = FactsSummary.objects.aggregate(
        customers=Sum("customers"), revenue=Sum("revenue"), mrr=Sum("mrr"), health=Sum("health_sum")
    )
    wanted = CustomerFacts.objects.aggregate(revenue=Sum("revenue"), mrr=Sum("mrr"), health=Sum("health"))
    assert sums == {"customers": 30, **wanted}
    assert sums["revenue"] > Decimal(0)


def test_one_owners_rows_lie_together(book: Book, spec: MeasureSpec, mei: Person, jun: Person) -> None:
    book.fill(1)
    owners = {mei.staff.pk, jun.staff.pk}
    for number, customer in enumerate(Customer.objects.order_by("pk")):
        Customer.objects.filter(pk=customer.pk).update(owner=(mei if number % 2 else jun).staff)
    turns.measure(spec, today=TODAY, now=NOW, plan_number=3)
    place = RawSQL("measure_customerfacts.ctid", [], output_field=TextField())
    lying = list(CustomerFacts.objects.order_by(place).values_list("book_id", flat=True))
    changes = sum(one != following for one, following in itertools.pairwise(lying))
    assert (set(lying), changes) == (owners, 1)
