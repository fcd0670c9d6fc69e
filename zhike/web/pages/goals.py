"""One's own figures in the rail of Today: value, goal or pace, reason, comparison."""

from dataclasses import dataclass

from django.utils.translation import gettext

from zhike.act.engagement import queries as engagement
from zhike.ui import words
from zhike.web.pages.here import Here
from zhike.web.pages.names import plan_or_none
from zhike.web.queries.goals import Book, Goals, goals_of

WEEK = 5


@dataclass(frozen=True, slots=True)
class Goal:
    """One row: `meter` and `tick` are percentages; the tick is the goal, or where the month should be by today."""

    name: str
    value: str
    unit: str
    aim: str
    meter: float
    tick: float | None
    band: str
    reason: str
    comparison: str


def drawn_goals(book: Book, place: Here) -> dict[str, object]:
    """Return the goals to draw and the period they are of; none when they could not be counted in time."""
    found = goals_of(book, place.today, place.zone, engagement.calendar_in_force())
    if found is None:
        return {"goals": [], "period": ""}
    goals = [_in_time(found), _made(found), _health(found)]
    said = gettext("workday %(passed)s of %(all)s, %(customers)s customers") % {
        "passed": found.workdays_passed,
        "all": found.workdays,
        "customers": words.plain(found.standing.customers),
    }
    return {"goals": [goal for goal in goals if goal is not None], "period": said}


def _in_time(found: Goals) -> Goal | None:
    share = found.now.share
    if share is None:
        return None
    shown, before = round(share * 100), found.before.share
    late = (
        gettext("%(count)s overdue now") % {"count": words.plain(found.late)} if found.late else gettext("none overdue")
    )
    compared = gettext("no month before")
    if before is not None:
        change = shown - round(before * 100)
        compared = gettext("%(change)s points on last month") % {"change": words.signed(change)}
    band = "ok" if not found.late else "warn"
    counted = gettext("%(made)s of %(due)s") % {
        "made": words.plain(found.now.in_time),
        "due": words.plain(found.now.due),
    }
    tick = round(before * 100) if before is not None else None
    return Goal(gettext("Touches in time"), words.plain(shown), "%", counted, shown, tick, band, late, compared)


def _made(found: Goals) -> Goal | None:
    goal = round(found.weekly / WEEK * found.workdays)
    if not goal:
        return None
    should = round(found.weekly / WEEK * found.workdays_passed)
    ahead = found.now.made - should
    said = gettext("on pace") if not ahead else ""
    if ahead > 0:
        said = gettext("%(count)s ahead of the pace") % {"count": words.plain(ahead)}
    elif ahead < 0:
        said = gettext("%(count)s behind the pace") % {"count": words.plain(-ahead)}
    return Goal(
        name=gettext("Touches made"),
        value=words.plain(found.now.made),
        unit="",
        aim=gettext("room for %(count)s") % {"count": words.plain(goal)},
        meter=min(100, 100 * found.now.made / goal),
        tick=100 * should / goal,
        band="",
        reason=said,
        comparison=gettext("last month %(count)s") % {"count": words.plain(found.before.made)},
    )


def _health(found: Goals) -> Goal | None:
    if found.standing.health is None:
        return None
    plan = plan_or_none()
    limit = plan.health.healthy_from if plan else None
    compared = gettext("no figure of a month ago")
    if found.standing.health_before is not None:
        change = round(found.standing.health - found.standing.health_before, 1)
        compared = gettext("%(change)s in 30 days") % {"change": words.signed(change)}
    band = "" if limit is None else "ok" if found.standing.health >= limit else "warn"
    return Goal(
        name=gettext("Average health"),
        value=words.plain(round(found.standing.health, 1)),
        unit="",
        aim=gettext("healthy from %(limit)s") % {"limit": words.plain(limit)} if limit is not None else "",
        meter=found.standing.health,
        tick=limit,
        band=band,
        reason=gettext("%(count)s at high risk") % {"count": words.plain(found.standing.at_risk)},
        comparison=compared,
    )
