"""The whole turn through its doors: the command, the jobs; once, again, and when it is refused."""

import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from zhike import loop
from zhike.act.engagement import operations as engagement
from zhike.act.engagement.models import Touch, TouchKind
from zhike.conftest import NOW, Person
from zhike.decide.plans import operations as plans
from zhike.decide.plans.queries import NoPlanInForce
from zhike.kit.calendars import CHINA
from zhike.measure.models import CustomerFacts, FactsDay
from zhike.org import works
from zhike.org.models import AuditLine, Company, Work, WorkState
from zhike.record.commerce.models import Product, Subscription
from zhike.record.customers import operations as customers
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import Interaction
from zhike.review.kpis.models import KpiValue
from zhike.web import jobs

pytestmark = pytest.mark.slow  # Whole turns take seconds.

DAY = date(2026, 3, 12)
Make = Callable[..., Customer]


@pytest.fixture(autouse=True)
def lake(settings: Any, tmp_path: Path) -> None:
    """Keep the days of each test apart."""
    settings.LAKE = tmp_path


@pytest.fixture
def company(db: None) -> Company:
    firm = Company.objects.create(id=1, name="Yunzhou", currency="CNY", language="en")
    plans.ensure_ready_plan("saas", now=NOW)
    return firm


@pytest.fixture
def book(company: Company, customer: Make, mei: Person) -> list[Customer]:
    """Give Mei thirty subscribers, the first one large and ending soon."""
    product = Product.objects.create(ref="P", name="Suite")
    made = []
    for number in range(30):
        since = date(2024, 1, 1) + timedelta(days=number)
        one = customer(f"客户{number}", mei.staff, ref=f"C{number:02}", joined=since)
        end = DAY + timedelta(days=40) if number == 0 else None
        mrr = Decimal(100_000 if number == 0 else 1000)
        Subscription.objects.create(
            customer=one, product=product, start=since, end=end, mrr=mrr, currency="CNY", key=one.ref
        )
        made.append(one)
    return made


def turned(day: date = DAY) -> dict[str, Any]:
    out = io.StringIO()
    call_command("turn", today=day.isoformat(), json=True, stdout=out, stderr=io.StringIO())
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_every_step_is_told_in_the_companys_language(book: list[Customer], company: Company) -> None:
    Company.objects.update(language="zh-hans")
    said = io.StringIO()
    call_command("turn", today=DAY.isoformat(), stdout=io.StringIO(), stderr=said)
    steps = said.getvalue().splitlines()
    assert "安排触达" in steps
    assert [step for step in steps if step.isascii()] == []


def everything() -> list[Any]:
    """Return what must stay as it is when a turn is repeated."""
    touches = list(Touch.objects.order_by("id").values())
    facts = list(CustomerFacts.objects.order_by("pk").values())
    figures = list(KpiValue.objects.order_by("name").values("day", "name", "value", "basis", "detail"))
    return [touches, facts, figures, Event.objects.count()]


def test_a_turn_measures_plans_and_takes_the_key_figures(book: list[Customer]) -> None:
    said = turned()
    assert set(said) >= {
        "today",
        "customers",
        "tiers_moved",
        "stages_moved",
        "touches_created",
        "alerts",
        "kpis",
        "warnings",
        "seconds",
    }
    assert said["customers"] == 30
    assert sum(said["touches_created"].values()) == Touch.objects.count() > 0
    assert said["kpis"]["retention_month"] == {"value": 1.0, "basis": 30}
    assert all(CHINA.is_workday(day) for day in Touch.objects.values_list("due_on", flat=True))
    nexts = CustomerFacts.objects.exclude(next_touch=None)
    assert nexts.count() == 30
    for touch in Touch.objects.all():
        assert nexts.get(pk=touch.customer_id).next_touch == touch.due_on
    assert AuditLine.objects.filter(action="loop.turned").count() == 1
    work = Work.objects.get()
    assert (work.kind, work.result) == ("loop.turn", {}) or work.result["customers"] == 30


def settled() -> list[tuple[str, bool, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relallvisible > 0, t.last_vacuum IS NOT NULL "
            "FROM pg_class AS c JOIN pg_stat_user_tables AS t ON t.relid = c.oid "
            "WHERE c.relname IN ('engagement_touch', 'measure_customerfacts') ORDER BY 1"
        )
        return list(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_after_a_turn_pages_read_from_indexes_alone(book: list[Customer]) -> None:
    for _ in range(4):  # PostgreSQL leaves out a page that something else, a checkpoint say, just holds; once is rare.
        turned()
        if all(visible for _, visible, _ in settled()):
            break
    assert settled() == [("engagement_touch", True, True), ("measure_customerfacts", True, True)]


def test_the_same_day_again_prints_no_changes(book: list[Customer]) -> None:
    turned()
    before = everything()
    again = turned()
    assert everything() == before
    assert [again[key] for key in ("tiers_moved", "stages_moved", "touches_created", "alerts")] == [[], [], {}, {}]
    out = io.StringIO()
    call_command("turn", today=DAY.isoformat(), stdout=out, stderr=io.StringIO())
    assert "30" in out.getvalue()


def test_moves_are_told_with_the_biggest_names(book: list[Customer]) -> None:
    turned()
    ended = book[0]
    Subscription.objects.filter(customer=ended).update(end=DAY + timedelta(days=10))
    said = turned(DAY + timedelta(days=30))
    assert {"before": "maturity", "after": "churned", "count": 1, "names": [ended.name]} in said["stages_moved"]
    event = Event.objects.get(kind=EventKind.STAGE_CHANGED, customer=ended)
    assert (event.payload["from"], event.payload["to"]) == ("maturity", "churned")
    assert turned(DAY + timedelta(days=30))["stages_moved"] == []
    assert Event.objects.filter(kind=EventKind.STAGE_CHANGED, customer=ended).count() == 1


def test_a_turn_that_was_cut_short_is_taken_up(book: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    turned()
    Subscription.objects.filter(customer=book[0]).update(end=DAY + timedelta(days=10))
    with monkeypatch.context() as patched:
        patched.setattr(loop, "_note_moves", lambda *_given, **_named: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            turned(DAY + timedelta(days=30))
    said = turned(DAY + timedelta(days=30))
    assert [moved["after"] for moved in said["stages_moved"]] == ["churned"]


def test_a_day_before_the_latest_plans_nothing(book: list[Customer]) -> None:
    turned()
    before = Touch.objects.count(), Event.objects.count()
    said = turned(DAY - timedelta(days=30))
    assert (Touch.objects.count(), Event.objects.count()) == before
    assert said["warnings"][-1]["code"] == "later_day_measured"


def test_refusals_come_before_anything_is_changed(db: None, customer: Make) -> None:
    with pytest.raises(NoPlanInForce):
        turned()
    plans.ensure_ready_plan("saas", now=NOW)
    with pytest.raises(loop.NoCustomers):
        turned()
    customer("C")
    with pytest.raises(loop.TooFarAhead):
        turned(date(2206, 3, 12))
    assert not FactsDay.objects.exists()


def test_two_turns_at_once_are_one(book: list[Customer]) -> None:
    work = works.start(loop.WORK, "Turn", by=None, now=NOW)
    Work.objects.filter(pk=work.pk).update(state=WorkState.RUNNING, started_at=NOW)
    with psycopg.connect(**works._same_database(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [loop.LOCK])
        assert loop.is_running()
        with pytest.raises(loop.TurnIsRunning) as refused:
            loop.turn(today=DAY, by=None, now=NOW, progress=works.Silent())
        assert refused.value.details == {"since": "10:18", "who": "zhike"}
        other.execute("SELECT pg_advisory_unlock(%s)", [loop.LOCK])
    assert not loop.is_running()


def test_a_contact_between_two_turns_satisfies_the_cadence(book: list[Customer]) -> None:
    turned()
    touch = Touch.objects.filter(kind="cadence", due_on__lt=date(2026, 4, 1)).first()
    assert touch is not None
    at = datetime(2026, 3, 12, 7, tzinfo=UTC)
    Interaction.objects.create(customer_id=touch.customer_id, at=at, channel="phone", key="k", created_at=at)
    jobs.react(touch.customer_id)
    touch.refresh_from_db()
    facts = CustomerFacts.objects.get(pk=touch.customer_id)
    assert (touch.state, facts.last_touch) == ("superseded", DAY)
    assert facts.next_touch is None or facts.next_touch > touch.due_on


def test_what_a_person_does_is_followed(book: list[Customer], mei: Person) -> None:
    turned()
    touch = Touch.objects.order_by("due_on").first()
    assert touch is not None
    engagement.complete(touch, calendar=CHINA, now=NOW, by=mei.staff)
    job = ProcrastinateJob.objects.filter(task_name="loop.react").latest("id")
    jobs.react(**job.args)
    assert CustomerFacts.objects.get(pk=touch.customer_id).last_touch == DAY
    again = turned()
    assert again["touches_created"] == {}


def test_open_touches_follow_a_hand_over(book: list[Customer], mei: Person, hire: Callable[..., Person]) -> None:
    turned()
    kai = hire("Kai", "csm", "East")
    touch = Touch.objects.filter(state="open").first()
    assert touch is not None
    customers.hand_over([touch.customer], kai.staff, by=None, now=NOW)
    job = ProcrastinateJob.objects.filter(task_name="loop.react_all").latest("id")
    jobs.react_all(**job.args)
    touch.refresh_from_db()
    assert touch.owner_id == kai.staff.pk
    assert set(Touch.objects.exclude(customer=touch.customer).values_list("owner", flat=True)) == {mei.staff.pk}


def test_an_undo_is_followed_as_well(book: list[Customer], mei: Person) -> None:
    turned()
    touch = Touch.objects.filter(kind="cadence").order_by("due_on").first()
    assert touch is not None
    at = datetime.combine(touch.due_on, datetime.min.time(), UTC)
    engagement.complete(touch, calendar=CHINA, now=at, by=mei.staff)
    jobs.react(touch.customer_id)
    touch.refresh_from_db()
    engagement.reopen(touch, now=at + timedelta(seconds=8), by=mei.staff)
    jobs.react(touch.customer_id)
    touch.refresh_from_db()
    facts = CustomerFacts.objects.get(pk=touch.customer_id)
    assert (touch.state, facts.last_touch, facts.next_touch) == ("open", None, touch.due_on)


class TestNightly:
    MORNING = datetime(2026, 3, 11, 22, 10, tzinfo=UTC)  # 06:10 in Shanghai on the 12th.

    def test_it_is_due_once_a_morning(self, book: list[Customer]) -> None:
        assert loop.is_due(self.MORNING - timedelta(minutes=1)) is None
        assert loop.is_due(self.MORNING) == DAY
        loop.turn(today=DAY, by=None, now=self.MORNING, progress=works.Silent())
        assert loop.is_due(self.MORNING + timedelta(hours=5)) is None
        assert loop.is_due(self.MORNING + timedelta(days=1)) == DAY + timedelta(days=1)

    def test_a_turn_by_hand_before_the_morning_does_not_replace_it(self, book: list[Customer]) -> None:
        loop.turn(today=DAY, by=None, now=self.MORNING - timedelta(hours=3), progress=works.Silent())
        assert loop.is_due(self.MORNING) == DAY

    def test_an_empty_installation_is_left_alone(self, company: Company) -> None:
        assert loop.is_due(self.MORNING) is None

    def test_it_asks_for_one_turn_and_that_runs(self, book: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(jobs, "now", lambda: self.MORNING)
        jobs.nightly(0)
        jobs.nightly(300)
        job = ProcrastinateJob.objects.get(task_name="loop.turn")
        jobs.turn(**job.args)
        assert FactsDay.objects.get().day == DAY
        jobs.nightly(600)
        assert ProcrastinateJob.objects.filter(task_name="loop.turn").count() == 1


def test_a_published_plan_is_measured_by_for_the_last_day(book: list[Customer]) -> None:
    jobs.remeasure(2)
    assert not Work.objects.exists()
    turned()
    jobs.remeasure(2)
    assert ProcrastinateJob.objects.get(task_name="loop.turn").args["today"] == DAY.isoformat()


def test_what_changes_during_the_day_raises_its_alert_on_today(book: list[Customer], mei: Person) -> None:
    turned()
    fifth = Subscription.objects.filter(customer=book[5])
    assert not Touch.objects.filter(customer=book[5], kind=TouchKind.RENEWAL).exists()
    fifth.update(end=DAY + timedelta(days=30), mrr=Decimal(90_000))
    fresh = loop.freshen(datetime(2026, 3, 12, 6, tzinfo=UTC))
    assert (fresh.taken, sum(fresh.alerts.values())) == (1, 1)
    touch = Touch.objects.get(customer=book[5], kind=TouchKind.RENEWAL)
    assert book[5].name in mei.get("/today").content.decode()
    again = loop.freshen(datetime(2026, 3, 12, 7, tzinfo=UTC))
    assert (again.taken, again.alerts) == (0, {})
    assert Touch.objects.get(customer=book[5], kind=TouchKind.RENEWAL).pk == touch.pk
