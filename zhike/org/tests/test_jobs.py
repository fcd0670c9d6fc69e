"""Every job that the clock starts is called as the queue's worker calls it."""

import pytest
from procrastinate.contrib.django import app

BY_CLOCK = sorted(task.task.name for task in app.periodic_registry.periodic_tasks.values())


def test_some_jobs_are_started_by_the_clock() -> None:
    assert {"loop.nightly", "events.sweep", "tracking.retain"} <= set(BY_CLOCK)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", [name for name in BY_CLOCK if name != "org.rescue"])
def test_a_job_of_the_clock_takes_the_time_it_was_due(name: str) -> None:
    assert app.tasks[name].func(timestamp=0) is None
