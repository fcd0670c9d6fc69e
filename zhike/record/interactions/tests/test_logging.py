"""Logging a contact with a customer in one line, taking it back, and reading it in the customer's story."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from zhike.conftest import Person
from zhike.org.models import AuditLine
from zhike.record.commerce.models import Order, Product, Subscription
from zhike.record.customers import operations as customers
from zhike.record.customers.models import Contact, Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions import operations, queries
from zhike.record.interactions.models import Interaction

NOW = datetime(2026, 3, 12, 2, 18, tzinfo=UTC)


@pytest.fixture
def acme(mei: Person) -> Customer:
    return customers.add_customer({"ref": "A", "name": "Acme"}, by=mei.staff, now=NOW - timedelta(days=400))


@pytest.fixture
def wang(acme: Customer, mei: Person) -> Contact:
    return customers.add_contact(acme, {"name": "王敏", "ref": "w1"}, by=mei.staff, now=NOW)


def test_one_line_becomes_an_interaction_with_event_and_audit_line(acme: Customer, wang: Contact, mei: Person) -> None:
    answer = mei.post(
        f"/customers/{acme.pk}/log",
        {"text": "/电话 王敏没接，明天再打", "from": "line"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    logged = Interaction.objects.get()
    assert (logged.channel, logged.outcome, logged.direction) == ("phone", "no_answer", "out")
    assert (logged.contact, logged.by, logged.text) == (wang, mei.staff, "王敏没接，明天再打")
    assert Event.objects.get(kind=EventKind.INTERACTION_LOGGED).payload["interaction"] == logged.pk
    assert AuditLine.objects.filter(action="interaction.logged").count() == 1
    triggers = json.loads(answer["HX-Trigger"])
    assert "Acme" in triggers["toast"]["text"]
    undone = mei.post(triggers["toast"]["undo"], headers={"HX-Request": "true"})
    assert undone.status_code == 200
    assert not Interaction.objects.exists()


def test_only_who_sees_the_customer_may_log_and_only_the_writer_takes_back(
    acme: Customer, mei: Person, jun: Person, lead: Person, viewer: Person, stranger: Client
) -> None:
    address, line = f"/customers/{acme.pk}/log", {"text": "call: fine"}
    assert stranger.post(address, line).status_code == 302
    assert not Interaction.objects.exists()
    assert jun.post(address, line).status_code == 404
    assert viewer.post(address, line).status_code == 403
    assert mei.post(address, line).status_code == 302
    undo = f"/interactions/{Interaction.objects.get().pk}/undo"
    assert jun.post(undo).status_code == 404
    assert lead.post(undo, headers={"HX-Request": "true"}).status_code == 409
    Interaction.objects.update(created_at=NOW - timedelta(days=2))
    assert mei.post(undo, headers={"HX-Request": "true"}).status_code == 409
    assert Interaction.objects.count() == 1


def test_from_any_page_the_customer_is_named_in_the_dialog(acme: Customer, mei: Person, jun: Person) -> None:
    dialog = mei.get("/interactions/new", headers={"HX-Request": "true"}).content.decode()
    assert "<dialog" in dialog
    assert "<html" not in dialog
    assert "<html" in mei.get("/interactions/new").content.decode()
    wrong = jun.post("/interactions/log", {"customer_name": "Acme", "text": "hi"}, headers={"HX-Request": "true"})
    assert wrong.status_code == 422
    right = mei.post("/interactions/log", {"customer_name": "acme", "text": ""}, headers={"HX-Request": "true"})
    assert right.status_code == 422
    good = {"customer_name": "A", "text": "Meeting about renewal", "channel": ""}
    right = mei.post("/interactions/log", good, headers={"HX-Request": "true"})
    assert (right.status_code, right.content) == (200, b"")
    assert Interaction.objects.get().channel == "meeting"


def test_nothing_can_be_logged_in_the_future_or_with_another_customers_contact(
    acme: Customer, wang: Contact, mei: Person
) -> None:
    said: dict[str, Any] = {"channel": "phone", "text": "x", "by": mei.staff, "now": NOW}
    with pytest.raises(operations.NotYet):
        operations.log(acme, at=NOW + timedelta(hours=1), **said)
    other = customers.add_customer({"ref": "B", "name": "Beta"}, by=mei.staff, now=NOW)
    with pytest.raises(operations.NotTheirContact):
        operations.log(other, at=NOW, contact=wang, **said)


@pytest.fixture
def story(acme: Customer, mei: Person) -> Callable[[], None]:
    """Give the customer a year in which several things happen at the same moment."""

    def make() -> None:
        product = Product.objects.create(ref="P", name="Pro")
        midnight = datetime(2026, 2, 28, 16, tzinfo=UTC)  # 1 March in Shanghai.
        for number in range(3):
            operations.log(
                acme, channel="phone", text=f"call {number}", at=midnight, by=mei.staff, now=NOW + timedelta(days=1)
            )
            Order.objects.create(
                ref=str(number), customer=acme, placed_at=midnight, currency="CNY", bought=Decimal(number + 1)
            )
            Subscription.objects.create(
                customer=acme, product=product, start=date(2026, 3, 1), mrr=1, currency="CNY", key=f"k{number}"
            )
            Event.append(acme.pk, EventKind.TIER_CHANGED, at=midnight, tier=f"t{number}")

    return make


def test_the_story_is_whole_ordered_and_paged_without_gaps(
    acme: Customer, mei: Person, jun: Person, story: Callable[[], None]
) -> None:
    story()
    whole = queries.timeline(acme, mei.staff, limit=100)
    assert len(whole.moments) == 13
    assert whole.older == ""
    assert [moment.at for moment in whole.moments] == sorted((moment.at for moment in whole.moments), reverse=True)
    for limit in (1, 2, 3, 5):
        pages, cursor = [], ""
        while True:
            page = queries.timeline(acme, mei.staff, cursor, limit)
            pages += [moment.cursor for moment in page.moments]
            cursor = page.older
            if not cursor:
                break
        assert pages == [moment.cursor for moment in whole.moments]
    assert queries.counts(acme, mei.staff) == {"interaction": 3, "order": 3, "subscription": 3, "event": 4}
    orders = queries.timeline(acme, mei.staff, kinds=["order"])
    assert {moment.kind for moment in orders.moments} == {"order"}
    assert queries.timeline(acme, jun.staff).moments == []
    assert len(queries.timeline(acme, mei.staff, "nonsense|x|1").moments) == 13
