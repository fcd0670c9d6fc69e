"""Work done later: jobs are rows of the same database, so a job exists exactly if its transaction committed."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

from django.db import connection
from procrastinate import App, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

P = ParamSpec("P")
R = TypeVar("R")

STALLED_AFTER = timedelta(seconds=30)
DONE_KEPT_HOURS, FAILED_KEPT_HOURS = 2 * 24, 30 * 24


def job(name: str, *, retries: int = 0, every: str = "", **options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Register a function as the job of this name.

    `retries` is how often a failed run is tried again; `every` is a crontab line, in UTC, for jobs that the clock
    starts (their first argument is the Unix time they were due). A job takes ids, claims its work, and may run twice.
    """

    def register(function: Callable[P, R]) -> Callable[P, R]:
        strategy = RetryStrategy(max_attempts=retries + 1, exponential_wait=5) if retries else False
        registered: Any = app.task(name=name, retry=strategy, **options)  # procrastinate types only bare functions.
        task = registered(_with_connection_returned(function, by_clock=bool(every)))
        if every:
            schedule: Any = app.periodic(cron=every, periodic_id=name)
            schedule(task)
        return function

    return register


def _with_connection_returned(function: Callable[P, R], *, by_clock: bool) -> Callable[P, R]:
    """Give the worker thread's database connection back after a run, as a request does after a page.

    A job that the clock starts gets the time it was due as its first argument, whatever its name.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            if by_clock:
                return function(kwargs["timestamp"])  # type: ignore[arg-type, call-arg]  # The clock's word for it; ours may differ.
            return function(*args, **kwargs)
        finally:
            if not connection.in_atomic_block:  # Only a test runs jobs inside its own transaction.
                connection.close()

    return run


def defer(name: str, *, schedule_in: dict[str, int] | None = None, lock: str | None = None, **arguments: Any) -> None:
    """Ask for a job by name in the transaction that needs it; an unknown name raises `TaskNotFound`."""
    options: dict[str, Any] = {"allow_unknown": False}
    if schedule_in:
        options["schedule_in"] = schedule_in
    if lock:
        options["lock"] = lock
    app.configure_task(name, **options).defer(**arguments)


def take_over(ready: App) -> None:
    """Add, once the queue is ready, what procrastinate leaves to its users: care for lost jobs and for old ones."""

    @ready.periodic(cron="* * * * *", periodic_id="org.rescue")
    @ready.task(name="org.rescue", queueing_lock="org.rescue", pass_context=True)
    async def rescue(context: Any, timestamp: int) -> None:
        manager = context.app.job_manager
        for stalled in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER.total_seconds()):
            try:
                await manager.retry_job(stalled)
            except UniqueViolation:
                # Another one that does the same waits already, perhaps for the lock that this one keeps.
                await manager.finish_job(stalled, Status.FAILED, delete_job=False)

    @ready.periodic(cron="25 17 * * *", periodic_id="org.forget_jobs")
    @ready.task(name="org.forget_jobs", queueing_lock="org.forget_jobs", pass_context=True)
    async def forget(context: Any, timestamp: int) -> None:
        manager = context.app.job_manager
        await manager.delete_old_jobs(DONE_KEPT_HOURS)
        await manager.delete_old_jobs(
            FAILED_KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )
