"""Who a customer is: the line beneath its name, the badges and tags beside it, and the details."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from zhike.measure.models import CustomerFacts
from zhike.record.customers.models import Customer, CustomerKind
from zhike.ui import words
from zhike.web.pages.cells import own_value
from zhike.web.pages.names import BANDS, Names

TAGS, LONGEST_TAG = 4, 16


def line(found: Customer, facts: CustomerFacts | None) -> str:
    """Return who this is in a line: industry and place, how long with us, seats, who is responsible."""
    comma = gettext(", ")
    said = [comma.join(part for part in (found.industry, found.region) if part)]
    if found.kind == CustomerKind.PERSON:
        said.append(gettext("person"))
    if facts is not None and facts.tenure_days:
        said.append(_tenure(facts.tenure_days))
    if facts is not None and facts.seats:
        said.append(gettext("%(count)s seats") % {"count": words.plain(facts.seats)})
    owner = found.owner.name if found.owner else gettext("nobody yet")
    said.append(gettext("In the care of %(name)s") % {"name": owner})
    if found.parent:
        said.append(gettext("belongs to %(name)s") % {"name": found.parent.name})
    return gettext(". ").join(part for part in said if part)


def _tenure(days: int) -> str:
    years, months = divmod(days // 30, 12)
    if years:
        return gettext("With us for %(years)s years %(months)s months") % {"years": years, "months": months}
    return gettext("With us for %(days)s days") % {"days": days}


def badges(facts: CustomerFacts | None, names: Names) -> dict[str, Any]:
    if facts is None:
        return {"tier": None, "stage": None}
    name, rank = names.tier(facts.tier or "")
    tier = {"key": facts.tier, "name": name, "rank": rank} if facts.tier else None
    key = facts.stage or ""
    stage = {"key": key, "name": names.stage(key), "position": names.position(key)} if key else None
    return {"tier": tier, "stage": stage, "band": BANDS.get(facts.health_band or "", ("", ""))[0]}


def tags(found: Customer, titles: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the first of the company's own fields that are short enough to stand beside the name."""
    found_tags = []
    for name, value in found.attributes.items():
        shown = own_value(value)
        if name not in titles or isinstance(value, bool) or not 0 < len(shown) <= LONGEST_TAG:
            continue
        # A number says nothing without its name; a word does.
        is_number = isinstance(value, int | float)
        found_tags.append({"title": titles[name], "value": f"{titles[name]} {shown}" if is_number else shown})
    return found_tags[:TAGS]


def details(found: Customer, titles: Mapping[str, str]) -> list[tuple[str, str]]:
    rows = [(gettext("Size"), found.size)]
    if found.joined:
        rows.append((gettext("Customer since"), words.date_text(found.joined, None)))
    rows += [(titles.get(name, name), own_value(value)) for name, value in found.attributes.items()]
    return [(name, value) for name, value in rows if value]
