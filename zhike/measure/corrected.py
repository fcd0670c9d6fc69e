"""What was corrected later: the facts of one customer of a past day, computed anew from the record as it is now.

Facts that depend on everybody (scores by fifths, shares, ranks, tiers) cannot be computed for one customer and are not
compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from zhike.measure import computing, lake, reading, snapshots, wide
from zhike.measure.asof import spec_of
from zhike.measure.facts import AGGREGATED, FACTS, Source
from zhike.measure.models import FactsDay
from zhike.measure.reading import History
from zhike.measure.specs import MeasureSpec

OWN = (*(each for each in AGGREGATED if each is not Source.GIVEN), Source.WIDE, Source.LIFECYCLE, Source.HEALTH)
BY_ITSELF = (
    *(fact.name for fact in FACTS.values() if fact.source in OWN),
    "recency_days",
    "frequency",
    "monetary",
)
"""Facts of a customer that hang on nothing but its own part of the record."""
CLOSE = 1e-9


def row(kept: FactsDay, customer_id: int, then: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the facts BY_ITSELF of a kept day as today's record tells them; None for a customer it does not have.

    `then` are the facts as kept: where log-ins by name were counted, they are counted by name again.
    """
    spec, when = spec_of(kept), reading.morning(kept.day)
    among = [customer_id]
    record = reading.record(when, spec.rfm.window_days, only=among)
    engine = lake.reader()
    gathered = wide.gather(engine, record, spec, when, History.before(kept.day, only=among))
    if not gathered.num_rows:
        return None
    allowed = computing.allowed(spec)
    values = wide.parameters(record.currency, spec, when)
    if _by_name(spec, gathered, then):
        gathered = pa.concat_tables([gathered, _somebody_else(gathered)])
    rows = computing.score(engine, gathered, spec, when, allowed, given=None, values=values).to_pylist()
    measured = snapshots.columns_of(kept.path)  # A fact that was not measured yet that day was not wrong.
    return {name: rows[0][name] for name in BY_ITSELF if name in measured} if rows else None


def differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Return what today's record tells, by fact, where it is not what was kept."""
    return {name: value for name, value in now.items() if name in then and not _same(then[name], value)}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= CLOSE * max(1.0, abs(one), abs(other))
    return bool(one == other)


def _by_name(spec: MeasureSpec, gathered: pa.Table, then: Mapping[str, Any]) -> bool:
    """Say whether somebody else's log-ins by name made that only these counted, which one customer cannot show."""
    return bool(spec.login_events) and not gathered["logins"][0].as_py() and not then.get("logins_per_week")


def _somebody_else(gathered: pa.Table) -> pa.Table:
    """Return a row that does not count, but has logged in by name."""
    table = gathered.slice(0, 1)
    for name, value in {"counts": False, "logins": 1}.items():
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        table = table.set_column(place, field, pa.array([value], field.type))
    return table
