"""Facts of a day at a moment of it: what changed is gathered anew, everybody is scored, and what differs is written.

What was gathered of each customer depends on its own part of the record alone, so new rows may take the place of old
ones. Ranks, shares and tiers depend on everybody, so they are computed of all rows each time, which is cheap.

A customer is taken up when it was noted (`ChangedCustomer`), or when rows of it that lay ahead begin to count.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction

from zhike.measure import computing, keeping, lake, reading, rows, tiers, wide, writing
from zhike.measure.keeping import SCORES, SHARES
from zhike.measure.lake import Engine
from zhike.measure.models import FactsDay, KeptFacts
from zhike.measure.reading import History, Morning, Record
from zhike.measure.rows import Marks
from zhike.measure.specs import MeasureSpec
from zhike.org.states import one_state
from zhike.record.events.models import ChangedCustomer

PLACES_AT_ONCE = 20_000  # Rows that differ in nothing but their place among others, written by one pass.
FEW = 0.2  # Of all customers: with more changed, all are gathered.


@dataclass
class Fresh:
    """What a pass did. `taken` are customers with news; `changed` those whose rows in the database changed.

    `taken_notes` are to be forgotten once whatever follows upon changed facts is done. `behind` rows differ from the
    database only in their place among others; the next passes write them.
    """

    day: date
    moment: datetime
    taken: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    taken_notes: list[int] = field(default_factory=list)
    behind: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def is_due(day: FactsDay, moment: datetime) -> bool:
    """Say whether anything is to be done; cheap."""
    kept = KeptFacts.objects.filter(day=day.day).first()
    if kept is None or (kept.due_us is not None and kept.due_us < lake.microseconds(moment)):
        return True
    return ChangedCustomer.objects.exists()


def freshen(day: FactsDay, *, moment: datetime, places_at_once: int | None = PLACES_AT_ONCE) -> Fresh:
    """Bring the facts of the latest measured day to a moment of it, by the yardsticks the day was measured by.

    For whoever holds `keeping.alone`. Notes stay until `keeping.forget`: done twice, it changes nothing the second
    time, and a pass that dies leaves nothing half-done. `places_at_once` limits how many rows are written of customers
    whom only the others' changes have moved; None is no limit.
    """
    return _Pass(day, moment, places_at_once).run()


class _Pass:
    def __init__(self, day: FactsDay, moment: datetime, places_at_once: int | None) -> None:
        self.day, self.places_at_once = day, places_at_once
        self.seconds: dict[str, float] = {}
        self.last = time.monotonic()
        self.spec = MeasureSpec.model_validate(day.spec)
        digest = keeping.made_from(self.spec, reading.morning(day.day))
        self.digest, self.kept = digest, keeping.current(day.day, digest)
        # Time never runs backwards for facts, whatever the clock says.
        self.when = reading.morning(day.day, max(moment, self.kept.moment) if self.kept else moment)

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name], self.last = round(now - self.last, 3), now

    def run(self) -> Fresh:
        """Do it."""
        kept = keeping.read(self.kept.gathered) if self.kept else None
        with one_state():
            notes = keeping.notes()
            only = self._whom(kept, set(notes.values()))
            record = reading.record(self.when, self.spec.rfm.window_days, only=only)
            history = History.before(self.day.day, only=only)
        self.lap("reading")
        taken = sorted(set(notes.values()) if only is None else only)
        fresh = Fresh(self.day.day, self.when.cut_off, taken, taken_notes=list(notes))
        with lake.engine() as engine:
            gathered = wide.gather(engine, record, self.spec, self.when, history)
            self.lap("gathering")
            if kept is not None and only is not None:
                gathered = rows.replaced(kept, only, gathered)
            del kept
            self._write(engine, gathered, record, only, fresh)
        pa.default_memory_pool().release_unused()  # A pass holds everybody's rows, the time between two passes none.
        fresh.seconds = self.seconds
        return fresh

    def _whom(self, kept: pa.Table | None, noted: set[int]) -> set[int] | None:
        """Return the customers to gather: those noted, and those of whom more counts by now; None is everybody."""
        if kept is None:
            return None
        cut_off = lake.microseconds(self.when.cut_off)
        begins = kept.filter(pc.less(kept["later_us"], cut_off))
        found = noted.union(begins["customer_id"].to_pylist())
        return None if len(found) > FEW * max(1000, kept.num_rows) else found

    def _write(
        self, engine: Engine, gathered: pa.Table, record: Record, only: Collection[int] | None, fresh: Fresh
    ) -> None:
        """Score everybody, write the rows that differ, and keep what the next pass goes on from."""
        table = score(engine, gathered, self.spec, self.when, record.currency)
        self.lap("scoring")
        now = table.select(["customer_id", *SCORES])
        before = keeping.read(self.kept.written) if self.kept else now.slice(0, 0)
        stood, has_stood = rows.aligned(before, rows.ids(now))
        put = self._put(now, stood, has_stood, only, fresh)
        standing = rows.chosen(put, now, stood)
        written = table.filter(pa.array(put))
        gone = np.setdiff1d(rows.ids(before), rows.ids(now)).tolist()
        del table, now, before, stood
        self.lap("comparing")
        paths = keeping.write(gathered), keeping.write(standing)
        self.lap("keeping")
        with transaction.atomic():
            fresh.changed = writing.change_rows(engine, written, gone)
            if fresh.taken or fresh.changed or gone:  # Whose a customer is may have changed, which is no fact.
                writing.add_empty_rows()
                writing.summarise()
            passes = (self.kept.passes if self.kept else 0) + 1
            keeping.register(
                self.day.day,
                moment=self.when.cut_off,
                digest=self.digest,
                gathered=gathered,
                paths=paths,
                passes=passes,
            )
        keeping.sweep()
        self.lap("writing")

    def _put(
        self, now: pa.Table, stood: pa.Table, has_stood: Marks, only: Collection[int] | None, fresh: Fresh
    ) -> Marks:
        """Return whose rows are to be written; of those whom others moved, as many as may be, the biggest first."""
        taken = set(rows.ids(now).tolist()) if only is None else only
        put = np.isin(rows.ids(now), np.fromiter(taken, np.int64, len(taken))) | ~has_stood
        put |= rows.differ(now, stood, [name for name in SCORES if name not in SHARES])
        moved = np.flatnonzero(rows.differ(now, stood, SHARES) & ~put)
        limit = len(moved) if self.places_at_once is None else min(len(moved), self.places_at_once)
        biggest = np.argsort(now["revenue_rank"].to_numpy()[moved], kind="stable")[:limit]
        put[moved[biggest]] = True
        fresh.behind = len(moved) - limit
        return put


def score(engine: Engine, gathered: pa.Table, spec: MeasureSpec, when: Morning, currency: str) -> pa.Table:
    """Return the facts of everybody from what was gathered; where a tier asks for the next touch, it stands."""
    allowed = computing.allowed(spec)
    given = reading.next_touches() if "next_touch" in tiers.columns(spec.tiers, allowed) else None
    values = wide.parameters(currency, spec, when)
    return computing.score(engine, gathered, spec, when, allowed, given=given, values=values)
