"""T02: the database loses a backend, its first process, or is stopped at once, while events come in."""

import random
import signal
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.storms import processes
from tests.storms.kills import SABOTAGE
from tests.storms.probing import Probe
from tests.storms.system import StormFailed, System, changed_copy, ensure, sending, sent

BACKEND, POSTMASTER, STOP = "backend", "postmaster", "immediate stop"
READY_WITHIN = 60.0  # Seconds; recovery replays what was written since the last checkpoint.
BACK_WITHIN = 10.0  # Seconds from ready to the first 2xx.


def storm(folder: Path, *, seed: int, kills: int, rate: float, sabotage: bool = False) -> dict[str, Any]:
    """Kill the database `kills` times, in all three ways in turn, at random moments of the load."""
    drawn = random.Random(seed)
    system = System(folder, changed_copy(folder, SABOTAGE)) if sabotage else System(folder)
    with system:
        with Probe(system) as probe:
            order = system.order("load", seconds=3600.0, seed=seed, rate=rate)
            with sending(order) as generator:
                blows = [_blow(system, probe, (POSTMASTER, BACKEND, STOP)[turn % 3], drawn) for turn in range(kills)]
                generator.terminate()  # It sends nothing new, and again what was not answered.
                result = sent(generator, within=150)
        drained = system.drain()
        found = system.found((0, order), (1, probe.order))
    answers = Counter(status for _when, status in probe.answers)
    ensure(result.unanswered == 0, f"{result.unanswered} requests were never acknowledged: {result.statuses}")
    ensure(found.is_right, f"the lake differs from what was acknowledged: {found}")
    ensure(not probe.without_hint + result.without_hint, "a refusal came without Retry-After")
    ensure(set(answers) <= {"200", "503"}, f"answers other than 200 and 503: {answers}")
    ensure(answers["503"], "no request met a database that was down: the storm was too mild to show anything")
    return {
        "seed": seed,
        "kills": kills,
        "ways": dict(Counter(way for way, _down, _back in blows)),
        **asdict(found),
        "probe": dict(answers),
        "statuses": result.statuses,
        "longest_down_s": round(max(down for _way, down, _back in blows), 2),
        "longest_to_first_2xx_s": round(max(back for _way, _down, back in blows), 2),
        "drained_after_s": round(drained, 1),
    }


def _blow(system: System, probe: Probe, way: str, drawn: random.Random) -> tuple[str, float, float]:
    """Strike once; returns how long the database was away, and from then on until the first 2xx."""
    time.sleep(drawn.uniform(0.3, 2.0))
    began = time.monotonic()
    _strike(system, way, drawn)
    ready = _ready(system, began)
    back = probe.first_2xx_after(ready, BACK_WITHIN)
    if back is None:
        raise StormFailed(f"no 2xx within {BACK_WITHIN:.0f} s of {way}:\n{system.tail()}")
    return way, ready - began, back


def _strike(system: System, way: str, drawn: random.Random) -> None:
    postmaster = system.postmaster()
    ensure(postmaster is not None, f"there is no database to strike:\n{system.tail()}")
    if postmaster is None:
        return
    if way == BACKEND:
        backends = [each for each in processes.recorded(postmaster.pid, way) if _is_backend(each.pid)]
        drawn.choice(backends).kill()
    else:
        postmaster.send(signal.SIGKILL if way == POSTMASTER else signal.SIGQUIT)
    # Whoever looks too early finds the old server still answering.
    time.sleep(0.05)


def _is_backend(pid: int) -> bool:
    try:
        return b"zhike zhike" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _ready(system: System, began: float) -> float:
    """Return the moment at which the database answers again."""
    while time.monotonic() < began + READY_WITHIN:
        if system.is_database_ready():
            return time.monotonic()
        time.sleep(0.05)
    raise StormFailed(f"the database is not back after {READY_WITHIN:.0f} s:\n{system.tail()}")
