"""Reading the plan in force and its versions."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from zhike.decide.plans import queries
from zhike.decide.plans.models import PlanState, PlanVersion
from zhike.decide.plans.pages import shown, words
from zhike.decide.plans.rules import Plan, PlanErrors, differences
from zhike.measure.trials import HORIZON
from zhike.org.middleware import StaffRequest
from zhike.org.roles import Permission


@require_safe
def plan(request: StaffRequest) -> HttpResponse:
    """Show the plan in force; on a fresh installation, what to start from."""
    row = queries.version_in_force()
    if row is None:
        may_edit = request.staff.may(Permission.EDIT_PLAN)
        return render(request, "plans/first.html", {"ready": _ready(), "draft": queries.draft(), "may_edit": may_edit})
    return render(request, "plans/plan.html", _context(request, row, row))


@require_safe
def version(request: StaffRequest, number: int) -> HttpResponse:
    """Show any version beside what differs between it and the plan in force."""
    return render(request, "plans/plan.html", _context(request, _version_or_404(number), queries.version_in_force()))


@require_safe
def file(request: StaffRequest, number: int) -> HttpResponse:
    """Hand a version out as the YAML file that `zhike plan publish` takes."""
    row = _version_or_404(number)
    name = content_disposition_header(True, f"plan-v{row.number}.yaml") or ""
    return HttpResponse(row.text, "application/yaml; charset=utf-8", headers={"Content-Disposition": name})


def _version_or_404(number: int) -> PlanVersion:
    try:
        return queries.version(number)
    except queries.NoSuchVersion as refusal:
        raise Http404 from refusal


def _context(request: StaffRequest, row: PlanVersion, force: PlanVersion | None) -> dict[str, Any]:
    context: dict[str, Any] = {
        "row": row,
        "force": force,
        "draft": queries.draft(),
        "versions": queries.versions(),
        "edit_url": reverse("plan-edit"),
        "may_edit": request.staff.may(Permission.EDIT_PLAN),
        "may_publish": request.staff.may(Permission.PUBLISH_PLAN),
    }
    try:
        found = queries.plan_of(row)
    except PlanErrors as errors:
        problems = [(problem, words.sentence(problem)) for problem in errors.problems]
        return context | {"name": row.name, "problems": problems}
    return context | shown.whole(found) | {"changes": _changes(found, row, force), **_tried(found, row, force)}


def _tried(plan: Plan, row: PlanVersion, force: PlanVersion | None) -> dict[str, Any]:
    """Return whether this version's health can be tried against the one in force, and the newest trials of it."""
    if force is None or force.pk == row.pk or queries.plan_of(force).health == plan.health:
        return {"may_try": False}
    return {
        "may_try": True,
        "horizon": plan.churn.horizon_days if plan.churn else HORIZON,
        "trials": queries.trials_of(row),
    }


def _changes(plan: Plan, row: PlanVersion, force: PlanVersion | None) -> list[shown.Change]:
    """Return what differs between this version and the one it is best compared with."""
    other = force if force and force.pk != row.pk else row.based_on
    if other is None or other.state == PlanState.DRAFT:
        return []
    before = queries.plan_of(other)
    old, new = (plan, before) if row.state == PlanState.RETIRED else (before, plan)
    return shown.changes(differences(old, new), old, new)


def _ready() -> list[dict[str, str]]:
    """Return key and name of each ready plan."""
    plans = [(name, queries.checked(queries.ready_text(name))) for name in queries.ready_names()]
    return [{"key": key, "name": found.name.to(words.language())} for key, found in plans]
