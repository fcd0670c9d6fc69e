"""What the facts of a day are freshened from, kept as files of the lake that one row of the database names.

A crash leaves at worst files that nobody names; the next to keep something removes them.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from django.db import connection
from pyarrow import parquet

from zhike.measure import lake, reading, wide
from zhike.measure.facts import STORED, Source
from zhike.measure.models import KeptFacts
from zhike.measure.reading import Morning
from zhike.measure.specs import MeasureSpec
from zhike.org.models import ExchangeRate
from zhike.record.events.models import ChangedCustomer

FOLDER = "kept"
LOCK = 20263  # Of PostgreSQL's advisory locks; whoever freshens facts, or measures a day anew, holds it.
ROW_GROUP = 100_000
SHARES = tuple(fact.name for fact in STORED if fact.source is Source.SHARES)
# What may change for customers of whom nothing new is on record, because others have changed.
SCORES = tuple(
    fact.name
    for fact in STORED
    if fact.source in (Source.RFM, Source.SHARES, Source.LIFECYCLE, Source.HEALTH, Source.TIERS)
    or fact.name == "logins_per_week"
)


def made_from(spec: MeasureSpec, when: Morning) -> str:
    """Return a digest of what everybody's facts depend on beside customers: yardsticks, rates, and our statement."""
    rates = [
        [rate.currency, rate.from_day.isoformat(), str(rate.rate)]
        for rate in ExchangeRate.objects.filter(from_day__lte=when.today).order_by("currency", "from_day")
    ]
    told = [spec.model_dump(mode="json"), str(when.zone), reading.reporting_currency(), rates, wide.statement(spec)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def current(day: date, digest: str) -> KeptFacts | None:
    """Return what is kept of the day, or None when it is missing or was made from other yardsticks."""
    kept = KeptFacts.objects.filter(day=day, made_from=digest).first()
    if kept is None or not all((Path(settings.LAKE) / path).is_file() for path in (kept.gathered, kept.written)):
        return None
    return kept


def read(path: str, columns: list[str] | None = None) -> pa.Table:
    """Return a kept table."""
    return parquet.read_table(lake.present(path), columns=columns, partitioning=None)


def write(table: pa.Table) -> str:
    """Write a table under a new name and return its path within the lake."""
    path = f"{FOLDER}/{uuid.uuid4().hex}.parquet"
    place = Path(settings.LAKE) / path
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_suffix(".part")
    # Read as a whole and soon replaced: what it costs to write and read it counts, not what it weighs.
    parquet.write_table(
        table, draft, compression="lz4", row_group_size=ROW_GROUP, use_dictionary=False, write_statistics=False
    )
    draft.replace(place)
    return path


def register(
    day: date, *, moment: datetime, digest: str, gathered: pa.Table, paths: tuple[str, str], passes: int
) -> None:
    """Say what is kept now, in the caller's transaction, in the place of whatever was kept before."""
    values = {
        "moment": moment,
        "made_from": digest,
        "gathered": paths[0],
        "written": paths[1],
        "due_us": pc.min(gathered["later_us"]).as_py(),
        "passes": passes,
    }
    KeptFacts.objects.exclude(day=day).delete()
    KeptFacts.objects.update_or_create(day=day, defaults=values)


def sweep() -> None:
    """Remove the files that no row names; only for whoever holds the lock: nobody else reads or writes them."""
    named = {path for pair in KeptFacts.objects.values_list("gathered", "written") for path in pair}
    for place in (Path(settings.LAKE) / FOLDER).glob("*"):
        if f"{FOLDER}/{place.name}" not in named:
            place.unlink(missing_ok=True)


@contextmanager
def alone(*, wait: bool) -> Iterator[bool]:
    """Keep everybody else from freshening and turning; yields whether that was granted, which waiting makes sure."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)" if wait else "SELECT pg_try_advisory_lock(%s)", [LOCK])
        granted = cursor.fetchone()[0] is not False
    try:
        yield granted
    finally:
        if granted:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def notes() -> dict[int, int]:
    """Return the notes of changed customers there are, as customer by number of the note."""
    return dict(ChangedCustomer.objects.values_list("pk", "customer_id"))


def forget(taken: Collection[int]) -> None:
    """Remove notes that were taken up."""
    ChangedCustomer.objects.filter(pk__in=taken).delete()
