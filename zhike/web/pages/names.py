"""Names of tiers, stages, bands and the like, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import get_language, gettext, gettext_lazy

from zhike.decide.plans.pages.words import joined, share
from zhike.decide.plans.queries import NoPlanInForce, in_force
from zhike.decide.plans.rules import Plan
from zhike.measure.facts import FACTS
from zhike.record.commerce.models import Product
from zhike.ui import words

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

SIGNS = {
    "features": gettext_lazy("uses %(value)s features, more than most"),
    "products": gettext_lazy("bought %(value)s different products, more than most"),
    "discount": gettext_lazy("pays %(share)s less than usual"),
    "cheap": gettext_lazy("%(share)s of the money goes into the cheaper half of the range"),
    "service": gettext_lazy("%(share)s of the money goes into services"),
    "talks": gettext_lazy("%(value)s talks in 90 days, more than most"),
    "words": gettext_lazy("spoke of it %(value)s times within a year"),
}
"""What speaks for a need orientation."""


@dataclass(frozen=True, slots=True)
class Names:
    """What is called what on this page; the plan in force names the tiers, from the most valuable down."""

    tiers: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[int, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    """Names of products by their number, as far as they were asked for."""

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
        if field_name == "owner_id":
            return self.owners.get(int(value), value) if value.isdigit() else value
        if field_name == "next_offer":
            return self.offer(value)
        if field_name == "need_reason":
            return reason(value)
        fact = FACTS.get(field_name)
        return fact.said(value, get_language() or "en") if fact else value

    def offer(self, key: str) -> str:
        """Return what an offer is called: the name of a product, a feature, or more seats."""
        kind, _colon, named = key.partition(":")
        if kind == "product":
            if named not in self.products:
                found = Product.objects.filter(ref=named).values_list("name", flat=True).first()
                self.products[named] = found or named
            return self.products[named]
        if kind == "feature":
            return gettext("Feature %(name)s") % {"name": named}
        return gettext("More seats") if kind == "seats" else key


def reason(signs: str) -> str:
    """Return the signs behind a need orientation in words, such as discount=0.23;words=5."""
    return joined(said for sign in signs.split(";") if (said := _sign(sign)))


def _sign(sign: str) -> str:
    key, _equals, value = sign.partition("=")
    if key == "stated":
        return gettext("said by a colleague")
    try:
        number = float(value)
    except ValueError:
        return ""
    return str(SIGNS.get(key, "")) % {"value": words.plain(round(number)), "share": share(number)}


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
