"""Customer 360 through its page: who may open it, what stands on it, what is hidden from whom."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from zhike.act.engagement import operations as engagement
from zhike.conftest import NOW, Person
from zhike.decide.plans import operations as plans
from zhike.measure.models import CustomerFacts, FactsDay
from zhike.org.models import Company
from zhike.record.commerce.models import Order, Product, Subscription
from zhike.record.customers import operations
from zhike.record.customers.models import AttributeDefinition, Consent, Contact, Customer
from zhike.record.events import operations as events
from zhike.record.interactions import queries as record
from zhike.record.interactions.operations import log
from zhike.record.tracking.operations import drain
from zhike.record.tracking.tests import flow

Make = Callable[..., Customer]


@pytest.fixture
def firm(db: None) -> Company:
    firm = Company.objects.create(id=1, name="云舟科技", currency="CNY", language="en")
    plans.ensure_ready_plan("saas", now=NOW)
    return firm


@pytest.fixture
def lanting(firm: Company, customer: Make, mei: Person) -> Customer:
    AttributeDefinition.objects.create(name="stores", title="Stores", kind="number")
    made = customer(
        "澜庭家居",
        mei.staff,
        industry="家居",
        region="杭州",
        attributes={"stores": 46.0},
        health=Decimal("58.0"),
        health_band="risk",
        health_usage=Decimal("14.7"),
        health_breadth=Decimal("13.2"),
        health_relationship=Decimal("14.2"),
        health_commercial=Decimal("10.5"),
        health_feedback=Decimal("5.4"),
        health_30d_ago=Decimal(71),
        health_change_30d=Decimal(-13),
        health_weeks=[None, 71, 66, 58],
        tier="core",
        stage="maturity",
        arr=Decimal(386_000),
        revenue_share=0.034,
        revenue_rank=2,
        tenure_days=1150,
        seats=50,
        last_usage=NOW.date(),
        usage_30d=17,
        usage_prev_30d=42,
        usage_change_30d=-0.595,
    )
    zhou = _contact(made, mei, "周敏", "decision_maker", phone="13800138001", preferred_channel="phone")
    Consent.objects.create(contact=zhou, purpose="marketing", channel="email", granted=False, source="call", at=NOW)
    _contact(made, mei, "顾小满", "user", email="gu@lanting.example")
    return made


def _contact(customer: Customer, by: Person, name: str, role: str, **more: Any) -> Contact:
    fields = {"ref": name, "name": name, "role": role, **more}
    return operations.add_contact(customer, fields, by=by.staff, now=NOW)


def page_of(person: Client, customer: Customer, query: str = "") -> str:
    response = person.get(f"/customers/{customer.pk}{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_days_to_renewal_are_reckoned_from_today_here_and_on_the_list(lanting: Customer, mei: Person) -> None:
    # Measured yesterday; since midnight a day less is left.
    end = timezone.localdate() + timedelta(days=9)
    CustomerFacts.objects.filter(pk=lanting.pk).update(contract_end=end, days_to_renewal=10)
    assert '<span class="warn">9 d</span>' in mei.get("/customers").content.decode()
    assert any(cell["value"] == "9 d" for cell in mei.get(f"/customers/{lanting.pk}").context["cells"])


def test_a_customer_out_of_scope_is_as_good_as_none(
    lanting: Customer, mei: Person, jun: Person, lead: Person, stranger: Client
) -> None:
    for path in ("", "/next", "/story", "/usage", "/events"):
        url = f"/customers/{lanting.pk}{path}"
        assert mei.get(url).status_code == 200, path
        assert lead.get(url).status_code == 200, path
        assert jun.get(url).status_code == 404, path
        assert stranger.get(url).status_code == 302, path
    assert mei.get("/customers/999999").status_code == 404


def test_the_head_says_who_this_is_and_offers_the_preferred_way(lanting: Customer, mei: Person) -> None:
    page = page_of(mei, lanting)
    assert "家居, 杭州. With us for 3 years 2 months. 50 seats. In the care of Mei" in page
    assert "Stores 46" in page
    assert 'href="tel:13800138001"' in page
    assert "Call 周敏" in page


def test_the_parts_of_health_add_up_to_it(lanting: Customer, mei: Person) -> None:
    health = mei.get(f"/customers/{lanting.pk}").context["health"]
    assert sum(Decimal(part.points) for part in health["parts"]) == Decimal(health["total"]) == Decimal("58.0")
    assert sum(part.weight for part in health["parts"]) == pytest.approx(100)
    assert health["parts"][0].band == "risk"
    assert health["change"] == "−13"


def test_a_part_without_data_leaves_its_weight_to_the_others(lanting: Customer, mei: Person) -> None:
    lanting.facts.__class__.objects.filter(pk=lanting.pk).update(health_feedback=None, health=Decimal("52.6"))
    parts = mei.get(f"/customers/{lanting.pk}").context["health"]["parts"]
    assert len(parts) == 4
    assert sum(part.weight for part in parts) == pytest.approx(100, abs=0.1)


def test_a_viewer_sees_neither_people_nor_money(lanting: Customer, mei: Person, viewer: Person) -> None:
    _order(lanting)
    log(lanting, channel="phone", text="Hello", at=NOW, by=mei.staff, now=NOW, contact=Contact.objects.first())
    mine, theirs = page_of(mei, lanting), page_of(viewer, lanting)
    theirs += viewer.get(f"/customers/{lanting.pk}/story").content.decode()
    for secret in ("13800138001", "gu@lanting.example", "周敏", "顾小满", "386K", "12.9K", "CN¥3,000"):
        assert secret not in theirs, secret
    for masked in ("138****8001", "g***@lanting.example", "周**"):
        assert masked in theirs, masked
    assert "CN¥12.9K" in mine
    assert "CN¥386K" in mine
    assert 'href="tel:' not in theirs


def _order(customer: Customer) -> None:
    Order.objects.create(ref="SO-1", customer=customer, placed_at=NOW, currency="CNY", bought=Decimal(12_900))
    product = Product.objects.create(ref="P", name="Suite")
    today = timezone.localdate()
    Subscription.objects.create(
        customer=customer,
        product=product,
        start=today - timedelta(days=291),
        end=today + timedelta(days=74),
        mrr=Decimal(3000),
        currency="CNY",
        key="k",
    )


def test_contract_and_orders_stand_with_their_course(lanting: Customer, mei: Person) -> None:
    _order(lanting)
    shown = mei.get(f"/customers/{lanting.pk}").context["contract"]
    assert shown["lines"][0]["amount"] == "CN¥3,000 a month"
    assert shown["orders"][0]["ref"] == "SO-1"


def test_the_arrows_lead_through_the_list_the_reader_came_from(lanting: Customer, customer: Make, mei: Person) -> None:
    first = customer("一号", mei.staff, health=Decimal(40))
    last = customer("三号", mei.staff, health=Decimal(90))
    query = "?list=view%3Dmine%26sort%3Dhealth"
    response = mei.get(f"/customers/{lanting.pk}{query}")
    around = response.context["neighbours"]
    assert around["previous"].startswith(f"/customers/{first.pk}?list=")
    assert around["next"].startswith(f"/customers/{last.pk}?list=")
    assert response.context["position"] == "number 2"
    assert mei.get(around["next"]).context["neighbours"]["next"] == ""
    assert "neighbours" not in mei.get(f"/customers/{lanting.pk}").context
    assert mei.get(f"/customers/{lanting.pk}?list={'x' * 3000}").status_code == 200
    narrowed = mei.get(f"/customers/{lanting.pk}?list=f%3Dhealth%253Aabove%253A80").context["neighbours"]
    assert narrowed == {"previous": "", "next": ""}


def test_a_line_logged_on_the_page_stands_in_the_story(lanting: Customer, mei: Person, viewer: Person) -> None:
    assert "Nothing has happened yet" not in page_of(mei, lanting)
    answer = mei.post(
        f"/customers/{lanting.pk}/log",
        {"text": "/phone 周敏 wants a training", "from": "line"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    story = mei.get(f"/customers/{lanting.pk}/story").content.decode()
    assert "wants a training" in story
    assert "<b>Mei</b> Phone, 周敏" in story
    assert 'id="log-line"' in page_of(mei, lanting)
    assert 'id="log-line"' not in page_of(viewer, lanting)


def test_the_story_goes_back_page_by_page_and_by_kind(lanting: Customer, mei: Person) -> None:
    for number in range(45):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        log(lanting, channel="email", text=f"line {number}", at=at, by=mei.staff, now=NOW)
    seen: list[str] = []
    url = f"/customers/{lanting.pk}/story?kind=interaction"
    while url:
        page = mei.get(url).content.decode()
        seen += re.findall(r"<p>(line \d+)</p>", page)
        older = re.search(r'hx-get="([^"]+before=[^"]+)"', page)
        url = unescape(older[1]) if older else ""
    assert seen == [f"line {number}" for number in reversed(range(45))]
    assert mei.get(f"/customers/{lanting.pk}/story?before=nonsense&kind=nonsense").status_code == 200


def test_a_story_is_counted_alike_whether_it_is_short_or_long(lanting: Customer, mei: Person) -> None:
    _order(lanting)
    for number in range(25):
        log(lanting, channel="email", text=f"line {number}", at=NOW, by=mei.staff, now=NOW)
        if number not in {1, 24}:
            continue
        counts = record.counts(lanting, mei.staff)
        shown = re.findall(r'hx-push-url="false">[^<]*? ([0-9]+)</a>', page_of(mei, lanting))
        expected = [sum(counts.values()), *(count for count in counts.values() if count)]
        assert [int(count) for count in shown] == expected


def test_what_comes_next_can_be_done_here(lanting: Customer, mei: Person, viewer: Person) -> None:
    touch = engagement.plan_by_hand(
        lanting, due_on=timezone.localdate(), title="Ask about the stores", now=timezone.now(), by=mei.staff
    )
    assert "Ask about the stores" in page_of(mei, lanting)
    assert f"/touches/{touch.pk}/done" in page_of(mei, lanting)
    assert f"/touches/{touch.pk}/done" not in page_of(viewer, lanting)
    assert mei.post(f"/touches/{touch.pk}/done", headers={"HX-Request": "true"}).status_code == 200
    assert "Ask about the stores" not in mei.get(f"/customers/{lanting.pk}/next").content.decode()


def test_a_customer_that_nobody_has_measured_yet_has_a_page(firm: Company, customer: Make, mei: Person) -> None:
    fresh = customer("新客户", mei.staff)
    page = page_of(mei, fresh)
    assert "measured by the next turn" in page
    assert "Nobody is known here yet." in page
    assert "No usage has come in" in mei.get(f"/customers/{fresh.pk}/usage").content.decode()


def test_the_usage_of_old_files_is_drawn_up_to_the_day_that_was_measured(
    lanting: Customer, mei: Person, settings: Any, tmp_path: Path
) -> None:
    settings.LAKE = tmp_path
    used = datetime(2024, 1, 10, 4, tzinfo=UTC)
    row = {"line": 1, "ref": lanting.ref, "us": int(used.timestamp() * 1e6), "event": "盘点", "count": 7, "users": None}
    with events.staging_file() as staged:
        pq.write_table(pa.Table.from_pylist([row], events.STAGED), staged)
        events.write_usage(staged, {lanting.ref: lanting.pk}, update=False, dry=False, import_id=None, now=NOW)
    address = f"/customers/{lanting.pk}/usage"
    assert "No usage has come in" in mei.get(address).content.decode()
    FactsDay.objects.create(
        day=date(2024, 1, 15), path="none", rows=0, spec={}, computed_at=datetime(2024, 1, 15, tzinfo=UTC), seconds=0
    )
    drawn = mei.get(address).content.decode()
    assert "26 weeks up to 15 Jan 2024" in drawn
    assert "盘点" in drawn


def test_the_events_of_tracking_are_read_a_page_at_a_time(
    lanting: Customer, mei: Person, settings: Any, tmp_path: Path
) -> None:
    settings.LAKE = tmp_path
    address = f"/customers/{lanting.pk}/events"
    assert "No tracked event" in mei.get(address).content.decode()
    zhou = lanting.contacts.get(name="周敏")
    user = {"properties": {"store": "杭州"}, "context": {"groupId": lanting.ref}}
    at = NOW - timedelta(hours=1)
    sent = [
        flow.event(
            f"m{number}",
            zhou.ref,
            event=f"Step {number:02}",
            timestamp=f"{at + timedelta(minutes=number):%FT%TZ}",
            **user,
        )
        for number in range(40)
    ]
    flow.put_in(*sent, received=NOW)
    drain(NOW)
    first = mei.get(address).content.decode()
    assert re.findall(r"<b>(Step \d+)</b>", first) == [f"Step {number:02}" for number in range(39, 9, -1)]
    assert "store: 杭州" in first
    assert first.count("周敏") == 30
    older = re.search(r'hx-get="([^"]+before=[^"]+)"', first)
    assert older
    rest = mei.get(unescape(older[1])).content.decode()
    assert re.findall(r"<b>(Step \d+)</b>", rest) == [f"Step {number:02}" for number in range(9, -1, -1)]
    assert "before=" not in rest


def test_the_number_of_queries_does_not_grow_with_the_history(
    lanting: Customer, mei: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(40):
        log(lanting, channel="email", text=f"line {number}", at=NOW, by=mei.staff, now=NOW)
        _contact(lanting, mei, f"人{number}", "user")
    mei.get(f"/customers/{lanting.pk}")
    with django_assert_max_num_queries(32):
        mei.get(f"/customers/{lanting.pk}")


def test_words_of_others_are_never_markup(firm: Company, customer: Make, mei: Person) -> None:
    bad = customer("<script>alert(1)</script>", mei.staff, region="<b>x</b>", health=Decimal(50))
    _contact(bad, mei, "<i>Eve</i>", "user", reachable="<u>now</u>")
    log(bad, channel="phone", text="<script>alert(2)</script>", at=NOW, by=mei.staff, now=NOW, direction="in")
    pages = page_of(mei, bad) + mei.get("/customers").content.decode() + mei.get("/search?q=script").content.decode()
    for raw in ("<script>alert", "<i>Eve", "<u>now", "<b>x</b>"):
        assert raw not in pages, raw
