"""Names of tiers, stages, bands and the like, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import get_language, gettext_lazy

from zhike.decide.plans.queries import NoPlanInForce, in_force
from zhike.decide.plans.rules import Plan

STAGES = {
    "onboarding": (gettext_lazy("Onboarding"), 1),
    "growth": (gettext_lazy("Growing"), 2),
    "maturity": (gettext_lazy("Mature"), 3),
    "decline": (gettext_lazy("Declining"), 4),
    "churned": (gettext_lazy("Churned"), 4),
    "won_back": (gettext_lazy("Won back"), 1),
}
"""Stages with how far along the four dots of the page they stand."""

BANDS = {
    "healthy": ("ok", gettext_lazy("Healthy")),
    "warning": ("warn", gettext_lazy("At watch")),
    "risk": ("risk", gettext_lazy("High risk")),
}
KINDS = {"organisation": gettext_lazy("Organisation"), "person": gettext_lazy("Person")}

PARTS = {
    "usage": gettext_lazy("Product usage"),
    "breadth": gettext_lazy("Breadth of features"),
    "relationship": gettext_lazy("Relationship"),
    "commercial": gettext_lazy("Commercial"),
    "feedback": gettext_lazy("Feedback"),
}
"""The parts of the health score, in the order in which they are shown."""

TIERS = {
    "core": gettext_lazy("Core"),
    "key": gettext_lazy("Key"),
    "potential": gettext_lazy("Growth potential"),
    "general": gettext_lazy("Standard"),
}


@dataclass(frozen=True, slots=True)
class Names:
    """What is called what on this page; the plan in force names the tiers, from the most valuable down."""

    tiers: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[int, str] = field(default_factory=dict)

    def tier(self, key: str) -> tuple[str, int]:
        """Return name and rank of a tier; a key that the plan no longer has is shown as it is."""
        if key in self.tiers:
            return self.tiers[key], list(self.tiers).index(key) + 1
        return (str(TIERS.get(key, key)), 4)

    def stage(self, key: str) -> str:
        return str(STAGES[key][0]) if key in STAGES else key

    def position(self, key: str) -> int:
        return STAGES[key][1] if key in STAGES else 1

    def band(self, key: str | None) -> str:
        """Return the look of a health band."""
        return BANDS[key][0] if key in BANDS else ""

    def value(self, field_name: str, value: str) -> str:
        """Return how a value of a field is called, such as the name of a tier."""
        if field_name == "tier":
            return self.tier(value)[0]
        if field_name == "stage":
            return self.stage(value)
        if field_name == "health_band" and value in BANDS:
            return str(BANDS[value][1])
        if field_name == "kind" and value in KINDS:
            return str(KINDS[value])
        if field_name == "owner_id":
            return self.owners.get(int(value), value) if value.isdigit() else value
        return value


def plan_or_none() -> Plan | None:
    """Return the plan in force, None on a fresh installation."""
    try:
        return in_force()
    except NoPlanInForce:
        return None


def names_of_plan(plan: Plan | None = None) -> Names:
    """Return the names that the plan in force gives, in the reader's language."""
    plan = plan or plan_or_none()
    if plan is None:
        return Names(tiers={key: str(name) for key, name in TIERS.items()})
    language = get_language() or "en"
    return Names(tiers={tier.key: plan.tier_name(tier.key, language) for tier in plan.tiers.tiers})
