"""Time travel never sees the future: whatever happens from a day on, the facts of that day stay what they were."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from zhike.measure import turns
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import TODAY, Book

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

MORNING = TODAY - timedelta(days=60)
HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["order", "contract", "use", "tracked", "talk", "answer", "newcomer"]),
        st.integers(0, 14),  # Which customer.
        st.integers(0, 59),  # How many days after that morning; on the day itself counts as after it.
        st.integers(1, 10_000),
    ),
    min_size=1,
    max_size=12,
)
Happenings = list[tuple[str, int, int, int]]


class TakeBack(Exception):
    """Ends what happened in one example."""


def happen(book: Book, happenings: Happenings) -> None:
    for what, who, after, much in happenings:
        customer, day = book.customers[who % len(book.customers)], MORNING + timedelta(days=after)
        match what:
            case "order":
                book.order(customer, day, much, hour=0)
            case "contract":
                book.subscription(customer, day, day + timedelta(days=much), much)
            case "use":
                book.used(customer, day, "report", much, hour=0)
            case "tracked":
                book.used(customer, day, "login", 1, users=much, hour=23)
            case "talk":
                book.talk(customer, day)
            case "answer":
                book.answer(customer, day, much % 11)
            case _:
                book.customers.remove(book.customer(joined=day))
    book.file_usage()


def test_whatever_happens_later_changes_no_fact_of_a_day(book: Book, spec: MeasureSpec) -> None:
    book.fill(5, customers=20, until=MORNING)
    before = turns.compute(spec, MORNING)
    tried = 0

    @settings(max_examples=8, deadline=None, derandomize=True)
    @given(HAPPENINGS)
    def never_seen(happenings: Happenings) -> None:
        nonlocal tried
        try:
            with transaction.atomic():
                happen(book, happenings)
                assert turns.compute(spec, MORNING).equals(before), happenings
                raise TakeBack
        except TakeBack:
            tried += 1

    never_seen()
    assert tried >= 8
    happen(book, [("order", 0, 0, 7000), ("order", 1, -1, 9000)])  # The day before that morning is no future.
    assert not turns.compute(spec, MORNING).equals(before)
