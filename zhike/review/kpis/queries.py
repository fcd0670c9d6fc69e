"""Key figures as they stand, against the plan's goals and against a month ago."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import get_language, gettext

from zhike.decide.plans.rules.schema import KpiTarget, Plan
from zhike.kit.periods import add_months
from zhike.org import company
from zhike.review.kpis.models import KpiValue
from zhike.review.kpis.rules import KPIS, Kpi, band
from zhike.ui import words

MONTHS = {"month": 1, "quarter": 3, "year": 12}
COMPARED_WITH = timedelta(days=30)
NEAR = timedelta(days=10)
WEEKS = 26
PER_TIME = 5  # Of a meter from 0 to 100: twenty times fill it.


@dataclass(frozen=True, slots=True)
class Taken:
    """A key figure as computed: None when there is nothing to measure it by."""

    value: float | None
    basis: int
    detail: dict[str, Any]


def take(kpi: Kpi, day: date) -> Taken:
    """Compute a key figure from the record, for the morning of a day."""
    with connection.cursor() as cursor:
        cursor.execute(kpi.sql, _parameters(kpi, day))
        row = cursor.fetchone()
    if row is None:
        return Taken(None, 0, {})
    value, basis, detail = row
    # Django hands JSON over as text when it does not know the column.
    return Taken(None if value is None else round(float(value), 6), basis, json.loads(detail) if detail else {})


def _parameters(kpi: Kpi, day: date) -> dict[str, str | date]:
    firm = company.current()
    zone = company.zone()
    since = add_months(day, -MONTHS[kpi.span])
    before = add_months(day, -2 * MONTHS[kpi.span])
    return {
        "day": day,
        "since": since,
        "before": before,
        "start": datetime.combine(day, time(), zone),
        "since_at": datetime.combine(since, time(), zone),
        "before_at": datetime.combine(before, time(), zone),
        "currency": firm.currency,
    }


@dataclass(frozen=True, slots=True)
class Meter:
    """A key figure for a page, in words. `share` and `goal` place it on a meter from 0 to 100.

    `off` is the deviation from the goal. `history` are the values of the last half-year, oldest first, and `aim` is
    the goal; shares in per cent.
    """

    key: str
    name: str
    meaning: str
    value: str
    unit: str
    target: str
    comparison: str
    note: str
    band: str
    share: float
    goal: float | None
    off: str
    owner: str
    aim: float | None
    aim_text: str
    history: tuple[float | None, ...]
    sql: str


def meters(day: date, plan: Plan | None) -> list[Meter]:
    """Return the key figures as last taken up to a day, in the order of their declaration."""
    language = get_language() or "en"
    targets: Mapping[Any, KpiTarget] = plan.kpis if plan else {}
    latest = _latest(day)
    earlier = _latest(day - COMPARED_WITH, oldest=day - COMPARED_WITH - NEAR)
    series = _series(day)
    return [
        _meter(kpi, latest[key], earlier.get(key), targets.get(key), language, series.get(key, ()))
        for key, kpi in KPIS.items()
        if key in latest
    ]


def last_day(day: date) -> date | None:
    """Return the latest day up to this one for which key figures were taken."""
    return KpiValue.objects.filter(day__lte=day).order_by("-day").values_list("day", flat=True).first()


def _series(day: date) -> dict[str, tuple[float | None, ...]]:
    """Return the values of each key figure in the last half-year, one of each week, oldest first."""
    since = day - timedelta(weeks=WEEKS)
    rows = KpiValue.objects.filter(day__gt=since, day__lte=day).order_by("day").values_list("name", "day", "value")
    weeks: dict[str, dict[int, float | None]] = {}
    for name, taken, value in rows:
        weeks.setdefault(name, {})[(day - taken).days // 7] = value
    return {name: tuple(found.get(week) for week in range(max(found), -1, -1)) for name, found in weeks.items()}


def _latest(day: date, oldest: date | None = None) -> dict[str, KpiValue]:
    found = KpiValue.objects.filter(day__lte=day, name__in=KPIS)
    if oldest is not None:
        found = found.filter(day__gte=oldest)
    return {value.name: value for value in found.order_by("name", "-day").distinct("name")}


def _meter(
    kpi: Kpi,
    now: KpiValue,
    earlier: KpiValue | None,
    target: KpiTarget | None,
    language: str,
    history: tuple[float | None, ...],
) -> Meter:
    goal = target.target if target else None
    shown, unit = written(kpi, now.value)
    return Meter(
        key=kpi.key,
        name=kpi.name(language),
        meaning=kpi.meaning(language),
        value=shown,
        unit=unit,
        target="" if goal is None else gettext("goal %(goal)s") % {"goal": "".join(written(kpi, goal))},
        comparison=_comparison(kpi, now.value, earlier.value if earlier else None),
        note=_basis(kpi, now),
        band=band(now.value, goal, target.warn_below if target else None),
        share=_place(kpi, now.value),
        goal=None if goal is None else _place(kpi, goal),
        off=_off(kpi, now.value, goal),
        owner=target.owner if target else "",
        aim=_scaled(kpi, goal),
        aim_text="" if goal is None else "".join(written(kpi, goal)),
        history=tuple(_scaled(kpi, value) for value in history),
        sql=kpi.sql.strip(),
    )


def _scaled(kpi: Kpi, value: float | None) -> float | None:
    return value * 100 if value is not None and kpi.unit == "share" else value


def _off(kpi: Kpi, value: float | None, goal: float | None) -> str:
    if value is None or goal is None:
        return ""
    difference = (value - goal) * 100 if kpi.unit == "share" else value - goal
    return words.signed(round(difference, 1))


def written(kpi: Kpi, value: float | None) -> tuple[str, str]:
    """Return a value and its unit as people read them."""
    if value is None:
        return "—", ""
    if kpi.unit == "points":
        return words.plain(round(value)), ""
    if kpi.unit == "times":
        return words.plain(round(value, 1)), "×"
    return words.plain(round(value * 100, 1)), "%"


def _comparison(kpi: Kpi, now: float | None, earlier: float | None) -> str:
    if now is None or earlier is None:
        return ""
    if kpi.unit == "times":
        return gettext("%(change)s in a month") % {"change": words.signed(round(now - earlier, 1))}
    change = now - earlier if kpi.unit == "points" else (now - earlier) * 100
    return gettext("%(change)s points in a month") % {"change": words.signed(round(change, 1))}


def _basis(kpi: Kpi, value: KpiValue) -> str:
    if value.value is None:
        return gettext("Nothing to measure yet")
    if kpi.key in {"nps", "csat"}:
        return gettext("%(count)s answers") % {"count": words.plain(value.basis)}
    return gettext("%(count)s customers") % {"count": words.plain(value.basis)}


def _place(kpi: Kpi, value: float | None) -> float:
    if value is None:
        return 0.0
    scaled = {"points": (value + 100) / 2, "times": value * PER_TIME, "share": value * 100}[kpi.unit]
    return round(min(max(scaled, 0.0), 100.0), 1)
