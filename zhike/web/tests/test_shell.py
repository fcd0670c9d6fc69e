"""The frame around every page: what stands in the navigation for whom."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from zhike.conftest import NOW, Person
from zhike.decide.plans import operations as plans
from zhike.measure.models import FactsDay
from zhike.org.models import Company
from zhike.record.customers.models import Customer


@pytest.fixture
def firm(db: None) -> Company:
    return Company.objects.create(id=1, name="云舟科技", currency="CNY", language="en")


VOICE, REVIEW = "Voice of customers", ("Key figures", "Churn score")


def links(person: Client) -> list[str]:
    nav = person.get("/customers").context["nav"]()
    items = [*([nav.today] if nav.today else []), *(item for group in nav.groups for item in group.items), *nav.foot]
    return [item.label for item in items]


def test_everybody_sees_the_doors_that_open(firm: Company, mei: Person, viewer: Person, admin: Person) -> None:
    assert links(mei) == ["Today", "Customers", "Health", VOICE, "Plan", *REVIEW, "Mei"]
    assert links(viewer) == ["Customers", "Health", VOICE, "Plan", *REVIEW, "Wei"]
    own = ["Today", "Customers", "Import", "Event stream", "Health", VOICE, "Plan", *REVIEW, "Settings", "Ana"]
    assert links(admin) == own


def test_the_loop_says_how_it_stands(firm: Company, mei: Person, customer: Callable[..., Customer]) -> None:
    fresh = {group.title: group.status for group in mei.get("/customers").context["nav"]().groups}
    assert fresh == {
        "Record": "",
        "Measure": "not yet",
        "Decide": "no plan yet",
        "Act": "0 / 36 this week",
        "Review": "",
    }


def test_the_loop_tells_plan_and_measuring(firm: Company, mei: Person, customer: Callable[..., Customer]) -> None:
    plans.ensure_ready_plan("saas", now=NOW)
    customer("澜庭家居", mei.staff, industry="家居", region="杭州")
    FactsDay.objects.create(
        day=NOW.date(), path="x", rows=1, plan_number=1, spec={}, computed_at=timezone.now(), seconds=1
    )
    status = {group.title: group.status for group in mei.get("/customers").context["nav"]().groups}
    assert status["Record"] == "75% complete"
    assert status["Decide"] == "v1 live"
    assert status["Measure"].endswith("today")


def test_the_present_phase_is_lit(firm: Company, mei: Person) -> None:
    states = {group.title: group.state for group in mei.get("/customers").context["nav"]().groups}
    assert [title for title, state in states.items() if state == "on"] == ["Record"]
    states = {group.title: group.state for group in mei.get("/today").context["nav"]().groups}
    assert [title for title, state in states.items() if state == "on"] == ["Act"]


def test_who_is_not_signed_in_sees_the_company_alone(firm: Company, stranger: Client) -> None:
    context = stranger.get("/sign-in").context
    assert context["company"] == firm
    assert "nav" not in context
