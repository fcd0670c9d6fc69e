"""The plan in force, its earlier versions, and what differs between two."""

from functools import lru_cache

from zhike.decide.plans.models import PlanState, PlanVersion
from zhike.decide.plans.rules import Plan, read_checked
from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _


class NoPlanInForce(Refusal):
    message = _("No plan is in force yet: publish one first, for example with zhike plan ready saas.")


class NoSuchVersion(Refusal):
    message = _("There is no version %(number)s of the plan.")


def in_force() -> Plan:
    """Return the plan that the company runs by. Raises NoPlanInForce on a fresh installation."""
    found = PlanVersion.objects.filter(state=PlanState.IN_FORCE).values_list("text", "number").first()
    if found is None:
        raise NoPlanInForce
    return _parsed(*found)


def is_any_in_force() -> bool:
    return PlanVersion.objects.filter(state=PlanState.IN_FORCE).exists()


def version(number: int) -> PlanVersion:
    """Return a version by its number. Raises NoSuchVersion."""
    found = PlanVersion.objects.select_related("by", "published_by", "based_on").filter(number=number).first()
    if found is None:
        raise NoSuchVersion(number=number)
    return found


@lru_cache(maxsize=32)
def _parsed(text: str, number: int) -> Plan:
    # Parsing takes a tenth of a second; the text as key makes the cache right whatever happens to the row.
    return read_checked(text, number=number)
