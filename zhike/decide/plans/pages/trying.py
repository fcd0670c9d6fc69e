"""Trying the health score of a version on the past, and reading what came of it."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from zhike.decide.plans import operations, queries
from zhike.decide.plans.rules import PlanErrors
from zhike.kit.refusal import Refusal
from zhike.measure.trials import HORIZON, LEAST_HORIZON, MOST_HORIZON, Outcome, wording
from zhike.org.middleware import StaffRequest
from zhike.org.pages import sentence

OUTCOMES: dict[str, Outcome] = {"churn": "churn", "renewal": "renewal"}


@require_POST
def try_health(request: StaffRequest, number: int) -> HttpResponse:
    """Ask for the trial and show its page, where the progress stands until the result does."""
    try:
        row = queries.version(number)
    except queries.NoSuchVersion as refusal:
        raise Http404 from refusal
    given = request.POST.get("horizon", "")
    horizon = min(max(int(given), LEAST_HORIZON), MOST_HORIZON) if given.isdigit() and len(given) < 5 else HORIZON
    outcome = OUTCOMES.get(request.POST.get("outcome", ""), "churn")
    try:
        trial = operations.try_health(row, outcome=outcome, horizon=horizon, by=request.staff, now=now())
    except PlanErrors:
        return redirect("plan-edit")
    except Refusal as refusal:
        messages.warning(request, sentence(refusal))
        return redirect("plan-version", number=number)
    return redirect("plan-trial", trial_id=trial.pk)


@require_safe
def trial(request: StaffRequest, trial_id: int) -> HttpResponse:
    found = queries.trial(trial_id)
    if found is None:
        raise Http404
    context = {"trial": found, "is_mine": found.by_id == request.staff.pk}
    told = found.result
    if told is not None:
        look, said = wording.verdict(told)
        context |= {
            "look": look,
            "verdict": said,
            "meaning": wording.meaning(told),
            "basis": wording.basis(told),
            "notes": wording.notes(told),
            "figures": wording.figures(told),
            "chart": wording.chart(told),
            "finding": wording.finding(told),
        }
    return render(request, "plans/trial.html", context)
