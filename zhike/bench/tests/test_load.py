"""The load generator sends every message until it is acknowledged, and notes exactly what was."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from zhike.bench.load import VARIANTS, Generator, Order, message_ids, sizes
from zhike.bench.stored import compare, digests_of, journal


class Moody(BaseHTTPRequestHandler):
    """Refuses every fifth request, breaks every seventh, and takes the others."""

    protocol_version = "HTTP/1.1"
    asked = 0
    taken: Counter[str]
    offered: Counter[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        ids = [event["messageId"] for event in body.get("batch", [body])]
        cls = type(self)
        cls.asked += 1
        cls.offered.update(ids)
        if cls.asked % 7 == 0:
            self.close_connection = True
            return
        status = 503 if cls.asked % 5 == 0 else 200
        if status == 200:
            cls.taken.update(ids)
        self.send_response(status)
        if status == 503:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    Moody.asked, Moody.taken, Moody.offered = 0, Counter(), Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Moody)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_everything_is_sent_until_it_is_taken(port: int, tmp_path: Path) -> None:
    order = Order(port, "key", "/v1/batch", ["u1", "u2"], str(tmp_path / "journal"), 1, 9, connections=3, patience=20)
    order.requests, order.careful = 40, True
    sent = Generator(order).run()
    assert sent.acknowledged == 40
    assert sent.unanswered == sent.without_hint == 0
    assert sent.statuses["503"] > 0
    assert sent.statuses["broken"] > 0
    assert sorted(journal(order)) == list(range(40))
    made = [text for number in range(40) for text in message_ids(number, sizes(order)[number % VARIANTS])]
    assert sorted(Moody.taken) == sorted(made)
    assert sent.events == len(made)


def test_the_comparison_tells_lost_from_duplicated_from_strange() -> None:
    order = Order(0, "", "/v1/batch", [], "", 3, 3)
    one, two, three = (digests_of(7, order, [number]) for number in range(3))
    right = compare(np.concatenate([one, two]), [one], [two])
    assert (right.lost, right.duplicated, right.unasked, right.strange, right.is_right) == (0, 0, 3, 0, True)
    lost = compare(two, [one, two], [])
    assert (lost.lost, lost.is_right) == (3, False)
    doubled = compare(np.concatenate([one, one[:1]]), [one], [])
    assert (doubled.duplicated, doubled.is_right) == (1, False)
    strange = compare(np.concatenate([one, three]), [one], [two])
    assert (strange.strange, strange.is_right) == (3, False)
