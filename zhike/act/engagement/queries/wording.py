"""Touches in the reader's words: why, what, whom and how."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language, gettext, gettext_lazy

from zhike.act.engagement.queries.shown import Shown
from zhike.act.engagement.rules.wording import filled
from zhike.decide.plans.rules.wording import best_words
from zhike.measure.facts import FACTS
from zhike.ui import words

Reason = Mapping[str, Any]

PART_NAMES = {
    "usage": gettext_lazy("Product usage"),
    "breadth": gettext_lazy("Breadth of features"),
    "relationship": gettext_lazy("Relationship"),
    "commercial": gettext_lazy("Commercial"),
    "feedback": gettext_lazy("Feedback"),
}


def sentence(reason: Reason, *, today: date | None = None, last_touch: date | None = None) -> str:
    """Return why a touch is wished for, in one line: the fact first, with its figures."""
    said = _one(reason, today, last_touch)
    others = [_one(more, today, last_touch) for more in reason.get("also", ())]
    separator = gettext("; ")
    return separator.join(dict.fromkeys([said, *others]))


def _one(reason: Reason, today: date | None, last_touch: date | None) -> str:
    match reason.get("code"):
        case "health_fell":
            return gettext("Health %(from)s → %(to)s in %(days)s days") % reason
        case "silent":
            return _silent(reason)
        case "usage_fell":
            return gettext("Usage %(from)s → %(to)s, %(percent)s against the %(days)s days before") % _fall(reason)
        case "logins_fell":
            return gettext("Log-ins a week %(from)s → %(to)s, %(percent)s in %(days)s days") % _fall(reason)
        case "renewal_due":
            return _renewal(reason, today)
        case "churn_likely":
            return _churn_likely(reason)
        case "cadence":
            return _cadence(reason, today, last_touch)
        case "onboarding":
            joined = date.fromisoformat(reason["joined"])
            return gettext("Joined on %(joined)s, step of day %(day)s") % {
                "joined": words.date_text(joined, today),
                "day": reason["day"],
            }
        case "by_hand":
            return gettext("Planned by %(by)s") % reason if reason.get("by") else gettext("Planned by hand")
        case _:
            return best_words(reason.get("name") or {}, get_language() or "en") or gettext("A rule of the plan")


def _fall(reason: Reason) -> Reason:
    """Return a fall in numbers as they are written for people."""
    numbers = {name: words.plain(reason[name]) for name in ("from", "to")}
    return {**reason, **numbers, "percent": percent(reason["share"])}


def _silent(reason: Reason) -> str:
    match reason["of"]:
        case "contact":
            return gettext("No contact for %(days)s days") % reason
        case "orders":
            return gettext("No order for %(days)s days") % reason
        case _:
            return gettext("No usage for %(days)s days") % reason


def _renewal(reason: Reason, today: date | None) -> str:
    if not reason.get("end"):
        return gettext("Contract ends in %(days)s days") % reason
    end = date.fromisoformat(reason["end"])
    days = reason["days"] if today is None else (end - today).days
    shown = {"end": words.date_text(end, today), "days": abs(days)}
    if days < 0:
        return gettext("Contract ended on %(end)s, %(days)s days ago") % shown
    return gettext("Contract ends on %(end)s, in %(days)s days") % shown


def _churn_likely(reason: Reason) -> str:
    """Return the probability with its horizon, and the facts that raise it, each with its value."""
    shown = {"percent": f"{100 * reason['chance']:.0f}%", "days": reason.get("days")}
    if shown["days"] is None:
        return gettext("Churn probability %(percent)s") % shown
    said = gettext("Churn probability %(percent)s within %(days)s days") % shown
    language = get_language() or "en"
    facts = [
        gettext("%(fact)s %(value)s") % {"fact": FACTS[fact].label(language), "value": value or gettext("unknown")}
        for fact, value in reason.get("drivers", ())
        if fact in FACTS
    ]
    return gettext("%(said)s: %(facts)s") % {"said": said, "facts": gettext(", ").join(facts)} if facts else said


def _cadence(reason: Reason, today: date | None, last_touch: date | None) -> str:
    since = (today - last_touch).days if today and last_touch else reason.get("since")
    if since is None:
        return gettext("Every %(every)s days, no contact yet") % reason
    return gettext("Every %(every)s days, last contact %(since)s days ago") % {**reason, "since": since}


def percent(share: float) -> str:
    """Write a fall: −70%."""
    return f"{words.MINUS}{share * 100:.0f}%"


def superseded(cause: Reason) -> str:
    """Return why an open touch was closed without anybody closing it."""
    match cause.get("code"):
        case "contact_made":
            return gettext("There was a contact meanwhile")
        case "one_call":
            return gettext("Joined to an alert: one customer, one call")
        case "left":
            return gettext("The customer has left")
        case _:
            return gettext("Onboarding is over")


def text_of(texts: Mapping[str, Any] | None, language: str, values: Callable[[], Mapping[str, str]]) -> str:
    """Return words of the plan in the reader's language with the customer's figures in them, made only if asked for."""
    said = best_words(texts or {}, language)
    return filled(said, values()) if "{" in said else said


def figures(touch: Shown, *, contact: str, tier: str, company: str) -> dict[str, str]:
    """Return what the words of a plan may name, written for the reader; unknown figures are left out."""
    reason = touch.reason
    found: dict[str, Any] = {
        "customer": touch.customer,
        "contact": contact,
        "owner": touch.owner,
        "company": company,
        "tier": tier,
        "industry": touch.industry,
        "health_before": reason.get("from") if reason.get("code") == "health_fell" else None,
        "usage_change": percent(reason["share"]) if reason.get("share") is not None else None,
        "health": touch.health,
        "days_silent": touch.days_since_usage,
        "last_touch": touch.last_touch,
        "usage": touch.usage_30d,
        "usage_before": touch.usage_prev_30d,
        "contract_end": touch.contract_end,
        "days_to_renewal": touch.days_to_renewal,
        "seats": touch.seats,
        "features": touch.features_30d,
    }
    return {name: _shown(value) for name, value in found.items() if value not in (None, "")}


def _shown(value: Any) -> str:
    if isinstance(value, date):
        return words.date_text(value, None)
    if isinstance(value, Decimal | float):
        return words.plain(round(value))
    return words.plain(value) if isinstance(value, int) else str(value)


def why_in_parts(reason: Reason) -> list[tuple[str, str, str]]:
    """Return the parts of a fall in health: name, change or points, and whether it is good or bad."""
    rows = []
    for part, value in (reason.get("parts") or {}).items():
        if isinstance(value, list):
            change = round(value[1] - value[0], 1)
            meaning = "bad" if change < 0 else "good" if change > 0 else ""
            rows.append((change, str(PART_NAMES[part]), words.signed(change), meaning))
        else:
            rows.append((value, str(PART_NAMES[part]), words.plain(value), ""))
    rows.sort()
    return [(name, gettext("%(points)s points") % {"points": shown}, meaning) for _by, name, shown, meaning in rows]
