"""The door of the tracking API: who comes in, what is kept, what is refused, and what the answer says."""

import asyncio
import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection
from django.utils.timezone import now

from zhike.api.tracking import limits
from zhike.api.tracking.tests.conftest import ORIGIN, Given, Heard, Talk, in_inbox
from zhike.record.tracking.models import Inbox, RefusedEvent, Source, StreamMinute, WriteKey
from zhike.record.tracking.operations import sources
from zhike.record.tracking.rules import CALLS

GOOD: dict[str, dict[str, Any]] = {
    "identify": {"userId": "u1", "traits": {"email": "mei@company.example"}},
    "track": {"userId": "u1", "event": "Report opened", "properties": {"n": 1}},
    "page": {"anonymousId": "a1", "name": "Prices"},
    "screen": {"userId": 7},
    "group": {"userId": "u1", "groupId": "C-1"},
    "alias": {"userId": "u1", "previousId": "a1"},
}


def event(number: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": "track", "messageId": f"m{number}", "userId": "u1", "event": "Opened", **more}


@pytest.mark.parametrize("route", sorted(CALLS))
def test_each_call_is_in_the_inbox_when_the_answer_comes(talk: Talk, given: Given, route: str) -> None:
    answer = talk(route, GOOD[route] | {"messageId": "m1", "integrations": {"All": True}})
    assert (answer.status, answer.json()) == (200, {"success": True})
    assert in_inbox() == [{"type": route, "messageId": "m1", **GOOD[route]}]
    row = Inbox.objects.get()
    assert (row.source_id, row.sent_at) == (given.source.pk, None)


def test_a_message_id_is_made_when_the_client_sends_none(talk: Talk) -> None:
    talk("track", GOOD["track"])
    talk("batch", {"batch": [event() | {"messageId": None}, event() | {"messageId": ""}]})
    ids = [one["messageId"] for one in in_inbox()]
    assert len(set(ids)) == 3
    assert all(len(one) > 30 for one in ids)


@pytest.mark.parametrize("route", ["batch", "import"])
def test_a_batch_is_one_row_with_the_clock_of_its_client(talk: Talk, route: str) -> None:
    talk(route, {"batch": [event(1), event(2)], "sentAt": "2026-03-12T10:18:00+08:00", "context": {"groupId": "C-1"}})
    row = Inbox.objects.get()
    assert (row.events, row.sent_at) == (2, datetime(2026, 3, 12, 2, 18, tzinfo=UTC))
    assert [one["context"] for one in in_inbox()] == [{"groupId": "C-1"}] * 2


def test_what_is_wrong_is_refused_one_by_one_and_kept(talk: Talk, given: Given) -> None:
    answer = talk("batch", {"batch": [event(1), {"type": "track", "messageId": "m2", "userId": "u"}, event(3), 5]})
    assert answer.status == 200
    assert answer.json() == {
        "success": True,
        "refused": [
            {"index": 1, "messageId": "m2", "reason": "no_event"},
            {"index": 3, "messageId": "", "reason": "not_an_object"},
        ],
    }
    assert [one["messageId"] for one in in_inbox()] == ["m1", "m3"]
    kept = list(RefusedEvent.objects.order_by("id").values_list("source_id", "message_id", "reason", "body"))
    assert kept == [
        (given.source.pk, "m2", "no_event", '{"type":"track","messageId":"m2","userId":"u"}'),
        (given.source.pk, "", "not_an_object", "5"),
    ]


def test_when_nothing_is_accepted_the_answer_is_400(talk: Talk) -> None:
    answer = talk("track", {"event": "Opened"})
    assert (answer.status, answer.json()["success"], answer.json()["refused"][0]["reason"]) == (400, False, "no_person")
    assert RefusedEvent.objects.count() == 1


def test_a_key_opens_until_it_ends(talk: Talk, given: Given) -> None:
    assert talk("track", GOOD["track"], key="wrong").status == 401
    assert talk("track", GOOD["track"], key="").status == 401
    assert talk("track", GOOD["track"], headers={"authorization": "Basic ="}).status == 401
    assert talk("track", GOOD["track"], headers={"authorization": f"Bearer {given.key}"}).status == 401
    assert talk("track", GOOD["track"] | {"writeKey": given.key}, key="").status == 200
    assert talk("batch", {"batch": [event(1)], "writeKey": given.key}, key="").status == 200
    assert talk("batch", {"batch": [event(1), 5], "writeKey": given.key}, key="").status == 200
    assert talk("batch", {"batch": [event(1)], "writeKey": [given.key]}, key="").status == 401
    WriteKey.objects.update(ends_at=now() - timedelta(seconds=1))
    assert talk("track", GOOD["track"]).status == 401
    WriteKey.objects.update(ends_at=now() + timedelta(hours=1))
    assert talk("track", GOOD["track"]).status == 200
    Source.objects.update(is_active=False)
    assert talk("track", GOOD["track"]).status == 401
    assert len(in_inbox()) == 4


def end_every_key() -> None:
    WriteKey.objects.update(ends_at=now())
    connection.close()


def test_an_ended_key_opens_nothing_two_seconds_later(talk: Talk) -> None:
    async def story() -> tuple[int, int]:
        first = await talk.one("track", GOOD["track"])
        await asyncio.to_thread(end_every_key)
        await asyncio.sleep(1.1)
        return first.status, (await talk.one("track", GOOD["track"])).status

    assert talk.run(story()) == (200, 401)


def test_only_digests_of_keys_are_kept(given: Given) -> None:
    kept = WriteKey.objects.get()
    assert kept.digest == hashlib.sha256(given.key.encode()).hexdigest()
    assert given.key.endswith(kept.hint)
    assert len(kept.hint) == 4


def test_rotation_leaves_the_old_key_open_as_long_as_chosen(talk: Talk, given: Given, admin: Any) -> None:
    new = sources.rotate_key(given.source, overlap=timedelta(hours=1), by=admin.staff, now=now())
    assert {talk("track", GOOD["track"], key=key).status for key in (given.key, new)} == {200}
    sources.rotate_key(given.source, overlap=timedelta(0), by=admin.staff, now=now())
    assert {talk("track", GOOD["track"], key=key).status for key in (given.key, new)} == {401}


def test_gzip_is_unpacked_within_bounds(talk: Talk) -> None:
    packed = {"content-encoding": "gzip"}
    body = msgspec.json.encode({"batch": [event(1)]})
    assert talk("batch", raw=gzip.compress(body), headers=packed).status == 200
    bomb = gzip.compress(b" " * 200_000_000)
    assert len(bomb) < 500_000
    assert talk("batch", raw=bomb, headers=packed).status == 413
    assert talk("batch", raw=body, headers=packed).status == 400
    assert talk("batch", raw=gzip.compress(body)[:-4], headers=packed).status == 400
    assert talk("batch", raw=gzip.compress(body) * 2, headers=packed).status == 400
    assert talk("batch", raw=body, headers={"content-encoding": "br"}).status == 400
    assert len(in_inbox()) == 1


def test_sizes_are_bounded(talk: Talk) -> None:
    large = event(1, properties={"text": "x" * 33_000})
    assert talk("batch", {"batch": [large]}).json()["refused"][0]["reason"] == "too_large"
    assert len(RefusedEvent.objects.get().body.encode()) == 32 * 1024
    assert talk("batch", raw=b" " * 512_001).status == 413
    assert talk("batch", raw=b"{}", headers={"content-length": "9999999"}).status == 413


@pytest.mark.parametrize("raw", [b"", b"[]", b"5", b"{", b"nothing", b'{"batch":{}}', b'{"batch":[', b"[" * 9000])
def test_a_body_that_is_no_batch_is_answered_400(talk: Talk, raw: bytes) -> None:
    answer = talk("batch", raw=raw)
    assert (answer.status, answer.json()["success"]) == (400, False)


def test_browsers_are_admitted_from_the_origins_of_the_source(talk: Talk, given: Given) -> None:
    ours, theirs = {"origin": ORIGIN}, {"origin": "http://evil.example"}
    question = talk("batch", method="OPTIONS", key="", headers=ours)
    assert (question.status, question.headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert "authorization" in question.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in question.headers
    refused = talk("batch", method="OPTIONS", key="", headers=theirs)
    assert (refused.status, "access-control-allow-origin" in refused.headers) == (403, False)
    assert talk("track", GOOD["track"], headers=ours).headers["access-control-allow-origin"] == ORIGIN
    other, key = sources.add_source(name="Other", origins=["http://other.example"], by=None, now=now())
    assert talk("track", GOOD["track"], headers=ours, key=key).status == 403
    assert talk("track", GOOD["track"], headers=theirs).status == 403
    assert len(in_inbox()) == 1
    assert other.pk != given.source.pk


def test_other_methods_are_told_what_to_do(talk: Talk) -> None:
    answer = talk("track", method="GET")
    assert (answer.status, answer.headers["allow"]) == (405, "POST, OPTIONS")


def test_requests_that_arrive_together_are_one_transaction(talk: Talk) -> None:
    async def story() -> list[Heard]:
        await talk.one("track", event(99))
        return await asyncio.gather(*(talk.one("track", event(number)) for number in range(50)))

    assert {answer.status for answer in talk.run(story())} == {200}
    assert Inbox.objects.count() == 51
    written_by = "SELECT count(DISTINCT xmin::text) AS id FROM tracking_inbox"
    assert Inbox.objects.raw(written_by)[0].id <= 4


def test_refusals_are_counted_by_minute_and_the_use_of_a_key_is_noted(talk: Talk) -> None:
    async def story() -> None:
        await talk.one("batch", {"batch": [5, 6, event()]})
        await talk.one("track", {})
        await asyncio.sleep(1.3)

    talk.run(story())
    assert sum(StreamMinute.objects.values_list("refused", flat=True)) == 3
    used = WriteKey.objects.get().used_at
    assert used is not None


def test_a_source_above_its_rate_is_told_when_to_come_back_and_others_are_not(talk: Talk, settings: Any) -> None:
    settings.TRACKING_RATE = 100
    _, other = sources.add_source(name="Other", origins=[], by=None, now=now())

    async def story() -> list[Heard]:
        await talk.one("batch", {"batch": [event(number) for number in range(400)]})
        return [await talk.one("track", event()), await talk.one("track", event(), key=other)]

    held, free = talk.run(story())
    assert (held.status, int(held.headers["retry-after"]) >= 2) == (429, True)
    assert free.status == 200
    assert len(in_inbox()) == 401


def test_a_full_inbox_of_one_source_is_told(given: Given, settings: Any) -> None:
    settings.TRACKING_WAITING = 1000
    rows = [Inbox(source_id=given.source.pk, received_at=now(), events=2, body=b"[]") for _ in range(1100)]
    Inbox.objects.bulk_create(rows)
    answer = Talk(given.key)("track", event())
    assert (answer.status, answer.headers["retry-after"]) == (429, "10")


def test_a_full_house_is_told(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_REQUESTS", 8)
    keys = [talk.key, *(sources.add_source(name=name, origins=[], by=None, now=now())[1] for name in ("B", "C"))]

    async def story() -> list[Heard]:
        await talk.one("track", event())
        return await asyncio.gather(*(talk.one("track", event(n), key=keys[n // 20]) for n in range(60)))

    answers = talk.run(story())
    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 429, 503}
    assert all(answer.headers["retry-after"] for answer in answers if answer.status != 200)
    assert Inbox.objects.count() == 1 + statuses.count(200)


def test_when_the_database_is_away_the_answer_is_503_and_the_key_stays_secret(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("zhike.api.tracking.links.address", lambda: "host=/nowhere dbname=none")
    answer = talk("track", GOOD["track"])
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert talk.key not in caplog.text
