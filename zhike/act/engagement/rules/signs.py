"""The signs that raise an alert, asked of one customer's facts. A sign that holds answers with its figures."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from zhike.decide.plans.rules.contact import ChurnLikely, HealthDrop, LoginsDrop, RenewalDue, Sign, Silence, UsageDrop
from zhike.kit.ruletrees import Rule, evaluate

Row = Mapping[str, Any]
Figures = dict[str, Any]

PARTS = ("usage", "breadth", "relationship", "commercial", "feedback")
SILENT_SINCE = {"usage": "days_since_usage", "contact": "days_since_touch", "orders": "recency_days"}
CHURN_LIKELY = "churn_likely"
HAIR = 1e-9  # A fall of exactly 70 % counts, although as a double it may lie a hair off 0.7.


def figures_of(sign: Sign, row: Row, rule: Rule | None, today: date) -> Figures | None:
    """Return the figures of a sign that this customer shows today, with its `code`, or None.

    `rule` is the parsed rule of a sign that has one. A fact that is unknown shows nothing.
    """
    if sign.health_drop:
        return _health_drop(sign.health_drop, row)
    if sign.silence:
        return _silence(sign.silence, row)
    if sign.usage_drop:
        return _usage_drop(sign.usage_drop, row)
    if sign.logins_drop:
        return _logins_drop(sign.logins_drop, row)
    if sign.renewal_due:
        return _renewal_due(sign.renewal_due, row)
    if sign.churn_likely:
        return _churn_likely(sign.churn_likely, row)
    return {"code": "rule"} if rule is not None and evaluate(rule, row, today) else None


def _health_drop(sign: HealthDrop, row: Row) -> Figures | None:
    before = row.get(f"health_{sign.within_days}d_ago")
    now = row.get("health")
    if before is None or now is None or round(float(before) - float(now), 6) < sign.points:
        return None
    parts: dict[str, Any] = {}
    for part in PARTS:
        points, former = row.get(f"health_{part}"), row.get(f"health_{part}_{sign.within_days}d_ago")
        if points is not None:
            parts[part] = plain(points) if former is None else [plain(former), plain(points)]
    return {
        "code": "health_fell",
        "from": round(before),
        "to": round(now),
        "days": sign.within_days,
        "parts": parts,
    }


def _silence(sign: Silence, row: Row) -> Figures | None:
    days = row.get(SILENT_SINCE[sign.of])
    if days is None or days < sign.days:
        return None
    return {"code": "silent", "of": sign.of, "days": int(days)}


def _usage_drop(sign: UsageDrop, row: Row) -> Figures | None:
    window = sign.window_days
    now, before = row.get(f"usage_{window}d"), row.get(f"usage_prev_{window}d")
    if now is None or not before or not has_fallen(now, before, sign.share):
        return None
    return {"code": "usage_fell", "from": plain(before), "to": plain(now), "share": fall(now, before), "days": window}


def _logins_drop(sign: LoginsDrop, row: Row) -> Figures | None:
    now, before = row.get("logins_per_week"), row.get(f"logins_per_week_{sign.within_days}d_ago")
    if now is None or not before or not has_fallen(now, before, sign.share):
        return None
    share = fall(now, before)
    return {"code": "logins_fell", "from": plain(before), "to": plain(now), "share": share, "days": sign.within_days}


def _renewal_due(sign: RenewalDue, row: Row) -> Figures | None:
    days = row.get("days_to_renewal")
    if days is None or not 0 <= days <= sign.days:
        return None
    if (row.get("contract_days") or 0) < sign.contracts_from_days:
        return None
    end = row.get("contract_end")
    return {"code": "renewal_due", "days": int(days), "end": end.isoformat() if end else None}


def _churn_likely(sign: ChurnLikely, row: Row) -> Figures | None:
    chance = row.get("churn_probability")
    if chance is None or chance < sign.probability:
        return None
    return {"code": CHURN_LIKELY, "chance": round(float(chance), 4)}


def has_fallen(now: float | Decimal, before: float | Decimal, share: float) -> bool:
    return float(now) <= float(before) * (1 - share + HAIR)


def fall(now: float | Decimal, before: float | Decimal) -> float:
    """Return by what share a figure fell: 0.7 for 100 → 30."""
    return round(1 - float(now) / float(before), 3)


def plain(value: float | Decimal) -> float | int:
    """Return a figure as JSON holds it, with one decimal at most."""
    number = round(float(value), 1)
    return int(number) if number == int(number) else number


def past_facts(signs: list[Sign]) -> dict[str, tuple[str, int]]:
    """Return the facts of days past that signs ask about: name in the row → (fact, days ago)."""
    wanted: dict[str, tuple[str, int]] = {}
    for sign in signs:
        if sign.health_drop:
            days = sign.health_drop.within_days
            wanted |= {f"health_{part}_{days}d_ago": (f"health_{part}", days) for part in PARTS}
            if days != 30:  # That of 30 days ago is a fact of today.
                wanted[f"health_{days}d_ago"] = ("health", days)
        if sign.logins_drop:
            days = sign.logins_drop.within_days
            wanted[f"logins_per_week_{days}d_ago"] = ("logins_per_week", days)
    return wanted
