"""Lifecycle stages: told from the record alone, the same today as ever after."""

from datetime import date, timedelta
from typing import Any

import pytest

from zhike.measure import computing, lake, reading
from zhike.measure.facts import fields
from zhike.measure.reading import History
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import PLAN, TODAY, Book
from zhike.org.works import Silent
from zhike.record.customers.models import Customer

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)
LONG_AGO = TODAY - 1100 * DAY


def rows(book: Book, today: date = TODAY, **lifecycle: Any) -> dict[str, dict[str, Any]]:
    """The facts by customer number, with these rules of the lifecycle."""
    book.file_usage()
    spec = MeasureSpec.model_validate({**PLAN, "lifecycle": lifecycle})
    when = reading.morning(today)
    with lake.engine() as engine:
        table = computing.compute(
            engine, reading.record(when), spec, when, History.none(), fields(), given=None, watcher=Silent()
        ).table
    return {row["ref"]: row for row in table.to_pylist()}


def stages(book: Book, today: date = TODAY, **lifecycle: Any) -> dict[str, str]:
    return {ref: row["stage"] for ref, row in rows(book, today, **lifecycle).items()}


def loyal(book: Book, ref: str) -> Customer:
    """A customer of three years."""
    return book.customer(ref, joined=LONG_AGO)


def test_stages_follow_age(book: Book) -> None:
    for age in (0, 89, 90, 364, 365):
        book.customer(f"{age}", joined=TODAY - age * DAY)
    book.customer("unknown")
    book.used(book.customer("first used"), TODAY - 10 * DAY)
    found = rows(book)
    assert {ref: row["stage"] for ref, row in found.items()} == {
        "0": "onboarding",
        "89": "onboarding",
        "90": "growth",
        "364": "growth",
        "365": "maturity",
        "unknown": "growth",
        "first used": "onboarding",
    }
    assert {ref: found[ref]["stage_since"] for ref in ("89", "364", "365", "first used")} == {
        "89": TODAY - 89 * DAY,
        "364": TODAY - 274 * DAY,
        "365": TODAY,
        "first used": TODAY - 10 * DAY,
    }


def test_value_tells_growth_maturity_and_decline(book: Book) -> None:
    for now in (69, 70, 71, 130, 131):
        customer = loyal(book, f"{now}")
        book.used(customer, TODAY - 181 * DAY, count=100)
        book.used(customer, TODAY - 180 * DAY, count=now)
    book.used(loyal(book, "from nothing"), TODAY - DAY, count=50)
    wanted = {"69": "decline", "70": "decline", "71": "maturity", "130": "maturity", "131": "growth"}
    assert stages(book) == {**wanted, "from nothing": "maturity"}


def test_decline_may_be_told_by_revenue(book: Book) -> None:
    orders, contract = loyal(book, "orders"), loyal(book, "contract")
    book.order(orders, TODAY - 200 * DAY, 100)
    book.order(orders, TODAY - 100 * DAY, 60)
    book.subscription(contract, TODAY - 360 * DAY, TODAY - 180 * DAY, 100)
    book.subscription(contract, TODAY - 180 * DAY, None, 60)
    assert stages(book, churn_after_days=365) == {"orders": "maturity", "contract": "maturity"}
    assert stages(book, decline_measure="revenue") == {"orders": "decline", "contract": "decline"}


def test_a_customer_without_a_contract_is_churned(book: Book) -> None:
    for ended in (0, 1, 30, 31):
        book.subscription(loyal(book, f"{ended}"), LONG_AGO, TODAY - ended * DAY, 100)
    loyal(book, "never had one")
    found = stages(book)
    assert {ref for ref, stage in found.items() if stage == "churned"} == {"1", "30", "31"}
    later = rows(book, churn_after_days=30)
    assert {ref for ref, row in later.items() if row["stage"] == "churned"} == {"31"}
    assert later["31"]["stage_since"] == TODAY


def test_silence_is_churn_where_there_is_no_contract(book: Book) -> None:
    for silent in (90, 91, 92):
        customer = loyal(book, f"{silent}")
        book.order(customer, TODAY - silent * DAY, 10)
        book.order(customer, TODAY - DAY, 0, returned=10)
        book.used(customer, TODAY - silent * DAY)
    for by in ("orders", "usage"):
        found = stages(book, churn_by=by, churn_after_days=90)
        assert {ref for ref, stage in found.items() if stage == "churned"} == {"92"}, by


def test_a_customer_who_returns_is_won_back_for_a_while(book: Book) -> None:
    customer, back = loyal(book, "A"), TODAY - 100 * DAY
    book.subscription(customer, LONG_AGO, TODAY - 200 * DAY, 100)
    book.subscription(customer, back, None, 100)
    seen = [
        rows(book, today, churn_after_days=30)["A"] for today in (back, back + DAY, back + 90 * DAY, back + 91 * DAY)
    ]
    assert [row["stage"] for row in seen] == ["churned", "won_back", "won_back", "maturity"]
    assert seen[0]["stage_since"] == TODAY - 169 * DAY
    assert seen[1]["stage_since"] == seen[2]["stage_since"] == back + DAY


def test_a_return_is_seen_in_orders_and_usage_too(book: Book) -> None:
    customer = loyal(book, "A")
    for back in (300, 10, 3):
        book.order(customer, TODAY - back * DAY, 10)
        book.used(customer, TODAY - back * DAY)
    for by in ("orders", "usage"):
        assert stages(book, churn_by=by, churn_after_days=90) == {"A": "won_back"}


def test_a_renewal_without_a_gap_is_no_return(book: Book) -> None:
    renewed, bridged = loyal(book, "renewed"), loyal(book, "bridged")
    book.subscription(renewed, TODAY - 365 * DAY, TODAY - 10 * DAY, 100)
    book.subscription(renewed, TODAY - 10 * DAY, None, 100)
    book.subscription(bridged, TODAY - 730 * DAY, TODAY - 40 * DAY, 100)
    book.subscription(bridged, TODAY - 365 * DAY, TODAY - 300 * DAY, 50)
    book.subscription(bridged, TODAY - 40 * DAY, None, 100)
    assert stages(book) == {"renewed": "maturity", "bridged": "maturity"}
