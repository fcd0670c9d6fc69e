"""`zhike stream`: keep events flowing from the inbox into the lake until told to stop; `zhike run` looks after it."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, connection
from django.utils.timezone import now

from zhike import loop
from zhike.kit.refusal import Refusal
from zhike.record.events.operations import compact
from zhike.record.events.rules import AT_MOST, TOGETHER
from zhike.record.tracking.operations import attach, drain, recognise

log = logging.getLogger(__name__)
IDLE = 0.5  # Seconds between two looks into an empty inbox.
LEAST, MOST = 20_000, 100_000  # Events in one pass: few while all is calm, more the further behind.
ATTACH_EVERY = 60.0
FRESHEN_EVERY = 2.0
LOOK_EVERY = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # Seconds until a step that ended is started again; doubled each time.
STUCK_AFTER = 300.0  # Seconds that one step may take before the process is thought to hang.
STOP_WITHIN = 15.0
AGAIN_AFTER = 2.0  # Seconds after a failure, such as a database that restarts.


class Command(BaseCommand):
    help = "Move events from the inbox into the lake until told to stop."

    def handle(self, *_args: Any, **_options: Any) -> None:
        loops = Loops(settings.HOME / "stream.tick")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loops.stop())
        keeping = Keeping()
        loops.run(keeping.keep, keeping.tidy, freshen)


class Loops:
    """What runs beside each other in this process, each in a thread of its own, until told to stop.

    A step that ends for a reason nobody thought of leaves its traceback in the log, disturbs no other, and is started
    anew after a pause that grows while it keeps failing.
    """

    def __init__(self, sign: Path) -> None:
        self._sign = sign
        self._stop = threading.Event()
        self._alive: dict[str, float] = {}

    def stop(self) -> None:
        self._stop.set()

    def run(self, *steps: Callable[[], float]) -> None:
        """Call each again and again, as many seconds after each call as it returns; give signs of life meanwhile."""
        kept = [Kept(step, self._repeat) for step in steps]
        while not self._stop.is_set():
            for each in kept:
                each.keep(time.monotonic())
            oldest = min(self._alive.values(), default=0.0)
            if len(self._alive) == len(steps) and time.monotonic() - oldest < STUCK_AFTER:
                self._sign.touch()
            self._stop.wait(LOOK_EVERY)
        end = time.monotonic() + STOP_WITHIN
        for each in kept:
            each.thread.join(max(0.0, end - time.monotonic()))

    def _repeat(self, step: Callable[[], float]) -> None:
        name, pause = step.__name__, 0.0
        try:
            while not self._stop.wait(pause):
                self._alive[name] = time.monotonic()
                try:
                    pause = step()
                except (Error, psycopg.Error, OSError, duckdb.Error, Refusal) as error:
                    # The database or the disk is away for a while, or a file was erased while it was read.
                    log.error("%s will be tried again: %s", name, error)
                    connection.close()
                    pause = AGAIN_AFTER
        finally:
            connection.close()


class Kept:
    """A step in its thread, which is started anew when it has died."""

    def __init__(self, step: Callable[[], float], repeat: Callable[[Callable[[], float]], None]) -> None:
        self._step, self._repeat = step, repeat
        self._pause, self._due = FIRST_PAUSE, float("inf")
        self._began = time.monotonic()
        self.thread = self._started()

    def _started(self) -> threading.Thread:
        self._began = time.monotonic()
        thread = threading.Thread(target=self._repeat, args=[self._step], name=self._step.__name__, daemon=True)
        thread.start()
        return thread

    def keep(self, now: float) -> None:
        """Start the thread anew when it is dead and its pause is over."""
        if self.thread.is_alive():
            return
        if self._due == float("inf"):
            # Having lasted for a while, it is not taken for one that fails at once again and again.
            self._pause = FIRST_PAUSE if now - self._began > LONGEST_PAUSE else min(LONGEST_PAUSE, 2 * self._pause)
            self._due = now + self._pause
            log.error("%s ended, which it never should; started again in %.1f s", self._step.__name__, self._pause)
        elif now >= self._due:
            self._due = float("inf")
            self.thread = self._started()


class Keeping:
    """Draining, and between two passes attaching, which needs the inbox for itself; beside them, tidying."""

    def __init__(self) -> None:
        self._limit = LEAST
        self._recognise_at = self._attach_at = 0.0

    def keep(self) -> float:
        done = drain(now(), limit=self._limit)
        is_behind = done.events + done.duplicates >= self._limit
        self._limit = min(MOST, self._limit * 2) if is_behind else LEAST
        if not done.is_busy:
            self._attach()
        return 0.0 if is_behind else IDLE

    def tidy(self) -> float:
        """Bring files together while there are some to bring together; returns the seconds to wait for the next look.

        While the inbox is behind only as many as come together at most: emptying it comes first.
        """
        return 0.0 if compact(now(), least=AT_MOST if self._limit == MOST else TOGETHER) else 1.0

    def _attach(self) -> None:
        if time.monotonic() >= self._recognise_at:
            self._recognise_at = time.monotonic() + ATTACH_EVERY
            recognise()
        if time.monotonic() >= self._attach_at:
            done = attach(now())
            self._attach_at = time.monotonic() + (0.0 if done.events or done.is_busy else ATTACH_EVERY)


def freshen() -> float:
    """Bring the facts of customers with news up to now; returns the seconds to wait for the next look."""
    loop.freshen(now())
    return FRESHEN_EVERY
