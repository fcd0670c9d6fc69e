"""Health scores tried on the past by the worker, with a progress card."""

from django.urls import reverse
from django.utils.translation import gettext

from zhike.decide.plans import operations, queries
from zhike.kit.refusal import Refusal
from zhike.org import works
from zhike.org.jobs import job


@job("plans.try_health")
def try_health(trial_id: int) -> None:
    """Try a draft of the health score. A refusal is an answer, found on the card and on the page of the trial."""
    trial = queries.trial(trial_id)
    if trial is None or trial.work_id is None:
        return
    try:
        with works.Progress(trial.work_id) as progress:
            operations.carry_out(trial, watcher=progress)
            progress.result = {
                "text": gettext("The draft has been tried on the past."),
                "url": reverse("plan-trial", args=[trial.pk]),
                "link": gettext("See the result"),
            }
    except Refusal:
        return
