"""Bodies of the inbox come out of their packing as they went in, and what was never packed stays as it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhike.record.tracking.models import Inbox, Person
from zhike.record.tracking.operations import drain, erase_person
from zhike.record.tracking.rules.packing import LEAST, MARK, packed, unpacked
from zhike.record.tracking.tests.flow import NOW, digest, event, live, messages, put_in


@given(st.binary(max_size=3 * LEAST), st.integers(1, 50))
def test_what_was_packed_comes_back(part: bytes, times: int) -> None:
    body = b"[" + part * times
    assert unpacked(packed(body)) == body
    assert len(packed(body)) <= len(body)


def test_events_of_a_batch_take_a_fraction_of_their_size() -> None:
    body = json.dumps([event(f"m{number}") for number in range(100)]).encode()
    assert len(packed(body)) < len(body) / 4


@pytest.mark.django_db(transaction=True)
def test_packed_and_plain_rows_are_drained_alike_and_a_damaged_one_is_refused() -> None:
    put_in(event("plain"))
    row = put_in(*(event(f"m{number}") for number in range(50)))
    assert bytes(row.body).startswith(MARK)
    put_in(event("damaged"))
    Inbox.objects.filter(pk=row.pk + 1).update(body=MARK + b"\x00\x00\xff\xff not packed")
    done = drain(NOW)
    assert (done.events, done.refused) == (51, 1)
    assert messages(live()) == sorted(digest(name) for name in ["plain", *(f"m{number}" for number in range(50))])


@pytest.mark.django_db(transaction=True)
def test_a_person_is_erased_from_a_packed_row() -> None:
    put_in(event("before", "gone"))
    drain(NOW)
    row = put_in(*(event(f"m{number}", "gone" if number % 2 else "u2") for number in range(40)))
    assert bytes(row.body).startswith(MARK)
    people = Person.objects.filter(identities__value="gone").values_list("pk", flat=True)
    erase_person(list(people), by=None, reason="asked", now=NOW)
    drain(NOW)
    assert messages(live()) == sorted(digest(f"m{number}") for number in range(0, 40, 2))
