"""Done, later, not needed: each leaves its traces and the queue; two clicks count once; an undo takes it back."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from zhike.act.engagement import operations, queries
from zhike.act.engagement.models import Touch
from zhike.act.engagement.queries.load import Load
from zhike.act.engagement.queries.planning import contact_days
from zhike.act.engagement.queries.queue import MOST
from zhike.conftest import NOW, Person
from zhike.kit.calendars import CHINA
from zhike.org.models import AuditLine
from zhike.org.principals import SYSTEM
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import Interaction, Outcome

TODAY = date(2026, 3, 12)
Make = Callable[..., Customer]


@pytest.fixture
def touch(customer: Make, mei: Person) -> Touch:
    return touch_of(customer("C1"), mei)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pages read the story's clock."""
    monkeypatch.setattr("zhike.act.engagement.pages.now", lambda: NOW)


def touch_of(customer: Customer, owner: Person, **given: Any) -> Touch:
    plain: dict[str, Any] = {
        "kind": "alert",
        "key": f"alert:{Touch.objects.count()}",
        "reason": {"code": "health_fell", "from": 71, "to": 58, "days": 30, "parts": {"usage": [20.4, 12]}},
        "content": {"title": {"zh": "致电", "en": "Call {customer}"}, "words": {"zh": "您好", "en": "Health {health}"}},
        "channel": "phone",
        "urgency": 3,
        "priority": 9.0,
        "stake": 1000,
        "due_on": TODAY,
        "created_on": TODAY,
    }
    return Touch.objects.create(customer=customer, owner=owner.staff, **{**plain, **given})


def traces(touch: Touch) -> tuple[str, str]:
    """Return the kind of the last event and the action of the last audit line about a touch."""
    event = Event.objects.filter(customer=touch.customer).latest("id")
    line = AuditLine.objects.filter(object_kind="engagement.touch", object_id=str(touch.pk)).latest("id")
    return event.kind, line.action


def queued(person: Person, day: date = TODAY) -> list[int]:
    sections = queries.today_queue(person.staff, day).sections
    return [row.id for section in sections for row in section.rows]


def post(person: Client, name: str, touch: Touch, **given: Any) -> Any:
    return person.post(reverse(name, args=[touch.pk]), given, headers={"HX-Request": "true"})


def test_done_in_one_click_leaves_interaction_event_and_audit_line(mei: Person, touch: Touch) -> None:
    assert queued(mei) == [touch.pk]
    answer = post(mei, "touch-done", touch)
    assert answer.status_code == 200
    triggers = json.loads(answer.headers["HX-Trigger"])
    assert triggers["toast"]["undo"] == reverse("touch-reopen", args=[touch.pk])
    said = Interaction.objects.get()
    assert (said.customer_id, said.channel, said.outcome, said.direction) == (
        touch.customer_id,
        "phone",
        "reached",
        "out",
    )
    touch.refresh_from_db()
    assert (touch.state, touch.interaction_id, touch.closed_by_id) == ("done", said.pk, mei.staff.pk)
    assert traces(touch) == (EventKind.TOUCH_MADE, "touch.made")
    assert queued(mei) == []


def test_later_comes_back_on_the_next_workday(mei: Person, touch: Touch) -> None:
    post(mei, "touch-later", touch)
    assert traces(touch) == (EventKind.TOUCH_POSTPONED, "touch.postponed")
    assert queued(mei) == []
    assert queued(mei, TODAY + timedelta(days=1)) == [touch.pk]
    assert Interaction.objects.get().outcome == Outcome.POSTPONED
    assert contact_days([touch.customer_id], today=TODAY, days=30) == {}


def test_not_needed_keeps_its_reason_and_counts_as_no_contact(mei: Person, touch: Touch) -> None:
    post(mei, "touch-not-needed", touch, reason="Spoke at the fair")
    touch.refresh_from_db()
    assert (touch.state, touch.note) == ("not_needed", "Spoke at the fair")
    assert traces(touch) == (EventKind.TOUCH_DROPPED, "touch.dropped")
    assert queued(mei) == []
    noted = Interaction.objects.get()
    assert (noted.outcome, noted.text) == (Outcome.NOT_NEEDED, "Spoke at the fair")
    assert contact_days([touch.customer_id], today=TODAY, days=30) == {}


def test_nobody_answered_so_it_is_tried_again(mei: Person, touch: Touch) -> None:
    post(mei, "touch-done", touch, outcome="no_answer", text="mailbox full")
    touch.refresh_from_db()
    assert (touch.state, touch.snoozed_until) == ("open", date(2026, 3, 13))
    assert Interaction.objects.get().outcome == Outcome.NO_ANSWER


@pytest.mark.parametrize("act", ["touch-done", "touch-later", "touch-not-needed"])
def test_an_undo_brings_it_back_as_it_was(mei: Person, touch: Touch, act: str) -> None:
    before = Touch.objects.filter(pk=touch.pk).values("state", "snoozed_until", "closed_at", "closed_by", "note").get()
    post(mei, act, touch)
    assert post(mei, "touch-reopen", touch).status_code == 200
    after = Touch.objects.filter(pk=touch.pk).values("state", "snoozed_until", "closed_at", "closed_by", "note").get()
    assert after == before
    assert queued(mei) == [touch.pk]
    assert not Interaction.objects.exists()
    assert traces(touch) == (EventKind.TOUCH_REOPENED, "touch.reopened")


def test_an_undo_of_yesterday_leaves_the_contact_in_history(mei: Person, touch: Touch) -> None:
    operations.complete(touch, calendar=CHINA, now=NOW - timedelta(days=1), by=mei.staff)
    touch.refresh_from_db()
    operations.reopen(touch, now=NOW, by=mei.staff)
    assert Interaction.objects.count() == 1
    assert queued(mei) == [touch.pk]


def test_an_undo_of_a_second_delay_returns_to_the_first(mei: Person, touch: Touch) -> None:
    Touch.objects.filter(pk=touch.pk).update(snoozed_until=TODAY)
    touch.refresh_from_db()
    operations.postpone(touch, date(2026, 3, 20), now=NOW, by=mei.staff)
    touch.refresh_from_db()
    operations.reopen(touch, now=NOW, by=mei.staff)
    touch.refresh_from_db()
    assert touch.snoozed_until == TODAY


def test_two_clicks_count_once(mei: Person, touch: Touch) -> None:
    stale = Touch.objects.get(pk=touch.pk)
    operations.complete(touch, calendar=CHINA, now=NOW, by=mei.staff)
    with pytest.raises(operations.AlreadyClosed):
        operations.complete(stale, calendar=CHINA, now=NOW, by=mei.staff)
    answer = post(mei, "touch-not-needed", touch)
    assert answer.status_code == 409
    assert "already" in json.loads(answer.headers["HX-Trigger"])["toast"]["text"]
    assert Interaction.objects.count() == 1


def test_only_who_sees_the_customer_and_works_touches_may(
    mei: Person, jun: Person, lead: Person, viewer: Person, stranger: Client, touch: Touch
) -> None:
    for name in ("touch-done", "touch-later", "touch-not-needed", "touch-reopen"):
        assert post(jun, name, touch).status_code == 404
        assert post(viewer, name, touch).status_code == 403
        assert post(stranger, name, touch).status_code == 401
    assert post(lead, "touch-later", touch).status_code == 200
    assert post(mei, "touch-reopen", touch).status_code == 200


def test_a_row_opens_in_place_with_why_and_what_to_say(mei: Person, touch: Touch) -> None:
    page = mei.get(reverse("touch-open", args=[touch.pk]), headers={"HX-Request": "true"}).content.decode()
    assert f'id="q-{touch.pk}"' in page
    assert "Health 71 → 58 in 30 days" in page
    assert "−8.4 points" in page
    assert "Call Name C1" in page
    assert mei.get(reverse("touch-open", args=[touch.pk])).status_code == 302


def test_without_script_the_person_is_led_back(mei: Person, touch: Touch) -> None:
    answer = mei.post(reverse("touch-done", args=[touch.pk]))
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("today")
    elsewhere = mei.post(reverse("touch-reopen", args=[touch.pk]), {"next": "https://evil.example/"})
    assert elsewhere.headers["Location"] == reverse("today")


def test_a_touch_by_hand_stands_in_the_queue(mei: Person, touch: Touch) -> None:
    operations.plan_by_hand(touch.customer, due_on=TODAY, title="Send the slides", now=NOW, by=mei.staff)
    with translation.override("en"):
        row = queries.today_queue(mei.staff, TODAY).sections[1].rows[0]
    assert (row.what, row.why, row.kind) == ("Send the slides", "Planned by Mei", "manual")


def test_the_queue_has_three_sections_in_the_order_of_priority(customer: Make, mei: Person, jun: Person) -> None:
    mine = customer("C1")
    urgent = touch_of(mine, mei, priority=5)
    later = touch_of(mine, mei, urgency=1, due_on=TODAY + timedelta(days=1), kind="cadence")
    small = touch_of(mine, mei, urgency=1, priority=1, kind="cadence")
    big = touch_of(mine, mei, urgency=2, priority=4, due_on=TODAY - timedelta(days=3), kind="renewal")
    touch_of(mine, mei, due_on=TODAY + timedelta(days=9))
    touch_of(customer("J1", owner=jun), jun)
    queue = queries.today_queue(mei.staff, TODAY)
    found = {section.key: [row.id for row in section.rows] for section in queue.sections}
    assert found == {"first": [urgent.pk], "today": [big.pk, small.pk], "wait": [later.pk]}
    assert queue.kinds == {"cadence": 2, "alert": 1, "renewal": 1}
    only = queries.today_queue(mei.staff, TODAY, kind="cadence")
    assert [section.count for section in only.sections] == [0, 1, 1]
    assert only.all == 4
    assert queries.load_of(mei.staff, TODAY, NOW) == Load(due=3, made=0)
    everybody = replace(SYSTEM, pk=jun.staff.pk)
    assert queries.load_of(everybody, TODAY, NOW).due == 1, "the queue of somebody with a book is the book"


def test_a_queue_beyond_counting_says_that_there_are_more(customer: Make, mei: Person) -> None:
    one = customer("C1")
    touch_of(one, mei, urgency=1, kind="renewal", priority=9, key="first")
    whole = Touch.objects.get()
    Touch.objects.bulk_create(_another(whole, number) for number in range(MOST))
    found = queries.today_queue(mei.staff, TODAY)
    assert (found.count, found.is_capped, found.everything) == (MOST, True, f"{MOST}+")
    assert found.sections[1].note.startswith(f"{MOST}+ ")
    renewals = queries.today_queue(mei.staff, TODAY, kind="renewal")
    assert [row.kind for row in renewals.sections[1].rows] == ["renewal"]
    assert (renewals.count, renewals.sections[1].is_capped) == (1, True)
    Touch.objects.filter(kind="cadence").first().delete()  # type: ignore[union-attr]  # There are hundreds.
    assert queries.today_queue(mei.staff, TODAY).everything == str(MOST)


def _another(touch: Touch, number: int) -> Touch:
    same = {field.attname: getattr(touch, field.attname) for field in Touch._meta.concrete_fields}
    return Touch(**{**same, "id": None, "kind": "cadence", "priority": 1.0, "key": f"more {number}"})


def test_the_queue_is_paged_without_gaps(customer: Make, mei: Person) -> None:
    mine = customer("C1")
    made = [touch_of(mine, mei, urgency=1, priority=1 + number % 5) for number in range(70)]
    seen: list[int] = []
    after = ""
    while True:
        section = next(
            each for each in queries.today_queue(mei.staff, TODAY, after=after).sections if each.key == "today"
        )
        assert section.count == 70
        seen += [row.id for row in section.rows]
        after = section.more
        if not after:
            break
    assert seen == [touch.pk for touch in sorted(made, key=lambda touch: (-touch.priority, touch.pk))]
    assert queries.today_queue(mei.staff, TODAY, after="today:not a number:x").sections[1].rows


def test_revenue_and_names_are_only_for_who_may_see_them(customer: Make, mei: Person, hire: Any) -> None:
    agent = hire("Ann", "agent")
    touch = touch_of(customer("C1"), mei)
    assert queries.row_of(mei.staff, touch, TODAY, opened=False).stake == "¥1,000"
    assert queries.row_of(agent.staff, touch, TODAY, opened=False).stake == ""


def test_the_week_adds_up(customer: Make, mei: Person) -> None:
    mine = customer("C1")
    for offset in (-3, 0, 1, 1, 9):
        touch_of(mine, mei, due_on=TODAY + timedelta(days=offset))
    operations.complete(touch_of(mine, mei), calendar=CHINA, now=NOW, by=mei.staff)
    week = queries.capacity(mei.staff, 36, TODAY)
    assert [(day.day.day, day.done, day.planned) for day in week.days] == [
        (9, 0, 0),
        (10, 0, 0),
        (11, 0, 0),
        (12, 1, 2),
        (13, 0, 2),
    ]
    assert (week.done, week.planned, week.room, week.daily) == (1, 4, 31, 7.2)


def test_reading_the_queue_takes_few_statements(
    customer: Make, mei: Person, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(20):
        touch_of(customer(f"C{number}"), mei)
    with django_assert_max_num_queries(5):
        queries.today_queue(mei.staff, TODAY)
