"""The load generator of `zhike bench ingest` and of the storms: a process that sends ready-made requests.

`python -m zhike.bench.load` reads an `Order` as JSON from standard input and prints a `Sent` as JSON. Bodies are made
before the clock starts; sending one costs a replacement of its number and a write. A request that is refused for now,
or whose connection breaks, is sent again with the same message ids, as tracking clients do.
"""

import base64
import heapq
import json
import os
import random
import selectors
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

HOLE = b"@@@@@@@@@@@@"  # Where the number of the request goes, in every message id.
VARIANTS = 64  # Different bodies; request `number` is made of body `number % VARIANTS`.
EVENTS = ("order_exported", "report_opened", "invoice_sent", "seat_added", "search_run", "rule_changed", "file_shared")
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
SILENT_AFTER = 30.0  # Seconds without an answer after which a connection is thrown away.


@dataclass
class Order:
    """What to send. `most` events a request, `least` = `most` for all of one size; ends after `seconds` or `requests`.

    users: user ids that events are drawn from. journal: a file that gets every acknowledged number, on the disk
    before the next request is sent when `careful`. rate: requests a second at most, 0 for as many as are answered.
    """

    port: int
    key: str
    path: str
    users: list[str]
    journal: str
    least: int = 100
    most: int = 100
    connections: int = 16
    seconds: float = 20.0
    requests: int = 0
    first: int = 0
    seed: int = 1
    rate: float = 0.0
    careful: bool = False
    patience: float = 0.0  # Seconds after the end in which unanswered requests are sent again.


@dataclass
class Sent:
    """What came of it. `answered` are seconds from sending to the answer 200, each with the second it came in."""

    acknowledged: int = 0
    events: int = 0
    began: float = 0.0
    ended: float = 0.0
    cpu: float = 0.0
    event_bytes: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    by_second: list[int] = field(default_factory=list)
    without_hint: int = 0
    unanswered: int = 0


def sizes(order: Order) -> list[int]:
    """Return how many events each variant holds."""
    drawn = random.Random(order.seed)  # noqa: S311  A seed makes a run repeatable.
    return [drawn.randint(order.least, order.most) for _ in range(VARIANTS)]


def message_ids(number: int, size: int) -> Iterator[str]:
    """Yield the message ids of a request."""
    return (f"{number:012d}-{place:02d}" for place in range(size))


def bodies(order: Order) -> list[bytes]:
    """Return the variants: as the published clients write them, about 400 bytes an event."""
    drawn = random.Random(order.seed + 1)  # noqa: S311  The same.
    now = datetime.now(UTC)
    found = []
    for size in sizes(order):
        events = [_event(drawn, place, now, order.users) for place in range(size)]
        whole = events[0] | {"sentAt": _time(now)}
        batch = {"batch": events, "sentAt": _time(now), "writeKey": ""}
        found.append(json.dumps(batch if order.path.endswith("batch") else whole, separators=(",", ":")).encode())
    return found


def _event(drawn: random.Random, place: int, now: datetime, users: Sequence[str]) -> dict[str, object]:
    user = users[int(len(users) * drawn.random() ** 2)]
    found: dict[str, object] = {
        "type": "track",
        "event": drawn.choice(EVENTS),
        "userId": user,
        "messageId": f"{HOLE.decode()}-{place:02d}",
        "timestamp": _time(now - timedelta(seconds=drawn.random() * 30)),
        "properties": {"page": f"/orders/{drawn.randrange(10_000)}", "items": drawn.randrange(40), "role": "admin"},
        "context": {
            "library": {"name": "analytics-python", "version": "2.3.2"},
            "ip": "203.0.113.7",
            "userAgent": AGENT,
        },
        "integrations": {},
    }
    kind = drawn.random()
    if kind < 0.05:
        del found["userId"]
        found["anonymousId"] = f"visitor-{drawn.randrange(5000)}"
    return found


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Line:
    """One kept-alive connection with at most one request on its way."""

    def __init__(self, order: Order) -> None:
        self._port = order.port
        self.socket: socket.socket | None = None
        self.number = -1
        self.since = 0.0
        self.got = b""

    def send(self, number: int, request: bytes, selector: selectors.BaseSelector) -> None:
        """Send a request; raises OSError."""
        self.number, self.since, self.got = number, time.perf_counter(), b""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=5)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(self.socket, selectors.EVENT_READ, self)
        self.socket.sendall(request)

    def drop(self, selector: selectors.BaseSelector) -> None:
        if self.socket is not None:
            selector.unregister(self.socket)
            self.socket.close()
            self.socket = None

    def answer(self) -> bytes | None:
        """Return the head of a whole answer, or None while it is not whole; raises OSError."""
        if self.socket is None:
            return None
        part = self.socket.recv(16384)
        if not part:
            raise ConnectionResetError
        self.got += part
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end:
            return None
        return head if len(body) >= int(header(head, b"content-length") or 0) else None


def header(head: bytes, name: bytes) -> bytes | None:
    """Return the value of a header in the head of an answer."""
    place = head.lower().find(b"\r\n" + name + b":")
    if place < 0:
        return None
    return head[place + len(name) + 3 :].partition(b"\r\n")[0].strip()


class Generator:
    """Sends an order over its connections until its time, or its number of requests, is over."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.sizes = sizes(order)
        self.requests = [with_head(order, body) for body in bodies(order)]
        self.sent = Sent(event_bytes=sum(map(len, self.requests)) / sum(self.sizes))
        self.statuses: Counter[str] = Counter()
        self.selector = selectors.DefaultSelector()
        self.next = order.first
        self.again: list[int] = []  # Numbers to send again.
        self.idle: list[tuple[float, int, Line]] = []  # When each resting connection may send again.
        self.over = float("inf")
        self.journal = open(order.journal, "ab", buffering=0 if order.careful else -1)  # noqa: SIM115  Kept open.

    def run(self) -> Sent:
        lines = [Line(self.order) for _ in range(self.order.connections)]
        began, cpu = time.perf_counter(), time.process_time()
        self.sent.began = time.time()
        self.idle = [(began, place, line) for place, line in enumerate(lines)]
        self.over = min(self.over, began + self.order.seconds)
        while self._goes_on(time.perf_counter()):
            self._send_due(time.perf_counter(), began)
            self._receive()
            self._give_up(lines)
        self.sent.ended = time.time()
        self.sent.cpu = time.process_time() - cpu
        self.sent.statuses = dict(self.statuses)
        self.sent.unanswered = len(self.again) + sum(line.number >= 0 for line in lines)
        for line in lines:
            line.drop(self.selector)
        self.selector.close()
        self.journal.close()
        return self.sent

    def end(self) -> None:
        """Send nothing new from now on."""
        self.over = min(self.over, time.perf_counter())

    def _goes_on(self, now: float) -> bool:
        if not self._is_over(now):
            return True
        on_way = any(key.data.number >= 0 for key in self.selector.get_map().values())
        if on_way or self.again:
            return now < self.over + max(self.order.patience, SILENT_AFTER if on_way else 0)
        return False

    def _is_over(self, now: float) -> bool:
        enough = self.order.requests and self.next - self.order.first >= self.order.requests
        if enough:
            self.over = min(self.over, now)
        return now >= self.over

    def _send_due(self, now: float, began: float) -> None:
        while self.idle and self.idle[0][0] <= now:
            over = self._is_over(now)
            if over and not self.again:
                return
            if self.order.rate and self.next - self.order.first > (now - began) * self.order.rate:
                return
            _when, place, line = heapq.heappop(self.idle)
            if self.again:
                number = self.again.pop()
            else:
                number, self.next = self.next, self.next + 1
            body = self.requests[number % VARIANTS].replace(HOLE, b"%012d" % number)
            try:
                line.send(number, body, self.selector)
            except OSError:
                self._failed(line, place)

    def _receive(self) -> None:
        wait = 0.05 if self.idle or self.order.rate else 0.2
        if self.idle and not self.order.rate:
            wait = max(0.0, min(wait, self.idle[0][0] - time.perf_counter()))
        for key, _mask in self.selector.select(min(wait, 0.002) if self.order.rate else wait):
            line = key.data
            try:
                head = line.answer()
            except OSError:
                if line.number < 0:  # It rests, and opens a new connection with its next request.
                    line.drop(self.selector)
                else:
                    self._failed(line, id(line))
                continue
            if head is not None:
                self._answered(line, head)

    def _answered(self, line: Line, head: bytes) -> None:
        now, number, pause = time.perf_counter(), line.number, 0.0
        status = head[9:12].decode("latin-1")
        self.statuses[status] += 1
        line.number, line.got = -1, b""
        if status == "200":
            self._acknowledge(number, now - line.since)
        else:
            hint = header(head, b"retry-after")
            if hint is None:
                self.sent.without_hint += 1
            self.again.append(number)
            pause = min(2.0, float(hint or 0.5))
        if b"connection: close" in head.lower():
            line.drop(self.selector)
        heapq.heappush(self.idle, (now + pause, id(line), line))

    def _acknowledge(self, number: int, seconds: float) -> None:
        self.journal.write(b"%d\n" % number)
        if self.order.careful:
            os.fdatasync(self.journal.fileno())
        self.sent.acknowledged += 1
        size = self.sizes[number % VARIANTS]
        self.sent.events += size
        self.sent.waits.append(round(seconds, 5))
        second = int(time.time() - self.sent.began)
        self.sent.by_second += [0] * (second + 1 - len(self.sent.by_second))
        self.sent.by_second[second] += size

    def _failed(self, line: Line, place: int) -> None:
        self.statuses["broken"] += 1
        line.drop(self.selector)
        if line.number >= 0:
            self.again.append(line.number)
            line.number = -1
        heapq.heappush(self.idle, (time.perf_counter() + 0.1, place, line))

    def _give_up(self, lines: list[Line]) -> None:
        now = time.perf_counter()
        for line in lines:
            if line.number >= 0 and now - line.since > SILENT_AFTER:
                self._failed(line, id(line))


def with_head(order: Order, body: bytes) -> bytes:
    """Return the whole request."""
    user = base64.b64encode(f"{order.key}:".encode()).decode()
    head = f"POST {order.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {user}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def main() -> None:
    generator = Generator(Order(**json.load(sys.stdin)))
    signal.signal(signal.SIGTERM, lambda *_: generator.end())
    sys.stdout.write(json.dumps(asdict(generator.run())))


if __name__ == "__main__":
    main()
