"""Fail points do nothing until they are armed, and then what was asked for."""

from __future__ import annotations

import errno
import os
import signal

import pytest

from zhike.kit.failpoints import FailpointReached, UnknownFailpoint, armed, failpoint, register, registered

register("test.first", "test.second")


def test_without_an_order_nothing_happens() -> None:
    failpoint("test.first")
    assert {"test.first", "test.second"} <= set(registered())


def test_an_order_strikes_the_points_it_names() -> None:
    with armed("test.f*:raise"):
        failpoint("test.second")
        with pytest.raises(FailpointReached):
            failpoint("test.first")
    failpoint("test.first")
    with armed("test.second:enospc"), pytest.raises(OSError, match="No space") as full:
        failpoint("test.second")
    assert full.value.errno == errno.ENOSPC


def test_a_chance_with_a_seed_strikes_the_same_times_again() -> None:
    def struck() -> list[int]:
        found = []
        with armed("test.first:raise:0.3/7"):
            for number in range(50):
                try:
                    failpoint("test.first")
                except FailpointReached:
                    found.append(number)
        return found

    assert struck() == struck()
    assert 5 < len(struck()) < 25


def test_kill_kills_at_once() -> None:
    child = os.fork()
    if not child:
        with armed("test.first:kill"):
            failpoint("test.first")
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


@pytest.mark.parametrize("order", ["test.first", "test.first:explode", "test.first:raise:2", "test.first:raise:x"])
def test_an_order_that_cannot_be_read_is_refused(order: str) -> None:
    with pytest.raises(UnknownFailpoint), armed(order):
        pass


def test_a_name_is_registered_once() -> None:
    with pytest.raises(UnknownFailpoint):
        register("test.first")
