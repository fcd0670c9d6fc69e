"""The drain against a model that does one event after the other: any order, duplicates, merges, late knowledge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from zhike.record.customers.models import Customer
from zhike.record.events.models import LakeFile
from zhike.record.events.operations import compact
from zhike.record.events.rules import EVENTS, WAITING
from zhike.record.tracking.models import Inbox, Person
from zhike.record.tracking.operations import attach, drain, recognise
from zhike.record.tracking.tests.flow import NOW, customer, digest, live, person, put_in, remembered, source

USERS, VISITORS, GROUPS = ["u1", "u2", "u3", "C3"], ["v1", "v2", "v3"], ["C1", "C2", "C3", "none"]


@dataclass
class Body:
    """A person of the model."""

    names: set[tuple[str, str]] = field(default_factory=set)
    customer: str = ""
    group: str = ""
    waits: list[str] = field(default_factory=list)


class Model:
    """What should be, told one event at a time with sets and loops."""

    def __init__(self) -> None:
        self.people: list[Body] = []
        self.place: dict[str, str] = {}
        self.customers: set[str] = set()
        self.known_before: list[Body] = []

    def of(self, *names: tuple[str, str]) -> Body | None:
        return next((body for body in self.people for name in names if name in body.names), None)

    def merge(self, other: Body, body: Body) -> None:
        body.names |= other.names
        body.waits += other.waits
        body.group = body.group or other.group
        body.customer = body.customer or other.customer
        self.people.remove(other)

    def person(self, user: str, visitor: str) -> Body:
        named = self.of(("user", user)) if user else None
        seen = self.of(("anonymous", visitor)) if visitor else None
        takes_visitor = bool(visitor)
        if user and seen and seen is not named and any(kind == "user" for kind, _value in seen.names):
            seen, takes_visitor = None, False
        if named and seen and named is not seen:
            self.merge(seen, named)
        body = named or seen
        if body is None:
            body = Body()
            self.people.append(body)
        if user:
            body.names.add(("user", user))
        if takes_visitor:
            body.names.add(("anonymous", visitor))
        return body

    def take_all(self, batch: list[dict[str, Any]]) -> None:
        self.known_before = list(self.people)
        old = set(self.place)
        for call in batch:
            self.take(call)
        for body in self.people:
            if body.customer:  # Who became known within a batch gets what waited in it at once.
                self.place |= {message: body.customer for message in body.waits if message not in old}
                body.waits = [message for message in body.waits if message in old]

    def take(self, call: dict[str, Any]) -> None:
        if call["messageId"] in self.place:
            return
        body = self.person(call.get("userId", ""), call.get("anonymousId", ""))
        if call["type"] == "alias":
            former = call["previousId"]
            for kind in ("user", "anonymous"):
                other = self.of((kind, former))
                if other and other is not body:
                    self.merge(other, body)
            body.names |= {("user", former), ("anonymous", former)}
        if call["type"] == "group" and (call["groupId"] in self.customers or not body.customer):
            body.group = call["groupId"]
            if body.group in self.customers:
                body.customer = body.group
        if not body.customer and (call["type"] != "track" or body not in self.known_before):
            self.recognise(body)
        group = call.get("context", {}).get("groupId", "")
        place = group if group in self.customers else body.customer
        self.place[call["messageId"]] = place
        if not place:
            body.waits.append(call["messageId"])

    def recognise(self, body: Body) -> None:
        users = {value for kind, value in body.names if kind == "user"} & self.customers
        if body.group in self.customers:
            body.customer = body.group
        elif len(users) == 1:
            body.customer = users.pop()

    def settle(self) -> None:
        """A job finds out who has become known, and gives them what waited."""
        for body in self.people:
            if not body.customer:
                self.recognise(body)
            if body.customer:
                for message in body.waits:
                    self.place[message] = body.customer
                body.waits.clear()


def calls() -> st.SearchStrategy[list[dict[str, Any]]]:
    who = st.one_of(
        st.fixed_dictionaries({"userId": st.sampled_from(USERS)}),
        st.fixed_dictionaries({"anonymousId": st.sampled_from(VISITORS)}),
        st.fixed_dictionaries({"userId": st.sampled_from(USERS), "anonymousId": st.sampled_from(VISITORS)}),
    )
    user = st.fixed_dictionaries({"userId": st.sampled_from(USERS)})
    kinds = st.one_of(
        st.tuples(who, st.just({"type": "track", "event": "Opened"})),
        st.tuples(
            who, st.sampled_from(GROUPS).map(lambda g: {"type": "track", "event": "Saved", "context": {"groupId": g}})
        ),
        st.tuples(who, st.just({"type": "identify"})),
        st.tuples(who, st.sampled_from(GROUPS).map(lambda g: {"type": "group", "groupId": g})),
        st.tuples(user, st.sampled_from([*USERS, *VISITORS]).map(lambda p: {"type": "alias", "previousId": p})),
    )
    times = st.integers(0, 100).map(lambda days: (NOW - timedelta(days=days)).isoformat())
    one = st.tuples(kinds, st.integers(0, 40), times).map(
        lambda given: {**given[0][0], **given[0][1], "messageId": f"m{given[1]}", "timestamp": given[2]}
    )
    return st.lists(one, min_size=1, max_size=8)


STEPS = st.lists(
    st.one_of(
        calls(),
        st.sampled_from(["drain", "drain", "attach", "compact", "C1", "C2", "C3"]),
    ),
    min_size=2,
    max_size=14,
)


@pytest.fixture
def clean(transactional_db: None) -> None:
    return


def said(kind: str, message: str, **names: Any) -> dict[str, Any]:
    return {"type": kind, "event": "Opened", "messageId": message, "timestamp": NOW.isoformat(), **names}


def test_waiting_events_are_counted_once_when_people_turn_out_to_be_one(clean: None) -> None:
    empty()
    put_in(
        said("track", "m1", anonymousId="a"),
        said("identify", "m2", anonymousId="a", traits={"city": "杭州", "plan": "pro", "seats": 3}),
    )
    drain(NOW)
    put_in(said("track", "m3", userId="u"))
    drain(NOW)
    put_in(said("identify", "m4", userId="u", anonymousId="a"))
    drain(NOW)
    assert [one.waiting for one in Person.objects.filter(merged_into=None)] == [4]


TWO_NAMES_ONE_ALIAS = [
    [said("track", "m2", userId="u1"), said("alias", "m1", userId="u2", previousId="u2")],
    "drain",
    [
        said("track", "m1", userId="u1"),
        said("track", "m1", userId="u1"),
        said("alias", "m0", userId="u1", previousId="u2"),
    ],
]


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@example(steps=TWO_NAMES_ONE_ALIAS)
@given(steps=STEPS)
def test_each_accepted_message_is_where_the_model_says(clean: None, steps: list[Any]) -> None:
    empty()
    model, waiting = Model(), []
    for step in [*steps, "drain", "attach"]:
        if isinstance(step, list):
            put_in(*step)
            waiting += step
        elif step == "drain":
            drain(NOW)
            model.take_all(waiting)
            waiting = []
        elif step == "attach":
            recognise()
            while attach(NOW).events:
                pass
            model.settle()
        elif step == "compact":
            while compact(NOW):
                pass
        elif step not in model.customers:
            customer(step)
            model.customers.add(step)
    ensure_equal(model)


def ensure_equal(model: Model) -> None:
    rows = live()
    refs = dict(Customer.objects.values_list("pk", "ref"))
    found = {row["message"]: refs.get(row["customer"], "") for row in rows}
    assert len(rows) == len(found), "a message lies in the lake twice"
    assert found == {digest(message): place for message, place in model.place.items()}
    assert remembered() == sorted(found)
    for body in model.people:
        people = {person(value, kind).pk for kind, value in body.names}
        assert len(people) == 1
        one = Person.objects.get(pk=people.pop())
        assert one.waiting == len(body.waits)
        assert (one.customer.ref if one.customer else "") == body.customer
    assert Person.objects.filter(merged_into=None).count() == len(model.people)


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE tracking_inbox, tracking_person, tracking_source, customers_customer, events_lakefile CASCADE"
        )
    source()
    assert not Inbox.objects.exists()
    assert not LakeFile.objects.filter(kind__in=[EVENTS, WAITING]).exists()
