"""Erasing a person leaves nothing of them anywhere; retention takes out what is old."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from zhike.kit.failpoints import FailpointReached, armed
from zhike.org.models import AuditLine
from zhike.record.events.models import ErasureReceipt, LakeFile, RetentionRule
from zhike.record.events.operations import compact
from zhike.record.events.rules import EVENTS, WAITING
from zhike.record.tracking.models import Inbox, Person, RefusedEvent
from zhike.record.tracking.operations import attach, drain, erase_person, finish_erasures, retain
from zhike.record.tracking.tests.flow import NOW, customer, digest, event, live, messages, person, put_in, source

pytestmark = pytest.mark.django_db(transaction=True)
CANARY = "canary-7391"


def places_of(canary: str) -> list[str]:
    """Return every table and file in which the canary can be read, in letters or in hexadecimal."""
    found, shown = [], [f"%{canary}%", f"%{canary.encode().hex()}%"]
    with connection.cursor() as cursor:
        for table in (model._meta.db_table for model in apps.get_models()):
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE ANY(%s)", [shown])
            if cursor.fetchone()[0]:
                found.append(table)
    return found + [path.name for path in settings.LAKE.rglob("*") if path.is_file() and canary in _content(path)]


def _content(path: Path) -> str:
    if path.suffix == ".parquet":
        return str(pq.read_table(path, partitioning=None).to_pylist())
    return path.read_bytes().decode("latin1")


def a_canary_everywhere() -> None:
    customer("C1")
    carried: Any = {"properties": {"who": CANARY}}
    put_in(event("m1", CANARY, **carried), event("m2", "u2"), event("m3", CANARY, context={"groupId": "C1"}, **carried))
    put_in(
        {
            "type": "identify",
            "messageId": "m4",
            "userId": CANARY,
            "anonymousId": "a1",
            "traits": {"email": f"{CANARY}@x.example"},
        }
    )
    drain(NOW)
    put_in({"type": "group", "messageId": "m5", "userId": "u9", "groupId": "C1"}, event("m6", "u9", **carried))
    put_in({"type": "alias", "messageId": "m7", "previousId": "u9", "userId": CANARY})
    drain(NOW)
    attach(NOW)  # Leaves a file that no row names, for the time of grace.
    put_in(event("m8", None, anonymousId="a1", **carried), event("m9", "u2"))
    put_in(event("m10", CANARY, **carried))
    RefusedEvent.objects.create(source=source(), received_at=NOW, reason="x", body=json.dumps({"userId": CANARY}))
    RefusedEvent.objects.create(source=source(), received_at=NOW, reason="x", body='{"userId": "u2"}')


def test_nothing_of_an_erased_person_is_left() -> None:
    a_canary_everywhere()
    assert len(places_of(CANARY)) >= 5
    receipt = erase_person([person(CANARY).pk], by=None, reason="asked for", now=NOW)
    assert places_of(CANARY) == []
    assert receipt.done_at == NOW
    assert (receipt.rows, len(receipt.subject)) == (9, 64)
    assert receipt.files
    assert messages(live()) == [digest("m2")]
    drain(NOW)
    assert messages(live()) == sorted([digest("m2"), digest("m9")])
    assert RefusedEvent.objects.count() == 1
    assert AuditLine.objects.filter(action="tracking.erased").count() == 1


def test_an_erased_event_that_is_sent_again_does_not_come_back() -> None:
    put_in(event("m1"))
    drain(NOW)
    erase_person([person("u1").pk], by=None, reason="", now=NOW)
    put_in(event("m1"))
    assert drain(NOW).duplicates == 1
    assert live() == []
    assert not Person.objects.exists()


def test_an_erasure_that_was_cut_short_is_finished_later() -> None:
    a_canary_everywhere()
    with armed("erase.committed:raise"), pytest.raises(FailpointReached):
        erase_person([person(CANARY).pk], by=None, reason="", now=NOW)
    assert ErasureReceipt.objects.get().done_at is None
    assert places_of(CANARY)
    assert finish_erasures(NOW) == 1
    assert places_of(CANARY) == []
    assert finish_erasures(NOW) == 0


@pytest.mark.parametrize("point", ["erase.inbox", "remove.written", "remove.live", "erase.removed", "erase.forgotten"])
def test_an_erasure_is_done_whole_or_not_at_all(point: str) -> None:
    a_canary_everywhere()
    before = messages(live()), Inbox.objects.count(), set(LakeFile.objects.values_list("path", flat=True))
    with armed(f"{point}:raise"), pytest.raises(FailpointReached):
        erase_person([person(CANARY).pk], by=None, reason="", now=NOW)
    assert (messages(live()), Inbox.objects.count(), set(LakeFile.objects.values_list("path", flat=True))) == before
    erase_person([person(CANARY).pk], by=None, reason="", now=NOW)
    assert places_of(CANARY) == []


def test_a_customer_is_erased_with_all_its_people() -> None:
    a_canary_everywhere()
    whole = person(CANARY).customer
    assert whole is not None
    erase_person([], customer_id=whole.pk, by=None, reason="", now=NOW)
    assert messages(live()) == [digest("m2")]
    assert places_of(CANARY) == []


def test_events_are_kept_as_long_as_their_rule_says() -> None:
    customer("C1")
    RetentionRule.objects.create(event="Opened", days=30)
    RetentionRule.objects.create(event="*", days=400)
    old, older = (NOW - timedelta(days=40)).isoformat(), (NOW - timedelta(days=500)).isoformat()
    known: Any = {"context": {"groupId": "C1"}}
    put_in(
        event("m1", timestamp=old, **known),
        event("m2", timestamp=old),
        event("m3", timestamp=old, event="Saved", **known),
        event("m4", timestamp=older, event="Saved"),
        event("m5", **known),
        event("m6"),
    )
    drain(NOW)
    assert retain(NOW).rows == 3
    assert messages(live()) == sorted(digest(each) for each in ("m3", "m5", "m6"))
    assert person("u1").waiting == len(live(WAITING)) == 1
    assert retain(NOW).rows == 0


def test_without_a_rule_nothing_is_removed() -> None:
    put_in(event("m1", timestamp="2001-01-01T00:00:00Z"))
    drain(NOW)
    assert retain(NOW).rows == 0
    assert compact(NOW) == 0
    assert len(live(EVENTS, WAITING)) == 1
