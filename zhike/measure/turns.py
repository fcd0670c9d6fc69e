"""One turn's measuring: today's row of every customer, the day's snapshot, the moves and the totals."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from zhike.measure import computing, keeping, lake, reading, snapshots, writing
from zhike.measure.computing import Computed, Watcher
from zhike.measure.leaving import saying as leaving
from zhike.measure.models import CustomerFacts, FactsDay, OfferPair, PeerShare, StageMove, TierMove
from zhike.measure.specs import MeasureSpec
from zhike.org.works import Silent

LOCK = 20262  # Of PostgreSQL's advisory locks; held while a day is written.


@dataclass(frozen=True)
class Moves:
    """Who changed class today: a table of customer_id, before, after and `new`.

    `new` is False for a move that an earlier run of the same day wrote already.
    """

    table: pa.Table

    def counts(self) -> list[tuple[str, str, int]]:
        """Return how many customers moved from which class to which, most first."""
        rows = zip(self.table["before"].to_pylist(), self.table["after"].to_pylist(), strict=True)
        counted = Counter(rows)
        return sorted(((*pair, number) for pair, number in counted.items()), key=lambda each: (-each[2], each[:2]))

    def first(self, limit: int) -> list[dict[str, object]]:
        """Return the first of them as rows."""
        found: list[dict[str, object]] = self.table.slice(0, limit).to_pylist()
        return found


@dataclass(frozen=True)
class Measured:
    """What measuring a day did. `is_latest` is False for a day in the past, which only has its snapshot rewritten."""

    day: date
    customers: int
    changed: int
    is_latest: bool
    tiers: Moves
    stages: Moves
    warnings: list[dict[str, object]]
    seconds: float


def compute(spec: MeasureSpec, today: date) -> pa.Table:
    """Return the facts as they were on the morning of a day, from the record as it is now, and write nothing.

    See `computing.facts` for the shape. `next_touch` is unknown: nobody keeps what the plan once wished.
    """
    return computing.facts(spec, today, given=None, watcher=Silent()).table


def measure(
    spec: MeasureSpec,
    *,
    today: date,
    now: datetime,
    given: pa.Table | None = None,
    plan_number: int | None = None,
    progress: Watcher | None = None,
) -> Measured:
    """Measure every customer as of the end of the day before `today` and keep the result.

    Writes today's rows (only those that differ), the day's snapshot, moves and totals in one transaction. Repeating it
    changes nothing. A day before the latest measured one only has its snapshot rewritten. `given` is a table of
    customer_id and next_touch; without it the wishes known so far are carried over.
    """
    watcher = progress or Silent()
    began = time.monotonic()
    notes = keeping.notes()  # Before the record is read: what is noted later may not be in it.
    computed = computing.facts(spec, today, given=_wishes(today) if given is None else given, watcher=watcher)
    watcher.step(str(_("Writing today's facts")), 3, 4)
    with transaction.atomic():
        _lock()
        day = _keep(computed, spec, today, plan_number, now)
        if computed.said is not None and computed.said.churn is not None:
            leaving.keep(computed.said.churn)
        is_latest = not FactsDay.objects.filter(day__gt=today).exists()
        changed, tiers, stages = 0, _nobody(), _nobody()
        if is_latest:
            changed, tiers, stages = _write(computed, today)
            _keep_for_freshening(computed, spec, today)
            keeping.forget(notes)
        seconds = round(time.monotonic() - began, 3)
        FactsDay.objects.filter(pk=day.pk).update(seconds=seconds)
    snapshots.sweep()
    keeping.sweep()
    watcher.step(str(_("Writing today's facts")), 4, 4)
    rows = computed.table.num_rows
    return Measured(today, rows, changed, is_latest, tiers, stages, computed.warnings, seconds)


def set_next_touch(rows: pa.Table, *, today: date) -> int:
    """Set every customer's next touch to what the table (customer_id, next_touch) says, None for those not in it.

    Returns how many changed. The snapshot of `today` says the same afterwards.
    """
    rows = rows.select(reading.NEXT_TOUCHES.names).cast(reading.NEXT_TOUCHES)
    with transaction.atomic():
        _lock()
        changed = writing.replace_next_touch(rows)
        day = FactsDay.objects.filter(day=today).first()
        if day is not None:
            table = snapshots.read(day)
            path = snapshots.write(_with_next_touch(table, rows), today)
            FactsDay.objects.filter(pk=day.pk).update(path=path)
    return changed


def set_next_touch_of(rows: pa.Table, *, only: Collection[int]) -> int:
    """Set the next touch of some customers during the day to what the table says, None for those not in it."""
    with transaction.atomic():
        return writing.replace_next_touch(rows.select(reading.NEXT_TOUCHES.names), only=only)


def refresh_contact(customer_id: int, last_touch: date | None, next_touch: date | None) -> None:
    """Put a customer's touches right during the day, after one was made, moved or dropped."""
    latest = FactsDay.objects.order_by("-day").values_list("day", flat=True).first()
    since = max(0, (latest - last_touch).days) if latest and last_touch else None
    CustomerFacts.objects.filter(pk=customer_id).update(
        last_touch=last_touch, days_since_touch=since, next_touch=next_touch
    )


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _wishes(today: date) -> pa.Table:
    """Return the next touches known so far: those of the day's snapshot, or, for a new day, of today's rows."""
    if day := FactsDay.objects.filter(day=today).first():
        return snapshots.read(day, reading.NEXT_TOUCHES.names)
    if FactsDay.objects.filter(day__gt=today).exists():
        return reading.NEXT_TOUCHES.empty_table()
    return reading.next_touches()


def _keep(computed: Computed, spec: MeasureSpec, today: date, plan_number: int | None, now: datetime) -> FactsDay:
    """Write the snapshot and register it."""
    path = snapshots.write(computed.table, today)
    values = {
        "path": path,
        "rows": computed.table.num_rows,
        "plan_number": plan_number,
        "spec": spec.model_dump(mode="json"),
        "warnings": computed.warnings,
        "cards": computed.said.cards if computed.said else {},
        "computed_at": now,
        "seconds": 0.0,
    }
    return FactsDay.objects.update_or_create(day=today, defaults=values)[0]


def _write(computed: Computed, today: date) -> tuple[int, Moves, Moves]:
    """Write today's rows, moves and totals, and what goes with what."""
    table = computed.table
    if computed.said is not None:
        writing.replace_all(OfferPair, computed.said.offers.pairs)
        writing.replace_all(PeerShare, computed.said.offers.shares)
    with lake.engine() as engine:
        weeks = snapshots.health_by_week(engine, today)
        changed = writing.replace_rows(engine, table, weeks)
        stages = Moves(writing.note_moves(engine, StageMove, table, today))
        tiers = Moves(writing.note_moves(engine, TierMove, table, today))
    writing.summarise()
    return changed, tiers, stages


def _keep_for_freshening(computed: Computed, spec: MeasureSpec, today: date) -> None:
    when = reading.morning(today)
    standing = computed.table.select(["customer_id", *keeping.SCORES])
    keeping.register(
        today,
        moment=when.cut_off,
        digest=keeping.made_from(spec, when),
        gathered=computed.gathered,
        paths=(keeping.write(computed.gathered), keeping.write(standing)),
        passes=0,
    )


def _nobody() -> Moves:
    return Moves(writing.MOVES.empty_table())


def _with_next_touch(table: pa.Table, rows: pa.Table) -> pa.Table:
    """Return the snapshot with another next_touch; both tables name each customer at most once."""
    with lake.engine() as engine:
        touches = engine.query(
            "SELECT rows.next_touch FROM kept LEFT JOIN rows USING (customer_id) ORDER BY kept.customer_id",
            kept=table.select(["customer_id"]),
            rows=rows,
        )
    place = table.schema.get_field_index("next_touch")
    return table.set_column(place, table.schema.field(place), touches["next_touch"].cast(pa.date32()))
