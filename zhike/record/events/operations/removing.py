"""Taking rows out of live files: what is kept no longer, and what a person asked to have erased."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import transaction

from zhike.kit.failpoints import failpoint, register
from zhike.record.events.models import ChangedCustomer, LakeFile, RetentionRule
from zhike.record.events.operations.files import LAKE_LOCK, REWRITE_LOCK, Draft, go_live, lock, write_draft
from zhike.record.events.operations.merging import ensure_all
from zhike.record.events.queries import store
from zhike.record.events.rules import EVENTS, ROWS_IN_FILE, USAGE, WAITING

register("remove.written", "remove.live")

EVERY_OTHER = "*"
Marks = np.ndarray[tuple[int], np.dtype[np.bool_]]
Doomed = Callable[[pa.Table], Marks]


@dataclass(slots=True)
class Removed:
    """Rows taken out, the files that held them, and of waiting events how many of which person."""

    rows: int = 0
    files: list[str] = field(default_factory=list)
    waited: dict[int, int] = field(default_factory=dict)

    def add(self, other: Removed) -> None:
        self.rows += other.rows
        self.files += other.files
        for person, count in other.waited.items():
            self.waited[person] = self.waited.get(person, 0) + count


def remove_rows(files: Collection[LakeFile], doomed: Doomed, *, now: datetime) -> Removed:
    """Write these files anew without the rows that `doomed` marks, inside the caller's transaction and under its locks.

    `doomed` sees the columns customer, person (not of usage), at and event of a part of a file.
    """
    removed = Removed()
    for file in files:
        removed.add(_remove_from(file, doomed, now))
    return removed


def _remove_from(file: LakeFile, doomed: Doomed, now: datetime) -> Removed:
    columns = ["customer", "at", "event"] if file.kind == USAGE else ["customer", "person", "at", "event"]
    with pq.ParquetFile(store().place(file.path)) as opened:
        if not any(doomed(opened.read_row_groups(part, columns=columns)).any() for part in _parts(opened)):
            return Removed()
        found, drafts, gone = Removed(files=[file.path]), list[Draft](), 0
        for part in _parts(opened):
            rows = opened.read_row_groups(part)
            marks = doomed(rows)
            gone += int(marks.sum())
            _tell(rows.filter(pa.array(marks)), file.kind, found)
            kept = rows.filter(pa.array(~marks))
            if kept.num_rows:
                drafts.append(write_draft(file.kind, file.month, kept, final=True, import_id=file.import_id))
    ensure_all(drafts, file.rows - gone)
    failpoint("remove.written")
    go_live(drafts, [file.pk], now=now)
    failpoint("remove.live")
    found.rows = gone
    return found


def _parts(file: pq.ParquetFile) -> Iterator[list[int]]:
    """Yield row groups of about a file's worth of rows together, so that memory stays bounded."""
    part, rows = list[int](), 0
    for place in range(file.num_row_groups):
        part.append(place)
        rows += file.metadata.row_group(place).num_rows
        if rows >= ROWS_IN_FILE:
            yield part
            part, rows = [], 0
    if part:
        yield part


def _tell(gone: pa.Table, kind: str, found: Removed) -> None:
    if kind == WAITING:
        people, counts = np.unique(gone["person"].to_numpy(), return_counts=True)
        found.waited = dict(zip(people.tolist(), counts.tolist(), strict=True))
    else:
        ChangedCustomer.note(pc.unique(gone["customer"]).to_pylist())


@transaction.atomic(durable=True)
def retain_next(now: datetime, after: int, let_go: Callable[[Removed], None]) -> int:
    """Take out of the next file what is older than its rule allows; returns the file, 0 when there is none.

    `after` is the file before; `let_go` is told what went, in the same transaction.
    """
    lock(LAKE_LOCK, REWRITE_LOCK)
    rules = {rule.event: now - timedelta(days=rule.days) for rule in RetentionRule.objects.all()}
    if not rules:
        return 0
    files = LakeFile.objects.filter(kind__in=[EVENTS, WAITING, USAGE], first_at__lt=max(rules.values()), pk__gt=after)
    file = files.order_by("pk").first()
    if file is None:
        return 0
    let_go(remove_rows([file], _too_old(rules), now=now))
    return file.pk


def _too_old(rules: dict[str, datetime]) -> Doomed:
    """Return what marks rows that their event's rule, or the rule for every other, keeps no longer."""

    def doomed(rows: pa.Table) -> Marks:
        event = rows["event"].combine_chunks().dictionary_encode() if rows.num_rows else None
        if event is None:
            return np.zeros(0, np.bool_)
        names: Sequence[str] = event.dictionary.to_pylist()
        never = np.iinfo(np.int64).min
        ends = [rules.get(name, rules.get(EVERY_OTHER)) for name in names]
        limits = np.array([never if end is None else int(end.timestamp() * 1e6) for end in ends], np.int64)
        marks: Marks = rows["at"].cast(pa.int64()).to_numpy() < limits[event.indices.to_numpy()]
        return marks

    return doomed
