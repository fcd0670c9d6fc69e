"""Keeping the processes of `zhike run` alive: web server, worker, stream and the embedded PostgreSQL.

Each is started again when it ends, and the first three when they hang.
"""

import ctypes
import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from zhike import home
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _

log = logging.getLogger(__name__)
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2).
HUNG_AFTER = 60.0  # Seconds without a sign of life.
STOP_WITHIN = 25.0  # Seconds a process has for stopping by itself.
LONGEST_PAUSE = 30.0
DATABASE_PAUSE = 1.0  # Seconds between two attempts to start the database again; everything else waits for it.
SUPERVISED = "ZHIKE_SUPERVISED"  # Tells a process, and those it starts, that somebody looks after it.


class PortTaken(Refusal):
    message = _("Something else answers on %(host)s:%(port)s already. Stop it, or choose another port with --port.")


@dataclass
class Child:
    """One supervised process; `sign` is a file that a living one keeps touching."""

    name: str
    command: Sequence[str]
    sign: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.5
    not_before: float = field(default=0.0)
    touched: float = 0.0
    alive_at: float = 0.0

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603  Our own command lines.
            self.command, start_new_session=True, preexec_fn=end_with_parent, env=os.environ | {SUPERVISED: "1"}
        )

    def look_after(self) -> None:
        """Restart the process when it has ended or hangs, pausing longer each time that it does not live long."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.not_before:
                self.start()
            return
        if self._hangs():
            log.error("%s gave no sign of life for %d s; it is being replaced", self.name, HUNG_AFTER)
            self.process.kill()
            self.process.wait()
        if self.process.poll() is not None:
            lived = now - self.started
            self.pause = 0.5 if lived > 60 else min(self.pause * 2, LONGEST_PAUSE)
            log.error("%s ended with %s; started again in %.1f s", self.name, self.process.returncode, self.pause)
            self.process, self.not_before = None, now + self.pause

    def _hangs(self) -> bool:
        if not self.sign:
            return False
        # Only whether the time of the sign changes counts: the wall clock may jump.
        touched = self.sign.stat().st_mtime if self.sign.exists() else 0.0
        if touched != self.touched:
            self.touched, self.alive_at = touched, time.monotonic()
        return time.monotonic() - max(self.started, self.alive_at) > HUNG_AFTER

    def stop(self) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def end_with_parent(by: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send this process a signal when its parent dies, even by `kill -9`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, by)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:  # It died before the kernel was asked.
        os.kill(os.getpid(), by)


def ensure_port_is_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(host=host, port=port) from error


def children(host: str, port: int, workers: int) -> list[Child]:
    """Return the web server and the worker, not yet started."""
    folder = home.folder().resolve()
    web = [sys.executable, "-m", "granian", "--interface", "asginl", "--host", host, "--port", str(port)]
    web += ["--workers", str(workers), "--log-level", "warning", "--respawn-failed-workers", "zhike.asgi:application"]
    return [
        Child("web server", web),
        Child("worker", [sys.executable, "-m", "zhike.web.worker"], sign=folder / "worker.tick"),
        Child("stream", [sys.executable, "-m", "zhike.web.stream"], sign=folder / "stream.tick"),
    ]


@contextmanager
def supervised(family: Sequence[Child]) -> Iterator[None]:
    """Start the children, and stop them all at the end, whatever happened."""
    try:
        for child in family:
            child.start()
        yield
    finally:
        for child in family:
            if child.process and child.process.poll() is None:
                child.process.terminate()
        for child in family:
            child.stop()


def watch(family: Sequence[Child], stopped: Callable[[], bool]) -> None:
    """Look after the children and the embedded database until `stopped` says so."""
    not_before = 0.0
    while not stopped():
        if home.is_embedded() and time.monotonic() >= not_before:
            not_before = _keep_database()
        for child in family:
            child.look_after()
        time.sleep(0.25)


def _keep_database() -> float:
    """Start the database again if it has ended; returns when to look next."""
    try:
        home.keep_server()
    except home.ServerDoesNotStart as error:
        log.error("the database does not start: %s", error)
        return time.monotonic() + DATABASE_PAUSE
    return 0.0


def wait_until_answering(host: str, port: int, within: float = 60.0) -> bool:
    """Return whether the web server accepts connections before the time is over."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((host, port)) == 0:
                return True
        time.sleep(0.1)
    return False
