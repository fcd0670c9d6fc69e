"""From the inbox into the lake: each event once, where it belongs, whatever comes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from zhike.record.events.models import ChangedCustomer, LakeFile
from zhike.record.events.operations import compact
from zhike.record.events.rules import AT_MOST, EVENTS, TOGETHER, WAITING
from zhike.record.tracking.models import Feature, Inbox, Person, RefusedEvent, StreamMinute
from zhike.record.tracking.operations import drain
from zhike.record.tracking.operations.attaching import attach, recognise
from zhike.record.tracking.tests.flow import (
    NOW,
    contact,
    customer,
    digest,
    event,
    live,
    messages,
    person,
    put_in,
    remembered,
    source,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_event_of_a_known_contact_reaches_its_customer() -> None:
    acme = customer("C1")
    contact(acme, "u1")
    put_in(event("m1", properties={"path": "/a", "名": "值"}, timestamp="2026-03-12T02:10:00.123Z"))
    done = drain(NOW)
    assert (done.events, done.duplicates, done.waiting) == (1, 0, 0)
    [row] = live(EVENTS)
    assert row == {
        "customer": acme.pk,
        "person": person("u1").pk,
        "at": datetime(2026, 3, 12, 2, 10, 0, 123_000, UTC),
        "event": "Opened",
        "call": 1,
        "source": source().pk,
        "received": NOW,
        "message": digest("m1"),
        "properties": '{"path": "/a", "名": "值"}',
    }
    assert not Inbox.objects.exists()
    assert remembered() == [digest("m1")]
    assert set(ChangedCustomer.objects.values_list("customer_id", flat=True)) >= {acme.pk}
    assert Feature.objects.get().count == 1
    assert StreamMinute.objects.values_list("accepted", "duplicates").get() == (1, 0)


def test_the_clock_of_a_client_is_corrected() -> None:
    put_in(
        event("m1", timestamp="2026-03-12T05:00:00Z"),
        event("m2", timestamp="2026-03-12T06:01:00+00:00"),
        event("m3", timestamp="20260312T050000"),
        event("m4"),
        sent=datetime(2026, 3, 12, 6, 0, tzinfo=UTC),
    )
    put_in(event("m5", timestamp="1999-01-01T00:00:00Z"))
    drain(NOW)
    found = {row["message"]: row["at"] for row in live()}
    assert [found[digest(f"m{number}")] for number in range(1, 6)] == [
        NOW - timedelta(hours=1),
        NOW,
        NOW - timedelta(hours=1),
        NOW,
        datetime(2000, 1, 1, tzinfo=UTC),
    ]


def test_late_events_land_in_their_month() -> None:
    put_in(event("m1", timestamp="2025-12-31T23:59:59Z"), event("m2", timestamp="2026-01-01T00:00:00Z"), event("m3"))
    drain(NOW)
    assert len(live()) == 3
    months = LakeFile.objects.filter(kind=WAITING).values_list("month", flat=True)
    assert set(months) == {date(2025, 12, 1), date(2026, 1, 1), date(2026, 3, 1)}


def test_a_message_is_taken_once_within_a_batch_and_across() -> None:
    put_in(event("m1", event="First"), event("m1", event="Second"))
    put_in(event("m2"), event("m1", event="Third"))
    done = drain(NOW)
    assert (done.events, done.duplicates) == (2, 2)
    put_in(event("m2"), event("m3"))
    done = drain(NOW)
    assert (done.events, done.duplicates) == (1, 1)
    rows = live()
    assert messages(rows) == sorted(digest(each) for each in ("m1", "m2", "m3"))
    assert [row["event"] for row in rows if row["message"] == digest("m1")] == ["First"]


def test_the_same_message_id_from_two_sources_is_two_messages() -> None:
    put_in(event("m1"))
    put_in(event("m1"), source_id=source("App").pk)
    assert drain(NOW).events == 2


def test_a_message_is_remembered_for_seven_days() -> None:
    put_in(event("m1"))
    drain(NOW)
    put_in(event("m1"), received=NOW + timedelta(days=6, hours=23))
    assert drain(NOW + timedelta(days=7)).duplicates == 1
    put_in(event("m1"), received=NOW + timedelta(days=7, hours=1))
    assert drain(NOW + timedelta(days=8)).events == 1


def test_what_cannot_be_read_is_refused_and_stops_nothing() -> None:
    put_in(event("m1"))
    Inbox.objects.create(source_id=source().pk, received_at=NOW, events=1, body=b"[{")
    strange = json.dumps([{"type": "dance", "messageId": "m8"}, event("m2"), {"type": "track"}]).encode()
    Inbox.objects.create(source_id=source().pk, received_at=NOW, events=3, body=strange)
    put_in({**event("m4", "u\0"), "traits": {}})
    put_in(event("m3"))
    refused = 0
    while Inbox.objects.exists():
        refused += drain(NOW).refused
    assert refused == 4
    assert messages(live()) == sorted(digest(each) for each in ("m1", "m2", "m3"))
    assert RefusedEvent.objects.count() == 4
    assert all(each.body and each.detail for each in RefusedEvent.objects.all())


def test_one_drains_at_a_time_and_the_oldest_first() -> None:
    for number in range(5):
        put_in(event(f"m{number}"))
    assert drain(NOW, limit=2).events == 2
    assert messages(live()) == sorted([digest("m0"), digest("m1")])


class TestWho:
    def test_waits_until_a_call_or_an_import_tells(self) -> None:
        put_in(event("m1", None, anonymousId="a1"), event("m2", None, anonymousId="a2"))
        drain(NOW)
        assert len(live(WAITING)) == 2
        put_in(
            {
                "type": "identify",
                "messageId": "m3",
                "userId": "u1",
                "anonymousId": "a1",
                "traits": {"email": "Li@X.example"},
            }
        )
        drain(NOW)
        recognise()
        assert attach(NOW).events == 0
        assert person("u1").waiting == 2
        acme = customer("C1")
        someone = contact(acme, "K9", "li@x.example")
        assert recognise().people == 1
        assert attach(NOW).events == 2
        assert {row["message"] for row in live(EVENTS)} == {digest("m1"), digest("m3")}
        assert {row["customer"] for row in live(EVENTS)} == {acme.pk}
        assert {row["message"] for row in live(WAITING)} == {digest("m2")}
        assert (person("u1").waiting, person("u1").contact) == (0, someone)
        assert attach(NOW).events == 0

    def test_belongs_to_the_customer_of_its_last_group(self) -> None:
        one, two = customer("C1"), customer("C2")
        put_in(
            event("m0"),
            {"type": "group", "messageId": "m1", "userId": "u1", "groupId": "C1"},
            event("m2"),
            {"type": "group", "messageId": "m3", "userId": "u1", "groupId": "unknown"},
            event("m4"),
            {"type": "group", "messageId": "m5", "userId": "u1", "groupId": "C2"},
            event("m6"),
            event("m7", context={"groupId": "C1"}),
        )
        drain(NOW)
        attach(NOW)
        found = {row["message"]: row["customer"] for row in live()}
        expected = [two, one, one, one, one, two, two, one]  # Only new events go to another customer.
        assert [found[digest(f"m{place}")] for place in range(8)] == [each.pk for each in expected]

    def test_two_matches_are_no_match(self) -> None:
        one, two = customer("C1"), customer("C2")
        contact(one, "u1")
        contact(two, "u1")
        put_in(event("m1"))
        drain(NOW)
        recognise()
        assert person("u1").customer is None
        customer("u1")
        recognise()
        assert person("u1").customer is not None

    def test_an_alias_makes_two_people_one_with_all_that_waits(self) -> None:
        acme = customer("C1")
        put_in(event("m1", "old"), event("m2", "new"))
        drain(NOW)
        put_in({"type": "alias", "messageId": "m3", "previousId": "old", "userId": "new"})
        drain(NOW)
        assert person("old") == person("new")
        assert person("new").waiting == 3
        put_in({"type": "group", "messageId": "m4", "userId": "old", "groupId": "C1"})
        drain(NOW)
        attach(NOW)
        assert len(live(EVENTS)) == 4
        assert not live(WAITING)
        assert {row["customer"] for row in live(EVENTS)} == {acme.pk}
        assert not Person.objects.filter(waiting__gt=0).exists()

    def test_two_users_at_one_screen_stay_two(self) -> None:
        put_in(
            event("m1", "u1", anonymousId="a"), event("m2", "u2", anonymousId="a"), event("m3", None, anonymousId="a")
        )
        drain(NOW)
        assert person("u1") != person("u2")
        assert person("a", "anonymous") == person("u1")
        put_in(event("m4", "u3", anonymousId="a"))
        drain(NOW)
        assert person("u3") not in {person("u1"), person("u2")}


def test_files_come_together_by_eight_and_while_the_inbox_is_behind_by_more() -> None:
    for number in range(TOGETHER):
        put_in(event(f"m{number}", context={"groupId": "C1"}))
        drain(NOW)
    before = messages(live())
    assert compact(NOW, least=AT_MOST) == 0
    assert LakeFile.objects.filter(kind=WAITING).count() == TOGETHER
    while compact(NOW):
        pass
    assert LakeFile.objects.filter(kind=WAITING).count() == 1
    assert messages(live()) == before
