"""What a customer's people did in the product, event by event, newest first, a page at a time."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.timezone import localtime
from django.utils.translation import gettext

from zhike.org.principals import Principal
from zhike.record.customers.models import Customer
from zhike.record.events.queries.reading import LakeEvent, events_of
from zhike.record.tracking.models import Feature, Person
from zhike.record.tracking.rules import Call
from zhike.ui import words
from zhike.web.pages.people import masked_name

PAGE = 30
SHOWN_PROPERTIES = 4
LONGEST_VALUE = 60


def drawn(found: Customer, viewer: Principal, before: str, today: date) -> dict[str, Any]:
    """Return a page of events and where the next one begins."""
    events = events_of(found.pk, before=before, limit=PAGE + 1)
    page = events[:PAGE]
    titles = dict(Feature.objects.filter(name__in={one.event for one in page}).values_list("name", "title"))
    people = _people(page, viewer)
    rows = [
        {
            "name": titles.get(one.event) or _named(one),
            "person": people.get(one.person, ""),
            "at": localtime(one.at),
            "clock": f"{localtime(one.at):%H:%M}",
            "day": words.relative(localtime(one.at).date(), today),
            "properties": _told(one.properties) if viewer.sees_personal else "",
        }
        for one in page
    ]
    return {"events": rows, "older": page[-1].cursor if len(events) > PAGE else "", "first": not before}


def _named(one: LakeEvent) -> str:
    names = {Call.IDENTIFY: gettext("Said who it is"), Call.GROUP: gettext("Joined a group")}
    names[Call.ALIAS] = gettext("Took another name")
    return one.event or names.get(Call(one.call), "")


def _people(page: Sequence[LakeEvent], viewer: Principal) -> dict[int, str]:
    """Return the names of those who are contacts; others are known by their number only."""
    people = Person.objects.filter(pk__in={one.person for one in page}).select_related(
        "contact", "merged_into__contact"
    )
    found = {}
    for person in people:
        contact = person.contact or (person.merged_into and person.merged_into.contact)
        if contact:
            found[person.pk] = contact.name if viewer.sees_personal else masked_name(contact.name)
    return found


def _told(properties: str) -> str:
    """Return the first few properties as `name: value`, cut where they are long."""
    given = json.loads(properties) if properties else {}
    if not isinstance(given, Mapping):
        return ""
    plain = [(name, value) for name, value in given.items() if isinstance(value, str | int | float | bool)]
    return ", ".join(f"{name}: {str(value)[:LONGEST_VALUE]}" for name, value in plain[:SHOWN_PROPERTIES])
