"""What was known on a past day, from the kept facts: one customer's row, and how it stood for the ledger."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from zhike.kit.refusal import Refusal
from zhike.kit.ruletrees import ATTRIBUTES
from zhike.measure import classes, lake, ledger, queries, snapshots
from zhike.measure.classes import ScoreMove, Seen, TierMove
from zhike.measure.facts import FACTS, fields
from zhike.measure.ledger import Ledger, Standing
from zhike.measure.models import HEALTH_WEEKS, FactsDay
from zhike.measure.specs import MeasureSpec
from zhike.org.principals import SYSTEM, Principal


class NothingKept(Refusal):
    message = _("Nothing was kept by %(day)s; the first kept day is %(first)s.")


class NothingMeasured(Refusal):
    message = _("Nothing has been measured yet; run zhike turn first.")


class NotThere(Refusal):
    message = _("Customer %(customer)s was not known on %(day)s.")


def first_day() -> date | None:
    """Return the first kept day, None when nothing has been measured."""
    return FactsDay.objects.order_by("day").values_list("day", flat=True).first()


def kept_by(day: date) -> FactsDay | None:
    """Return the kept day that tells of a day: that day, else the nearest one before; None when none was kept by then.

    A later day is never told: it would know more than was known.
    """
    return FactsDay.objects.filter(day__lte=day).order_by("-day").first()


def ago(day: date, days: int) -> date:
    """Return the day that tells how it was `days` before a day: as for facts of 30 days ago the kept one nearest to it.

    It is that very day, kept or not, when no day within a week of it and before `day` was kept.
    """
    wanted = day - timedelta(days=days)
    kept = snapshots.kept_near(wanted)
    return kept.day if kept is not None and kept.day < day else wanted


def required(day: date) -> FactsDay:
    """Return what `kept_by` finds; raises NothingKept or NothingMeasured."""
    found = kept_by(day)
    if found is not None:
        return found
    first = first_day()
    if first is None:
        raise NothingMeasured
    raise NothingKept(day=day, first=first)


def row(kept: FactsDay, customer_id: int, *, principal: Principal = SYSTEM) -> dict[str, Any] | None:
    """Return one customer's facts as kept on a day, attributes as a mapping; None for one not known then.

    Facts that the person may not see are None. Scope is not asked: the caller has reached the customer already.
    """
    relation = snapshots.relation(kept, [*FACTS, ATTRIBUTES])
    question = lake.filled("SELECT * FROM {kept} WHERE customer_id = $customer", kept=relation)
    rows = lake.reader().query(question, {"customer": customer_id}).to_pylist()
    if not rows:
        return None
    found: dict[str, Any] = rows[0]
    found[ATTRIBUTES] = json.loads(found[ATTRIBUTES] or "{}")
    hidden = queries.hidden_from(principal)
    return {name: None if name in hidden else value for name, value in found.items()}


def spec_of(kept: FactsDay) -> MeasureSpec:
    """Return the yardsticks in force on a kept day."""
    return MeasureSpec.model_validate(kept.spec)


@dataclass(frozen=True)
class Told:
    """What changed for a customer between two kept days: health, RFM scores, and the tier."""

    ledger: Ledger
    since: FactsDay
    until: FactsDay
    scores: list[ScoreMove]
    tier: TierMove | None


def change(customer_id: int, *, since: date, until: date | None = None) -> Told:
    """Return what changed for one customer between two days, `until` None being now.

    Days without kept facts are told by the nearest one before. Raises NothingKept, NothingMeasured and NotThere.
    """
    latest = FactsDay.objects.order_by("-day").first()
    if latest is None:
        raise NothingMeasured
    end = latest if until is None else required(until)
    start = required(since)
    before, after = _facts(start, customer_id), _facts(end, customer_id, is_now=end.day == latest.day)
    one, other = spec_of(start), spec_of(end)
    allowed = fields()
    seen = (_seen(start, one, before), _seen(end, other, after))
    return Told(
        ledger.between(Standing(start.day, one.health, before), Standing(end.day, other.health, after), allowed),
        start,
        end,
        classes.scores(*seen),
        classes.tier(*seen, allowed),
    )


def _facts(kept: FactsDay, customer_id: int, *, is_now: bool = False) -> Mapping[str, Any]:
    """Return how a customer stood; on the latest day as its row stands right now."""
    found = queries.facts_of([customer_id]).get(customer_id) if is_now else row(kept, customer_id)
    if found is None:
        raise NotThere(customer=customer_id, day=kept.day)
    return found


ABOVE = """
SELECT CAST(SUM({basis}) FILTER (COALESCE({basis}, 0) > $mine OR (COALESCE({basis}, 0) = $mine AND ref < $ref))
            AS DOUBLE) / NULLIF(CAST(SUM({basis}) AS DOUBLE), 0) AS above FROM {kept}
"""


def _seen(kept: FactsDay, spec: MeasureSpec, facts: Mapping[str, Any]) -> Seen:
    """Return the customer with the share of revenue that those before it bring, when its tier may hang on it."""
    basis = spec.tiers.revenue
    if not facts.get(basis) or all(tier.revenue_up_to is None for tier in spec.tiers.tiers):
        return Seen(kept.day, spec, facts)
    question = lake.filled(ABOVE, basis=basis, kept=snapshots.relation(kept, [basis, "ref"]))
    given: dict[str, lake.Value] = {"mine": float(facts[basis]), "ref": facts["ref"]}
    return Seen(kept.day, spec, facts, lake.reader().query(question, given)["above"][0].as_py() or 0.0)


def health_weeks(kept: FactsDay, customer_id: int) -> list[int | None]:
    """Return the health of the 26 weeks up to a kept day, oldest first, as today's row has it of the latest weeks."""
    with_days = snapshots.latest_by_week(kept.day, HEALTH_WEEKS - 1)
    parts = [
        lake.filled(
            "SELECT {week} AS week, CAST(ROUND(health) AS INTEGER) AS health FROM {kept} WHERE customer_id = $customer",
            week=str(week),
            kept=f"read_parquet({lake.quoted(str(lake.present(path)))})",
        )
        for week, path in {0: kept.path, **with_days}.items()
    ]
    rows = lake.reader().query(" UNION ALL ".join(parts), {"customer": customer_id}).to_pylist()
    found = {row["week"]: row["health"] for row in rows}
    return [found.get(week) for week in range(HEALTH_WEEKS - 1, -1, -1)]
