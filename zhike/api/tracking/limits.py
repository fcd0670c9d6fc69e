"""How much a web process takes in at once, and how much of that one source may have."""

import time
from dataclasses import dataclass, field

from django.conf import settings

MOST_BYTES = 32 * 2**20  # Of requests that are being read or wait for their commit.
MOST_REQUESTS = 512
SHARE = 0.5  # Of both, for one source.
BURST = 2.0  # Seconds' worth of events that a source may send at once.


class Full(Exception):
    """No room now. `one_source`: the source has its share already, others still find room."""

    def __init__(self, *, one_source: bool, seconds: int = 1) -> None:
        super().__init__(one_source)
        self.one_source, self.seconds = one_source, seconds


@dataclass
class Bucket:
    """Events that a source may still send; filled again with time, and in debt after a large batch."""

    events: float
    at: float

    def level(self, rate: float, now: float) -> float:
        self.events = min(rate * BURST, self.events + (now - self.at) * rate)
        self.at = now
        return self.events


@dataclass
class Holding:
    """What one source has in this process right now."""

    bucket: Bucket
    bytes: int = 0
    requests: int = 0


@dataclass
class House:
    """The room of this process."""

    bytes: int = 0
    requests: int = 0
    holdings: dict[int, Holding] = field(default_factory=dict)

    def enter(self) -> None:
        """Count a request in, or raise Full."""
        if self.requests >= MOST_REQUESTS or self.bytes >= MOST_BYTES:
            raise Full(one_source=False)
        self.requests += 1

    def leave(self, size: int) -> None:
        self.requests -= 1
        self.bytes -= size

    def grow(self, size: int) -> None:
        """Count bytes that were read, or raise Full before they are too many."""
        if self.bytes + size > MOST_BYTES:
            raise Full(one_source=False)
        self.bytes += size

    def of(self, source: int) -> Holding:
        found = self.holdings.get(source)
        if found is None:
            rate = float(settings.TRACKING_RATE)
            found = self.holdings[source] = Holding(Bucket(rate * BURST, time.monotonic()))
        return found

    def ensure_share(self, source: int) -> None:
        """Raise Full when this source has its share of the room, or has sent more than its rate allows."""
        holding = self.of(source)
        if holding.requests >= MOST_REQUESTS * SHARE or holding.bytes >= MOST_BYTES * SHARE:
            raise Full(one_source=True)
        rate = float(settings.TRACKING_RATE)
        level = holding.bucket.level(rate, time.monotonic())
        if level <= 0:
            raise Full(one_source=True, seconds=1 + int(-level / rate))
