"""Who will leave: the drivers of a customer's probability, and the card of the model that says it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, gettext, gettext_lazy
from django.views.decorators.http import require_safe

from zhike.measure.facts import FACTS
from zhike.measure.leaving import telling
from zhike.measure.leaving.telling import Driver, Told
from zhike.measure.models import ChurnModel
from zhike.measure.specs import ChurnSpec
from zhike.org.middleware import StaffRequest
from zhike.record.customers.queries import customer_for
from zhike.ui import words
from zhike.web.pages.customer_then import asked_then
from zhike.web.pages.here import here
from zhike.web.pages.names import plan_or_none

SHOWN = 12
HIGH, RAISED = 0.5, 0.2
MODELS = {"logistic": gettext_lazy("Logistic regression"), "boosting": gettext_lazy("Gradient boosting")}


@require_safe
def customer_leaving(request: StaffRequest, customer_id: int) -> HttpResponse:
    """Show the churn probability with what drives it; asked for after the page, because the lake answers slowly."""
    found, place = customer_for(request.staff, customer_id), here(request)
    then = asked_then(request, found)
    plan = then.plan if then else plan_or_none()
    spec, day = plan.measure.churn if plan else None, then.kept.day if then else place.today
    language = get_language() or "en"
    told = telling.told(found.pk, spec, day, language) if spec else None
    context: dict[str, Any] = {"customer": found, "leaving": None}
    if told is not None and spec is not None:
        context |= _drawn(told, spec, place.today, sees_revenue=request.staff.sees_revenue)
    kept = then.facts.churn_probability if then else None
    if then is not None and kept is not None:
        # What was kept is what was said; a model that has gone since takes only its drivers with it.
        context |= {"leaving": _chance(kept), "look": _look(kept), "meant": meaning(spec) if spec else ""}
    return render(request, "web/leaving.html", context)


def _drawn(told: Told, spec: ChurnSpec, today: date, *, sees_revenue: bool) -> dict[str, Any]:
    rows = [_driver(one, sees_revenue=sees_revenue) for one in told.drivers]
    return {
        "leaving": _chance(told.chance),
        "look": _look(told.chance),
        "meant": meaning(spec),
        "rows": rows,
        "usual": _chance(told.usual),
        "others": _times(Driver("", "", "", told.others)),
        "learnt": words.date_text(told.learnt, today),
    }


def _look(chance: float) -> str:
    return "risk" if chance >= HIGH else "warn" if chance >= RAISED else "ok"


def _chance(value: float) -> str:
    """Write a probability; one that is small would be nothing without its decimal."""
    return _percent(value) if value < 0.1 else f"{100 * value:.0f}%"


def _driver(one: Driver, *, sees_revenue: bool) -> dict[str, str]:
    hidden = FACTS[one.fact].is_revenue and not sees_revenue
    value = "" if hidden else one.value or gettext("unknown")
    return {"name": one.label, "value": value, "times": _times(one), "look": "risk" if one.log_odds > 0 else "ok"}


def _times(one: Driver) -> str:
    return f"× {one.times:.2f}"


def meaning(spec: ChurnSpec) -> str:
    """Return what leaving means by the plan, as a sentence."""
    said = {
        "orders": gettext("no order for %(days)s days, within the next %(horizon)s days"),
        "usage": gettext("no use of the product for %(days)s days, within the next %(horizon)s days"),
        "contract": gettext("no contract any more within the next %(horizon)s days"),
    }[spec.by]
    return said % {"days": spec.days, "horizon": spec.horizon_days}


@require_safe
def churn_model(request: StaffRequest) -> HttpResponse:
    """Show how good the churn score is, or why there is none."""
    plan, today = plan_or_none(), here(request).today
    spec = plan.measure.churn if plan else None
    cards = telling.cards(SHOWN)
    latest = cards[0] if cards else None
    context: dict[str, Any] = {"spec": spec, "meant": meaning(spec) if spec else "", "latest": latest}
    if latest is not None:
        context |= _card(latest.card)
        context["days"] = [_line(one, today) for one in cards]
    return render(request, "web/churn_model.html", context)


def _card(card: Mapping[str, Any]) -> dict[str, Any]:
    language = get_language() or "en"
    found: dict[str, Any] = {
        "card": card,
        "findings": [_finding(one) for one in card["findings"]],
        "excluded": [FACTS[name].label(language) for name in card.get("excluded", {}) if name in FACTS],
    }
    if "auc" not in card:
        return found
    groups = card["calibration"]
    return {
        **found,
        "figures": _figures(card),
        "calibration": {
            "kind": "line",
            "unit": "%",
            "x": [str(place) for place in range(1, len(groups) + 1)],
            "min": 0,
            "series": [
                {"name": gettext("Said"), "values": [round(100 * one["said"], 1) for one in groups], "color": "accent"},
                {
                    "name": gettext("Happened"),
                    "values": [round(100 * one["happened"], 1) for one in groups],
                    "color": "ok",
                },
            ],
        },
        "leads": _leads(card.get("lead") or []),
        "groups": [
            {
                "number": place,
                "rows": words.plain(one["rows"]),
                "said": _percent(one["said"]),
                "happened": _percent(one["happened"]),
                "range": f"{100 * one['low']:.1f}–{_percent(one['high'])}",
            }
            for place, one in enumerate(groups, start=1)
        ],
        "lift": [
            {"share": f"{100 * one['share']:.0f}%", "caught": _percent(one["caught"]), "lift": f"{one['lift']:.1f}"}
            for one in card["lift"]
        ],
        "drivers": [
            {
                "name": FACTS[one["fact"]].label(language),
                "share": _percent(one["share"]),
                "bar": round(100 * one["share"] / card["drivers"][0]["share"]) if card["drivers"][0]["share"] else 0,
            }
            for one in card["drivers"]
            if one["fact"] in FACTS
        ],
    }


def _leads(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the drawing of how long before leaving customers were named; None where nobody left."""
    if not any(one["left"] for one in rows):
        return None
    return {
        "kind": "bar",
        "whole": True,
        "x": [str(one["days"]) for one in rows],
        "min": 0,
        "series": [
            {"name": gettext("Left"), "values": [one["left"] for one in rows], "color": "grey"},
            {"name": gettext("Named before"), "values": [one["named"] for one in rows], "color": "accent"},
        ],
    }


def _figures(card: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the cells above the card: what was learnt from, and how far what was said is from what happened."""
    lead, period = card.get("lead_days"), gettext("%(first)s to %(last)s, %(days)s days")
    span = period % {"first": card["from"], "last": card["until"], "days": card["days"]}
    left = gettext("%(customers)s customers, %(left)s rows left") % _numbers(card, "customers", "left")
    judged = gettext("on later days, %(judged_left)s left") % _numbers(card, "judged_left")
    wide = {"low": f"{card['auc_low']:.3f}", "high": f"{card['auc_high']:.3f}"}
    cells = [
        (
            "AUC",
            f"{card['auc']:.3f}",
            "",
            gettext("95%% interval %(low)s–%(high)s") % wide,
        ),
        (gettext("Calibration error"), f"{100 * card['ece']:.1f}", "%", f"Brier {card['brier']:.4f}"),
        (
            gettext("Warned ahead"),
            f"{lead:.0f}" if lead is not None else "—",
            gettext("days") if lead is not None else "",
            gettext("median of who left"),
        ),
        (gettext("Learnt from"), words.plain(card["rows"]), gettext("rows"), left),
        (gettext("Judged on"), words.plain(card["judged"]), gettext("rows"), judged),
        (gettext("Model"), str(MODELS[card["model"]]), "", span),
    ]
    return [
        {"label": label, "value": value, "unit": unit, "comparison": compared} for label, value, unit, compared in cells
    ]


def _numbers(card: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: words.plain(card[name]) for name in names}


def _finding(one: Mapping[str, Any]) -> str:
    language = get_language() or "en"
    details = dict(one["details"])
    if details.get("column") in FACTS:
        details["column"] = FACTS[details["column"]].label(language)
    said = gettext(one["message"])
    return said % details if details else said


def _line(one: ChurnModel, today: date) -> dict[str, str]:
    area = one.card.get("auc")
    return {
        "day": words.date_text(one.day, today),
        "auc": f"{area:.3f}" if area is not None else "—",
        "ece": _percent(one.card["ece"]) if "ece" in one.card else "—",
        "said": gettext("in force") if one.card.get("published") else gettext("withheld"),
    }


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"
