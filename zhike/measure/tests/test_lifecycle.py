"""Lifecycle stages: told from the record alone, the same today as ever after."""

from datetime import date, timedelta
from typing import Any

import pytest

from zhike.measure import turns
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import PLAN, TODAY, Book

YEAR = timedelta(days=365)


def stage(book: Book, today: date = TODAY, **lifecycle: Any) -> str:
    """The stage of the only customer, after one more look at the lake."""
    book.file_usage()
    spec = MeasureSpec.model_validate({**PLAN, "lifecycle": lifecycle})
    (row,) = turns.compute(spec, today).to_pylist()
    return str(row["stage"])


@pytest.mark.parametrize(
    ("age", "wanted"), [(0, "onboarding"), (89, "onboarding"), (90, "growth"), (364, "growth"), (365, "maturity")]
)
def test_stages_follow_age(book: Book, age: int, wanted: str) -> None:
    book.customer(joined=TODAY - timedelta(days=age))
    assert stage(book) == wanted


def test_without_a_day_on_record_age_counts_from_the_first_sign(book: Book) -> None:
    customer = book.customer()
    assert stage(book) == "growth"
    book.used(customer, TODAY - timedelta(days=10))
    assert stage(book) == "onboarding"


@pytest.mark.parametrize(("now", "wanted"), [(69, "maturity"), (130, "maturity"), (131, "growth")])
def test_value_that_still_rises_is_growth(book: Book, now: int, wanted: str) -> None:
    customer = book.customer(joined=TODAY - 3 * YEAR)
    book.used(customer, TODAY - timedelta(days=181), count=100)
    book.used(customer, TODAY - timedelta(days=180), count=now)
    assert stage(book, decline_by=0.9) == wanted


@pytest.mark.parametrize(("now", "wanted"), [(70, "decline"), (71, "maturity")])
def test_a_fall_over_half_a_year_is_decline(book: Book, now: int, wanted: str) -> None:
    customer = book.customer(joined=TODAY - 3 * YEAR)
    book.used(customer, TODAY - timedelta(days=200), count=100)
    book.used(customer, TODAY - timedelta(days=20), count=now)
    assert stage(book) == wanted


def test_decline_may_be_told_by_revenue(book: Book) -> None:
    customer = book.customer(joined=TODAY - 3 * YEAR)
    book.order(customer, TODAY - timedelta(days=200), 100)
    book.order(customer, TODAY - timedelta(days=100), 60)
    assert stage(book, churn_by="orders", churn_after_days=365) == "maturity"
    assert stage(book, churn_by="orders", churn_after_days=365, decline_measure="revenue") == "decline"


@pytest.mark.parametrize(
    ("ended", "grace", "wanted"), [(1, 0, "churned"), (0, 0, "maturity"), (31, 30, "churned"), (30, 30, "maturity")]
)
def test_a_customer_without_a_contract_is_churned(book: Book, ended: int, grace: int, wanted: str) -> None:
    customer = book.customer(joined=TODAY - 3 * YEAR)
    book.subscription(customer, TODAY - 3 * YEAR, TODAY - timedelta(days=ended), 100)
    assert stage(book, churn_after_days=grace) == wanted


@pytest.mark.parametrize("by", ["orders", "usage"])
def test_silence_is_churn_where_there_is_no_contract(book: Book, by: str) -> None:
    customer = book.customer(joined=TODAY - 3 * YEAR)
    day = TODAY - timedelta(days=100)
    book.order(customer, day, 10)
    book.used(customer, day)
    assert stage(book, today=day + timedelta(days=91), churn_by=by, churn_after_days=90) != "churned"
    assert stage(book, today=day + timedelta(days=92), churn_by=by, churn_after_days=90) == "churned"


def test_a_customer_who_returns_is_won_back_for_a_while(book: Book) -> None:
    customer = book.customer(joined=TODAY - 3 * YEAR)
    book.subscription(customer, TODAY - 3 * YEAR, TODAY - timedelta(days=200), 100)
    back = TODAY - timedelta(days=100)
    book.subscription(customer, back, None, 100)
    rules: dict[str, Any] = {"churn_after_days": 30, "decline_measure": "revenue", "decline_by": 1}
    assert stage(book, today=back, **rules) == "churned"
    assert stage(book, today=back + timedelta(days=1), **rules) == "won_back"
    assert stage(book, today=back + timedelta(days=90), **rules) == "won_back"
    assert stage(book, today=back + timedelta(days=91), **rules) in ("maturity", "growth")


def test_renewing_on_the_day_is_no_return(book: Book) -> None:
    customer = book.customer(joined=TODAY - 3 * YEAR)
    book.subscription(customer, TODAY - YEAR, TODAY - timedelta(days=10), 100)
    book.subscription(customer, TODAY - timedelta(days=10), None, 100)
    assert stage(book) == "maturity"


def test_an_overlapping_contract_bridges_a_gap(book: Book) -> None:
    customer = book.customer(joined=TODAY - 3 * YEAR)
    book.subscription(customer, TODAY - 2 * YEAR, TODAY - timedelta(days=40), 100)
    book.subscription(customer, TODAY - YEAR, TODAY - timedelta(days=300), 50)
    book.subscription(customer, TODAY - timedelta(days=40), None, 100)
    assert stage(book, decline_measure="revenue") == "maturity"


def test_the_stage_says_since_when(book: Book, spec: MeasureSpec) -> None:
    joined = TODAY - timedelta(days=200)
    book.customer("young", joined=TODAY - timedelta(days=9))
    book.customer("grown", joined=joined)
    gone = book.customer("gone", joined=TODAY - 3 * YEAR)
    book.subscription(gone, TODAY - 3 * YEAR, TODAY - timedelta(days=7), 100)
    rows = {row["ref"]: row["stage_since"] for row in turns.compute(spec, TODAY).to_pylist()}
    assert rows == {
        "young": TODAY - timedelta(days=9),
        "grown": joined + timedelta(days=90),
        "gone": TODAY - timedelta(days=6),
    }
