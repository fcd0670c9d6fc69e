"""Customer 360 of a past day: what was known then, and what has been corrected since."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_safe

from zhike.decide.plans import queries as plans
from zhike.decide.plans.rules import Plan, PlanErrors
from zhike.kit.ruletrees import ATTRIBUTES
from zhike.measure import asof, corrected, reading
from zhike.measure.facts import FACTS, STORED
from zhike.measure.models import CustomerFacts, FactsDay
from zhike.measure.queries import hidden_from
from zhike.org.middleware import StaffRequest
from zhike.org.models import AuditLine, Staff
from zhike.record.customers.models import Customer
from zhike.record.customers.queries import attribute_definitions, customer_for
from zhike.record.interactions.queries import KINDS
from zhike.ui import words
from zhike.web.pages import cells, contract, identity, past, people, standing, story
from zhike.web.pages.here import here
from zhike.web.pages.listing import CustomerList
from zhike.web.pages.names import names_of_plan, plan_or_none
from zhike.web.pages.past import Past
from zhike.web.queries import profile
from zhike.web.queries.kept import KeptListing
from zhike.web.queries.past import parts_before, segment_of

RECORD = ("name", "industry", "region", "size", "owner_id", "joined", "acquisition_cost")


@dataclass(frozen=True)
class Then:
    """A customer as known on a kept day."""

    kept: FactsDay
    row: Mapping[str, Any]
    customer: Customer
    facts: CustomerFacts
    plan: Plan | None


def then_of(found: Customer, kept: FactsDay, staff: Staff, *, weeks: bool = True) -> Then | None:
    """Return the customer as known on that day; None when it was not known yet."""
    row = asof.row(kept, found.pk, principal=staff)
    if row is None:
        return None
    known = {fact.name: row[fact.name] for fact in STORED}
    trend = asof.health_weeks(kept, found.pk) if weeks else []
    facts = CustomerFacts(customer_id=found.pk, health_weeks=trend, **known)
    names = [*RECORD, "ref", "kind", ATTRIBUTES]
    customer = Customer(pk=found.pk, **{name: row[name] for name in names})
    return Then(kept, row, customer, facts, plan_then(kept))


def asked_then(request: StaffRequest, found: Customer) -> Then | None:
    """Return the customer as known on the past day that an address asks for; None for today and for no such day."""
    asked = past.past_of(request.GET.get("as_of", ""), here(request).today)
    return then_of(found, asked.kept, request.staff, weeks=False) if asked and asked.kept else None


def plan_then(kept: FactsDay) -> Plan | None:
    """Return the plan in force on a kept day; the one in force now when that day does not say."""
    if kept.plan_number is None:
        return plan_or_none()
    try:
        return plans.plan_of(plans.version(kept.plan_number))
    except (plans.NoSuchVersion, PlanErrors):
        return plan_or_none()


def customer_then(request: StaffRequest, found: Customer, asked: Past) -> HttpResponse:
    """Show the customer as known on a past day."""
    place, staff, kept = here(request), request.staff, asked.kept
    address = reverse("customer", args=[found.pk])
    if kept is None:
        return past.too_early(request, asked, address, {})
    then = then_of(found, kept, staff)
    if then is None:
        return past.unknown_then(request, found.name, asked, address)
    day, names = kept.day, names_of_plan(then.plan)
    cut_off = reading.morning(day).cut_off
    titles = {one.name: one.title for one in attribute_definitions()} if then.customer.attributes else {}
    known = [person for person in profile.people_at(found) if person.contact.created_at < cut_off]
    segment = segment_of(then.plan, then.row, day)
    context = {
        "customer": then.customer,
        "identity": identity.line(then.customer, then.facts),
        **identity.badges(then.facts, names),
        "tags": identity.tags(then.customer, titles),
        "contacts": people.drawn(known, staff, may_edit=False),
        "cells": _cells(then, place.firm.currency, staff),
        "health": standing.health_of(then.facts, then.plan, parts_before(found.pk, today=day), day, segment),
        "changed_url": _address("customer-changed", found, asked),
        "usage_url": _address("customer-usage", found, asked),
        "worth_url": _address("customer-worth", found, asked),
        "leaving_url": _address("customer-leaving", found, asked),
        "corrected_url": _address("customer-corrected", found, asked),
        "details": identity.details(then.customer, titles),
        "contract": contract.drawn(found, then.facts, day, staff, before=cut_off),
        "timeline": story.drawn(
            found, staff, "", f"{cut_off.isoformat()}|{KINDS[-1]}|0", day, then.plan, asked.asked.isoformat()
        ),
        **_way_back(request, found, asked),
        **past.drawn(asked, address, request.GET, place.today),
    }
    return render(request, "web/customer.html", context)


def _address(name: str, found: Customer, asked: Past) -> str:
    return f"{reverse(name, args=[found.pk])}?{urlencode({'as_of': asked.asked.isoformat()})}"


def _cells(then: Then, currency: str, staff: Staff) -> list[standing.Cell]:
    due = then.row["next_touch"]
    return standing.cells_of(
        then.facts,
        then.plan,
        today=then.kept.day,
        currency=currency,
        sees_revenue=staff.sees_revenue,
        touch={"day": due} if due else {},
    )


def _way_back(request: StaffRequest, found: Customer, asked: Past) -> dict[str, Any]:
    """Return the list of that day, with the customers before and after this one."""
    address, day = reverse("customers"), {"as_of": asked.asked.isoformat()}
    given = QueryDict(request.GET.get("list", ""), mutable=True)
    given["as_of"] = day["as_of"]
    shown = CustomerList(request.staff, here(request).firm, here(request).today, given)
    back = {"list_url": f"{address}?{shown.query}", "view_name": ""}
    if "list" not in request.GET or not isinstance(shown.listing, KeptListing):
        return back
    before, after = shown.listing.neighbours(found.pk)
    return back | {
        "neighbours": {
            side: f"{reverse('customer', args=[key])}?{urlencode({**day, 'list': shown.query})}" if key else ""
            for side, key in (("previous", before), ("next", after))
        }
    }


@require_safe
def customer_corrected(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show what today's record says otherwise of that day; asked for after the page, for it is computed anew."""
    found, place, staff = customer_for(request.staff, customer_id), here(request), request.staff
    then = asked_then(request, found)
    if then is None:
        return HttpResponse("")
    now = corrected.row(then.kept, found.pk, then.row) or {}
    hidden = hidden_from(staff)
    facts = {name: value for name, value in corrected.differing(then.row, now).items() if name not in hidden}
    shown = _cells(then, place.firm.currency, staff)
    later = CustomerFacts(customer_id=found.pk, health_weeks=[], **{f.name: then.row[f.name] for f in STORED})
    for name, value in facts.items():
        setattr(later, name, value)
    told = _cells(Then(then.kept, then.row, found, later, then.plan), place.firm.currency, staff)
    for one, other in zip(shown, told, strict=True):
        if str(one["value"]) != str(other["value"]):
            value = words.plain(later.health) if one is shown[0] and later.health is not None else str(other["value"])
            one["value"] = format_html("{}{}", one["value"], cells.later(value))
    rows = [*_record_rows(found, then), *_fact_rows(facts, then, place.firm.currency)]
    context = {"customer": found, "rows": rows, "cells": shown, "day": then.kept.day}
    return render(request, "web/corrected.html", context)


def _record_rows(found: Customer, then: Then) -> list[dict[str, str]]:
    """Return what stands in the customer's own record otherwise, with when and by whom it was changed."""
    rows = []
    for name in RECORD:
        old, new = then.row[name], getattr(found, name)
        if (old or None) == (new or None):
            continue
        shown = (_owner(old), _owner(new)) if name == "owner_id" else (_text(old), _text(new))
        rows.append({"name": _title(name), "then": shown[0], "now": shown[1], "who": _who(found, name, then.kept)})
    return rows


def _fact_rows(facts: Mapping[str, Any], then: Then, currency: str) -> list[dict[str, str]]:
    names = names_of_plan(then.plan)
    frame = cells.Frame(then.kept.day, currency, names, None, {})
    return [
        {
            "name": _title(name),
            "then": cells.value(name, then.row[name], frame),
            "now": cells.value(name, value, frame),
            "who": "",
        }
        for name, value in facts.items()
    ]


def _title(name: str) -> str:
    return FACTS[name].label(get_language() or "en")


def _owner(key: int | None) -> str:
    if key is None:
        return gettext("Nobody yet")
    return Staff.objects.filter(pk=key).values_list("name", flat=True).first() or "—"


def _text(value: object) -> str:
    return words.date_text(value, None) if isinstance(value, date) else str(value or "—")


def _who(found: Customer, name: str, kept: FactsDay) -> str:
    """Return when and by whom a field was changed first after that morning, as far as the audit log says."""
    field = "owner" if name == "owner_id" else name
    lines = AuditLine.objects.filter(
        object_kind=Customer._meta.label_lower,
        object_id=str(found.pk),
        action="customer.changed",
        at__gte=kept.computed_at,
        detail__after__has_key=field,
    )
    line = lines.order_by("id").first()
    if line is None:
        return ""
    said = gettext("changed on %(day)s by %(who)s")
    return said % {"day": words.date_text(localtime(line.at).date(), None), "who": line.actor_name or "zhike"}
