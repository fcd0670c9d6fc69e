"""The proof of freshening: the day's facts computed from nothing, set beside the rows that stand, row by row."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

import pyarrow as pa
from django.utils.translation import gettext

from zhike.kit.ruletrees import ATTRIBUTES
from zhike.measure import computing, freshening, keeping, lake, reading
from zhike.measure.facts import STANDING, STORED
from zhike.measure.models import CustomerFacts, FactsDay, KeptFacts
from zhike.measure.reading import Morning
from zhike.measure.specs import MeasureSpec
from zhike.org.states import one_state
from zhike.org.works import Silent
from zhike.ui import words

log = logging.getLogger(__name__)
TOLD = 5  # Customers who are named.
# What planning wrote and what models said at night stands; nothing else computes it.
COMPARED = tuple(fact.name for fact in STORED if fact.source not in STANDING)

DIFFERENT = """
SELECT COALESCE(wanted.customer_id, stands.customer_id) AS customer_id,
       LIST_FILTER(LIST_VALUE({names}), lambda name: name IS NOT NULL) AS facts
FROM wanted FULL JOIN stands ON stands.customer_id = wanted.customer_id
WHERE ({differ}) ORDER BY 1
"""


@dataclass(frozen=True)
class Proof:
    """How the rows that stood compare with those computed from nothing, both of `day` at `moment`.

    `different` names who differs and in which facts, the first few of `differing`. Customers of whom something new came
    on record meanwhile are left out: nobody says that their rows are up to date.
    """

    day: date
    moment: datetime
    rows: int
    differing: int
    different: list[dict[str, object]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def equal(self) -> int:
        return self.rows - self.differing

    def sentence(self) -> str:
        """Return what people are told."""
        told = gettext("%(day)s: %(equal)s of %(rows)s rows equal those computed from nothing")
        return told % {"day": self.day.isoformat(), "equal": words.plain(self.equal), "rows": words.plain(self.rows)}

    def told(self) -> dict[str, object]:
        """Return it as JSON holds it."""
        return {
            "day": self.day.isoformat(),
            "moment": self.moment.isoformat(),
            "rows": self.rows,
            "equal": self.equal,
            "different": self.different,
        }


def prove(day: FactsDay, *, moment: datetime) -> Proof | None:
    """Freshen a last time, then compare; None when nothing was freshened since the day was measured.

    For whoever holds `keeping.alone`. Differences are logged as an error; the turn that follows computes every row from
    nothing and so repairs them.
    """
    kept = KeptFacts.objects.filter(day=day.day, passes__gt=0).first()
    if kept is None:
        return None
    began = time.monotonic()
    fresh = freshening.freshen(day, moment=max(moment, kept.moment), places_at_once=None)
    when, spec = reading.morning(day.day, fresh.moment), MeasureSpec.model_validate(day.spec)
    with one_state():
        known = keeping.notes()
        record = reading.record(when, spec.rfm.window_days)
        history = reading.History.before(day.day)
        stands = _standing()
    unsettled = {customer for note, customer in known.items() if note not in set(fresh.taken_notes)}
    proof = _compare(when, spec, record, history, stands, unsettled, began)
    if proof.differing:
        said = "%d of %d rows of facts differ from those computed from nothing: %s"
        log.error(said, proof.differing, proof.rows, proof.different)
    return proof


def _standing() -> pa.Table:
    """Return the rows that stand, but for customers who have none yet."""
    types = {name: _TYPES[fact.duckdb_type] for fact in STORED if (name := fact.name) in COMPARED}
    columns = ", ".join(f'"{name}"' for name in types)
    schema = pa.schema([("customer_id", pa.int64()), *types.items()])
    statement = lake.filled("SELECT customer_id, {columns} FROM {facts} WHERE tier IS NOT NULL", columns=columns)
    return reading.rows(statement, schema, facts=CustomerFacts)


_TYPES: dict[str, pa.DataType] = {
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "DECIMAL(18, 2)": pa.decimal128(18, 2),
    "DECIMAL(5, 1)": pa.decimal128(5, 1),
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "BOOLEAN": pa.bool_(),
}


def _compare(
    when: Morning,
    spec: MeasureSpec,
    record: reading.Record,
    history: reading.History,
    stands: pa.Table,
    unsettled: Collection[int],
    began: float,
) -> Proof:
    with lake.engine() as engine:
        allowed = computing.allowed(spec)
        wanted = computing.compute(
            engine, record, spec, when, history, allowed, given=reading.next_touches(), watcher=Silent()
        ).table.drop([ATTRIBUTES])
        left_out = pa.table({"customer_id": pa.array(sorted(unsettled), pa.int64())})
        settled = "SELECT * FROM side ANTI JOIN left_out USING (customer_id)"
        sides = {
            name: engine.query(settled, side=side, left_out=left_out)
            for name, side in (("wanted", wanted), ("stands", stands))
        }
        names = ", ".join(f"CASE WHEN {_differs(name)} THEN {lake.quoted(name)} END" for name in COMPARED)
        differ = " OR ".join(_differs(name) for name in COMPARED)
        found = engine.query(lake.filled(DIFFERENT, names=names, differ=differ), **sides).to_pylist()
    rows = max(side.num_rows for side in sides.values())
    return Proof(when.today, when.cut_off, rows, len(found), found[:TOLD], round(time.monotonic() - began, 1))


def _differs(name: str) -> str:
    return f'wanted."{name}" IS DISTINCT FROM stands."{name}"'
