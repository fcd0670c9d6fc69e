"""Customer value in the product: a company whose customers do what a model says, and what its facts then say."""

import random
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from zhike.measure import turns
from zhike.measure.clv.histories import Floats
from zhike.measure.models import CustomerFacts, FactsDay
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import NOW, PLAN, TODAY, Book
from zhike.measure.value.buying import KINDS

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

DAY = timedelta(days=1)
VALUED: dict[str, Any] = {**PLAN, "value": {"horizon_months": 24, "discount": 0.1, "margin": 0.5}}
NAMES = ("p_alive", "expected_orders_12m", "clv", "clv_to_cac")


@pytest.fixture
def spec() -> MeasureSpec:
    return MeasureSpec.model_validate(VALUED)


def shoppers(book: Book, number: int, seed: int = 1, until: date = TODAY) -> None:
    """Fill the book with customers who buy at rates of their own and leave for good after some purchase."""
    draw = np.random.default_rng(seed)
    for _ in range(number):
        customer = book.customer(acquisition_cost=20)
        rate, leaving = draw.gamma(1.2, 1 / 30), draw.beta(1, 3)
        worth = 50 * draw.gamma(8, 1 / 8)
        day = int(draw.integers(100, 700))
        while day > 0:
            book.order(customer, until - day * DAY, round(float(worth * draw.gamma(9, 1 / 9)) + 1, 2))
            if draw.random() < leaving:
                break
            day -= max(1, round(draw.exponential(1 / rate)))


def said() -> dict[str, dict[str, Any]]:
    rows = CustomerFacts.objects.values("customer__ref", *NAMES)
    return {row.pop("customer__ref"): row for row in rows}


def test_facts_are_those_of_the_fitted_model(book: Book, spec: MeasureSpec) -> None:
    shoppers(book, 120)
    turns.measure(spec, today=TODAY, now=NOW)
    card = FactsDay.objects.get().cards["value"]
    orders = card["orders"]
    assert orders["customers"] == 120
    assert orders["repeaters"] >= 40
    model = next(kind for kind in KINDS if orders["model"] == kind.NAME).of(**orders["parameters"])
    best = max(one.get("log_likelihood", -np.inf) for one in orders["tried"].values())
    assert orders["log_likelihood"] == pytest.approx(best)
    assert set(orders["standard_errors"]) == set(orders["parameters"])
    assert orders["holdout"]["actual"] > 0
    assert {"error", "mae", "rmse", "constant_rate"} <= set(orders["holdout"])
    rows = said()
    for customer in book.customers:
        days = sorted(set(customer.orders.dates("placed_at", "day")))
        x, t_x, watched = len(days) - 1, (days[-1] - days[0]).days / 7, (TODAY - DAY - days[0]).days / 7
        row = rows[customer.ref]
        assert 0 <= row["p_alive"] <= 1
        assert row["clv"] >= 0
        assert row["clv_to_cac"] == pytest.approx(float(row["clv"]) / 20, abs=0.01)
        assert row["p_alive"] == pytest.approx(float(model.p_alive(x, t_x, watched)), abs=1e-3)
        year: Floats = model.expected_purchases(365.25 / 7, x, t_x, watched)
        assert row["expected_orders_12m"] == pytest.approx(float(year), rel=0.01, abs=2e-3)


def test_too_few_repeat_buyers_leave_facts_unknown_and_say_why(book: Book, spec: MeasureSpec) -> None:
    for at in range(30):
        customer = book.customer()
        book.order(customer, TODAY - (at + 20) * DAY, 100)
        if at < 5:
            book.order(customer, TODAY - (at + 3) * DAY, 80)
    turns.measure(spec, today=TODAY, now=NOW)
    assert {tuple(row.values()) for row in said().values()} == {(None, None, None, None)}
    orders = FactsDay.objects.get().cards["value"]["orders"]
    assert orders["reason"] == "not_carried"
    assert all(one["details"]["repeaters"] == "5" for one in orders["tried"].values())


def test_contracts_are_worth_their_fees_and_the_renewals_to_expect(book: Book, spec: MeasureSpec) -> None:
    draw = random.Random(3)
    for _ in range(90):
        start = TODAY - timedelta(days=draw.randint(60, 1500))
        customer, end = book.customer(), start
        while end <= TODAY - 40 * DAY:
            begun, end = end, end.replace(year=end.year + 1, day=min(end.day, 28))
            book.subscription(customer, begun, end, 100)
            if draw.random() < 0.3:
                break
    stays = book.customer("stays", acquisition_cost=100)
    for year in (2023, 2024, 2025):
        book.subscription(stays, date(year, 9, 12), date(year + 1, 9, 12), 200)
    gone = book.customer("gone")
    book.subscription(gone, date(2023, 6, 1), date(2024, 6, 1), 200)
    turns.measure(spec, today=TODAY, now=NOW)
    rows, card = said(), FactsDay.objects.get().cards["value"]["subscriptions"]
    assert (card["model"], card["period_months"]) == ("sBG", 12)
    assert (rows["gone"]["p_alive"], rows["gone"]["clv"]) == (0.0, 0)
    assert rows["stays"]["p_alive"] == 1.0
    assert rows["stays"]["expected_orders_12m"] is None
    # Half a year of the contract is sure, and of the eighteen months after it most are to be expected.
    assert 0.5 * 200 * 6 * 0.95 < rows["stays"]["clv"] < 0.5 * 200 * 24
    alpha, beta = card["parameters"]["alpha"], card["parameters"]["beta"]
    renewed = (beta + 2) / (alpha + beta + 2)
    again = renewed * (beta + 3) / (alpha + beta + 3)
    late = [1.1 ** (-months / 12) for months in (3, 12, 21)]
    sure = 0.5 * 200 * (6 * late[0] + 12 * renewed * late[1] + 6 * again * late[2])
    assert float(rows["stays"]["clv"]) == pytest.approx(sure, rel=0.01)


def test_the_future_is_never_seen(book: Book, spec: MeasureSpec) -> None:
    past = TODAY - 60 * DAY
    shoppers(book, 80, seed=5, until=past)
    before = turns.compute(spec, past).select(["customer_id", *NAMES])
    assert before["clv"].null_count == 0
    for customer in book.customers[::2]:
        book.order(customer, past + DAY, 5000)
        book.order(customer, past, 5000)  # The morning of a day sees what was up to the day before.
        book.subscription(customer, past, None, 100)
    assert turns.compute(spec, past).select(["customer_id", *NAMES]).equals(before)
    assert not turns.compute(spec, TODAY).select(["customer_id", *NAMES]).equals(before)
