"""Bringing in usage: rows are staged as Parquet and go into the lake, not into tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext

from zhike.record.events.operations import STAGED, staging_file, write_usage
from zhike.record.imports.operations.people import resolve
from zhike.record.imports.operations.running import Run, ask
from zhike.record.imports.rules.problems import Bad, Reason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def bring_in(run: Run) -> None:
    """Bring in usage: how often, and by how many people, an event happened at a customer at a time."""
    time = run.memos["time"]
    time.read = partial(_microseconds, read=time.read)
    if "count" in run.columns:
        run.fields["count"] = replace(run.fields["count"], required=run.memos["count"].default is None)
    else:
        run.memos["count"].default = run.memos["count"].default or 1
    with staging_file() as path:
        refs = _stage(run, path)
        resolve(run, sorted(refs))
        people: dict[str, int] = dict(ask("SELECT ref, id FROM import_people"))
        run.say(gettext("Comparing with the lake"))
        written = write_usage(path, people, update=run.update, dry=run.dry, import_id=run.import_id, now=run.now)
    run.refuse_lines(written.unknown, Reason.UNKNOWN_CUSTOMER)
    run.refuse_lines(written.existing, Reason.EXISTS)
    for line, first in written.contradicting:
        run.refuse(line, Bad(Reason.CONFLICT, more={"expected": str(first)}))
    for name in ("created", "updated", "unchanged", "duplicates"):
        run.counts[name] += getattr(written, name)


def _microseconds(cell: object, *, read: Callable[[object], object]) -> object:
    found = read(cell)
    return (found - EPOCH) // MICROSECOND if isinstance(found, datetime) else found


def _stage(run: Run, path: Path) -> set[str]:
    """Write the readable rows to a file and return the customers they name."""
    refs: set[str] = set()
    with pq.ParquetWriter(path, STAGED, compression="lz4") as writer:
        for batch in run.batches():
            read, bad = run.columns_read(batch)
            columns: list[list[Any]] = [list(batch.lines), *map(list[Any], read)]
            if bad:
                columns = [[value for place, value in enumerate(column) if place not in bad] for column in columns]
            lines, customers, times, events, counts, users = columns
            refs.update(customers)
            arrays = [
                pa.array(values, field.type)
                for field, values in zip(STAGED, (lines, customers, times, events, counts, users), strict=True)
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=STAGED))
    return refs
