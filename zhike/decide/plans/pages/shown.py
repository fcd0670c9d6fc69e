"""A plan as its page shows it: every row with its words, so that the template only lays out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext

from zhike.decide.plans import queries
from zhike.decide.plans.pages import words
from zhike.decide.plans.rules import Difference, Plan, best_words
from zhike.decide.segments.models import Segment
from zhike.measure.facts import STAGE_NAMES
from zhike.measure.specs import HealthPart, PartKey
from zhike.ui.words import plain

WEEK = 7
POSITIONS = {"onboarding": 1, "growth": 2, "maturity": 3, "decline": 4, "churned": 4, "won_back": 1}


@dataclass(frozen=True, slots=True)
class TierRow:
    key: str
    name: str
    rank: int
    rule: str
    customers: int
    rhythm: str
    limit: str
    channels: str
    contents: str
    touches_a_week: float


@dataclass(frozen=True, slots=True)
class PartRow:
    name: str
    fact: str
    weight: str
    share: str
    scale: str


@dataclass(frozen=True, slots=True)
class GoalRow:
    name: str
    baseline: str
    target: str
    due: date
    owner: str
    steps: list[tuple[str, date]]


@dataclass(frozen=True, slots=True)
class Change:
    op: str
    path: str
    old: str
    new: str


def tiers(plan: Plan, customers: Mapping[str, int]) -> list[TierRow]:
    """Return the tiers with their cadence; `customers` counts the customers of each."""
    return [_tier(plan, index, customers.get(tier.key, 0)) for index, tier in enumerate(plan.tiers.tiers)]


def _tier(plan: Plan, index: int, customers: int) -> TierRow:
    tier = plan.tiers.tiers[index]
    cadence = plan.cadence[tier.key]
    return TierRow(
        key=tier.key,
        name=best_words(tier.name, words.language()),
        rank=index + 1,
        rule=words.tier_rule(tier, plan),
        customers=customers,
        rhythm=words.cadence(cadence),
        limit=words.limit(cadence),
        channels=words.channels(plan.channels, tier.key, cadence.channel),
        contents=words.joined(content.title.to(words.language()) for content in cadence.contents),
        touches_a_week=round(customers * WEEK / cadence.days, 1),
    )


def parts(plan: Plan) -> list[PartRow]:
    return _part_rows(plan.health.parts)


def health_segments(plan: Plan) -> list[dict[str, Any]]:
    """Return the segments that are weighed in ways of their own: name, rule in words, parts."""
    return [
        {
            "name": segment.name.get(words.rule_language()) or segment.key,
            "rule": words.rule(segment.where, plan),
            "parts": _part_rows(segment.parts),
        }
        for segment in plan.health.segments
    ]


def _part_rows(given: Mapping[PartKey, HealthPart]) -> list[PartRow]:
    total = sum(part.weight for part in given.values())
    return [
        PartRow(
            name=str(words.PARTS[key]),
            fact=words.fact(part.fact),
            weight=f"{part.weight:g}",
            share=words.share(part.weight / total),
            scale=f"{plain(part.zero_at)} → {plain(part.full_at)}",
        )
        for key, part in given.items()
    ]


def goals(plan: Plan) -> list[GoalRow]:
    return [
        GoalRow(
            name=goal.name.to(words.language()),
            baseline=_measured(goal.baseline, goal.kpi, goal.unit),
            target=_measured(goal.target, goal.kpi, goal.unit),
            due=goal.by,
            owner=goal.owner,
            steps=[(step.name.to(words.language()), step.by) for step in goal.steps],
        )
        for goal in plan.goals
    ]


def _measured(value: float | None, kpi: str | None, unit: str) -> str:
    """Write a value in the unit of its KPI: all but NPS and value to cost are shares."""
    if value is None:
        return ""
    if kpi == "core_value":
        return f"{plain(value)}×"
    if kpi and kpi != "nps":
        return words.share(value)
    return f"{plain(value)} {unit}".strip() if unit else plain(value)


def kpis(plan: Plan) -> list[tuple[str, str, str]]:
    """Return name, target and owner of each KPI."""
    rows = plan.kpis.items()
    return [(str(words.KPIS[key]), _measured(target.target, key, ""), target.owner) for key, target in rows]


def lifecycle(plan: Plan, customers: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return each stage with when a customer is in it, how far along it is, and how many are there."""
    side = 0 if words.language().startswith("zh") else 1
    rules = lifecycle_rules(plan)
    return [
        {
            "key": key,
            "name": both[side],
            "position": POSITIONS[key],
            "customers": customers.get(key, 0),
            "rule": rules[key],
        }
        for key, both in STAGE_NAMES.items()
    ]


def lifecycle_rules(plan: Plan) -> dict[str, str]:
    """Return, per stage, when a customer is in it."""
    cycle = plan.lifecycle
    measure = gettext("usage") if cycle.decline_measure == "usage" else gettext("revenue")
    fallen = {"measure": measure, "share": words.share(cycle.decline_by), "days": cycle.decline_days}
    said = gettext("%(measure)s down by %(share)s over %(days)s days")
    return {
        "onboarding": gettext("the first %(days)s days") % {"days": cycle.onboarding_days},
        "growth": gettext("until day %(days)s, or while value moves") % {"days": cycle.maturity_days},
        "maturity": gettext("after that, value within %(share)s") % {"share": words.share(cycle.stable_within)},
        "decline": said % fallen,
        "churned": str(words.CHURN[cycle.churn_by]) % {"days": cycle.churn_after_days},
        "won_back": gettext("%(days)s days after coming back") % {"days": cycle.won_back_days},
    }


def alerts(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "name": alert.name.to(words.language()),
            "when": words.sign(alert.when, plan),
            "tiers": words.joined(plan.tier_name(key, words.language()) for key in alert.tiers),
            "urgency": alert.urgency,
            "due": words.alert_due(alert),
            "content": alert.content.title.to(words.language()),
        }
        for alert in sorted(plan.alerts.values(), key=lambda alert: -alert.urgency)
    ]


def steps(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "due": words.step_due(step),
            "title": step.content.title.to(words.language()),
            "channel": step.channel or "",
            "industries": words.joined(step.by_industry),
        }
        for step in plan.onboarding
    ]


def segments(plan: Plan) -> list[dict[str, Any]]:
    """Return name and rule of each segment, and the view of the customer list that it is as long as it is in force."""
    views = dict(Segment.objects.exclude(plan_key="").values_list("plan_key", "pk"))
    return [
        {
            "name": each.name.to(words.language()),
            "rule": words.rule(each.rule, plan),
            "view": views.get(each.key),
        }
        for each in plan.segments
    ]


def changes(differences: list[Difference], old: Plan | None, new: Plan) -> list[Change]:
    """Return what differs, in words; names of what is gone come from the old plan."""
    plans = [new, *([old] if old else [])]
    return [
        Change(
            difference.op,
            words.path(difference.path, plans),
            words.value(difference.path, difference.old, old or new),
            words.value(difference.path, difference.new, new),
        )
        for difference in differences
    ]


def whole(plan: Plan) -> dict[str, Any]:
    """Return everything that the reading page shows of a plan."""
    counts = queries.customers_by("tier"), queries.customers_by("stage")
    rows = tiers(plan, counts[0])
    return {
        "plan": plan,
        "name": plan.name.to(words.language()),
        "goals": goals(plan),
        "tiers": rows,
        "touches_a_week": round(sum(row.touches_a_week for row in rows), 1),
        "revenue": words.REVENUE[plan.tiers.revenue],
        "parts": parts(plan),
        "stages": lifecycle(plan, counts[1]),
        "alerts": alerts(plan),
        "steps": steps(plan),
        "kpis": kpis(plan),
        "calendar": words.calendar(plan),
        "healthy_from": plain(plan.health.healthy_from),
        "warning_from": plain(plan.health.warning_from),
        "health_segments": health_segments(plan),
        "segments": segments(plan),
    }
