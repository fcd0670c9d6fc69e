"""How long after its acceptance an event shows in its customer's facts, while the system is busy with others."""

import base64
import http.client
import json
import time
from dataclasses import replace
from pathlib import Path

import psycopg

from zhike import home
from zhike.bench.figures import Beside
from zhike.bench.load import Order, message_ids
from zhike.bench.served import HOST

FACT = "SELECT coalesce(usage_30d, 0) FROM measure_customerfacts WHERE customer_id = %s"
LONGEST = 120.0  # Seconds after which an event is taken to show never.
FIRST = 7 * 10**9


class Watch(Beside):
    """Sends one event of one customer after the other and waits for each to show; `seconds` holds what it took."""

    def __init__(self, order: Order, folder: str, user: str, customer: int) -> None:
        self.order = replace(order, path="/v1/track", least=1, most=1, first=FIRST, journal=f"{folder}/watched")
        self.user, self.customer = user, customer
        self.seconds: list[float] = []
        self._number = FIRST

    def watch(self) -> None:
        while not self.over.is_set():
            self.seconds.append(self.once())

    def once(self) -> float:
        """Send an event; returns the seconds from its acceptance until it shows, infinite if it does not."""
        with psycopg.connect(home.database_url(), autocommit=True) as connection:
            before = self._fact(connection)
            accepted = self._send()
            while time.monotonic() < accepted + LONGEST:
                if self._fact(connection) > before:
                    return time.monotonic() - accepted
                time.sleep(0.1)
        return float("inf")

    def _fact(self, connection: psycopg.Connection) -> int:
        row = connection.execute(FACT, [self.customer]).fetchone()
        return int(row[0]) if row else 0

    def _send(self) -> float:
        (message,) = message_ids(self._number, 1)
        body = {"type": "track", "event": "report_opened", "userId": self.user, "messageId": message}
        key = base64.b64encode(f"{self.order.key}:".encode()).decode()
        while True:
            client = http.client.HTTPConnection(HOST, self.order.port, timeout=30)
            client.request("POST", self.order.path, json.dumps(body), {"Authorization": f"Basic {key}"})
            status = client.getresponse().status
            client.close()
            if status == 200:
                break
            time.sleep(0.5)
        with Path(self.order.journal).open("a", encoding="ascii") as journal:
            journal.write(f"{self._number}\n")
        self._number += 1
        return time.monotonic()
