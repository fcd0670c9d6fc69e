"""T30: thirteen times as much as usual, a drain that is held up, and what becomes of memory and of other sources."""

import time
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psycopg

from tests.storms.probing import Probe
from tests.storms.system import ROOT, System, changed_copy, ensure, sending, sent
from zhike.bench.figures import Beside

TIMES = 13
CONNECTIONS = 300  # Of the source that sends so much.
DRAIN_LOCK = 7_164_202  # Of zhike.record.events.operations.files: whoever holds it keeps the stream process waiting.
MOST_MEMORY = 500 * 2**20  # Bytes of any process.
SERVED = 0.95  # Of another source's requests, at least.
SABOTAGE = [
    ("zhike/api/tracking/limits.py", "MOST_BYTES = 32 * 2**20", "MOST_BYTES = 2**60"),
    ("zhike/api/tracking/limits.py", "MOST_REQUESTS = 512", "MOST_REQUESTS = 10**9"),
    ("zhike/api/tracking/keys.py", "self.full = frozenset(source for source, _events in crowd)", "pass"),
]


class Memory(Beside):
    """Watches the memory of every served process."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.most: dict[str, int] = {}

    def watch(self) -> None:
        while not self.over.wait(0.25):
            for each in self.system.served():
                self.most[each.kind] = max(self.most.get(each.kind, 0), each.memory)


def storm(
    folder: Path, *, seed: int, seconds: float, held: float, calm: float, room: int, sabotage: bool = False
) -> dict[str, Any]:
    """Send `calm` requests a second, then thirteen times as many for `seconds`, while nothing is drained for `held`.

    room: events of one source that may wait.
    """
    system = System(folder, changed_copy(folder, SABOTAGE) if sabotage else ROOT)
    system.environment["ZHIKE_SOURCE_EVENTS_WAITING"] = str(room)
    with system, Memory(system) as memory:
        with Probe(system) as probe:
            usual = system.order("calm", seconds=4.0, seed=seed, rate=calm)
            with sending(usual) as generator:
                before = sent(generator, within=150)
            began = time.monotonic()
            order = system.order("spike", seed=seed, seconds=seconds, rate=TIMES * calm, first=10**9)
            order = replace(order, connections=CONNECTIONS, careful=False, patience=held + 120.0)
            with psycopg.connect(system.address, autocommit=True) as holder:
                holder.execute("SELECT pg_advisory_lock(%s)", [DRAIN_LOCK])
                with sending(order) as generator:
                    time.sleep(held)
                    waiting = system.waiting()
                    holder.close()
                    result = sent(generator, within=held + seconds + 300)
            ended = time.monotonic()
            drained = system.catch_up(300)
        system.drain()
        found = system.found((0, usual), (0, order), (1, probe.order))
    others = Counter(probe.statuses(began, ended))
    ensure(result.unanswered == 0, f"{result.unanswered} requests were never acknowledged: {result.statuses}")
    ensure(found.is_right, f"the lake differs from what was acknowledged: {found}")
    ensure(result.statuses.get("429", 0) + result.statuses.get("503", 0), "nobody was told to wait")
    ensure(not probe.without_hint + result.without_hint, "a refusal came without Retry-After")
    share = others["200"] / max(1, sum(others.values()))
    ensure(share >= SERVED, f"only {share:.0%} of another source's requests were served: {others}")
    most = max(memory.most.values())
    ensure(most <= MOST_MEMORY, f"a process held {most / 2**20:.0f} MB: {memory.most}")
    return {
        "seed": seed,
        **asdict(found),
        "calm_statuses": before.statuses,
        "statuses": result.statuses,
        "other_source": dict(others),
        "rows_waiting_at_the_end_of_the_hold": waiting,
        "caught_up_s": round(drained, 1),
        "memory_mb": {kind: round(most / 2**20) for kind, most in memory.most.items()},
    }
