"""Customer 360: how a customer stands, what happened, what comes next."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qs

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from zhike.act.engagement import queries as engagement
from zhike.decide.plans.rules import Plan
from zhike.measure import queries as measured
from zhike.org.middleware import StaffRequest
from zhike.org.models import Company
from zhike.org.roles import Permission
from zhike.record.customers.models import Customer
from zhike.record.customers.queries import attribute_definitions, customer_for
from zhike.ui import words
from zhike.ui.templatetags.quick import address
from zhike.web.pages import ahead, contract, identity, past, people, standing, story, tracked, usage
from zhike.web.pages.customer_then import customer_then, then_of
from zhike.web.pages.here import here
from zhike.web.pages.listing import CustomerList
from zhike.web.pages.names import names_of_plan, plan_or_none
from zhike.web.queries import profile
from zhike.web.queries.neighbours import Neighbours, neighbours_of
from zhike.web.queries.past import parts_before, segment_of

LONGEST_LIST = 2000


@require_safe
def customer(request: StaffRequest, customer_id: int) -> HttpResponse:
    found = customer_for(request.staff, customer_id)
    place = here(request)
    asked = past.past_of(request.GET.get("as_of", ""), place.today)
    if asked is not None:
        return customer_then(request, found, asked)
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
        "identity": identity.line(found, facts),
        **identity.badges(facts, names),
        "tags": identity.tags(found, titles),
        "contact_actions": people.contact_actions(known, staff, found.pk) if may_log else [],
        "contacts": people.drawn(known, staff, may_edit=staff.may(Permission.EDIT_CUSTOMERS)),
        "cells": standing.cells_of(
            facts, plan, today=today, currency=firm.currency, sees_revenue=staff.sees_revenue, touch=first
        ),
        "health": standing.health_of(facts, plan, {}, today, _segment(found, plan, today)),
        "changed_url": address("customer-changed", found.pk),
        "usage_url": address("customer-usage", found.pk),
        "worth_url": address("customer-worth", found.pk),
        "leaving_url": address("customer-leaving", found.pk),
        "details": identity.details(found, titles),
        "touches": ahead.drawn(request, touches),
        "contract": contract.drawn(found, facts, today, staff),
        "timeline": story.drawn(found, staff, request.GET.get("kind", ""), request.GET.get("before", ""), today, plan),
        "may_edit": staff.may(Permission.EDIT_CUSTOMERS),
        "may_log": may_log,
        **_way_back(request, found, firm, plan),
        **past.drawn(None, address("customer", found.pk), request.GET, today),
    }
    return render(request, "web/customer.html", context)


def _segment(found: Customer, plan: Plan | None, today: date) -> int:
    """Return the place of the segment by which the plan weighs the customer's health, -1 for none."""
    if plan is None or not plan.health.segments:
        return -1
    return segment_of(plan, measured.facts_of([found.pk]).get(found.pk), today)


@require_safe
def customer_next(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show what comes next, as it is now."""
    found = customer_for(request.staff, customer_id)
    touches = engagement.touches_of(request.staff, found.pk, here(request).today)
    context = {"customer": found, "touches": ahead.drawn(request, touches)}
    return render(request, "web/customer.html#next", context)


@require_safe
def customer_story(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show the story, of one kind or from a moment back."""
    found = customer_for(request.staff, customer_id)
    before = request.GET.get("before", "")
    kind = request.GET.get("kind", "")
    asked = past.past_of(request.GET.get("as_of", ""), here(request).today) if before else None
    today, day = (asked.today, asked.asked.isoformat()) if asked else (here(request).today, "")
    timeline = story.drawn(found, request.staff, kind, before, today, plan_or_none(), day)
    template = "web/customer.html#moments" if before else "web/customer.html#timeline"
    return render(request, template, {"customer": found, "timeline": timeline})


def _way_back(request: StaffRequest, found: Customer, firm: Company, plan: Plan | None) -> Mapping[str, Any]:
    """Return the list the reader came from, with the customers before and after this one."""
    given = request.GET.get("list", "")
    where = address("customers")
    if not given or len(given) > LONGEST_LIST:
        return {"list_url": where}
    shown = CustomerList(request.staff, firm, here(request).today, QueryDict(given), plan=plan)
    around = neighbours_of(found.pk, shown.selection, shown.order)
    return {
        "list_url": f"{where}?{given}",
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
    return f"{address('customer', customer_id)}?{urlencode({'list': given})}"


@require_safe
def customer_usage(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show the use of the product; asked for after the page, because the lake answers more slowly than the database."""
    found, today = customer_for(request.staff, customer_id), here(request).today
    asked = past.past_of(request.GET.get("as_of", ""), today)
    then = then_of(found, asked.kept, request.staff, weeks=False) if asked and asked.kept else None
    if then is not None:
        day, segment = then.kept.day, segment_of(then.plan, then.row, then.kept.day)
        health = standing.health_of(then.facts, then.plan, parts_before(found.pk, today=day), day, segment)
        return render(
            request, "web/usage.html", {"customer": found, "past": asked, "health": health, **usage.drawn(found, day)}
        )
    plan = plan_or_none()
    facts, before = profile.facts_of(found), parts_before(found.pk, today=today)
    health = standing.health_of(facts, plan, before, today, _segment(found, plan, today))
    return render(request, "web/usage.html", {"customer": found, "health": health, **usage.drawn(found, today)})


@require_safe
def customer_events(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show what the customer's people did, event by event; `before` is where the page above ended."""
    found = customer_for(request.staff, customer_id)
    page = tracked.drawn(found, request.staff, request.GET.get("before", ""), here(request).today)
    return render(request, "web/tracked.html", {"customer": found, **page})
