"""Facts at a moment of the day: the same computed from nothing and change by change, and never from the future."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.forms.models import model_to_dict

from zhike.conftest import Person as Colleague
from zhike.measure import computing, freshening, keeping, proving, turns
from zhike.measure.facts import STORED, Source, of_source
from zhike.measure.models import CustomerFacts, FactsDay, FactsSummary, KeptFacts
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests import reference
from zhike.measure.tests.conftest import NOW, PLAN, TODAY, Book, at
from zhike.measure.tests.test_computing import by_ref, differing
from zhike.org.works import Silent
from zhike.record.commerce.models import Order
from zhike.record.customers import operations
from zhike.record.customers.models import Customer
from zhike.record.events.models import ChangedCustomer
from zhike.record.interactions.models import Interaction
from zhike.record.tracking.models import Person

DAY = timedelta(days=1)
AT_NIGHT = {fact.name for fact in of_source(Source.NIGHTLY)}
NOON = at(TODAY, 12)
EVENING = at(TODAY, 20)


def computed(spec: MeasureSpec, moment: datetime | None) -> dict[str, dict[str, Any]]:
    return by_ref(computing.facts(spec, TODAY, given=None, watcher=Silent(), moment=moment).table)


def standing() -> dict[str, dict[str, Any]]:
    rows = CustomerFacts.objects.filter(tier__isnull=False).select_related("customer")
    return {row.customer.ref: {fact.name: getattr(row, fact.name) for fact in STORED} for row in rows}


def measured(spec: MeasureSpec) -> FactsDay:
    turns.measure(spec, today=TODAY, now=NOW)
    return FactsDay.objects.get()


def freshened(day: FactsDay, moment: datetime, **options: Any) -> freshening.Fresh:
    with keeping.alone(wait=True):
        fresh = freshening.freshen(day, moment=moment, **options)
        keeping.forget(fresh.taken_notes)
    return fresh


def assert_all_equal(spec: MeasureSpec, moment: datetime) -> None:
    wanted, stands = computed(spec, moment), standing()
    assert set(stands) == set(wanted)
    for ref, row in stands.items():
        # What models said at night stands all day; what they would say now is not asked.
        differing = {name for name, value in row.items() if value != wanted[ref][name] and name not in AT_NIGHT}
        assert differing == set(), ref


@pytest.mark.parametrize("seed", [11, pytest.param(12, marks=pytest.mark.slow)])
def test_at_the_morning_itself_nothing_changes(book: Book, spec: MeasureSpec, seed: int) -> None:
    book.fill(seed, customers=20, until=TODAY + 3 * DAY)
    assert computed(spec, at(TODAY, 0)) == computed(spec, None)


@pytest.mark.parametrize("seed", [13, pytest.param(14, marks=pytest.mark.slow)])
def test_the_facts_of_a_moment_are_those_worked_out_by_hand(book: Book, spec: MeasureSpec, seed: int) -> None:
    book.fill(seed, customers=25, until=TODAY + 2 * DAY)
    for moment in (NOON, at(TODAY + DAY, 3)):
        wanted = reference.facts(TODAY, moment)
        for ref, row in computed(spec, moment).items():
            assert differing(row, wanted[ref]) == {}, ref


def test_nothing_of_what_comes_later_is_known(book: Book, spec: MeasureSpec) -> None:
    book.fill(15, customers=12, until=TODAY)
    before = computed(spec, NOON)
    for number, customer in enumerate(customer for customer in book.customers if customer.joined):
        book.order(customer, TODAY, 5000, hour=12 + number % 12)
        book.talk(customer, TODAY + DAY)
        book.track(customer, NOON + timedelta(microseconds=number), "later", person=77)
        book.used(customer, TODAY, "later", hour=12)
    book.file_usage()
    assert computed(spec, NOON) == before


def test_what_happened_today_counts_at_once(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=date(2025, 1, 1))
    for back in (1, 40):
        book.track(customer, at(TODAY - back * DAY), "login", person=5)
    book.file_usage()
    day = measured(spec)
    for person in (5, 6, 6, 0):
        book.track(customer, at(TODAY, 9), "share", person=person)
    book.track(customer, at(TODAY, 9), "who", person=9, call=4)
    book.file_usage()
    book.order(customer, TODAY, 80, hour=11)
    fresh = freshened(day, NOON)
    assert (fresh.taken, fresh.changed) == ([customer.pk], [customer.pk])
    row = CustomerFacts.objects.get()
    assert (row.usage_30d, row.usage_prev_30d, row.users_30d) == (5, 1, 2)
    assert (row.active_days_30d, row.features_30d, row.days_since_usage) == (2, 2, 0)
    assert (row.orders, row.revenue, row.recency_days) == (1, Decimal(80), 0)
    assert not ChangedCustomer.objects.exists()
    assert freshened(day, NOON).changed == []


def test_totals_go_with_a_customer_who_changes_hands(
    book: Book, spec: MeasureSpec, mei: Colleague, jun: Colleague
) -> None:
    """No fact changes by it, but whose they are does."""
    customers = [book.customer(owner=mei.staff, joined=date(2025, 1, 1)) for _ in range(3)]
    day = measured(spec)
    operations.hand_over(customers[:2], jun.staff, by=mei.staff, now=NOON)
    assert freshened(day, NOON).changed == []
    owners = FactsSummary.objects.order_by("customers").values_list("owner_id", "customers")
    assert list(owners) == [(mei.staff.pk, 1), (jun.staff.pk, 2)]


def test_people_who_turn_out_to_be_one_count_once(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=date(2025, 1, 1))
    first, second, third = (Person.objects.create(first_seen=NOW, last_seen=NOW) for _ in range(3))
    for person in (first, second, third):
        book.track(customer, at(TODAY - DAY), person=person.pk)
    book.file_usage()
    assert computed(spec, None)["A"]["users_30d"] == 3
    Person.objects.filter(pk=first.pk).update(merged_into=second)
    Person.objects.filter(pk=second.pk).update(merged_into=third)
    assert computed(spec, None)["A"]["users_30d"] == 1


def test_imported_usage_gives_numbers_of_people_and_tracking_gives_people(book: Book, spec: MeasureSpec) -> None:
    for ref, users, people in (("file", 9, 0), ("both", 2, 3), ("more", 8, 3), ("tracked", 0, 4)):
        customer = book.customer(ref, joined=date(2025, 1, 1))
        if users:
            book.used(customer, TODAY - DAY, users=users)
        for person in range(1, people + 1):
            book.track(customer, at(TODAY - DAY), person=person)
    book.file_usage()
    found = {ref: row["users_30d"] for ref, row in computed(spec, None).items()}
    assert found == {"file": 9, "both": 3, "more": 8, "tracked": 4}


def test_rows_that_lay_ahead_count_when_their_time_has_come(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=date(2025, 1, 1))
    stranger = book.customer("B")
    book.order(customer, TODAY, 10, hour=11)
    book.order(stranger, TODAY, 10, hour=18)
    day = measured(spec)
    assert set(standing()) == {"A"}
    assert freshening.is_due(day, NOON)
    assert freshened(day, NOON).taken == [customer.pk]
    assert not freshening.is_due(day, NOON)
    assert CustomerFacts.objects.get(pk=customer.pk).orders == 1
    freshened(day, EVENING)
    assert_all_equal(spec, EVENING)
    assert set(standing()) == {"A", "B"}


class Chance:
    """Something that happens to a company during a day, drawn from a seed."""

    def __init__(self, book: Book, seed: int) -> None:
        self.book, self.draw = book, random.Random(seed)

    def happen(self, now: datetime) -> None:
        book, customer = self.book, self.draw.choice(self.book.customers)
        back = timedelta(minutes=self.draw.choice([1, 30, 60 * 24 * 3, 60 * 24 * 45]))
        match self.draw.randrange(9):
            case 0 | 1 | 2:  # Late events, too, in any order.
                for person in self.draw.choices(range(5), k=4):
                    book.track(customer, now - back * self.draw.random(), self.draw.choice(["a", "login"]), person)
                book.file_usage()
            case 3:
                book.used(customer, (now - back).date(), count=3, users=4)
                book.file_usage()
            case 4:
                day = (now + timedelta(hours=self.draw.randint(-40, 12))).astimezone(UTC)
                book.order(customer, day.date(), self.draw.choice([10, 500.5]), hour=day.hour)
            case 5:
                Order.objects.filter(customer=customer).delete()
            case 6:
                book.talk(customer, now.date())
                book.answer(customer, now.date(), self.draw.randint(0, 10))
            case 7:
                Customer.objects.filter(pk=customer.pk).update(joined=TODAY - DAY * self.draw.randint(-3, 600))
            case _:
                book.customer(joined=TODAY - DAY)


@pytest.mark.parametrize("seed", [21, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(22, 27))])
def test_change_by_change_is_the_same_as_from_nothing(book: Book, spec: MeasureSpec, seed: int) -> None:
    book.fill(seed, customers=15, until=TODAY + DAY)
    day = measured(spec)
    chance = Chance(book, seed)
    for hour in (7, 12, 13, 23, 27):
        now = at(TODAY, 0) + timedelta(hours=hour)
        for _ in range(chance.draw.choice([0, 3, 8])):
            chance.happen(now)
        freshened(day, now)
        assert_all_equal(spec, now)
    proof = proving.prove(day, moment=now)
    assert proof
    assert (proof.differing, proof.equal) == (0, len(standing()))


def test_a_pass_that_dies_is_done_again(book: Book, spec: MeasureSpec) -> None:
    book.fill(31, customers=8)
    day = measured(spec)
    book.order(book.customers[0], TODAY, 99, hour=8)
    with keeping.alone(wait=True):
        freshening.freshen(day, moment=NOON)  # Dead before the notes are forgotten.
    assert freshening.is_due(day, NOON)
    assert freshened(day, EVENING).taken == [book.customers[0].pk]
    assert_all_equal(spec, EVENING)


def test_lost_files_and_other_rates_mean_gathering_everybody(book: Book, spec: MeasureSpec) -> None:
    book.fill(32, customers=8)
    day = measured(spec)
    for place in (Path(settings.LAKE) / "kept").iterdir():
        place.unlink()
    book.order(book.customers[0], TODAY, 99, hour=8)
    freshened(day, NOON)
    assert_all_equal(spec, NOON)
    KeptFacts.objects.update(made_from="other")
    book.talk(book.customers[1], TODAY)
    freshened(day, EVENING)
    assert_all_equal(spec, EVENING)
    assert len(list((Path(settings.LAKE) / "kept").iterdir())) == 2


def test_rows_moved_by_others_are_written_a_few_at_a_time_the_biggest_first(book: Book, spec: MeasureSpec) -> None:
    for number in range(10):
        book.order(book.customer(f"K{number}", joined=date(2025, 1, 1)), TODAY - DAY, 100 + number)
    day = measured(spec)
    Order.objects.filter(customer=book.customers[9]).update(bought=110)
    fresh = freshened(day, NOON, places_at_once=2)
    assert fresh.behind == 7
    assert set(fresh.changed) == {customer.pk for customer in book.customers[7:]}
    freshened(day, EVENING, places_at_once=None)
    assert_all_equal(spec, EVENING)


def test_the_next_touch_stays_and_the_last_week_follows(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer("A", joined=date(2025, 1, 1))
    book.talk(customer, TODAY - 40 * DAY)
    day = measured(spec)
    CustomerFacts.objects.update(next_touch=TODAY + DAY)
    before = CustomerFacts.objects.get().health_weeks
    book.talk(customer, TODAY)
    freshened(day, NOON + timedelta(hours=9))
    row = CustomerFacts.objects.get()
    assert (row.next_touch, row.days_since_touch) == (TODAY + DAY, 0)
    assert row.health_weeks == [*before[:-1], round(row.health)]


def test_a_change_that_nobody_noted_is_found_by_the_proof(book: Book, spec: MeasureSpec) -> None:
    book.fill(33, customers=8)
    day = measured(spec)
    book.talk(book.customers[1], TODAY)
    freshened(day, NOON)
    book.order(book.customers[0], TODAY, 99, hour=8)
    ChangedCustomer.objects.all().delete()
    proof = proving.prove(day, moment=EVENING)
    assert proof
    assert proof.differing > 0
    assert book.customers[0].pk in [each["customer_id"] for each in proof.different]
    turns.measure(spec, today=TODAY + DAY, now=NOW)
    assert proving.prove(FactsDay.objects.get(day=TODAY + DAY), moment=EVENING) is None


@pytest.mark.parametrize("write", ["order", "talk", "answer", "customer", "delete"])
def test_whatever_changes_a_customer_leaves_a_note(book: Book, write: str) -> None:
    customer = book.customer("A")
    talk = Interaction.objects.create(customer=customer, at=NOON, channel="phone", key="x", created_at=NOW)
    ChangedCustomer.objects.all().delete()
    match write:
        case "order":
            book.order(customer, TODAY, 5)
        case "talk":
            talk.delete()
        case "answer":
            book.answer(customer, TODAY, 5)
        case "customer":
            Customer.objects.update(region="上海")
        case _:
            key = customer.pk
            customer.delete()
            customer.pk = key
    assert set(ChangedCustomer.objects.values_list("customer_id", flat=True)) == {customer.pk}


def test_a_row_keeps_everything_a_turn_would_write(book: Book, spec: MeasureSpec) -> None:
    book.fill(34, customers=10)
    day = measured(spec)
    before = [model_to_dict(row) for row in CustomerFacts.objects.order_by("pk")]
    ChangedCustomer.note([customer.pk for customer in book.customers])
    freshened(day, at(TODAY, 0))
    assert [model_to_dict(row) for row in CustomerFacts.objects.order_by("pk")] == before
    assert MeasureSpec.model_validate(PLAN) == spec
