"""How a customer stands: the seven cells, the health score with its parts, contract and orders."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from zhike.decide.plans.rules import Plan
from zhike.measure import health
from zhike.measure.models import CustomerFacts
from zhike.measure.specs import HEALTH_PARTS, HealthSpec
from zhike.ui import words
from zhike.ui.markup import format_html
from zhike.ui.stencils import Stencil
from zhike.ui.templatetags import parts
from zhike.web.pages.cells import days_left
from zhike.web.pages.names import BANDS, PARTS

Cell = dict[str, Any]
WEEKS = 26


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the health score in words, with its score drawn."""

    name: str
    weight: float
    weight_shown: str
    score: SafeString
    score_plain: str
    band: str
    points: str
    most: str
    change: str
    look: str


_PART = Stencil(
    "web/health_parts.html#part",
    "part",
    texts=("name", "weight_shown", "score", "points", "most", "look", "change"),
    numbers=(),
    shape=(),
)
_BAR = Stencil("web/customer.html#bar", "part", texts=("weight", "score_plain", "band"), numbers=(), shape=())


def _dash(label: str, why: str) -> Cell:
    return {"label": label, "value": "—", "comparison": why}


def _delta(value: float, *, good_up: bool = True, unit: str = "") -> SafeString:
    rounded = round(value, 1)
    look = "" if not rounded else "ok" if (rounded > 0) == good_up else "risk"
    return format_html('<span class="{}">{}{}</span>', look, words.signed(rounded), unit)


def _with(said: str, more: SafeString) -> SafeString:
    return format_html("{}{}{}", said, gettext(", "), more)


def cells_of(
    facts: CustomerFacts | None,
    plan: Plan | None,
    *,
    today: date,
    currency: str,
    sees_revenue: bool,
    touch: Mapping[str, Any],
) -> list[Cell]:
    """Return label, value and comparison of each cell; what nobody has measured yet says so."""
    if facts is None:
        return [_dash(gettext("Health"), gettext("measured by the next turn"))]
    cells = [_health(facts)]
    if sees_revenue:
        cells.append(_worth(facts, currency))
    cells += [_renewal(facts, today), _usage(facts), _last_touch(facts, plan, today), _nps(facts), _next(touch, today)]
    return cells


def _health(facts: CustomerFacts) -> Cell:
    label = gettext("Health")
    if facts.health is None:
        return _dash(label, gettext("no part has data yet"))
    value = parts.health(facts.health, BANDS[facts.health_band][0] if facts.health_band in BANDS else "")
    if facts.health_30d_ago is None:
        return {"label": label, "value": value, "comparison": gettext("no figure of 30 days ago")}
    said = gettext("30 days ago %(before)s") % {"before": round(facts.health_30d_ago)}
    change = float(facts.health_change_30d or 0)
    return {"label": label, "value": value, "comparison": _with(said, _delta(round(change)))}


def _worth(facts: CustomerFacts, currency: str) -> Cell:
    is_subscription = bool(facts.arr)
    label = gettext("ARR") if is_subscription else gettext("12 months")
    amount = facts.arr if is_subscription else facts.revenue_12m
    if not amount or not currency:
        return _dash(label, gettext("nothing bought in 12 months"))
    share = f"{float(facts.revenue_share or 0) * 100:.2g}%"
    rank = words.plain(facts.revenue_rank) if facts.revenue_rank else "—"
    said = gettext("%(share)s of all revenue, rank %(rank)s") % {"share": share, "rank": rank}
    return {"label": label, "value": parts.money(amount, currency), "comparison": said}


def _renewal(facts: CustomerFacts, today: date) -> Cell:
    if facts.contract_end is not None:
        band, value = days_left((facts.contract_end - today).days)
        said = gettext("contract ends %(day)s") % {"day": words.date_text(facts.contract_end, today)}
        return {"label": gettext("Renewal"), "value": value, "comparison": said, "band": band}
    if facts.orders:
        value = words.plain(facts.orders)
        ago = words.relative(facts.last_order, today) if facts.last_order else "—"
        said = gettext("last one %(when)s") % {"when": ago}
        return {"label": gettext("Orders"), "value": value, "unit": gettext("orders"), "comparison": said}
    if facts.mrr:
        return {
            "label": gettext("Renewal"),
            "value": gettext("open end"),
            "comparison": gettext("runs until cancelled"),
        }
    return _dash(gettext("Renewal"), gettext("no contract on record"))


def _usage(facts: CustomerFacts) -> Cell:
    label = gettext("Usage, 30 days")
    if not facts.last_usage:
        return _dash(label, gettext("no usage on record"))
    before = gettext("before %(before)s") % {"before": words.short(facts.usage_prev_30d)}
    compared: SafeString | str = before
    if facts.usage_change_30d is not None:
        compared = _with(before, _delta(round(facts.usage_change_30d * 100), unit="%"))
    return {"label": label, "value": words.short(facts.usage_30d), "unit": gettext("times"), "comparison": compared}


def _last_touch(facts: CustomerFacts, plan: Plan | None, today: date) -> Cell:
    label = gettext("Last touch")
    cadence = plan.cadence_of(facts.tier) if plan else None
    rhythm = gettext("every %(days)s days") % {"days": cadence.days} if cadence else gettext("no cadence in the plan")
    if facts.last_touch is None:
        return {"label": label, "value": gettext("Never"), "comparison": rhythm}
    over = (today - facts.last_touch).days - cadence.days if cadence else 0
    compared: SafeString | str = rhythm
    if over > 0:
        late = gettext("%(days)s over") % {"days": over}
        compared = _with(rhythm, format_html('<span class="risk">{}</span>', late))
    return {"label": label, "value": words.relative(facts.last_touch, today), "comparison": compared}


def _nps(facts: CustomerFacts) -> Cell:
    if facts.last_nps is None:
        return _dash("NPS", gettext("never asked or answered"))
    score = int(facts.last_nps)
    kind = gettext("promoter") if score >= 9 else gettext("passive") if score >= 7 else gettext("detractor")
    return {"label": "NPS", "value": str(score), "unit": gettext("of 10"), "comparison": kind}


def _next(touch: Mapping[str, Any], today: date) -> Cell:
    label = gettext("Next touch")
    day: date | None = touch.get("day")
    if day is None:
        return _dash(label, gettext("nothing planned"))
    late = (today - day).days
    value = gettext("%(days)s d overdue") % {"days": late} if late > 0 else words.relative(day, today)
    return {"label": label, "value": value, "comparison": touch.get("what", ""), "band": "risk" if late > 0 else ""}


def health_of(
    facts: CustomerFacts | None, plan: Plan | None, before: Mapping[str, float | None], today: date, segment: int = -1
) -> dict[str, Any]:
    """Return the parts of the score, which add up to it, the trend and how it is counted.

    `before` holds the contributions of 30 days ago, as far as they were kept. `segment` is the place of the plan's
    segment that the customer is weighed by, -1 for none.
    """
    if facts is None or facts.health is None or plan is None:
        why = (
            gettext("Health comes with the next turn.")
            if facts is None
            else gettext("No part of the score has data yet.")
        )
        return {"parts": [], "missing": why, "period": ""}
    spec = plan.health
    shown = _parts(facts, spec, before, segment)
    change = facts.health_change_30d
    return {
        "parts": shown,
        "rows": SafeString("".join(_PART.draw(shown))),
        "bars": SafeString("".join(_BAR.draw(shown))),
        "total": _points(facts.health),
        "change": words.signed(round(float(change), 1)) if change is not None else "",
        "look": _look(change),
        "period": gettext("%(count)s weeks") % {"count": WEEKS},
        "chart": _chart(facts, spec, today),
        "finding": _finding(facts),
        "how": _how(spec, plan, segment),
    }


def _parts(facts: CustomerFacts, spec: HealthSpec, before: Mapping[str, float | None], segment: int) -> list[Part]:
    weights = {str(key): part.weight for key, part in health.weights_of(spec, segment).items()}
    known = {key: weights[key] for key in HEALTH_PARTS if key in weights and _points_of(facts, key) is not None}
    whole = sum(known.values())
    shown = []
    for key, weight in known.items():
        points, most = float(_points_of(facts, key) or 0), 100 * weight / whole
        score = round(100 * points / most) if most else 0
        change = None if before.get(key) is None else round(points - float(before[key] or 0), 1)
        band = "ok" if score >= spec.healthy_from else "warn" if score >= spec.warning_from else "risk"
        shown.append(
            Part(
                name=str(PARTS[key]),
                weight=round(most, 2),
                weight_shown=f"{most:.0f}%",
                score=parts.health(score, band),
                score_plain=str(min(max(score, 0), 100)),
                band=band,
                points=f"{points:.1f}",
                most=f"{most:.0f}",
                change="" if change is None else words.signed(change),
                look=_look(change),
            )
        )
    return shown


def _points_of(facts: CustomerFacts, key: str) -> Decimal | None:
    points: Decimal | None = getattr(facts, f"health_{key}")
    return points


def _points(value: Decimal) -> str:
    return f"{value:.1f}"


def _look(change: Decimal | float | None) -> str:
    return "faint" if not change else "ok" if change > 0 else "risk"


def _chart(facts: CustomerFacts, spec: HealthSpec, today: date) -> dict[str, Any] | None:
    weeks = list(facts.health_weeks)
    if sum(value is not None for value in weeks) < 2:
        return None
    shown = [value for value in [*weeks, spec.warning_from, spec.healthy_from] if value is not None]
    low, high = max(0, int(min(shown)) // 10 * 10 - 10), min(100, int(max(shown)) // 10 * 10 + 10)
    band = BANDS[facts.health_band][0] if facts.health_band in BANDS else ""
    days = [today - timedelta(weeks=len(weeks) - 1 - at) for at in range(len(weeks))]
    return {
        "kind": "line",
        "unit": "",
        "x": [f"{day.month}/{day.day}" for day in days],
        "min": low,
        "max": high,
        "interval": 10,
        "series": [{"name": gettext("Health"), "values": weeks, "color": "ink", "end": band}],
        "limits": [
            {"value": spec.healthy_from, "band": "ok", "name": gettext("Healthy")},
            {"value": spec.warning_from, "band": "risk", "name": gettext("High risk")},
        ],
    }


def _finding(facts: CustomerFacts) -> str:
    known = [value for value in facts.health_weeks if value is not None]
    if len(known) < 2:
        return gettext("Health is %(now)s") % {"now": round(facts.health)}
    return gettext("Health went from %(first)s to %(now)s in %(weeks)s weeks, highest %(most)s, lowest %(least)s") % {
        "first": known[0],
        "now": known[-1],
        "weeks": len(facts.health_weeks),
        "most": max(known),
        "least": min(known),
    }


def _how(spec: HealthSpec, plan: Plan, segment: int) -> list[str]:
    said = gettext("Healthy from %(healthy)s points, at watch from %(warning)s; by plan v%(number)s.")
    limits = {
        "healthy": words.plain(spec.healthy_from),
        "warning": words.plain(spec.warning_from),
        "number": plan.number,
    }
    found = [
        gettext("Each part gives its share of 100 points; a part without data leaves its share to the others."),
        said % limits,
    ]
    if segment >= 0:
        own = spec.segments[segment]
        name = own.name.get(words.language()) or own.key
        found.append(gettext("Weighed as the segment %(name)s.") % {"name": name})
    return found
