"""The loop's jobs: the turn somebody asked for, the nightly one, and what follows upon an event between two turns."""

from datetime import date, datetime, timedelta

from django.utils.timezone import now
from django.utils.translation import gettext

from zhike import loop
from zhike.org import works
from zhike.org.jobs import defer, job
from zhike.org.models import Staff, Work, WorkState
from zhike.record.events.models import EventKind

REST = timedelta(hours=1)  # Before a turn that failed, or still waits, is asked for again.
UNFINISHED = [WorkState.QUEUED, WorkState.RUNNING]


def start_turn(*, by: Staff | None, today: date, at: datetime) -> Work:
    """Ask for a turn and return its work, to be watched on a progress card; turns wait for each other."""
    work = works.start(loop.WORK, gettext("Turn for %(day)s") % {"day": today.isoformat()}, by=by, now=at)
    defer("loop.turn", lock=loop.WORK, work_id=work.pk, today=today.isoformat())
    return work


@job("loop.turn")
def turn(work_id: int, today: str) -> None:
    """Turn the loop once. May run twice: a turn whose worker died is taken up again and changes nothing twice."""
    work = Work.objects.select_related("by").filter(pk=work_id, state__in=UNFINISHED).first()
    if work is None:
        return
    with works.Progress(work_id) as progress:
        report = loop.turn(today=date.fromisoformat(today), by=work.by, now=now(), progress=progress)
        progress.result = loop.told(report)
        if report.proof:
            progress.result["text"] = report.proof.sentence()


@job("loop.nightly", every="*/5 * * * *", queueing_lock="loop.nightly")
def nightly(timestamp: int) -> None:
    """See every five minutes whether the morning's turn is still to be made, also after a night switched off."""
    at = now()
    day = loop.is_due(at)
    if day is None or loop.is_running():
        return
    lately = Work.objects.filter(kind=loop.WORK, created_at__gt=at - REST)
    if not lately.filter(state__in=[WorkState.QUEUED, WorkState.FAILED]).exists():
        start_turn(by=None, today=day, at=at)


@job("loop.remeasure")
def remeasure(plan_number: int) -> None:
    """Turn again for the day last measured, after a plan was published: tiers, health and wishes follow the new one."""
    day = loop.last_day()
    if day is not None:
        start_turn(by=None, today=day, at=now())


@job("loop.react", retries=3)
def react(customer_id: int, event: str = EventKind.INTERACTION_LOGGED) -> None:
    """Let one customer's touches follow what has just happened; doing it twice changes nothing twice."""
    loop.react(customer_id, event=event, now=now())


@job("loop.react_all", retries=3)
def react_all(customer_ids: list[int], event: str) -> None:
    """Let the touches of many customers follow an event that they share, such as a hand-over."""
    for customer_id in customer_ids:
        loop.react(customer_id, event=event, now=now())
