"""The review: how the company stands against the goals of its plan, and how each figure comes about."""

from collections.abc import Sequence
from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.utils.translation import get_language, gettext, ngettext
from django.views.decorators.http import require_safe

from zhike.decide.plans.queries import in_force, version_in_force
from zhike.decide.plans.rules.schema import Goal, Plan
from zhike.org import company
from zhike.org.middleware import StaffRequest
from zhike.review.kpis import queries
from zhike.review.kpis.queries import Meter
from zhike.review.kpis.rules import KPIS
from zhike.ui import words


@require_safe
def review(request: StaffRequest) -> HttpResponse:
    """Show every key figure against its goal, its last half-year and its definition."""
    today = company.today(now())
    plan = in_force() if version_in_force() else None
    taken_on = queries.last_day(today)
    meters = queries.meters(taken_on or today, plan)
    return render(
        request,
        "kpis/review.html",
        {
            "meters": meters,
            "finding": _finding(meters),
            "taken_on": taken_on,
            "plan": plan,
            "goals": _goals(plan, meters, today),
        },
    )


def _finding(meters: Sequence[Meter]) -> str:
    """Return in a sentence how many figures reach their goal, and which is furthest below the limit of concern."""
    with_goal = [one for one in meters if one.band]
    if not with_goal:
        return gettext("No figure has both a goal and something to measure yet.")
    reached = sum(one.band == "ok" for one in with_goal)
    said = ngettext(
        "%(reached)s of %(count)s figure reaches its goal.",
        "%(reached)s of %(count)s figures reach their goal.",
        len(with_goal),
    ) % {"reached": reached, "count": len(with_goal)}
    worst = next((one for one in meters if one.band == "risk"), None)
    if worst is None:
        return said
    named = {"name": worst.name, "value": worst.value + worst.unit}
    return f"{said} " + gettext("Most pressing: %(name)s at %(value)s.") % named


def _aim(goal: Goal) -> str:
    kpi = KPIS.get(goal.kpi) if goal.kpi else None
    return "".join(queries.written(kpi, goal.target)) if kpi else f"{words.plain(goal.target)} {goal.unit}".strip()


def _goals(plan: Plan | None, meters: Sequence[Meter], today: date) -> list[dict[str, object]]:
    """Return the plan's goals with the figure that measures each, if one does."""
    measured = {one.key: one for one in meters}
    return [
        {
            "name": goal.name.to(get_language() or "en"),
            "owner": goal.owner,
            "by": goal.by,
            "late": goal.by < today,
            "target": _aim(goal),
            "meter": measured.get(goal.kpi) if goal.kpi else None,
        }
        for goal in (plan.goals if plan else [])
    ]
