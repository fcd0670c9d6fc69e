"""A client of its own beside the load: small requests one after the other, each answer noted with its time."""

import selectors
import time
from dataclasses import dataclass, field
from typing import Self

from tests.storms.system import System
from zhike.bench.figures import Beside
from zhike.bench.load import HOLE, VARIANTS, Line, Order, bodies, header, with_head

PAUSE = 0.03


@dataclass
class Probe(Beside):
    """Sends single events until the block ends. `answers` are (time, status), `broken` for none."""

    system: System
    source: int = 1
    first: int = 5 * 10**9
    wait: float = 4.0  # Seconds for an answer; more is as bad as none.
    answers: list[tuple[float, str]] = field(default_factory=list)
    without_hint: int = 0

    def __enter__(self) -> Self:
        self.order: Order = self.system.order("probe", source=self.source, first=self.first, least=1, most=1)
        return super().__enter__()

    def first_2xx_after(self, moment: float, within: float) -> float | None:
        """Wait for an answer 2xx to a request after a moment (monotonic); returns the seconds since then."""
        while time.monotonic() < moment + within:
            for when, status in self.answers[-2000:]:
                if when >= moment and status == "200":
                    return when - moment
            time.sleep(0.02)
        return None

    def statuses(self, start: float, end: float) -> list[str]:
        return [status for when, status in self.answers if start <= when <= end]

    def watch(self) -> None:
        requests = [with_head(self.order, body) for body in bodies(self.order)]
        line, number = Line(self.order), self.first
        with selectors.DefaultSelector() as selector, open(self.order.journal, "ab", buffering=0) as journal:
            while not self.over.wait(PAUSE):
                request = requests[number % VARIANTS].replace(HOLE, b"%012d" % number)
                status = self._ask(line, number, request, selector)
                self.answers.append((time.monotonic(), status))
                if status == "200":
                    journal.write(b"%d\n" % number)
                    number += 1
            line.drop(selector)

    def _ask(self, line: Line, number: int, request: bytes, selector: selectors.BaseSelector) -> str:
        try:
            line.send(number, request, selector)
            if line.socket is not None:
                line.socket.settimeout(self.wait)
            head = None
            while head is None:
                head = line.answer()
        except OSError:
            line.drop(selector)
            return "broken"
        status = head[9:12].decode("latin-1")
        if status in {"429", "503"} and header(head, b"retry-after") is None:
            self.without_hint += 1
        return status
