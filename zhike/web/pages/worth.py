"""What a customer is worth, what it looks for, what to offer it, and what it could use: asked for after the page."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_POST

from zhike.decide.plans.pages.words import share as share_text
from zhike.decide.plans.rules import Plan
from zhike.kit.refusal import Refusal
from zhike.measure import queries as measured
from zhike.measure import using
from zhike.measure.models import CustomerFacts, FactsDay, StatedNeed
from zhike.measure.offers import operations
from zhike.measure.offers.queries import Judged, Offer, Share, judged, offers_of
from zhike.org.middleware import StaffRequest
from zhike.org.models import Company
from zhike.org.pages import sentence
from zhike.org.roles import Permission
from zhike.record.customers.models import Customer
from zhike.record.customers.queries import customer_for
from zhike.ui import words
from zhike.ui.templatetags import parts
from zhike.web.pages.answers import toast
from zhike.web.pages.here import here
from zhike.web.pages.names import plan_or_none, reason
from zhike.web.pages.usage import RECENT
from zhike.web.queries import profile

NEEDS = {
    "product": gettext_lazy("Product"),
    "price": gettext_lazy("Price"),
    "service": gettext_lazy("Service"),
}
OFFERS = {
    "product": gettext_lazy("Product"),
    "cross_sell": gettext_lazy("Cross-sell"),
    "up_sell": gettext_lazy("Up-sell"),
    "feature": gettext_lazy("Feature"),
}
LETTERS = ("r", "alpha", "a", "b", "s", "beta")  # Parameters in the order of the literature.
REASONS = {
    "no_orders": gettext_lazy("There are no orders yet."),
    "no_subscriptions": gettext_lazy("There are no subscriptions yet."),
    "not_carried": gettext_lazy("The data do not carry a model yet; the model card says why."),
}


@require_POST
def offer_dismiss(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Never offer this again to the customer; the toast takes it back."""
    found, key = customer_for(request.staff, customer_id), request.POST.get("key", "")
    try:
        operations.dismiss(found, key, by=request.staff, now=now())
    except Refusal as refusal:
        return toast(HttpResponse(status=409), sentence(refusal))
    undo = f"{reverse('offer-take-back', args=[found.pk])}?{urlencode({'key': key})}"
    return toast(_answer(request, found), gettext("It will not be offered again"), undo)


@require_POST
def offer_take_back(request: StaffRequest, customer_id: int) -> HttpResponse:
    found = customer_for(request.staff, customer_id)
    key = request.GET.get("key", "") or request.POST.get("key", "")
    operations.take_back(found, key, by=request.staff, now=now())
    return toast(_answer(request, found), gettext("It may be offered again"))


@require_POST
def need_state(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Note what the customer looks for, as the colleague says."""
    found = customer_for(request.staff, customer_id)
    try:
        operations.state_need(found, request.POST.get("need", ""), by=request.staff, now=now())
    except Refusal as refusal:
        return toast(HttpResponse(status=409), sentence(refusal))
    return toast(_answer(request, found), gettext("Need orientation noted"))


def _answer(request: StaffRequest, found: Customer) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return shown(request, found)
    return redirect("customer", customer_id=found.pk)


def shown(request: StaffRequest, found: Customer) -> HttpResponse:
    place = here(request)
    facts, plan, staff = profile.facts_of(found), plan_or_none(), request.staff
    day = measured.latest_day()
    card = judged()
    until = day.day if day and day.day < place.today - RECENT else place.today
    context = {
        "customer": found,
        "value": value_of(facts, plan, day, place.firm) if staff.sees_revenue else None,
        "need": _need(found, facts),
        "offers": [_offer(one) for one in offers_of(found, facts, card)],
        "offers_how": [line for line in (_how(card), *_by_kind(card), *_how_features(card)) if line],
        "report": _report(found, facts, until),
        "may_edit": staff.may(Permission.EDIT_CUSTOMERS),
        "may_work": staff.may(Permission.WORK_TOUCHES),
    }
    return render(request, "web/worth.html", context)


def value_of(facts: CustomerFacts | None, plan: Plan | None, day: FactsDay | None, firm: Company) -> dict[str, Any]:
    """Return the rows of customer value, against the goal of the plan, with how it was counted."""
    card = (day.cards if day else {}).get("value", {})
    if facts is None or facts.clv is None:
        return {"rows": [], "missing": _missing(card)}
    rows = [{"name": gettext("Lifetime value"), "value": parts.money(facts.clv, firm.currency)}]
    if facts.clv_to_cac is not None:
        goal = plan.value.times_cost if plan else 10
        first = plan is not None and plan.tier_rank(facts.tier or "") == 1
        reached = facts.clv_to_cac >= goal
        rows.append(
            {
                "name": gettext("Value to acquisition cost"),
                "value": gettext("%(times)s ×") % {"times": words.plain(round(facts.clv_to_cac, 1))},
                "note": gettext("goal of core customers %(goal)s ×") % {"goal": words.plain(goal)},
                "look": "ok" if reached else "warn" if first else "faint",
            }
        )
    if facts.p_alive is not None:
        rows.append({"name": gettext("Probability alive"), "value": share_text(facts.p_alive)})
    if facts.expected_orders_12m is not None:
        value = words.plain(round(facts.expected_orders_12m, 1))
        rows.append({"name": gettext("Expected orders, 12 months"), "value": value})
    return {"rows": rows, "how": how_value(card)}


def _missing(card: dict[str, Any]) -> str:
    reasons = {card.get(part, {}).get("reason", "") for part in ("orders", "subscriptions")}
    said = "not_carried" if "not_carried" in reasons else "no_orders"
    return str(REASONS[said]) if card else gettext("Customer value comes with the next turn.")


def how_value(card: dict[str, Any]) -> list[str]:
    """Return in sentences how customer value was counted: models, what they learnt from, how far they were off."""
    said = [
        gettext("Expected within %(months)s months, times a margin of %(margin)s, discounted by %(rate)s a year.")
        % {
            "months": card.get("horizon_months", ""),
            "margin": share_text(card.get("margin", 1)),
            "rate": share_text(card.get("discount", 0)),
        }
    ]
    for part in ("orders", "subscriptions"):
        one = card.get(part, {})
        if "parameters" in one:
            known_as = sorted(one["parameters"].items(), key=lambda pair: LETTERS.index(pair[0]))
            parameters = ", ".join(f"{name} {value:.3g}" for name, value in known_as)
            learnt = gettext("%(model)s, learnt from %(customers)s customers (%(parameters)s).")
            known = {"model": one["model"], "customers": words.plain(one["customers"]), "parameters": parameters}
            said.append(learnt % known)
        elif "tried" in one or "message" in one:
            why = one if "message" in one else next(iter(one["tried"].values()))
            said.append(gettext(why["message"]) % why["details"] if "message" in why else str(REASONS["not_carried"]))
        held = one.get("holdout", {})
        if held.get("error") is not None:
            off = gettext("Held to %(weeks)s weeks it had not seen, the total was off by %(error)s.")
            said.append(off % {"weeks": words.plain(round(held["weeks"])), "error": share_text(abs(held["error"]))})
    return said


def _need(found: Customer, facts: CustomerFacts | None) -> dict[str, Any]:
    stated = StatedNeed.objects.filter(customer=found).select_related("by").first()
    key = stated.need if stated else (facts.need_orientation or "") if facts else ""
    if stated:
        named = {"name": stated.by.name if stated.by else "zhike", "day": words.date_text(stated.at.date(), None)}
        why = gettext("said by %(name)s on %(day)s") % named
    else:
        why = reason(facts.need_reason or "") if facts else ""
    choices = [{"key": one, "name": name, "on": one == key} for one, name in NEEDS.items()]
    return {"key": key, "name": NEEDS.get(key, ""), "why": why, "choices": choices, "stated": stated is not None}


def _offer(one: Offer) -> dict[str, str]:
    if one.seats:
        used, paid = (words.plain(number) for number in one.seats)
        why = gettext("%(used)s people used it in 30 days, %(paid)s seats are paid for") % {"used": used, "paid": paid}
        return {"key": one.key, "name": gettext("More seats"), "why": why, "kind": str(OFFERS[one.kind])}
    said = [
        gettext("%(share)s of customers with %(name)s have it, too") % {"share": share_text(share), "name": name}
        for name, share in one.because
    ]
    if one.peers:
        said.append(_peers(one.peers, is_feature=one.kind == "feature"))
    if one.kind == "feature":
        said.append(gettext("never tried here"))
    why = gettext("; ").join(said) or gettext("what most customers take next")
    return {"key": one.key, "name": one.name, "why": why, "kind": str(OFFERS[one.kind])}


def _peers(share: Share, *, is_feature: bool) -> str:
    if not share.group:
        said = (
            gettext("%(share)s of all customers use it")
            if is_feature
            else gettext("%(share)s of all customers have it")
        )
        return said % {"share": share_text(share.share)}
    group = {"industry": share.value, "size": share.value, "tier": gettext("this tier")}[share.group]
    said = gettext("%(share)s of %(group)s use it") if is_feature else gettext("%(share)s of %(group)s have it")
    return said % {"share": share_text(share.share), "group": group}


def _how(card: Judged) -> str:
    """Return how the offers were judged against popularity."""
    found = card.card
    if not found:
        return ""
    if "gain" not in found:
        return gettext("By popularity: there is too little to judge a better way by.")
    figures = {
        "hit": share_text(found["hit_rate"]),
        "popular": share_text(found["popular_hit_rate"]),
        "low": words.signed(round(100 * found["gain_low"], 1)),
        "high": words.signed(round(100 * found["gain_high"], 1)),
        "customers": words.plain(found["customers"]),
    }
    if card.by_popularity:
        said = gettext(
            "By popularity: what goes together did no better (%(hit)s against %(popular)s hits among three, difference "
            "%(low)s to %(high)s points, %(customers)s customers)."
        )
    else:
        said = gettext(
            "By what goes together: %(hit)s hits among three against %(popular)s by popularity (difference %(low)s to "
            "%(high)s points, %(customers)s customers)."
        )
    return said % figures


def _by_kind(card: Judged) -> list[str]:
    """Return hits against popularity of each kind of sale that enough customers made."""
    kinds = {"cross_sell": gettext("Cross-sell"), "up_sell": gettext("Up-sell")}
    said = gettext("%(kind)s: %(hit)s hits among three against %(popular)s (%(customers)s customers).")
    return [said % {"kind": name, **_hits(one)} for kind, name in kinds.items() if (one := _kind(card, kind))]


def _kind(card: Judged, kind: str) -> dict[str, Any]:
    found = card.card.get("kinds", {}).get(kind, {})
    return found if "hit_rate" in found else {}


def _hits(found: dict[str, Any]) -> dict[str, str]:
    return {
        "hit": share_text(found["hit_rate"]),
        "popular": share_text(found["popular_hit_rate"]),
        "customers": words.plain(found["customers"]),
    }


def _how_features(card: Judged) -> list[str]:
    """Return how features were judged against popularity, and seats against customers who were offered none."""
    said = []
    tried, seats = card.card.get("feature", {}), card.card.get("seats", {})
    if "hit_rate" in tried and tried["use"] == "peers":
        told = gettext(
            "Features by what customers alike use: %(hit)s hits among three against %(popular)s by popularity "
            "(%(customers)s customers)."
        )
        said.append(told % _hits(tried))
    elif "hit_rate" in tried:
        told = gettext(
            "Features by popularity: what customers alike use did no better (%(hit)s against %(popular)s hits among "
            "three, %(customers)s customers)."
        )
        said.append(told % _hits(tried))
    if "hit_rate" in seats:
        told = gettext(
            "%(hit)s of those offered more seats took them within %(days)s days, %(others)s of the others did."
        )
        figures = {"hit": share_text(seats["hit_rate"]), "others": share_text(seats["others"])}
        said.append(told % {**figures, "days": words.plain(seats["held_days"])})
    return said


def _report(found: Customer, facts: CustomerFacts | None, until: date) -> dict[str, Any]:
    """Return what falls and what was never tried, with bars."""
    known = using.report(found, facts, today=until)
    return {
        "falling": [
            {
                "name": one.event,
                "said": gettext("%(change)s%%") % {"change": words.signed(round(100 * one.change))},
                "now": words.short(one.now),
                "before": words.short(one.before),
                "bar": round(100 * one.now / one.before),
            }
            for one in known.falling
        ],
        "untried": [
            {
                "name": one.event,
                "share": share_text(one.share.share),
                "bar": round(100 * one.share.share),
                "who": _group(one.share),
                "tried": one.was_tried,
            }
            for one in known.untried
        ],
    }


def _group(share: Share) -> str:
    return share.value if share.group in ("industry", "size") else gettext("this tier") if share.group else ""
