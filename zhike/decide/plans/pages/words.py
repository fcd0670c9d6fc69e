"""The plan in sentences of the reader's language."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext

from zhike.decide.plans.rules import Alert, Cadence, ChannelPolicy, OnboardingStep, Plan, Problem, Sign, best_words
from zhike.decide.plans.rules.contact import ChurnLikely, HealthDrop, LoginsDrop, RenewalDue, Silence, UsageDrop
from zhike.kit.ruletrees import Language, RuleError, describe, parse
from zhike.measure import facts
from zhike.measure.saying import number
from zhike.measure.specs import TierSpec
from zhike.record.customers.models import Channel
from zhike.ui.words import plain

PER: dict[str, Promise] = {
    "month": gettext_lazy("%(times)s a month"),
    "quarter": gettext_lazy("%(times)s a quarter"),
    "half_year": gettext_lazy("%(times)s every six months"),
    "year": gettext_lazy("%(times)s a year"),
}
REVENUE: dict[str, Promise] = {
    "revenue": gettext_lazy("all revenue"),
    "revenue_12m": gettext_lazy("revenue of 12 months"),
    "arr": gettext_lazy("ARR"),
}
SILENT: dict[str, Promise] = {
    "usage": gettext_lazy("No usage for %(days)s days"),
    "contact": gettext_lazy("No contact for %(days)s days"),
    "orders": gettext_lazy("No order for %(days)s days"),
}
PARTS: dict[str, Promise] = {
    "usage": gettext_lazy("Product usage"),
    "breadth": gettext_lazy("Breadth"),
    "relationship": gettext_lazy("Relationship"),
    "commercial": gettext_lazy("Commercial"),
    "feedback": gettext_lazy("Feedback"),
}
KPIS: dict[str, Promise] = {
    "retention_month": gettext_lazy("Customers kept over a month"),
    "retention_year": gettext_lazy("Customers kept over a year"),
    "nps": gettext_lazy("NPS"),
    "csat": gettext_lazy("Satisfied customers"),
    "clv_growth": gettext_lazy("Growth of customer value"),
    "core_value": gettext_lazy("Value of core customers to acquisition cost"),
    "complaints_solved": gettext_lazy("Complaints solved in 24 h"),
}
CHURN: dict[str, Promise] = {
    "subscription": gettext_lazy("%(days)s days after the contract ended"),
    "orders": gettext_lazy("%(days)s days without an order"),
    "usage": gettext_lazy("%(days)s days without usage"),
}


def language() -> str:
    return get_language() or "en"


def rule_language() -> Language:
    return "zh" if language().startswith("zh") else "en"


def joined(words: Iterable[str]) -> str:
    """Return a list as the language writes it."""
    return ("、" if rule_language() == "zh" else ", ").join(words)


def share(value: float) -> str:
    return f"{plain(round(value * 100, 1))}%"


def sentence(problem: Problem) -> str:
    """Return what is wrong, in the reader's language."""
    said = gettext(problem.message)
    return said % problem.details if problem.details else said


def rule(tree: Mapping[str, Any], plan: Plan | None = None) -> str:
    """Return a rule in words; a rule about something that has gone since is shown as it was written."""
    tiers = [tier.key for tier in plan.tiers.tiers] if plan else []
    # The company's own attributes are read from the database only for a rule that may name one.
    fields = facts.fields(tiers) if "attributes." in str(tree) else facts.fact_fields(tiers)
    try:
        return describe(parse(tree, fields), names(plan), rule_language(), number)
    except RuleError:
        return str(dict(tree))


def names(plan: Plan | None = None) -> dict[str, str]:
    """Return the labels of facts and of their values, as `describe` takes them."""
    tongue = language()
    side = 0 if tongue.startswith("zh") else 1
    labels = {name: fact.label(tongue) for name, fact in facts.FACTS.items()}
    for name, fact in facts.FACTS.items():
        labels |= {f"{name}={key}": both[side] for key, both in fact.named.items()}
    if plan:
        labels |= {f"tier={tier.key}": best_words(tier.name, tongue) for tier in plan.tiers.tiers}
    return labels


def fact(name: str) -> str:
    found = facts.FACTS.get(name)
    return found.label(language()) if found else name


def tier_rule(tier: TierSpec, plan: Plan) -> str:
    """Return who belongs to a tier, such as: first 50% of ARR; log-ins a week at least 3."""
    parts = []
    if tier.revenue_up_to is not None and tier.revenue_up_to < 1:
        revenue = str(REVENUE[plan.tiers.revenue])
        parts.append(
            gettext("up to %(share)s of %(revenue)s") % {"share": share(tier.revenue_up_to), "revenue": revenue}
        )
    if tier.where is not None:
        parts.append(rule(tier.where, plan))
    return ("；" if rule_language() == "zh" else "; ").join(parts) or gettext("everybody else")


def cadence(given: Cadence) -> str:
    if given.every_days is not None:
        return gettext("once in %(days)s days") % {"days": given.every_days}
    return str(PER[given.per or "year"]) % {"times": given.times}


def limit(given: Cadence) -> str:
    if given.at_most is None:
        return ""
    return gettext("at most %(touches)s in %(days)s days") % {
        "touches": given.at_most.touches,
        "days": given.at_most.days,
    }


def channel(key: str) -> str:
    return str(dict(Channel.choices).get(key, key))


def channels(policy: ChannelPolicy, tier: str, asked: str | None) -> str:
    """Return the channels of a tier in order, the contact's own first where the plan says so."""
    order = [channel(key) for key in policy.order(tier, asked=asked)[:3]]
    return joined([gettext("preferred"), *order] if policy.preferred_first else order)


def sign(when: Sign, plan: Plan) -> str:
    """Return the condition of an alert."""
    given = getattr(when, when.kind)
    match given:
        case HealthDrop(points=points, within_days=days):
            said = gettext("Health falls by %(points)s points or more in %(days)s days")
            return said % {"points": plain(points), "days": days}
        case Silence(days=days, of=of):
            return str(SILENT[of]) % {"days": days}
        case UsageDrop(share=part, window_days=days):
            said = gettext("Usage of %(days)s days falls by %(share)s or more")
            return said % {"days": days, "share": share(part)}
        case LoginsDrop(share=part, within_days=days):
            said = gettext("Log-ins fall by %(share)s or more in %(days)s days")
            return said % {"days": days, "share": share(part)}
        case RenewalDue(days=days, contracts_from_days=0):
            return gettext("The contract ends within %(days)s days") % {"days": days}
        case RenewalDue(days=days, contracts_from_days=term):
            said = gettext("A contract of %(term)s days or more ends within %(days)s days")
            return said % {"days": days, "term": term}
        case ChurnLikely(probability=chance):
            return gettext("Churn probability of %(chance)s or more") % {"chance": share(chance)}
        case _:
            return rule(given, plan)


def alert_due(alert: Alert) -> str:
    if alert.within_workdays == 0:
        return gettext("the same day")
    days = alert.within_workdays
    return ngettext("within %(days)s workday", "within %(days)s workdays", days) % {"days": days}


def calendar(plan: Plan) -> str:
    """Return which days are worked."""
    own = len(plan.calendar.holidays) + len(plan.calendar.workdays)
    if plan.calendar.kind == "china":
        said = gettext("Chinese holidays and adjusted workdays; own exceptions: %(count)s")
    else:
        said = gettext("Monday to Friday; own exceptions: %(count)s")
    return said % {"count": own}


def step_due(step: OnboardingStep) -> str:
    """Return when a step of onboarding is due."""
    if step.after_workdays is not None:
        return gettext("workday %(days)s") % {"days": step.after_workdays}
    if step.after_days == 0:
        return gettext("at once")
    return gettext("day %(days)s") % {"days": step.after_days}


STEPS: dict[str, Promise] = {
    "name": gettext_lazy("Name"),
    "company_kind": gettext_lazy("Kind of company"),
    "currency": gettext_lazy("Currency"),
    "goals": gettext_lazy("Goals"),
    "calendar": gettext_lazy("Calendar"),
    "rfm": gettext_lazy("RFM"),
    "tiers": gettext_lazy("Tiers"),
    "lifecycle": gettext_lazy("Lifecycle"),
    "health": gettext_lazy("Health"),
    "login_events": gettext_lazy("Log-in events"),
    "value": gettext_lazy("Customer value"),
    "horizon_months": gettext_lazy("Horizon in months"),
    "discount": gettext_lazy("Discount a year"),
    "margin": gettext_lazy("Margin"),
    "times_cost": gettext_lazy("Value in times of the cost"),
    "churn": gettext_lazy("Leaving"),
    "horizon_days": gettext_lazy("Horizon in days"),
    "segments": gettext_lazy("Segments"),
    "channels": gettext_lazy("Channels"),
    "cadence": gettext_lazy("Cadence"),
    "alerts": gettext_lazy("Alerts"),
    "onboarding": gettext_lazy("Onboarding"),
    "standards": gettext_lazy("Service standards"),
    "plays": gettext_lazy("Plays"),
    "incentives": gettext_lazy("Incentives"),
    "kpis": gettext_lazy("KPIs"),
    "review": gettext_lazy("Review"),
    "where": gettext_lazy("Rule"),
    "rule": gettext_lazy("Rule"),
    "when": gettext_lazy("Condition"),
    "revenue_up_to": gettext_lazy("Share of revenue"),
    "times": gettext_lazy("Times"),
    "per": gettext_lazy("Period"),
    "every_days": gettext_lazy("Every … days"),
    "at_most": gettext_lazy("Upper limit"),
    "touches": gettext_lazy("Touches"),
    "days": gettext_lazy("Days"),
    "contents": gettext_lazy("Contents"),
    "content": gettext_lazy("Content"),
    "title": gettext_lazy("Title"),
    "words": gettext_lazy("Suggested words"),
    "minutes": gettext_lazy("Minutes"),
    "urgency": gettext_lazy("Urgency"),
    "channel": gettext_lazy("Channel"),
    "target": gettext_lazy("Target"),
    "baseline": gettext_lazy("Baseline"),
    "by": gettext_lazy("Due"),
    "owner": gettext_lazy("Owner"),
    "parts": gettext_lazy("Parts"),
    "weight": gettext_lazy("Weight"),
    "fact": gettext_lazy("Fact"),
    "healthy_from": gettext_lazy("Healthy from"),
    "warning_from": gettext_lazy("At watch from"),
    "holidays": gettext_lazy("Extra holidays"),
    "workdays": gettext_lazy("Extra workdays"),
}


def path(steps: Sequence[str], plans: Sequence[Plan]) -> str:
    """Return where something changed, in the words of people: Tiers / Key / Share of revenue."""
    shown = [_step(index, steps, plans) for index in range(len(steps))]
    # The section of the tiers holds a list of the same name; once is enough.
    return " / ".join(word for index, word in enumerate(shown) if index == 0 or word != shown[index - 1])


def _step(index: int, steps: Sequence[str], plans: Sequence[Plan]) -> str:
    step, before = steps[index], steps[index - 1] if index else ""
    if before in ("cadence", "tiers") and step != "tiers":
        named = (plan.tier_name(step, language()) for plan in plans)
        return next((name for name in named if name != step), str(STEPS.get(step, step)))
    if before == "alerts":
        return next((plan.alerts[step].name.to(language()) for plan in plans if step in plan.alerts), step)
    if before in ("goals", "segments", "plays", "standards", "incentives", "onboarding"):
        return next((name for plan in plans if (name := _entry_name(plan, before, step))), step)
    if before == "parts":
        return str(PARTS.get(step, step))
    return str(STEPS.get(step, step))


def _entry_name(plan: Plan, section: str, key: str) -> str:
    for entry in getattr(plan, section):
        if entry.key == key:
            named = entry.content.title if section == "onboarding" else entry.name
            return str(named.to(language()))
    return ""


def value(steps: Sequence[str], given: Any, plan: Plan) -> str:
    """Return a value of the document in a few words."""
    if given is None:
        return ""
    if steps[-1] in ("rule", "where") or (steps[-1] == "when" and steps[0] == "plays"):
        return rule(given, plan)
    if steps[-1] == "when":
        return sign(Sign.model_validate(given), plan)
    if isinstance(given, Mapping):
        if set(given) <= {"zh", "en"}:
            return _short(best_words(given, language()))
        named = given.get("name") or given.get("title")
        return value(("name",), named, plan) if named else ""
    if isinstance(given, bool):
        return gettext("yes") if given else gettext("no")
    if isinstance(given, list):
        return _short(joined(value(steps, each, plan) for each in given))
    return plain(given) if isinstance(given, int | float) else _short(str(given))


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
