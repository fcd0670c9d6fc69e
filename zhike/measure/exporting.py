"""Facts of a day as a file for other programs: CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Literal

import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext_lazy as _
from pyarrow import parquet

from zhike.kit.refusal import Refusal
from zhike.kit.ruletrees import ATTRIBUTES
from zhike.kit.textfiles import neutralise
from zhike.measure import computing, snapshots
from zhike.measure.asof import Told
from zhike.measure.computing import Watcher
from zhike.measure.facts import FACTS
from zhike.measure.models import FactsDay
from zhike.measure.specs import MeasureSpec

Format = Literal["csv", "json", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "json", "parquet")
BATCH = 10_000

FIRST = (
    "ref",
    "tier",
    "stage",
    "health",
    "orders",
    "revenue",
    "revenue_share",
    "recency_days",
    "frequency",
    "monetary",
    "r_score",
    "f_score",
    "m_score",
    "usage_30d",
    "usage_prev_30d",
    "active_weeks_13w",
    "mrr",
    "last_touch",
    "next_touch",
)
COLUMNS = (*FIRST, *(name for name in FACTS if name not in FIRST), ATTRIBUTES)
NAMES = ("customer", *COLUMNS[1:])


class NothingMeasured(Refusal):
    message = _("Nothing has been measured yet; run zhike turn first.")


class DayLiesAhead(Refusal):
    message = _("%(day)s lies ahead; the last day that can be told is %(today)s.")


class NoDataThatDay(Refusal):
    message = _("On the morning of %(day)s nothing was known of any customer.")


def facts_as_of(day: date | None, *, today: date, watcher: Watcher) -> pa.Table:
    """Return the facts of the morning of a day, or of the latest measured one, with the columns NAMES.

    A kept day is told as it was kept. Another day is computed anew from the record, by the yardsticks of the last
    measured day before it. Raises NothingMeasured, DayLiesAhead and NoDataThatDay.
    """
    latest = FactsDay.objects.order_by("-day").first()
    if latest is None:
        raise NothingMeasured
    kept = latest if day is None else FactsDay.objects.filter(day=day).first()
    if kept is not None:
        return _renamed(snapshots.read(kept))
    if day is None or day > today:
        raise DayLiesAhead(day=day, today=today)
    then = FactsDay.objects.filter(day__lt=day).order_by("-day").first() or FactsDay.objects.earliest("day")
    computed = computing.facts(MeasureSpec.model_validate(then.spec), day, given=None, watcher=watcher)
    if not _anything_known(computed.table):
        raise NoDataThatDay(day=day)
    return _renamed(computed.table)


def _anything_known(table: pa.Table) -> bool:
    """Whether there is a customer with an age, that is, with a date of joining or any order, subscription or usage."""
    known = [pc.is_valid(table[name]) for name in ("tenure_days", "last_touch", "last_nps")]
    return any(pc.any(column).as_py() for column in known)


def _renamed(table: pa.Table) -> pa.Table:
    return table.select(list(COLUMNS)).rename_columns(list(NAMES))


def ledger(ref: str, told: Told) -> dict[str, Any]:
    """Return a ledger as plain values: health before and after, and the causes in points, which sum to the change."""
    found = told.ledger
    return {
        "customer": ref,
        "from": found.since.isoformat(),
        "to": found.until.isoformat(),
        "before": _points(found.before),
        "after": _points(found.after),
        "change": _points(found.change),
        "causes": [
            {
                "points": _points(cause.tenths),
                "cause": cause.kind,
                "fact": cause.name or None,
                "parts": list(cause.parts),
                "before": _value(cause.before),
                "after": _value(cause.after),
            }
            for cause in found.causes
        ],
        "parts": {key: [_points(before), _points(after)] for key, (before, after) in found.parts.items()},
    }


def _points(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10


def _value(value: object) -> object:
    return value if value is None or isinstance(value, str | int | float | list) else _plain(value)


def write(table: pa.Table, kind: Format, out: BinaryIO) -> None:
    """Write the rows: CSV and JSON as UTF-8; cells that a spreadsheet would calculate are neutralised in CSV."""
    match kind:
        case "csv":
            _write_csv(table, out)
        case "json":
            _write_json(table, out)
        case "parquet":
            parquet.write_table(table, out, compression="zstd")


def write_file(table: pa.Table, kind: Format, place: Path) -> None:
    """Write the rows to a file that appears when it is whole."""
    draft = place.with_name(f"{place.name}.part")
    try:
        with draft.open("wb") as out:
            write(table, kind, out)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)


def _rows(table: pa.Table) -> Iterator[list[dict[str, Any]]]:
    for batch in table.to_batches(max_chunksize=BATCH):
        yield batch.to_pylist()


def _write_csv(table: pa.Table, out: BinaryIO) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    rows = csv.writer(text)
    rows.writerow(NAMES)
    for batch in _rows(table):
        rows.writerows([_cell(value) for value in row.values()] for row in batch)
    text.detach()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return neutralise(value)
        case date():
            return value.isoformat()
        case _:
            return str(value)


def _write_json(table: pa.Table, out: BinaryIO) -> None:
    out.write(b"[")
    separator = b"\n"
    for batch in _rows(table):
        for row in batch:
            row[ATTRIBUTES] = json.loads(row[ATTRIBUTES] or "{}")
            out.write(separator + json.dumps(row, ensure_ascii=False, default=_plain).encode())
            separator = b",\n"
    out.write(b"\n]\n")


def _plain(value: object) -> object:
    match value:
        case Decimal():
            return float(value)  # At most 18 digits, of which money and points use far fewer than 15.
        case date():
            return value.isoformat()
    raise TypeError(type(value).__name__)
