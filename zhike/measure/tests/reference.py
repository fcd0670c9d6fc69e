"""The facts of a morning worked out once more, slowly, in plain Python from Django's rows: a second opinion."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from pyarrow import parquet

from zhike.kit.periods import add_months, months_between
from zhike.record.commerce.models import Order, Subscription
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, LakeFile
from zhike.record.interactions.models import Interaction
from zhike.record.tracking.models import Person

ZONE = ZoneInfo("Asia/Shanghai")


def cents(amount: Decimal | float) -> Decimal:
    return Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)


class Use(NamedTuple):
    """A row of usage: imported with so many people, or one time by one person."""

    day: date
    event: str
    times: int
    users: int | None
    person: int


def usage_rows(cut_off: datetime, today: date) -> dict[int, list[Use]]:
    found = defaultdict(list)
    same = {person.pk: person.merged_into_id for person in Person.objects.exclude(merged_into=None)}
    for file in LakeFile.objects.filter(kind__in=["usage", "events"]):
        for row in parquet.read_table(Path(settings.LAKE) / file.path).to_pylist():
            moment = row["at"].replace(tzinfo=UTC)
            if moment >= cut_off or row.get("call", 1) > 3:
                continue
            person = row.get("person", 0)
            while person in same:
                person = same[person]
            day = min(today, moment.astimezone(ZONE).date())
            found[row["customer"]].append(Use(day, row["event"], row.get("count", 1), row.get("users"), person))
    return found


class Known:
    """One customer's rows before a morning."""

    def __init__(self, customer: Customer, today: date, usage: list[Use], moment: datetime | None = None) -> None:
        self.customer, self.today = customer, today
        cut_off = moment or datetime.combine(today, time(), ZONE)
        self.orders = [
            (min(today, order.placed_at.astimezone(ZONE).date()), order)
            for order in Order.objects.filter(customer=customer, placed_at__lt=cut_off)
        ]
        self.bought = sorted(day for day, order in self.orders if order.bought > 0)
        self.subscriptions = list(Subscription.objects.filter(customer=customer, start__lt=today))
        self.running = [each for each in self.subscriptions if each.end is None or each.end >= today]
        self.usage = usage
        self.talks = [
            (min(today, talk.at.astimezone(ZONE).date()), talk.outcome)
            for talk in Interaction.objects.filter(customer=customer, at__lt=cut_off)
        ]
        answers = Event.objects.filter(customer=customer, kind="survey.answered", at__lt=cut_off).order_by("at", "id")
        self.answers = [answer.payload["nps"] for answer in answers]

    def back(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def earned(self, each: Subscription, since: date, until: date) -> float:
        stop = min(each.end or date.max, until)
        begin = min(each.end or date.max, since)
        months = max(0.0, months_between(each.start, stop)) - max(0.0, months_between(each.start, begin))
        return float(each.mrr) * months

    def revenue(self, since: date) -> Decimal:
        orders = sum((order.bought - order.returned for day, order in self.orders if since <= day), Decimal(0))
        return orders + Decimal(sum(self.earned(each, since, self.today) for each in self.subscriptions))

    def used(self, since: date, until: date) -> int:
        return sum(use.times for use in self.usage if since <= use.day < until)


def facts_of(known: Known) -> dict[str, Any]:
    """The facts that come from the customer's own rows."""
    today, back, customer = known.today, known.back, known.customer
    signs = [day for day, _order in known.orders] + [each.start for each in known.subscriptions]
    signs += [use.day for use in known.usage]
    born = customer.joined or min(signs, default=None)
    mrr = sum((each.mrr for each in known.running), Decimal(0))
    ends = [each.end for each in known.running]
    contract_end = max((end for end in ends if end), default=None) if None not in ends else None
    biggest = max(known.running, key=lambda each: (each.mrr, each.quantity), default=None)
    late = [use for use in known.usage if use.day >= back(30)]
    days = {use.day for use in known.usage}
    reached = [day for day, outcome in known.talks if outcome == "reached"]
    weeks = min(13.0, max(1.0, ((today - born).days / 7) if born else 13.0))
    found = {
        "tenure_days": (today - born).days if born else None,
        "orders": len(known.bought),
        "first_order": min(known.bought, default=None),
        "last_order": max(known.bought, default=None),
        "revenue": cents(known.revenue(date.min)),
        "revenue_12m": cents(known.revenue(add_months(today, -12))),
        "returned": cents(sum((order.returned for _day, order in known.orders), Decimal(0))),
        "fees": cents(sum((order.fees for _day, order in known.orders), Decimal(0))),
        "mrr": cents(mrr),
        "arr": cents(12 * mrr),
        "seats": int(biggest.quantity) if biggest else None,
        "contract_end": contract_end,
        "contract_days": max((each.end - each.start).days for each in known.running if each.end == contract_end)
        if contract_end
        else None,
        "days_to_renewal": (contract_end - today).days if contract_end else None,
        "users_30d": max(
            len({use.person for use in late if use.person}), max((use.users or 0 for use in late), default=0)
        ),
        "active_days_30d": len({use.day for use in late}),
        "active_weeks_13w": len({max(0, (today - day).days - 1) // 7 for day in days if day >= back(91)}),
        "logins_per_week": len({day for day in days if day >= back(91)}) / weeks,
        "features_30d": len({use.event for use in late}),
        "features_ever": len({use.event for use in known.usage}),
        "last_usage": max(days, default=None),
        "days_since_usage": (today - max(days)).days if days else None,
        "last_touch": max(reached, default=None),
        "days_since_touch": (today - max(reached)).days if reached else None,
        "interactions_90d": sum(day >= back(90) for day, _outcome in known.talks),
        "last_nps": known.answers[-1] if known.answers else None,
        "recency_days": (today - known.bought[-1]).days if known.bought else None,
        "frequency": len(known.bought),
        "monetary": cents(known.revenue(date.min)),
    }
    for window in (30, 90):
        now, before = known.used(back(window), date.max), known.used(back(2 * window), back(window))
        found[f"usage_{window}d"], found[f"usage_prev_{window}d"] = now, before
        found[f"usage_change_{window}d"] = (now - before) / before if before else None
    return found


def health(facts: dict[str, Any], parts: dict[str, dict[str, Any]]) -> tuple[Decimal | None, dict[str, Decimal | None]]:
    """Health and its parts with exact fractions, so that rounding is done once, at the end."""
    known = {key: part for key, part in parts.items() if facts[part["fact"]] is not None}
    weight = sum(Fraction(part["weight"]) for part in known.values())
    if not known:
        return None, dict.fromkeys(parts)
    tenths = {}
    for key, part in known.items():
        low, high = Fraction(part["zero_at"]), Fraction(part["full_at"])
        share = min(Fraction(1), max(Fraction(0), (Fraction(facts[part["fact"]]) - low) / (high - low)))
        tenths[key] = 1000 * Fraction(part["weight"]) * share / weight
    total = int(sum(tenths.values()) + Fraction(1, 2))
    whole = {key: int(value) for key, value in tenths.items()}
    left = total - sum(whole.values())
    for key in sorted(tenths, key=lambda each: -(tenths[each] - whole[each]))[:left]:
        whole[key] += 1
    points = {key: Decimal(whole[key]) / 10 if key in whole else None for key in parts}
    return Decimal(total) / 10, points


def tiers(rows: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The tiers of the test plan."""
    total = sum(row["revenue"] for row in rows.values())
    above, found = Decimal(0), {}
    for ref, row in sorted(rows.items(), key=lambda item: (-item[1]["revenue"], item[0])):
        share = float(above) / float(total) if total > 0 else 1
        above += row["revenue"]
        if row["revenue"] > 0 and share < 0.5:
            found[ref] = "core"
        elif row["revenue"] > 0 and share < 0.8 and (row["logins_per_week"] >= 0.5 or row["orders"] > 3):
            found[ref] = "key"
        elif row["revenue"] > 0 and share < 0.95:
            found[ref] = "potential"
        else:
            found[ref] = "general"
    return found


def fifths(values: dict[str, float]) -> dict[str, int]:
    """Scores 1 to 5, higher values better: the fifth that the last of the equal ones reaches into."""
    ordered = sorted(values.values())
    return {ref: -(-5 * sum(other <= value for other in ordered) // len(ordered)) for ref, value in values.items()}


def facts(today: date, moment: datetime | None = None) -> dict[str, dict[str, Any]]:
    """All facts of the customers there were, by customer number, but for scores, tiers and health."""
    usage = usage_rows(moment or datetime.combine(today, time(), ZONE), today)
    return {
        customer.ref: facts_of(Known(customer, today, usage.get(customer.pk, []), moment))
        for customer in Customer.objects.all()
        if customer.joined is None or customer.joined <= today
    }
