"""The whole system served for a benchmark, as `zhike run` does it, and what it costs."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from zhike import home
from zhike.bench.figures import Beside, family
from zhike.web import running

HOST = "127.0.0.1"
DRAINED_WITHIN = 300.0  # Seconds after which the measurement ends with what there is.
TICKS = os.sysconf("SC_CLK_TCK")
WEB, STREAM, WORKER, DATABASE = "web", "stream", "worker", "postgres"
OLDEST = "SELECT extract(epoch FROM now() - received_at) FROM tracking_inbox ORDER BY id LIMIT 1"


class IngestFailed(Exception):
    """The system did not answer, or the generator ended with an error."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def served(port: int, workers: int) -> Iterator[dict[str, int]]:
    """Serve this home as `zhike run` does, looked after; yields the process ids by part."""
    children = running.children(HOST, port, workers)
    over = threading.Event()
    with running.supervised(children):
        if not running.wait_until_answering(HOST, port):
            raise IngestFailed("the web server does not answer")
        watching = threading.Thread(target=running.watch, args=[children, over.is_set], daemon=True)
        watching.start()
        try:
            names = (WEB, WORKER, STREAM)
            yield {name: _pid(child) for name, child in zip(names, children, strict=True)} | {DATABASE: postmaster()}
        finally:
            over.set()
            watching.join()


def _pid(child: running.Child) -> int:
    if child.process is None:
        raise IngestFailed(f"{child.name} does not run")
    return child.process.pid


def postmaster() -> int:
    """Return the process id of this home's own server."""
    return int((home.folder() / "postgres" / "postmaster.pid").read_text(encoding="ascii").split()[0])


def drained() -> float:
    """Return the seconds until the inbox is empty, infinite when `DRAINED_WITHIN` is over before."""
    since = time.monotonic()
    with psycopg.connect(home.database_url(), autocommit=True) as connection:
        while time.monotonic() - since < DRAINED_WITHIN:
            if connection.execute("SELECT 1 FROM tracking_inbox LIMIT 1").fetchone() is None:
                return time.monotonic() - since
            time.sleep(0.05)
    return float("inf")


class Lag(Beside):
    """Watches how old the oldest row of the inbox becomes."""

    def __init__(self) -> None:
        self.most = 0.0

    def watch(self) -> None:
        with psycopg.connect(home.database_url(), autocommit=True) as connection:
            while not self.over.wait(0.25):
                row = connection.execute(OLDEST).fetchone()
                self.most = max(self.most, float(row[0]) if row else 0.0)


def cpu_seconds(root: int) -> float:
    """Return the processor time of a process and all it has started, those that have ended included."""
    total = 0
    for pid in family(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))
    return total / TICKS
