"""Today through its page: whose queue, what changed meanwhile, the figures beside it, the very first day."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import urlencode
from pytest_django import DjangoAssertNumQueries

from zhike.act.engagement import operations as engagement
from zhike.act.engagement.models import Touch
from zhike.conftest import NOW, Person
from zhike.decide.plans import operations as plans
from zhike.measure.models import FactsDay, FactsSummary
from zhike.org.models import Company
from zhike.record.customers.models import Customer
from zhike.web.queries import goals

Make = Callable[..., Customer]


@pytest.fixture
def firm(db: None) -> Company:
    firm = Company.objects.create(id=1, name="云舟科技", currency="CNY", language="en")
    plans.ensure_ready_plan("saas", now=NOW)
    FactsDay.objects.create(
        day=NOW.date(), path="x", rows=1, plan_number=1, spec={}, computed_at=timezone.now(), seconds=1
    )
    return firm


@pytest.fixture
def touch(firm: Company, customer: Make, mei: Person) -> Touch:
    lanting = customer("澜庭家居", mei.staff, health=Decimal(58), health_band="risk", tier="core", arr=Decimal(386_000))
    FactsSummary.objects.create(
        owner_id=mei.staff.pk, customers=1, revenue=0, revenue_12m=0, mrr=1, health_sum=58, health_known=1, band="risk"
    )
    return planned(lanting, mei)


def planned(customer: Customer, by: Person, title: str = "Ask about the stores") -> Touch:
    return engagement.plan_by_hand(customer, due_on=timezone.localdate(), title=title, now=timezone.now(), by=by.staff)


def test_the_front_door_leads_to_the_work(mei: Person, viewer: Person, stranger: Client) -> None:
    assert mei.get("/").headers["Location"] == "/today"
    assert viewer.get("/").headers["Location"] == "/customers"
    assert stranger.get("/").headers["Location"].startswith("/sign-in")
    assert viewer.get("/today").status_code == 403


def test_everybody_has_the_own_queue_and_a_lead_without_customers_the_teams(
    touch: Touch, mei: Person, jun: Person, lead: Person
) -> None:
    assert "Ask about the stores" in mei.get("/today").content.decode()
    assert "Ask about the stores" not in jun.get("/today").content.decode()
    assert "Ask about the stores" in lead.get("/today").content.decode()
    assert "Our month" in lead.get("/today").content.decode()


def test_a_fall_is_told_in_numbers_as_people_write_them(touch: Touch, mei: Person) -> None:
    fell = {"code": "usage_fell", "from": 12_345, "to": 2_345, "share": 0.81, "days": 30}
    also = {"code": "logins_fell", "from": 7.5, "to": 1.0, "share": 0.87, "days": 90}
    Touch.objects.filter(pk=touch.pk).update(reason={**fell, "also": [also]})
    page = mei.get("/today").content.decode()
    assert "Usage 12,345 → 2,345, −81% against the 30 days before; Log-ins a week 7.5 → 1, −87% in 90 days" in page


def test_a_lead_looks_at_a_colleagues_queue_and_nobody_else_does(
    touch: Touch, mei: Person, jun: Person, lead: Person
) -> None:
    page = lead.get(f"/today?of={mei.staff.pk}").content.decode()
    assert "Ask about the stores" in page
    assert f'<option value="{mei.staff.pk}" selected>' in page
    assert lead.get(f"/today?of={jun.staff.pk}").status_code == 404
    assert jun.get(f"/today?of={mei.staff.pk}").status_code == 404
    assert mei.get(f"/today?of={mei.staff.pk}").status_code == 200
    assert lead.get("/today?of=nonsense").status_code == 404


def test_the_badge_counts_what_is_due(touch: Touch, mei: Person) -> None:
    assert '<span class="badge">1</span>' in mei.get("/customers").content.decode()
    mei.post(f"/touches/{touch.pk}/done")
    assert '<span class="badge">' not in mei.get("/customers").content.decode()


def test_what_others_changed_is_told_and_what_one_did_oneself_is_not(
    touch: Touch, customer: Make, mei: Person, lead: Person
) -> None:
    before = timezone.now() - timedelta(seconds=1)
    Touch.objects.filter(pk=touch.pk).delete()
    url = f"/today/news?{urlencode({'since': timezone.now().isoformat()})}"
    assert mei.get(url).status_code == 204
    other = customer("远帆物流", mei.staff)
    planned(other, mei, "Mine")
    assert mei.get(url).status_code == 204
    planned(other, lead, "From the lead")
    told = mei.get(url)
    assert "1 touch updated" in told.content.decode()
    assert "Show" in told.content.decode()
    assert mei.get("/today/news?since=yesterday").status_code == 404
    assert (
        lead.get(f"/today/news?{urlencode([('since', before.isoformat()), ('of', mei.staff.pk)])}").status_code == 200
    )


def test_the_first_day_shows_three_steps(db: None, admin: Person, mei: Person) -> None:
    page = admin.get("/today").content.decode()
    assert "Import your customers" in page
    assert 'href="/imports' in page or "imports" in page
    assert "Import your customers" in mei.get("/today").content.decode()


def test_the_figures_compare_with_pace_and_month_before(touch: Touch, mei: Person) -> None:
    shown = {goal.name: goal for goal in mei.get("/today").context["goals"]["goals"]}
    assert shown["Average health"].value == "58"
    assert shown["Average health"].tick == 80
    assert "pace" in shown["Touches made"].reason
    mei.post(f"/touches/{touch.pk}/done")
    shown = {goal.name: goal for goal in mei.get("/today").context["goals"]["goals"]}
    assert shown["Touches made"].value == "1"
    assert shown["Touches in time"].value == "100"


def test_what_nobody_knows_of_the_month_before_is_asked_for_once(touch: Touch, mei: Person) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            page = mei.get("/today").content.decode()
        assert "Average health" in page
        asked = [one["sql"] or "" for one in found.captured_queries]
        return sum("health_change_30d" in sql and "AVG" in sql for sql in asked)

    assert [asked(), asked()] == [1, 0]


def test_a_month_that_takes_too_long_is_left_out_for_a_minute(
    touch: Touch, mei: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def slow(*_given: object) -> tuple[object, int]:
        counted.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        raise AssertionError

    monkeypatch.setattr(goals, "_month", slow)
    for _twice in range(2):
        page = mei.get("/today").content.decode()
        assert "Ask about the stores" in page
        assert "Average health" not in page
    assert counted == [1]


def test_the_number_of_queries_does_not_grow_with_the_queue(
    touch: Touch, customer: Make, mei: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    mei.get("/today")
    with django_assert_max_num_queries(24):
        mei.get("/today")
    for number in range(20):
        planned(customer(f"客户{number}", mei.staff, health=Decimal(50)), mei)
    with django_assert_max_num_queries(24):
        mei.get("/today")
