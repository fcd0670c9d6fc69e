"""One morning's facts, from the record to the full rows, without writing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

import pyarrow as pa
from django.utils.translation import gettext_lazy as _

from zhike.kit.refusal import Refusal
from zhike.kit.ruletrees import ATTRIBUTES, FieldType
from zhike.measure import health, lake, lifecycle, nightly, reading, rfm, rows, tiers, wide
from zhike.measure.facts import HEALTH_INPUTS, fields
from zhike.measure.lake import Engine, Value
from zhike.measure.reading import History, Morning, Record
from zhike.measure.specs import MeasureSpec


class HealthFromUnknownFact(Refusal):
    message = _("The health part %(part)s is scaled from %(fact)s, which is no number known before the health is.")


class Watcher(Protocol):
    """Who is told how far the work is (`zhike.org.works.Progress`)."""

    def step(self, words: str, done: int = 0, total: int | None = None) -> None: ...


@dataclass(frozen=True)
class Computed:
    """The rows of one morning, ordered by `customer_id`, warnings of what was left out, and what was gathered.

    `said` is what models said of them; None where none was asked.
    """

    table: pa.Table
    warnings: list[dict[str, object]]
    gathered: pa.Table
    said: nightly.Said | None = None


def facts(
    spec: MeasureSpec, today: date, *, given: pa.Table | None, watcher: Watcher, moment: datetime | None = None
) -> Computed:
    """Return the facts of the morning of `today`, or at a moment of it: one row per customer, by `customer_id`.

    The columns are `customer_id`, all FACTS in their order, and `attributes` as JSON text. `given` is customer_id and
    next_touch. Raises RuleError and HealthFromUnknownFact for a plan that names facts wrongly, LakeFileMissing when the
    lake is not whole.
    """
    known = allowed(spec)
    check(spec, known)  # Before the long reading, and again by whoever computes without it.
    watcher.step(str(_("Reading the record")), 0, 4)
    when = reading.morning(today, moment)
    record = reading.record(when, spec.rfm.window_days)
    history = History.before(today)
    with lake.engine() as engine:
        computed = compute(engine, record, spec, when, history, known, given=given, watcher=watcher)
        watcher.step(str(_("Asking the models")), 2, 4)
        said = nightly.said(engine, record, computed.table, spec, when)
    return replace(computed, table=nightly.filled(computed.table, said), said=said)


def allowed(spec: MeasureSpec) -> dict[str, FieldType]:
    """Return what the rules of these yardsticks may name; reads the company's own attributes."""
    return fields([tier.key for tier in spec.tiers.tiers])


def check(spec: MeasureSpec, allowed: Mapping[str, FieldType]) -> None:
    """Refuse a plan whose health or tiers name something that is not known when they need it."""
    for parts in (spec.health.parts, *(segment.parts for segment in spec.health.segments)):
        for key, part in parts.items():
            if part.fact not in HEALTH_INPUTS:
                raise HealthFromUnknownFact(part=key, fact=part.fact)
    health.rules(spec.health, allowed)
    tiers.rules(spec.tiers, allowed)


def compute(
    engine: Engine,
    record: Record,
    spec: MeasureSpec,
    when: Morning,
    history: History,
    allowed: Mapping[str, FieldType],
    *,
    given: pa.Table | None,
    watcher: Watcher,
) -> Computed:
    """Return the facts made from a record: a pure function of its arguments. What models say is unknown in them."""
    check(spec, allowed)
    watcher.step(str(_("Gathering orders, subscriptions and usage")), 1, 4)
    gathered = wide.gather(engine, record, spec, when, history)
    watcher.step(str(_("Scoring health, stages and tiers")), 2, 4)
    values = wide.parameters(record.currency, spec, when)
    table = score(engine, gathered, spec, when, allowed, given=given, values=values)
    return Computed(table, wide.without_rate(engine, record), gathered)


def score(
    engine: Engine,
    gathered: pa.Table,
    spec: MeasureSpec,
    when: Morning,
    allowed: Mapping[str, FieldType],
    *,
    given: pa.Table | None,
    values: Mapping[str, Value],
) -> pa.Table:
    """Return the facts of all customers from what was gathered of each: scores, shares, stages, health and tiers."""
    row = wide.finish(engine, gathered, given, spec, values)
    parts = [
        row,
        rows.in_order(rfm.score(engine, row, spec.rfm, when)),
        rows.in_order(tiers.shares(engine, row)),
        rows.in_order(lifecycle.stages(engine, row, spec.lifecycle, when)),
    ]
    inputs = sorted(health.columns(spec.health, allowed))
    past = row.select(["customer_id", "past_health"]).rename_columns(["customer_id", "health"])
    known = rows.together(parts, inputs)
    healthy = health.scores(engine, known, spec.health, past, fields=allowed, today=when.today)
    parts.append(rows.in_order(healthy))
    needed = sorted({spec.tiers.revenue, "ref", *tiers.columns(spec.tiers, allowed)})
    tiered = tiers.assign(engine, rows.together(parts, needed), spec.tiers, allowed, when.today)
    parts.append(rows.in_order(tiered))
    return nightly.filled(rows.together(parts, [*nightly.KNOWN, ATTRIBUTES]))
