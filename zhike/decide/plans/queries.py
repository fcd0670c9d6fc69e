"""The plan in force, its versions and the draft; what is known to rules; what a text says and what it would change."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from django.db.models import Sum

from zhike.decide.plans import rules
from zhike.decide.plans.models import HealthTrial, PlanState, PlanVersion
from zhike.decide.plans.rules import Known, Plan
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure import facts
from zhike.measure.models import FactsSummary
from zhike.org.once import once
from zhike.org.prepared import Prepared

READY = Path(__file__).parent / "ready"


class NoPlanInForce(Refusal):
    message = _("No plan is in force yet. Publish one first; zhike plan ready saas prints one to start from.")


class NoSuchVersion(Refusal):
    message = _("There is no version %(number)s of the plan.")


class NoSuchReadyPlan(Refusal):
    message = _("There is no ready plan %(name)s; there are %(names)s.")


def in_force() -> Plan:
    """Return the plan that the company runs by. Raises NoPlanInForce on a fresh installation."""
    found = once("plan in force", _in_force)
    if found is None:
        raise NoPlanInForce
    return found


def _in_force() -> Plan | None:
    found = _TEXT_IN_FORCE.first()
    return _parsed(*found) if found else None


_TEXT_IN_FORCE: Prepared[tuple[str, int]] = Prepared(
    lambda _viewer: PlanVersion.objects.filter(state=PlanState.IN_FORCE).order_by("id").values_list("text", "number")
)


def version_in_force() -> PlanVersion | None:
    """Return the row of the plan in force, or None on a fresh installation."""
    return PlanVersion.objects.select_related("published_by").filter(state=PlanState.IN_FORCE).first()


def draft() -> PlanVersion | None:
    """Return the draft that colleagues work on, or None."""
    rows = PlanVersion.objects.select_related("by", "based_on").filter(state=PlanState.DRAFT)
    return rows.order_by("-number").first()


def versions() -> list[PlanVersion]:
    """Return every version without its text, the newest first."""
    return list(PlanVersion.objects.defer("text").select_related("by", "published_by").order_by("-number"))


def version(number: int) -> PlanVersion:
    """Return a version by its number. Raises NoSuchVersion."""
    rows = PlanVersion.objects.select_related("by", "published_by", "based_on")
    found = rows.filter(number=number).first()
    if found is None:
        raise NoSuchVersion(number=number)
    return found


def trial(number: int) -> HealthTrial | None:
    """Return a trial of a health score by its number."""
    return HealthTrial.objects.select_related("version", "by").filter(pk=number).first()


def trials_of(version: PlanVersion, most: int = 5) -> list[HealthTrial]:
    """Return the newest trials of a version's health score."""
    return list(HealthTrial.objects.filter(version=version).order_by("-id")[:most])


def plan_of(row: PlanVersion) -> Plan:
    """Return what a published version says. Raises PlanErrors for a draft that is not a plan yet."""
    if row.state == PlanState.DRAFT:
        return checked(row.text, number=row.number)
    return _parsed(row.text, row.number)


def known() -> Known:
    """Return what the rules of a plan may ask about, the company's own attributes included."""
    return Known(
        facts.fields(),
        for_tiers=facts.TIER_INPUTS,
        for_health=facts.HEALTH_INPUTS,
        for_health_rules=facts.HEALTH_RULE_INPUTS,
    )


def checked(text: str, *, number: int = 0) -> Plan:
    """Return the plan that a text says. Raises PlanErrors with the place of everything that is wrong."""
    return rules.read(text, known(), number=number)


def ready_names() -> list[str]:
    return sorted(path.stem for path in READY.glob("*.yaml"))


def ready_text(name: str) -> str:
    """Return the text of a ready plan. Raises NoSuchReadyPlan."""
    if name not in ready_names():
        raise NoSuchReadyPlan(name=name, names=", ".join(ready_names()))
    return (READY / f"{name}.yaml").read_text(encoding="utf-8")


def customers_by(column: Literal["tier", "stage", "band"]) -> dict[str, int]:
    """Return how many customers of the company are in each tier, stage or health band this morning."""
    rows = FactsSummary.objects.values_list(column).annotate(count=Sum("customers")).order_by(column)
    return {key: count for key, count in rows if key}


@lru_cache(maxsize=32)
def _parsed(text: str, number: int) -> Plan:
    # Parsing takes a tenth of a second; the text as key makes the cache right whatever happens to the row.
    return rules.read_checked(text, number=number)
