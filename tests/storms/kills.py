"""T01: web, stream and worker processes are killed at random while events come in."""

import random
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from subprocess import Popen
from typing import Any

from tests.storms.system import System, changed_copy, ensure, sending, sent
from zhike.bench import stored
from zhike.bench.load import Order

LONGEST_WAIT = 20.0  # Seconds between two kills, if so few events come in.
MEAN = 50.5  # Events in a request of 1 to 100.
SABOTAGE = [
    # The answer leaves before the commit.
    ("zhike/api/tracking/writing.py", "        await pending.done\n", "        return\n"),
    ("zhike/api/tracking/writing.py", "        await asyncio.sleep(0)  #", "        await asyncio.sleep(0.2)  #"),
]


def storm(folder: Path, *, seed: int, kills: int, events: int, pause: float, sabotage: bool = False) -> dict[str, Any]:
    """Kill `kills` times, `pause` seconds apart on average, while at least `events` events come in."""
    drawn = random.Random(seed)
    system = System(folder, changed_copy(folder, SABOTAGE)) if sabotage else System(folder)
    with system:
        requests = int(events / MEAN) + 1
        rate = requests / (kills * pause)
        order = system.order("load", requests=requests, seconds=3600.0, seed=seed, rate=rate)
        with sending(order) as generator:
            killed, under_load = _kill(system, generator, order, drawn, kills, pause)
            result = sent(generator, within=600)
        drained = system.drain()
        found = system.found((0, order))
    ensure(result.unanswered == 0, f"{result.unanswered} requests were never acknowledged: {result.statuses}")
    ensure(found.acknowledged == result.events, "the journal differs from what the generator counted")
    ensure(not found.lost, f"{found.lost} acknowledged events are lost: {found}")
    ensure(not found.duplicated, f"{found.duplicated} events are there twice: {found}")
    ensure(found.is_right, f"there is what nobody sent: {found}")
    return {
        "seed": seed,
        "kills": sum(killed.values()),
        "kills_under_load": under_load,
        "killed": dict(killed),
        **asdict(found),
        "statuses": result.statuses,
        "seconds": round(result.ended - result.began, 1),
        "drained_after_s": round(drained, 1),
    }


def _kill(
    system: System, generator: Popen[str], order: Order, drawn: random.Random, kills: int, pause: float
) -> tuple[Counter[str], int]:
    """Kill at random moments, spread over the events: a machine that is slow to start processes again gets its time."""
    killed: Counter[str] = Counter()
    turns: list[str] = []  # Every kind has its turn, in another order each time, before one has its next.
    under_load = 0
    while (done := sum(killed.values())) < kills:
        time.sleep(drawn.uniform(0.1, 2 * pause - 0.1))
        _wait_for(order, order.requests * done // kills)
        candidates = system.served()
        if not candidates:
            continue
        kinds = sorted({each.kind for each in candidates})
        turns = [kind for kind in turns if kind in kinds] or drawn.sample(kinds, len(kinds))
        kind = turns.pop()
        target = drawn.choice([each for each in candidates if each.kind == kind])
        if target.kill():
            killed[kind] += 1
            under_load += generator.poll() is None
    return killed, under_load


def _wait_for(order: Order, acknowledged: int) -> None:
    end = time.monotonic() + LONGEST_WAIT
    while len(stored.journal(order)) < acknowledged and time.monotonic() < end:
        time.sleep(0.1)
