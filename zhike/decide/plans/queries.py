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
    found = PlanVersion.objects.filter(state=PlanState.IN_FORCE).values_list("pk", "revision").first()
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
def _parsed(pk: int, revision: int) -> Plan:
    """Return the plan of a published version; `revision` is part of the key, for a row may be numbered anew in tests."""
    row = PlanVersion.objects.get(pk=pk, revision=revision)
    return read_checked(row.text, number=row.number)
