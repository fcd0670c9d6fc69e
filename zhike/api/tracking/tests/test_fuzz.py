"""Hostile bodies: whatever comes, the answer is one of ours, never a fault, and nothing wrong is accepted."""

import gzip
import json
from typing import Any

import msgspec
import pytest
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhike.api.tracking.tests.conftest import Talk, in_inbox
from zhike.record.tracking import rules
from zhike.record.tracking.models import RefusedEvent
from zhike.record.tracking.operations import decoding
from zhike.record.tracking.rules.checking import Unreadable, check

TEXT = st.text(st.characters(codec=None), max_size=12)  # With halves of characters, NUL, and everything else.
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(min_value=10**18) | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = [*(field.encode_name for field in msgspec.structs.fields(rules.Event)), "writeKey", "integrations"]
TIME = st.datetimes().map(str) | st.sampled_from(["2026-03-12T02:18:00Z", "0001-01-01", "9999-12-31T23:59:59-23:00"])
NAMED = st.dictionaries(st.sampled_from(FIELDS), VALUE | st.just("u1"), max_size=8)
RIGHT = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(rules.CALLS)), "userId": st.just("u1")},
    optional={"event": TEXT, "timestamp": TIME | VALUE, "properties": VALUE, "messageId": TEXT, "sentAt": TIME},
)
EVENT = RIGHT | st.tuples(RIGHT, NAMED).map(lambda two: two[0] | two[1]) | NAMED | VALUE
BATCH = st.fixed_dictionaries(
    {"batch": st.lists(EVENT, max_size=6)}, optional={"sentAt": TIME | VALUE, "context": VALUE, "writeKey": VALUE}
)
BODY = (
    st.tuples(st.sampled_from([*sorted(rules.CALLS), "batch", "import"]), EVENT | BATCH).map(
        lambda two: (two[0], json.dumps(two[1]).encode())
    )
    | st.tuples(st.just("batch"), st.binary(max_size=200))
    | st.tuples(
        st.just("batch"),
        BATCH.map(lambda batch: json.dumps(batch, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    )
)
NOW = now()


@settings(max_examples=400, deadline=None)
@given(BODY)
def test_whatever_comes_is_accepted_whole_refused_with_a_reason_or_unreadable(body: tuple[str, bytes]) -> None:
    route, raw = body
    try:
        checked = check(raw, route, NOW, lambda: "made")
    except Unreadable:
        return
    for row in checked.rows:
        events = rules.INBOX.decode(row.body)
        assert len(events) == row.events
        assert all(event.type in rules.CALLS and event.message_id for event in events)
        read = decoding.read([decoding.InboxRow(1, 1, NOW, row.sent_at, row.body)])
        assert (len(read.calls), read.unreadable) == (row.events, [])  # The drain reads what the door takes in.
    for one in checked.refused:
        assert one.reason in rules.REASONS
        assert len(one.detail) <= 300
        assert "\0" not in one.body + one.message_id + one.detail
        one.body.encode()


HOSTILE: dict[str, tuple[bytes, str]] = {
    "NUL": (b'"properties":{"a":"\\u0000"}', "bad_text"),
    "NUL in a name": (b'"event":"a\\u0000b"', "bad_text"),
    "half a character": (b'"properties":{"a":"\\ud800"}', "bad_text"),
    "not UTF-8": (b'"properties":{"a":"\xff"}', "bad_text"),
    "a number without end": (b'"properties":{"a":1e999}', "bad_number"),
    "a huge whole number": (b'"properties":{"a":' + b"9" * 5000 + b"}", "bad_number"),
    "a huge user": (b'"userId":99999999999999999999', "bad_number"),
    "depth": (b'"properties":{"a":' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
    "half a character's number": (b'"properties":{"\\udc00\\ud800":1}', "bad_text"),
    "a list for a text": (b'"userId":["u1"]', "wrong_type"),
    "a text for an object": (b'"properties":"x"', "wrong_type"),
    "a flag for a user": (b'"userId":true', "wrong_type"),
    "a time that is none": (b'"timestamp":"soon"', "timestamp"),
    "a number for a time": (b'"timestamp":1741745880', "wrong_type"),
    "the year 1": (b'"timestamp":"0001-01-01T00:00:00+14:00"', "timestamp"),
    "the year 1999": (b'"timestamp":"1999-12-31T00:00:00Z"', "too_old"),
    "a long name": (b'"event":"' + b"x" * 201 + b'"', "name_too_long"),
    "a long message id": (b'"messageId":"' + b"x" * 101 + b'"', "message_id_too_long"),
    "another call": (b'"type":"group"', "wrong_call"),
}


@pytest.mark.parametrize("case", sorted(HOSTILE))
def test_hostile_events_are_refused_for_the_right_reason(talk: Talk, case: str) -> None:
    wrong, reason = HOSTILE[case]
    start = b'{"userId":"u1","event":"Opened",'
    single = talk("track", raw=start + wrong + b"}")
    assert (single.status, single.json()["refused"][0]["reason"]) == (400, reason)
    if case != "another call":
        batch = talk(
            "batch", raw=b'{"batch":[{"type":"track",' + start[1:] + wrong + b'},{"type":"page","userId":"u2"}]}'
        )
        assert (batch.status, [one["reason"] for one in batch.json()["refused"]]) == (200, [reason])
        assert [event["userId"] for event in in_inbox()] == ["u2"]
    assert set(RefusedEvent.objects.values_list("reason", flat=True)) == {reason}


def test_what_lies_too_deep_is_answered_at_once(talk: Talk) -> None:
    deep = b'{"userId":"u1","event":"a","properties":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    assert talk("track", raw=deep).status == 400
    assert talk("batch", raw=b'{"batch":[' + deep + b"]}").status == 400


def test_of_a_field_given_twice_the_last_counts_everywhere(talk: Talk) -> None:
    raw = b'{"userId":"u1","userId":"u2","event":"a","event":"b","messageId":"1","messageId":"2"'
    raw += b',"properties":{"a":1,"a":2}}'
    assert talk("track", raw=raw).status == 200
    (event,) = in_inbox()
    assert (event["userId"], event["event"], event["messageId"], event["properties"]) == ("u2", "b", "2", {"a": 2})
    assert b'"userId":"u1"' not in msgspec.json.encode(event)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    BODY,
    st.booleans(),
    st.dictionaries(
        st.sampled_from(["authorization", "content-length", "origin"]),
        st.text(st.characters(codec="latin-1"), max_size=20),
    ),
)
def test_the_door_never_fails(talk: Talk, body: tuple[str, bytes], packed: bool, headers: dict[str, str]) -> None:
    route, raw = body
    more: dict[str, Any] = {"content-encoding": "gzip"} if packed else {}
    sent = {name: value.encode("latin-1").decode("latin-1") for name, value in headers.items()}
    answer = talk(route, raw=gzip.compress(raw) if packed else raw, headers=sent | more)
    assert answer.status in {200, 400, 401, 403, 413}
    assert msgspec.json.decode(answer.body)["success"] in {True, False}
