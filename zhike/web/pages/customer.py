"""Customer 360: how a customer stands, what happened, what comes next."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from zhike.act.engagement import queries as engagement
from zhike.decide.plans.rules import Plan
from zhike.measure.models import CustomerFacts
from zhike.org.middleware import StaffRequest
from zhike.org.models import Company
from zhike.org.roles import Permission
from zhike.record.customers.models import Customer, CustomerKind
from zhike.record.customers.queries import attribute_definitions, customer_for
from zhike.record.interactions.forms import LogForm
from zhike.ui import words
from zhike.web.pages import contract, people, standing, story, tracked, usage
from zhike.web.pages.cells import own_value
from zhike.web.pages.here import here
from zhike.web.pages.listing import CustomerList
from zhike.web.pages.names import BANDS, Names, names_of_plan, plan_or_none
from zhike.web.queries import profile
from zhike.web.queries.neighbours import Neighbours, neighbours_of
from zhike.web.queries.past import parts_before

LONGEST_LIST = 2000
TAGS, LONGEST_TAG = 4, 16


@require_safe
def customer(request: StaffRequest, customer_id: int) -> HttpResponse:
    found = customer_for(request.staff, customer_id)
    place = here(request)
    firm, today = place.firm, place.today
    plan = plan_or_none()
    names = names_of_plan(plan)
    facts = profile.facts_of(found)
    known = profile.people_at(found)
    touches = engagement.touches_of(request.staff, found.pk, today)
    first = {"day": touches[0].due_on, "what": touches[0].what} if touches else {}
    staff = request.staff
    titles = {one.name: one.title for one in attribute_definitions()} if found.attributes else {}
    may_log = staff.may(Permission.LOG_INTERACTIONS)
    context = {
        "customer": found,
        "identity": identity(found, facts),
        **_badges(facts, names),
        "tags": _tags(found, titles),
        "contact_actions": people.contact_actions(known, staff, found.pk) if may_log else [],
        "contacts": people.drawn(known, staff),
        "cells": standing.cells_of(
            facts, plan, today=today, currency=firm.currency, sees_revenue=staff.sees_revenue, touch=first
        ),
        "health": standing.health_of(facts, plan, {}, today),
        "details": _details(found, titles),
        "touches": touches,
        "contract": contract.drawn(found, facts, today, sees_revenue=staff.sees_revenue),
        "timeline": story.drawn(found, staff, request.GET.get("kind", ""), request.GET.get("before", ""), today, plan),
        "form": LogForm(customer=found, principal=staff) if may_log else None,
        "may_edit": staff.may(Permission.EDIT_CUSTOMERS),
        "may_log": may_log,
        "may_work": staff.may(Permission.WORK_TOUCHES),
        **_way_back(request, found, firm, plan),
    }
    return render(request, "web/customer.html", context)


@require_safe
def customer_next(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show what comes next, as it is now."""
    found = customer_for(request.staff, customer_id)
    touches = engagement.touches_of(request.staff, found.pk, here(request).today)
    context = {"customer": found, "touches": touches, "may_work": request.staff.may(Permission.WORK_TOUCHES)}
    return render(request, "web/customer.html#next", context)


@require_safe
def customer_story(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show the story, of one kind or from a moment back."""
    found = customer_for(request.staff, customer_id)
    before = request.GET.get("before", "")
    kind = request.GET.get("kind", "")
    timeline = story.drawn(found, request.staff, kind, before, here(request).today, plan_or_none())
    template = "web/customer.html#moments" if before else "web/customer.html#timeline"
    return render(request, template, {"customer": found, "timeline": timeline})


def identity(found: Customer, facts: CustomerFacts | None) -> str:
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
    said.append(gettext("in the care of %(name)s") % {"name": owner})
    if found.parent:
        said.append(gettext("belongs to %(name)s") % {"name": found.parent.name})
    return gettext(". ").join(part for part in said if part)


def _tenure(days: int) -> str:
    years, months = divmod(days // 30, 12)
    if years:
        return gettext("With us for %(years)s years %(months)s months") % {"years": years, "months": months}
    return gettext("With us for %(days)s days") % {"days": days}


def _badges(facts: CustomerFacts | None, names: Names) -> dict[str, Any]:
    if facts is None:
        return {"tier": None, "stage": None}
    name, rank = names.tier(facts.tier or "")
    tier = {"key": facts.tier, "name": name, "rank": rank} if facts.tier else None
    key = facts.stage or ""
    stage = {"key": key, "name": names.stage(key), "position": names.position(key)} if key else None
    return {"tier": tier, "stage": stage, "band": BANDS.get(facts.health_band or "", ("", ""))[0]}


def _tags(found: Customer, titles: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the first of the company's own fields that are short enough to stand beside the name."""
    tags = []
    for name, value in found.attributes.items():
        shown = own_value(value)
        if name not in titles or isinstance(value, bool) or not 0 < len(shown) <= LONGEST_TAG:
            continue
        # A number says nothing without its name; a word does.
        is_number = isinstance(value, int | float)
        tags.append({"title": titles[name], "value": f"{titles[name]} {shown}" if is_number else shown})
    return tags[:TAGS]


def _details(found: Customer, titles: Mapping[str, str]) -> list[tuple[str, str]]:
    rows = [(gettext("Size"), found.size)]
    if found.joined:
        rows.append((gettext("Customer since"), words.date_text(found.joined, None)))
    rows += [(titles.get(name, name), own_value(value)) for name, value in found.attributes.items()]
    return [(name, value) for name, value in rows if value]


def _way_back(request: StaffRequest, found: Customer, firm: Company, plan: Plan | None) -> Mapping[str, Any]:
    """Return the list the reader came from, with the customers before and after this one."""
    given = request.GET.get("list", "")
    address = reverse("customers")
    if not given or len(given) > LONGEST_LIST:
        return {"list_url": address}
    shown = CustomerList(request.staff, firm, here(request).today, QueryDict(given), plan=plan)
    around = neighbours_of(found.pk, shown.selection, shown.order)
    return {
        "list_url": f"{address}?{given}",
        "view_name": shown.view.name if "view" in parse_qs(given) else "",
        "position": _position(around),
        "neighbours": {
            "previous": _link(around.previous, given),
            "next": _link(around.next, given),
        },
    }


def _position(around: Neighbours) -> str:
    if around.place is None:
        return ""
    return gettext("number %(place)s") % {"place": words.plain(around.place)}


def _link(customer_id: int | None, given: str) -> str:
    if customer_id is None:
        return ""
    return f"{reverse('customer', args=[customer_id])}?{urlencode({'list': given})}"


@require_safe
def customer_usage(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show the use of the product; asked for after the page, because the lake answers more slowly than the database."""
    found, today = customer_for(request.staff, customer_id), here(request).today
    health = standing.health_of(profile.facts_of(found), plan_or_none(), parts_before(found.pk, today=today), today)
    return render(request, "web/usage.html", {"customer": found, "health": health, **usage.drawn(found, today)})


@require_safe
def customer_events(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show what the customer's people did, event by event; `before` is where the page above ended."""
    found = customer_for(request.staff, customer_id)
    page = tracked.drawn(found, request.staff, request.GET.get("before", ""), here(request).today)
    return render(request, "web/tracked.html", {"customer": found, **page})
