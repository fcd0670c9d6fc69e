"""How a customer uses the product: week by week, and feature by feature against the month before."""

from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext

from zhike.measure import queries as measured
from zhike.measure.queries import EventUsage
from zhike.record.customers.models import Customer
from zhike.ui import words

WEEKS = 26
FEATURES = 6
RECENT = timedelta(days=7)


def drawn(found: Customer, today: date) -> dict[str, Any]:
    """Return chart, finding and features; nothing to draw for a customer who has never used anything.

    Where the record ends long before today, such as in a company tried on old files, the weeks end with it.
    """
    latest = measured.latest_day()
    until = latest.day if latest and latest.day < today - RECENT else today
    weeks = measured.usage_weekly(found.pk, WEEKS, today=until)
    features = measured.usage_by_event(found.pk, today=until)
    if not any(count for _day, count in weeks) and not features:
        return {"chart": None, "features": []}
    return {
        "chart": _chart(weeks),
        "finding": _finding(weeks),
        "features": [_feature(one) for one in features[:FEATURES]],
        "period": _period(until, today),
    }


def _period(until: date, today: date) -> str:
    if until == today:
        return gettext("times a week, %(weeks)s weeks") % {"weeks": WEEKS}
    named = {"weeks": WEEKS, "day": words.date_text(until, today)}
    return gettext("times a week, %(weeks)s weeks up to %(day)s") % named


def _chart(weeks: list[tuple[date, int]]) -> dict[str, Any]:
    series = {"name": gettext("Usage"), "values": [count for _day, count in weeks], "color": "accent", "area": True}
    return {
        "kind": "line",
        "unit": gettext("times"),
        "x": [f"{day.month}/{day.day}" for day, _count in weeks],
        "min": 0,
        "series": [{**series, "end": "accent"}],
    }


def _finding(weeks: list[tuple[date, int]]) -> str:
    counts = [count for _day, count in weeks]
    said = gettext("Usage per week: highest %(most)s, last week %(last)s, the week before %(before)s")
    shown = {"most": max(counts), "last": counts[-1], "before": counts[-2]}
    return said % {name: words.plain(count) for name, count in shown.items()}


def _feature(one: EventUsage) -> dict[str, str]:
    if one.change is None:
        said, look = gettext("new in 30 days"), "faint"
    else:
        percent = round(one.change * 100)
        said = gettext("%(change)s%% on the 30 days before") % {"change": words.signed(percent)}
        look = "risk" if percent <= -50 else "warn" if percent < -5 else "ok" if percent > 5 else "faint"
    return {"name": one.event, "count": words.short(one.now), "said": said, "look": look}
