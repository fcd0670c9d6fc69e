"""The only door to the engine that computes on the lake, and the lake's catalogue as the engine reads it."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from zhike.kit.refusal import Refusal
from zhike.record.events.models import LakeFile
from zhike.record.events.queries import store
from zhike.record.events.rules import EVENTS, USAGE

UTC = ZoneInfo("UTC")
Value = int | float | str | date | datetime | list[str] | None
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000  # Microseconds.
DAY = 86_400 * SECOND
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
        # Files are never written again, so what is known of one stays true. Moments in them say that they are UTC.
        for setting in ("parquet_metadata_cache = true", "TimeZone = 'UTC'", "preserve_insertion_order = false"):
            self._connection.execute(f"SET GLOBAL {setting}")  # For its cursors, too.
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


@dataclass(frozen=True)
class UsageFiles:
    """The live files that tell of use: `counted` were imported, a row stands for so many times and so many people;
    `tracked` came from tracking clients, a row is one time and names its person. `months` are the same, each of two
    months and of one of both kinds.
    """

    counted: tuple[Path, ...] = ()
    tracked: tuple[Path, ...] = ()
    rows: int = 0
    customers: tuple[int, int] = (0, 0)
    months: tuple[UsageFiles, ...] = ()
    first_at: datetime = EPOCH
    last_at: datetime = EPOCH

    @classmethod
    def listed(cls, files: QuerySet[LakeFile]) -> UsageFiles:
        """Return those among the files; raises LakeFileMissing for one that is not there: facts would be wrong."""
        found = list(files.filter(kind__in=(USAGE, EVENTS)).order_by("kind", "month", "path"))
        if not found:
            return cls()
        pairs = itertools.groupby(found, key=lambda each: (each.kind, (12 * each.month.year + each.month.month) // 2))
        return cls._of(found, tuple(cls._of(list(group)) for _key, group in pairs))

    @classmethod
    def _of(cls, files: Sequence[LakeFile], months: tuple[UsageFiles, ...] = ()) -> UsageFiles:
        return cls(
            counted=tuple(fetched(each.path) for each in files if each.kind == USAGE),
            tracked=tuple(fetched(each.path) for each in files if each.kind == EVENTS),
            rows=sum(each.rows for each in files),
            customers=(min(each.least_customer for each in files), max(each.most_customer for each in files)),
            months=months,
            first_at=min(each.first_at for each in files),
            last_at=max(each.last_at for each in files),
        )


def usage_files(
    *, since: datetime | None = None, until: datetime | None = None, customer_id: int | None = None
) -> UsageFiles:
    """Return the live files that may hold usage in [since, until), of one customer if given."""
    files = LakeFile.objects.all()
    if until is not None:
        files = files.filter(first_at__lt=until)
    if since is not None:
        files = files.filter(last_at__gte=since)
    if customer_id is not None:
        files = files.filter(least_customer__lte=customer_id, most_customer__gte=customer_id)
    return UsageFiles.listed(files)


def fetched(path: str) -> Path:
    """Return a local place of a live file, or raise LakeFileMissing."""
    try:
        return store().place(path)
    except FileNotFoundError as error:
        raise LakeFileMissing(path=path) from error


def present(path: str) -> Path:
    """Return the place of a file that measuring itself wrote, or raise LakeFileMissing."""
    place = Path(settings.LAKE) / path
    if not place.is_file():
        raise LakeFileMissing(path=path)
    return place


NO_USAGE = (
    "(SELECT NULL::BIGINT AS customer, NULL::BIGINT AS us, NULL::VARCHAR AS event, NULL::BIGINT AS count, "
    "NULL::BIGINT AS users, NULL::BIGINT AS person WHERE false)"
)
# What a tracked person did: events, pages and screens; saying who somebody is, is no use.
USES = "call <= 3"


def usage_relation(files: UsageFiles, *, since: datetime | None = None, until: datetime | None = None) -> str:
    """Return the FROM item with the usage rows in [since, until) of these files.

    Its columns: customer, us (microseconds since 1970, UTC), event, count, users (as many people an imported row
    gives), person (who it was, 0 or None where nobody is named).
    """
    time = [f'"at" >= TIMESTAMP {quoted(str(plain_utc(since)))}'] if since else []
    time += [f'"at" < TIMESTAMP {quoted(str(plain_utc(until)))}'] if until else []
    parts = []
    if files.counted:
        columns = 'customer, EPOCH_US("at") AS us, event, count, users, NULL::BIGINT AS person'
        parts.append(_part(columns, files.counted, time))
    if files.tracked:
        columns = 'customer, EPOCH_US("at") AS us, event, 1::BIGINT AS count, NULL::BIGINT AS users, person'
        parts.append(_part(columns, files.tracked, [USES, *time]))
    return f"({' UNION ALL '.join(parts)})" if parts else NO_USAGE


def _part(columns: str, files: Sequence[Path], conditions: Sequence[str]) -> str:
    paths = ", ".join(quoted(str(path)) for path in files)
    where = " AND ".join(["true", *conditions])
    return filled(
        "SELECT {columns} FROM read_parquet([{paths}]) WHERE {where}", columns=columns, paths=paths, where=where
    )


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
    """Return SQL for the zone's day, in days since 1970, of microseconds since 1970; exact from day `first` to `last`.

    A zone without summer time costs one addition. Others are a CASE over their changes.
    """
    offsets = _offsets(zone, first, last)
    cases = [f"WHEN {column} < {microseconds(until)} THEN {seconds * SECOND}" for until, seconds in offsets[:-1]]
    shift = f"CASE {' '.join(cases)} ELSE {offsets[-1][1] * SECOND} END" if cases else str(offsets[-1][1] * SECOND)
    return f"CAST(({column} + {shift}) // {DAY} AS INTEGER)"


def as_date(number: str) -> str:
    """Return SQL for the date that is so many days after 1970 began."""
    return f"(DATE '1970-01-01' + {number})"


def day_number(day: date) -> int:
    """Return how many days after the beginning of 1970 a day is."""
    return (day - EPOCH.date()).days


def microseconds(moment: datetime) -> int:
    """Return how many microseconds after the beginning of 1970 a moment is."""
    return (moment - EPOCH) // timedelta(microseconds=1)


@functools.lru_cache(maxsize=8)
def _offsets(zone: ZoneInfo, first: date, last: date) -> tuple[tuple[datetime, int], ...]:
    """Return the zone's offsets in seconds in order of time, each with the UTC moment at which it ends."""
    moment, stop = midnight(first, UTC) - timedelta(days=1), midnight(last, UTC) + timedelta(days=2)
    found: list[tuple[datetime, int]] = []
    while moment < stop:
        following = moment + timedelta(days=7)
        if _offset(zone, following) != _offset(zone, moment):
            change = _change(zone, moment, following)
            found.append((change, _offset(zone, moment)))
            following = change
        moment = following
    return (*found, (stop, _offset(zone, stop)))


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
