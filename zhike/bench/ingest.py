"""`zhike bench ingest`: what the tracking API takes in and the stream process brings into the lake, side by side.

The served system is the one of `zhike run`: web processes, worker and stream process beside the embedded PostgreSQL
with fsync on. Another process sends. What was acknowledged is compared with the lake as sets of message ids.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

import psycopg
from django.conf import settings

from zhike import home
from zhike.bench import plain, stored
from zhike.bench.figures import spread
from zhike.bench.freshness import LONGEST, Watch
from zhike.bench.load import Order, Sent
from zhike.bench.served import (
    DATABASE,
    DRAINED_WITHIN,
    HOST,
    WEB,
    IngestFailed,
    Lag,
    cpu_seconds,
    drained,
    free_port,
    postmaster,
    served,
)
from zhike.record.tracking.operations.sources import add_source
from zhike.web import running


@dataclass(frozen=True)
class Options:
    """How long and with how many connections; `workers` web processes."""

    seconds: float = 20.0
    single_seconds: float = 10.0
    baseline_seconds: float = 10.0
    connections: int = 16
    workers: int = 2
    watched: tuple[str, int] | None = None  # A user and its customer, of whom nobody else sends.


@dataclass
class Phase:
    """What one phase showed: requests and events a second, waits in milliseconds, the drain behind them."""

    sent: Sent
    seconds: float
    drain_lag: float = 0.0
    oldest: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def events_per_s(self) -> float:
        return self.sent.events / self.seconds

    @property
    def cpu_us_per_event(self) -> dict[str, float]:
        cores = len(os.sched_getaffinity(0))
        return {name: 1e6 * share * cores / self.events_per_s for name, share in self.cpu.items()}

    @property
    def requests_per_s(self) -> float:
        return self.sent.acknowledged / self.seconds


def measure(options: Options, users: list[str], now: datetime, say: Callable[[str], None]) -> dict[str, object]:
    """Return the figures; the system is up only meanwhile."""
    source, key = add_source(name="bench", origins=[], by=None, now=now)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, served(port, options.workers) as parts:
        batches = Order(
            port=port, key=key, path="/v1/batch", users=users, journal=f"{folder}/batches", seconds=options.seconds
        )
        batches.connections = options.connections
        singles = replace(batches, path="/v1/track", least=1, most=1, first=10**9, journal=f"{folder}/singles")
        singles = replace(singles, seconds=options.single_seconds, connections=4 * options.connections)
        warm = replace(batches, seconds=2.0, rate=50.0, first=2 * 10**9, journal=f"{folder}/warm")
        send(warm)
        if drained() > DRAINED_WITHIN:
            raise IngestFailed("the stream process does not drain")
        with contextlib.ExitStack() as stack:
            watch = Watch(batches, folder, *options.watched) if options.watched else None
            if watch:
                stack.enter_context(watch)
            many = _phase(batches, parts, say)
        say(f"batches of 100: {_told(many)}")
        fresh = _fresh(watch) if watch else {}
        one = _phase(singles, parts, say)
        say(f"single events: {_told(one)}")
        found = _compared(source.pk, [warm, batches, singles, *([watch.order] if watch else [])])
        say(f"in the lake: {found}")
    base = _baseline(options, users, say)
    best = max(each.events_per_s for each in base.values())
    return _figures(many, one, base, best) | fresh | asdict(found)


def _fresh(watch: Watch) -> dict[str, object]:
    """Return how long events took to show in facts: the longest under load, and one when all is calm."""
    under_load, calm = max(watch.seconds), watch.once()
    if max(under_load, calm) > LONGEST:
        raise IngestFailed("an event does not show in its customer's facts")
    return {"fresh_s": round(under_load, 1), "fresh_calm_s": round(calm, 1)}


def _figures(many: Phase, one: Phase, base: dict[str, Phase], best: float) -> dict[str, object]:
    waits, single = spread(many.sent.waits), spread(one.sent.waits)
    return {
        "events_per_s": round(many.events_per_s),
        "requests_per_s": round(one.requests_per_s),
        "p50_ms": round(waits.p50, 1),
        "p99_ms": round(waits.p99, 1),
        "single_p50_ms": round(single.p50, 1),
        "single_p99_ms": round(single.p99, 1),
        "drain_lag_s": round(many.drain_lag, 2),
        "oldest_waited_s": round(many.oldest, 2),
        "single_drain_lag_s": round(one.drain_lag, 2),
        "baseline_events_per_s": round(best),
        "baseline_single_events_per_s": round(base["single"].events_per_s),
        "baseline_batch_events_per_s": round(base["batch"].events_per_s),
        "ratio": round(many.events_per_s / best, 1),
        "bytes_per_event": round(many.sent.event_bytes),
        "generator_cpu_share": round(many.cpu["generator"], 3),
        "cpu": {name: round(share, 2) for name, share in many.cpu.items()},
        "cpu_us_per_event": {name: round(each, 1) for name, each in many.cpu_us_per_event.items()},
        "statuses": {"batch": many.sent.statuses, "single": one.sent.statuses},
    }


def send(order: Order) -> Sent:
    """Let a process of its own send an order; raises IngestFailed with what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "zhike.bench.load"],
        input=json.dumps(asdict(order)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise IngestFailed(done.stderr[-2000:])
    return Sent(**json.loads(done.stdout))


def _phase(order: Order, parts: dict[str, int], say: Callable[[str], None]) -> Phase:
    before = {name: cpu_seconds(pid) for name, pid in parts.items()}
    with Lag() as lag:
        sent = send(order)
        seconds = sent.ended - sent.began
        used = {name: cpu_seconds(pid) - before[name] for name, pid in parts.items()} | {"generator": sent.cpu}
        if not sent.acknowledged:
            raise IngestFailed(f"no request was answered with 200: {sent.statuses}")
        lag_after = drained()
        if lag_after > DRAINED_WITHIN:
            raise IngestFailed("the stream process does not drain")
    cores = len(os.sched_getaffinity(0))
    say(f"drained {lag_after:.1f} s after the last answer")
    return Phase(sent, seconds, lag_after, lag.most, {name: each / seconds / cores for name, each in used.items()})


def _told(phase: Phase) -> str:
    cpu = "  ".join(f"{name} {share:.0%}" for name, share in phase.cpu.items())
    return (
        f"{phase.events_per_s:,.0f} events/s  {phase.requests_per_s:,.0f} requests/s  {spread(phase.sent.waits)}  "
        f"oldest {phase.oldest:.1f} s  of all cores: {cpu}"
    )


def _compared(source: int, orders: Sequence[Order]) -> stored.Found:
    there = stored.digests_in_lake(home.database_url(), Path(settings.LAKE))
    return stored.compare(there, [stored.digests_of(source, each, stored.journal(each)) for each in orders], [])


def _baseline(options: Options, users: list[str], say: Callable[[str], None]) -> dict[str, Phase]:
    """Measure the plain endpoint with the same server, generator, bodies and number of processes."""
    port, address = free_port(), home.database_url()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(plain.TABLE)
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--host", HOST, "--port", str(port)]
    command += ["--workers", str(options.workers), "--log-level", "warning", "zhike.bench.plain:application"]
    found = {}
    environment = os.environ | {plain.ADDRESS: address}
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(command, env=environment) as process:  # noqa: S603  Ours.
        try:
            if not running.wait_until_answering(HOST, port):
                raise IngestFailed("the plain server does not answer")
            parts = {WEB: process.pid, DATABASE: postmaster()}
            for name, size, path in (("batch", 100, "/v1/batch"), ("single", 1, "/v1/track")):
                order = Order(port, "none", path, users, f"{folder}/{name}", size, size)
                order.connections = options.connections * (4 if size == 1 else 1)
                send(replace(order, seconds=1.0, rate=20.0))
                order.seconds = options.baseline_seconds / 2
                found[name] = _phase(order, parts, say)
                say(f"plain, {name}: {_told(found[name])}")
        finally:
            process.terminate()
    return found
