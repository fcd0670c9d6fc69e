"""Draining, bringing together, attaching and sweeping at the same time: each event is there once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from zhike.record.events.operations import compact, sweep
from zhike.record.events.rules import EVENTS
from zhike.record.tracking.models import Inbox, Person
from zhike.record.tracking.operations import attach, drain, recognise
from zhike.record.tracking.tests.flow import NOW, customer, digest, event, live, messages, put_in, remembered

ROWS = 60


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_all_at_the_same_time_lose_nothing_and_double_nothing() -> None:
    for row in range(ROWS):
        put_in(event(f"a{row}", f"u{row % 7}"), event(f"b{row}", None, anonymousId="v"), event(f"a{row // 2}", "u1"))
    for number in range(7):
        customer(f"u{number}")
    Person.objects.update(customer=None)
    done, faults = threading.Event(), list[BaseException]()

    def again(step: Callable[[], object]) -> None:
        try:
            while not done.is_set():
                step()
        except BaseException as fault:
            faults.append(fault)
            raise
        finally:
            connection.close()

    steps: list[Callable[[], object]] = [
        lambda: drain(NOW, limit=4),
        lambda: drain(NOW, limit=7),
        lambda: compact(NOW),
        lambda: (recognise(), attach(NOW)),
        lambda: sweep(),
    ]
    threads = [threading.Thread(target=again, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    while Inbox.objects.exists() and not faults:
        done.wait(0.1)
    done.set()
    for thread in threads:
        thread.join()
    assert not faults
    while compact(NOW) or attach(NOW).events:
        pass
    expected = sorted(digest(f"{letter}{row}") for letter in "ab" for row in range(ROWS))
    assert messages(live()) == expected == remembered()
    assert len(live(EVENTS)) == ROWS
