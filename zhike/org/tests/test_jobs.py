"""Every job that the clock starts is called as the queue's worker calls it."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils.timezone import now
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from zhike.org.jobs import defer

BY_CLOCK = sorted(task.task.name for task in app.periodic_registry.periodic_tasks.values())
OWN = {"org.rescue", "org.forget_jobs"}  # They run inside the worker's own loop.


def test_some_jobs_are_started_by_the_clock() -> None:
    assert {"loop.nightly", "events.sweep", "tracking.retain"} <= set(BY_CLOCK)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", [name for name in BY_CLOCK if name not in OWN])
def test_a_job_of_the_clock_takes_the_time_it_was_due(name: str) -> None:
    assert app.tasks[name].func(timestamp=0) is None


def lose(name: str) -> int:
    """Ask for a job and leave it as a worker does that is killed while it runs it."""
    defer(name, timestamp=0)
    job: int = ProcrastinateJob.objects.filter(task_name=name).latest("id").pk
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [job])
    return job


@pytest.mark.django_db(transaction=True)
def test_lost_jobs_are_run_though_the_first_of_them_waits_a_second_time() -> None:
    doubled, alone = lose("voice.listen"), lose("events.sweep")
    defer("voice.listen", timestamp=1)
    waiting = ProcrastinateJob.objects.latest("id").pk
    defer("org.rescue", timestamp=0)
    call_command("work", once=True)
    states = dict(ProcrastinateJob.objects.values_list("id", "status"))
    assert (states[doubled], states[waiting], states[alone]) == ("failed", "succeeded", "succeeded")


@pytest.mark.django_db(transaction=True)
def test_jobs_of_long_ago_are_forgotten() -> None:
    for name in ("tracking.retain", "events.sweep"):
        defer(name, timestamp=0)
    call_command("work", once=True)
    old = ProcrastinateJob.objects.filter(task_name="events.sweep").earliest("id")
    young = ProcrastinateJob.objects.filter(task_name="tracking.retain").earliest("id")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = %s WHERE job_id = %s", [now() - timedelta(days=3), old.pk])
    defer("org.forget_jobs", timestamp=0)
    call_command("work", once=True)
    assert set(ProcrastinateJob.objects.filter(pk__in=[old.pk, young.pk])) == {young}
    assert not ProcrastinateEvent.objects.filter(job_id=old.pk).exists()
