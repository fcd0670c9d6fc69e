"""`zhike bench pages`: how long people wait while sixteen read without pausing, and fifty as people read."""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.urls import reverse

from zhike.bench.figures import Spread, spread
from zhike.bench.filling import PASSWORD, Fill
from zhike.bench.readers import KINDS, Places, Reader, Tally
from zhike.web import running

HOST = "127.0.0.1"
LONGEST = 900.0  # Seconds after which the measurement ends with what there is.


class PagesFailed(Exception):
    """Some pages were not answered, or not with the page."""


@dataclass(frozen=True)
class Served:
    """How long each kind of page took, and how many requests a second were answered."""

    pages: dict[str, Spread]
    per_second: float
    megabytes: float


@dataclass(frozen=True)
class Crowd:
    """So many people, until each kind of page was asked for so often; `pause` is how long they look at one, in s."""

    people: int
    requests: int
    warm_up: float
    pause: float = 0.0


def measure(fill: Fill, crowds: Sequence[Crowd], say: Callable[[str], None]) -> list[Served]:
    """Serve the company as `zhike run` does and let one crowd after another read."""
    port = _free_port()
    with running.supervised(running.children(HOST, port, workers=2)):
        if not running.wait_until_answering(HOST, port):
            raise PagesFailed("the web server does not answer")
        return [_read_by(crowd, fill, port, say) for crowd in crowds]


def _read_by(crowd: Crowd, fill: Fill, port: int, say: Callable[[str], None]) -> Served:
    tally = Tally(crowd.requests, crowd.pause)
    readers = [
        Reader(number, port, _places(), (fill.people[number % len(fill.people)], PASSWORD), fill.customers, tally)
        for number in range(crowd.people)
    ]
    try:
        return _read(readers, tally, crowd.warm_up, say)
    finally:
        tally.over.set()
        for reader in readers:
            reader.join(timeout=10)


def _read(crowd: list[Reader], tally: Tally, warm_up: float, say: Callable[[str], None]) -> Served:
    for reader in crowd:
        reader.start()
    _wait(tally, warm_up)
    say(f"{len(crowd)} readers are warm")
    tally.measuring.set()
    began = time.monotonic()
    while not tally.over.wait(10):
        counts = "  ".join(f"{kind} {len(found)}" for kind, found in tally.seconds.items())
        say(f"measured: {counts}")
        if time.monotonic() - began > LONGEST or not any(reader.is_alive() for reader in crowd):
            break
    passed = time.monotonic() - began
    tally.over.set()
    if tally.failures:
        raise PagesFailed("; ".join(tally.failures[:5]))
    if not all(tally.seconds.values()):
        raise PagesFailed("some pages were not answered even once")
    total = sum(map(len, tally.seconds.values()))
    return Served({kind: spread(tally.seconds[kind]) for kind in KINDS}, total / passed, tally.bytes_read / 1e6)


def _wait(tally: Tally, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not tally.over.is_set():
        time.sleep(0.1)


def _places() -> Places:
    return Places(
        sign_in=reverse("sign-in"),
        today=reverse("today"),
        customers=reverse("customers"),
        search=reverse("search"),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
