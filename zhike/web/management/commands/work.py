"""`zhike work`: take jobs from the queue until told to stop; `zhike run` starts and watches it."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from procrastinate.contrib.django import app

TICK = 5  # Seconds between two signs of life; `zhike run` restarts a worker that gave none for a while.


class Command(BaseCommand):
    help = "Take jobs from the queue until told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2)
        parser.add_argument("--once", action="store_true", help="end when the queue is empty")

    def handle(self, *_args: Any, **options: Any) -> None:
        # One after the other, for a job that is at work beside may put others into the queue after it was found empty.
        asyncio.run(work(1 if options["once"] else options["concurrency"], wait=not options["once"]))


async def work(concurrency: int, *, wait: bool) -> None:
    present: Any = app.connector  # Django's connector, which knows the one for workers; the base class does not say so.
    ready = app.with_connector(present.get_worker_connector())
    async with ready.open_async():
        ticking = asyncio.create_task(_tick(settings.HOME / "worker.tick"))
        worker = asyncio.create_task(
            ready.run_worker_async(
                concurrency=concurrency, wait=wait, install_signal_handlers=False, shutdown_graceful_timeout=20
            )
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await worker
        ticking.cancel()


async def _tick(path: Path) -> None:
    while True:
        path.touch()
        await asyncio.sleep(TICK)
