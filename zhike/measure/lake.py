"""The only door to the engine that computes on the lake, and the lake's catalogue as the engine reads it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from zhike.kit.refusal import Refusal
from zhike.record.events.models import LakeFile

UTC = ZoneInfo("UTC")
Value = int | float | str | date | datetime | list[str] | None
_PARAMETER = re.compile(r"\$([a-z_][a-z0-9_]*)")


class LakeFileMissing(Refusal):
    message = _("The file %(path)s of the data lake is missing; restore it from the backup, or undo its import.")


class Engine:
    """DuckDB within this process: capped memory and threads, no network, no files but those of the lake.

    Only SQL of our own may be given to it; what people write becomes parameters or, for rules, expressions of
    `zhike.kit.ruletrees`. Safe to share between threads.
    """

    def __init__(self, *, lake: Path, temporary: Path, memory_mb: int, threads: int) -> None:
        lake.mkdir(parents=True, exist_ok=True)
        temporary.mkdir(parents=True, exist_ok=True)
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{memory_mb}MB",
                "threads": threads,
                "temp_directory": str(temporary),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "python_enable_replacements": False,
            },
        )
        self._connection.execute("SET allowed_directories = [$lake]", {"lake": str(lake)})
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def query(self, sql: str, parameters: Mapping[str, Value] | None = None, /, **tables: pa.Table) -> pa.Table:
        """Return the rows of a statement.

        `parameters` fills its `$name`s; more may be given than it uses. `tables` are the relations it may name beside
        `read_parquet` of lake files. The rows have the order that the statement asks for, otherwise none.
        """
        used = {name: value for name, value in (parameters or {}).items() if name in set(_PARAMETER.findall(sql))}
        with self._connection.cursor() as cursor:
            for name, table in tables.items():
                cursor.register(name, table)
            rows: pa.Table = cursor.sql(sql, params=used).to_arrow_table()
            return rows

    def close(self) -> None:
        """Give its memory back."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def engine() -> Engine:
    """Return an engine of one's own for heavy work, sized by the settings; close it afterwards."""
    return Engine(
        lake=settings.LAKE,
        temporary=settings.HOME / "temporary",
        memory_mb=settings.ENGINE_MEMORY_MB,
        threads=settings.ENGINE_THREADS,
    )


@functools.lru_cache(maxsize=4)
def _shared(lake: Path) -> Engine:
    return Engine(lake=lake, temporary=settings.HOME / "temporary", memory_mb=256, threads=1)


def reader() -> Engine:
    """Return the small engine that this process keeps for questions of pages about one customer."""
    return _shared(settings.LAKE)


def usage_files(*, since: datetime | None = None, until: datetime, customer_id: int | None = None) -> list[Path]:
    """Return the live usage files that may hold rows in [since, until), of one customer if given.

    Raises LakeFileMissing when the catalogue names a file that is not there: facts without it would be wrong.
    """
    files = LakeFile.objects.filter(kind="usage", first_at__lt=until)
    if since is not None:
        files = files.filter(last_at__gte=since)
    if customer_id is not None:
        files = files.filter(least_customer__lte=customer_id, most_customer__gte=customer_id)
    return [present(path) for path in files.order_by("path").values_list("path", flat=True)]


def present(path: str) -> Path:
    """Return the place of a file of the lake, or raise LakeFileMissing."""
    place = Path(settings.LAKE) / path
    if not place.is_file():
        raise LakeFileMissing(path=path)
    return place


def usage_relation(files: list[Path]) -> str:
    """Return the FROM item with the usage rows (customer, at, event, count, users) of these files."""
    if not files:
        return (
            '(SELECT NULL::BIGINT AS customer, NULL::TIMESTAMP AS "at", NULL::VARCHAR AS event, '
            "NULL::BIGINT AS count, NULL::BIGINT AS users WHERE false)"
        )
    return f"read_parquet([{', '.join(quoted(str(path)) for path in files)}])"


def filled(statement: str, /, **parts: str) -> str:
    """Return the statement with each `{name}` replaced by SQL of ours: relations, expressions, literals from `quoted`.

    Braces that name no part stay as they are, for the engine's own use of them.
    """
    return re.sub(r"\{([a-z_]+)\}", lambda found: parts.get(found[1], found[0]), statement)


def quoted(text: str) -> str:
    """Return the text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which the day begins in the zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def plain_utc(moment: datetime) -> datetime:
    """Return the moment as the lake writes it: UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def local_day(column: str, zone: ZoneInfo, *, first: date, last: date) -> str:
    """Return SQL for the zone's day of a UTC timestamp; exact from day `first` to day `last`, cheap everywhere.

    A zone without summer time costs one addition. Others are a CASE over their changes.
    """
    offsets = _offsets(zone, first, last)
    cases = [f"WHEN {column} < TIMESTAMP {quoted(str(until))} THEN {seconds}" for until, seconds in offsets[:-1]]
    shift = f"CASE {' '.join(cases)} ELSE {offsets[-1][1]} END" if cases else str(offsets[-1][1])
    return f"CAST({column} + TO_SECONDS({shift}) AS DATE)"


@functools.lru_cache(maxsize=8)
def _offsets(zone: ZoneInfo, first: date, last: date) -> tuple[tuple[datetime, int], ...]:
    """Return the zone's offsets in seconds in order of time, each with the UTC moment at which it ends."""
    moment, stop = midnight(first, UTC) - timedelta(days=1), midnight(last, UTC) + timedelta(days=2)
    found: list[tuple[datetime, int]] = []
    while moment < stop:
        following = moment + timedelta(days=7)
        if _offset(zone, following) != _offset(zone, moment):
            change = _change(zone, moment, following)
            found.append((plain_utc(change), _offset(zone, moment)))
            following = change
        moment = following
    return (*found, (plain_utc(stop), _offset(zone, stop)))


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    shift = moment.astimezone(zone).utcoffset() or timedelta()
    return round(shift.total_seconds())


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Return the second at which the offset changes, once, between two moments."""
    before = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0) if middle.replace(microsecond=0) > low else low + timedelta(seconds=1)
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high
