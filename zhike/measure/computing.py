"""One morning's facts, from the record to the full rows, without writing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import pyarrow as pa
from django.utils.translation import gettext_lazy as _

from zhike.kit.refusal import Refusal
from zhike.kit.ruletrees import ATTRIBUTES, FieldType
from zhike.measure import health, lake, lifecycle, reading, rfm, snapshots, tiers, wide
from zhike.measure.facts import FACTS, HEALTH_INPUTS, fields
from zhike.measure.lake import Engine
from zhike.measure.models import StageMove
from zhike.measure.reading import Morning, Record
from zhike.measure.specs import MeasureSpec


class HealthFromUnknownFact(Refusal):
    message = _("The health part %(part)s is scaled from %(fact)s, which is no number known before the health is.")


class Watcher(Protocol):
    """Who is told how far the work is (`zhike.org.works.Progress`)."""

    def step(self, words: str, done: int = 0, total: int | None = None) -> None: ...


@dataclass(frozen=True)
class History:
    """What earlier mornings left: the last stage and tier of each customer, health 30 days ago and by week."""

    stages: pa.Table
    health: pa.Table

    @classmethod
    def before(cls, today: date) -> History:
        """Read it."""
        return cls(reading.last_moves(StageMove, today), snapshots.health_near(today - timedelta(days=30)))

    @classmethod
    def none(cls) -> History:
        """Return the history of a company that never measured."""
        return cls(reading.LAST_MOVES.empty_table(), snapshots.HEALTH.empty_table())


@dataclass(frozen=True)
class Computed:
    """The rows of one morning, ordered by `customer_id`, and warnings of what was left out of them."""

    table: pa.Table
    warnings: list[dict[str, object]]


def facts(spec: MeasureSpec, today: date, *, given: pa.Table | None, watcher: Watcher) -> Computed:
    """Return the facts of the morning of `today`: one row per customer, ordered by `customer_id`.

    The columns are `customer_id`, all FACTS in their order, and `attributes` as JSON text. `given` is customer_id and
    next_touch. Raises RuleError and HealthFromUnknownFact for a plan that names facts wrongly, LakeFileMissing when the
    lake is not whole.
    """
    allowed = fields([tier.key for tier in spec.tiers.tiers])
    check(spec, allowed)  # Before the long reading, and again by whoever computes without it.
    watcher.step(str(_("Reading the record")), 0, 4)
    when = reading.morning(today)
    record = reading.record(when)
    history = History.before(today)
    with lake.engine() as engine:
        return compute(engine, record, spec, when, history, allowed, given=given, watcher=watcher)


def check(spec: MeasureSpec, allowed: Mapping[str, FieldType]) -> None:
    """Refuse a plan whose health or tiers name something that is not known when they need it."""
    for key, part in spec.health.parts.items():
        if part.fact not in HEALTH_INPUTS:
            raise HealthFromUnknownFact(part=key, fact=part.fact)
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
    """Return the facts made from a record: a pure function of its arguments."""
    check(spec, allowed)
    watcher.step(str(_("Gathering orders, subscriptions and usage")), 1, 4)
    row = wide.gather(engine, record, spec, when, given)
    watcher.step(str(_("Scoring health, stages and tiers")), 2, 4)
    parts = {
        "wide": row,
        "rfm": rfm.score(engine, row, spec.rfm, when),
        "shares": tiers.shares(engine, row),
        "staged": lifecycle.stages(engine, row, record, spec.lifecycle, when, history.stages),
    }
    inputs = sorted({part.fact for part in spec.health.parts.values()})
    parts["healthy"] = health.scores(engine, _together(engine, parts, inputs), spec.health, history.health)
    needed = sorted({spec.tiers.revenue, "ref", *tiers.columns(spec.tiers, allowed)})
    parts["tiered"] = tiers.assign(engine, _together(engine, parts, needed), spec.tiers, allowed, when.today)
    return Computed(_together(engine, parts, [*FACTS, ATTRIBUTES]), wide.without_rate(engine, record))


def _together(engine: Engine, parts: dict[str, pa.Table], names: list[str]) -> pa.Table:
    """Return the named columns of tables that have one row per customer each, ordered by `customer_id`."""
    joins = " ".join(f"JOIN {name} USING (customer_id)" for name in parts if name != "wide")
    columns = ", ".join(["customer_id", *(f'"{name}"' for name in names)])
    statement = "SELECT {columns} FROM wide {joins} ORDER BY customer_id"
    return engine.query(lake.filled(statement, columns=columns, joins=joins), **parts)
