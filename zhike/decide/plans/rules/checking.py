"""What a well-formed plan may still say wrongly: unknown facts, contradictions, rules without effect."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from zhike.decide.plans.rules import findings
from zhike.decide.plans.rules.contact import PLACEHOLDERS, Alert, Cadence, Content
from zhike.decide.plans.rules.findings import Finding
from zhike.decide.plans.rules.impossible import never_true
from zhike.decide.plans.rules.schema import Document
from zhike.decide.plans.rules.source import Loc, path_of
from zhike.decide.plans.rules.wording import best_words
from zhike.kit.ruletrees import FieldType, RuleError, choice, parse
from zhike.kit.ruletrees.fields import NUMERIC
from zhike.measure.specs import HealthPart, PartKey

Fields = Mapping[str, FieldType]
EVERYBODY = 1.0
_IN_BRACES = re.compile(r"\{([^{}\s]{1,40})\}")


@dataclass(frozen=True)
class Known:
    """What rules may ask about: facts with their types, and which of them tiers and health may build on."""

    fields: Fields
    for_tiers: frozenset[str] | None = None
    for_health: frozenset[str] | None = None
    for_health_rules: frozenset[str] | None = None

    def of_plan(self, tiers: Iterable[str]) -> Known:
        """Return the same where a tier is one of this plan's, which need not be the usual four."""
        return replace(self, fields={**self.fields, "tier": choice(*tiers)})

    def fields_for(self, section: object) -> Fields:
        """Return what a rule in this section of the plan may name."""
        some = {"tiers": self.for_tiers, "health": self.for_health_rules}.get(str(section))
        if some is None:
            return self.fields
        return {name: kind for name, kind in self.fields.items() if name in some or "." in name}


def contradictions(plan: Document, known: Known) -> Iterator[Finding]:
    """Yield everything that is wrong with a well-formed plan."""
    known = known.of_plan(tier.key for tier in plan.tiers.tiers)
    yield from _rules(plan, known)
    yield from _health(plan, known)
    yield from _keys_twice(plan)
    yield from _tiers(plan)
    yield from _tier_names(plan)
    yield from _cadence(plan)
    yield from _lifecycle(plan)
    yield from _alerts(plan)
    yield from _onboarding(plan)
    yield from _days(plan)
    yield from _placeholders(plan)
    yield from _sorting(plan, known)


def _rules(plan: Document, known: Known) -> Iterator[Finding]:
    """Read every rule tree of the plan."""
    for loc, tree in rule_trees(plan):
        try:
            rule = parse(tree, known.fields_for(loc[0]), at=path_of(loc))
        except RuleError as error:
            yield findings.of_rule(loc, error)
            continue
        reason = never_true(rule)
        if reason:
            yield Finding(loc, findings.NEVER_TRUE, {"field": reason})


def rule_trees(plan: Document) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """Yield the place and tree of every rule in the plan."""
    for index, tier in enumerate(plan.tiers.tiers):
        if tier.where is not None:
            yield ("tiers", "tiers", index, "where"), tier.where
    for index, weighed in enumerate(plan.health.segments):
        yield ("health", "segments", index, "where"), weighed.where
    for index, segment in enumerate(plan.segments):
        yield ("segments", index, "rule"), segment.rule
    for key, alert in plan.alerts.items():
        if alert.when.rule is not None:
            yield ("alerts", key, "when", "rule"), alert.when.rule
    for index, play in enumerate(plan.plays):
        if play.when is not None:
            yield ("plays", index, "when"), play.when


def _health(plan: Document, known: Known) -> Iterator[Finding]:
    yield from _health_parts(("health",), plan.health.parts, known)
    for index, segment in enumerate(plan.health.segments):
        yield from _health_parts(("health", "segments", index), segment.parts, known)


def _health_parts(at: Loc, parts: Mapping[PartKey, HealthPart], known: Known) -> Iterator[Finding]:
    for name, part in parts.items():
        loc: Loc = (*at, "parts", name, "fact")
        kind = known.fields.get(part.fact)
        if kind is None:
            yield _no_fact(loc, part.fact, known)
        elif kind.kind not in NUMERIC:
            yield Finding(loc, findings.FACT_IS_NO_NUMBER, {"fact": part.fact})
        elif known.for_health is not None and part.fact not in known.for_health:
            yield Finding(loc, findings.FACT_COMES_LATER, {"fact": part.fact})


def _sorting(plan: Document, known: Known) -> Iterator[Finding]:
    for index, segment in enumerate(plan.segments):
        fact = segment.sort.removeprefix("-")
        if fact and fact not in known.fields:
            yield _no_fact(("segments", index, "sort"), fact, known)


def _no_fact(loc: Loc, fact: str, known: Known) -> Finding:
    near = difflib.get_close_matches(fact, known.fields, n=1)
    if near:
        return Finding(loc, findings.MISSPELT_FACT, {"fact": fact, "suggestion": near[0]})
    return Finding(loc, findings.UNKNOWN_FACT, {"fact": fact})


def _keys_twice(plan: Document) -> Iterator[Finding]:
    """Find entries of lists that carry the key of an earlier entry."""
    lists: dict[Loc, list[str]] = {
        ("tiers", "tiers"): [tier.key for tier in plan.tiers.tiers],
        ("health", "segments"): [segment.key for segment in plan.health.segments],
        ("goals",): [goal.key for goal in plan.goals],
        ("segments",): [segment.key for segment in plan.segments],
        ("onboarding",): [step.key for step in plan.onboarding],
        ("standards",): [standard.key for standard in plan.standards],
        ("plays",): [play.key for play in plan.plays],
        ("incentives",): [incentive.key for incentive in plan.incentives],
    }
    for loc, keys in lists.items():
        seen: Counter[str] = Counter()
        for index, key in enumerate(keys):
            seen[key] += 1
            if seen[key] > 1:
                yield Finding((*loc, index, "key"), findings.KEY_TWICE, {"key": key})


def _tiers(plan: Document) -> Iterator[Finding]:
    tiers, so_far = plan.tiers.tiers, 0.0
    for index, tier in enumerate(tiers):
        loc: Loc = ("tiers", "tiers", index)
        last = index == len(tiers) - 1
        share = tier.revenue_up_to
        if not best_words(tier.name, "zh"):
            yield Finding((*loc, "name"), findings.TIER_WITHOUT_NAME)
        if share is not None and share <= so_far:
            yield Finding((*loc, "revenue_up_to"), findings.SHARE_DOES_NOT_RISE, {"share": share, "before": so_far})
        if last and (tier.where is not None or share not in (None, EVERYBODY)):
            yield Finding((*loc, "where" if tier.where is not None else "revenue_up_to"), findings.LAST_TIER_CHOOSES)
        if not last and tier.where is None and share in (None, EVERYBODY):
            yield Finding((*loc, "key"), findings.TIER_TAKES_ALL, {"tier": tier.key})
        so_far = max(so_far, share or 0.0)


def _tier_names(plan: Document) -> Iterator[Finding]:
    """Find every mention of a tier that does not exist, and every tier that nobody contacts."""
    known = [tier.key for tier in plan.tiers.tiers]
    mentions: list[tuple[Loc, str]] = [(("cadence", key), key) for key in plan.cadence]
    mentions += [(("channels", "tiers", key), key) for key in plan.channels.tiers]
    listed: dict[Loc, list[str]] = {("alerts", key, "tiers"): alert.tiers for key, alert in plan.alerts.items()}
    listed |= {("standards", index, "tiers"): each.tiers for index, each in enumerate(plan.standards)}
    listed |= {("incentives", index, "tiers"): each.tiers for index, each in enumerate(plan.incentives)}
    mentions += [((*loc, index), key) for loc, keys in listed.items() for index, key in enumerate(keys)]
    for loc, key in mentions:
        if key not in known:
            yield Finding(loc, findings.NO_SUCH_TIER, {"tier": key, "allowed": ", ".join(known)})
    for index, key in enumerate(known):
        if key not in plan.cadence:
            yield Finding(("tiers", "tiers", index, "key"), findings.TIER_WITHOUT_CADENCE, {"tier": key})


def _cadence(plan: Document) -> Iterator[Finding]:
    for tier, cadence in plan.cadence.items():
        limit = cadence.at_most
        if limit is not None and _asked(cadence, limit.days) > limit.touches:
            details = {"asked": _asked(cadence, limit.days), "touches": limit.touches, "days": limit.days}
            yield Finding(("cadence", tier, "at_most"), findings.MORE_THAN_ALLOWED, details)


def _asked(cadence: Cadence, days: int) -> int:
    """Touches that the rhythm asks for in so many days."""
    return days // cadence.days


def _lifecycle(plan: Document) -> Iterator[Finding]:
    cycle = plan.lifecycle
    if cycle.onboarding_days >= cycle.maturity_days:
        details = {"onboarding": cycle.onboarding_days, "maturity": cycle.maturity_days}
        yield Finding(("lifecycle", "maturity_days"), findings.MATURE_TOO_EARLY, details)
    if cycle.churn_by != "subscription" and cycle.churn_after_days == 0:
        yield Finding(("lifecycle", "churn_after_days"), findings.CHURNS_AT_ONCE, {"by": cycle.churn_by})


def _alerts(plan: Document) -> Iterator[Finding]:
    for key, alert in plan.alerts.items():
        yield from _never_fires(plan, alert, ("alerts", key, "when"))


def _never_fires(plan: Document, alert: Alert, loc: Loc) -> Iterator[Finding]:
    cycle = plan.lifecycle
    silence = alert.when.silence
    gone = cycle.churn_by == (silence.of if silence else "") and silence and silence.days > cycle.churn_after_days
    if silence and gone:
        details = {"days": silence.days, "churn": cycle.churn_after_days}
        yield Finding((*loc, "silence", "days"), findings.CHURNED_BEFORE, details)
    renewal = alert.when.renewal_due
    if renewal and cycle.churn_by != "subscription":
        yield Finding((*loc, "renewal_due"), findings.NO_RENEWALS, {"by": cycle.churn_by})
    if alert.when.churn_likely and plan.churn is None:
        yield Finding((*loc, "churn_likely"), findings.NO_CHURN_SCORE)


def contents(plan: Document) -> Iterator[tuple[Loc, Content]]:
    """Yield the place and words of every touch of the plan."""
    for tier, cadence in plan.cadence.items():
        for index, content in enumerate(cadence.contents):
            yield ("cadence", tier, "contents", index), content
    for key, alert in plan.alerts.items():
        yield ("alerts", key, "content"), alert.content
    for index, step in enumerate(plan.onboarding):
        yield ("onboarding", index, "content"), step.content
        for industry, content in step.by_industry.items():
            yield ("onboarding", index, "by_industry", industry), content


def _placeholders(plan: Document) -> Iterator[Finding]:
    for loc, content in contents(plan):
        for part in ("title", "words"):
            text = getattr(content, part)
            for language in ("zh", "en") if text else ():
                for name in _IN_BRACES.findall(getattr(text, language) or ""):
                    if name not in PLACEHOLDERS:
                        details = {"name": name, "allowed": ", ".join(sorted(PLACEHOLDERS))}
                        yield Finding((*loc, part, language), findings.NO_PLACEHOLDER, details)


def _onboarding(plan: Document) -> Iterator[Finding]:
    for index, step in enumerate(plan.onboarding):
        if step.latest_day > plan.lifecycle.onboarding_days:
            name = "after_days" if step.after_days is not None else "after_workdays"
            details = {"day": step.latest_day, "end": plan.lifecycle.onboarding_days}
            yield Finding(("onboarding", index, name), findings.AFTER_ONBOARDING, details)


def _days(plan: Document) -> Iterator[Finding]:
    for index, day in enumerate(plan.calendar.workdays):
        if day in plan.calendar.holidays:
            yield Finding(("calendar", "workdays", index), findings.BOTH_FREE_AND_WORKED, {"day": day.isoformat()})
    for index, goal in enumerate(plan.goals):
        for number, step in enumerate(goal.steps):
            if step.by > goal.by:
                details = {"day": step.by.isoformat(), "end": goal.by.isoformat()}
                yield Finding(("goals", index, "steps", number, "by"), findings.STEP_AFTER_GOAL, details)
        if goal.baseline == goal.target:
            yield Finding(("goals", index, "target"), findings.GOAL_IS_REACHED, {"target": goal.target})
