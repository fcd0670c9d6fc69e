"""One import on its way: how its columns are read, what it counts, which rows it refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext
from psycopg import sql

from zhike.record.customers.models import AttributeDefinition
from zhike.record.imports.operations.files import Batch, Source
from zhike.record.imports.rules.cells import Memo
from zhike.record.imports.rules.kinds import Field
from zhike.record.imports.rules.problems import Bad, Reason

Row = tuple[Any, ...]
STAGE = "import_stage"


class Watcher(Protocol):
    """Whoever watches a run: a progress card, a line on the terminal, or nobody."""

    def step(self, words: str, done: int = 0, total: int | None = None) -> None: ...


@dataclass(slots=True)
class Run:
    """What every kind of import needs while it runs. `owners` limits whose customers it may touch; None is all."""

    import_id: int
    kind: str
    source: Source
    fields: dict[str, Field]
    columns: dict[str, str]
    memos: dict[str, Memo]
    zone: ZoneInfo
    now: datetime
    by_id: int | None
    owners: list[int] | None
    update: bool
    create_customers: bool
    dry: bool
    options: Mapping[str, Any]
    watcher: Watcher
    new_attributes: list[AttributeDefinition] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    refused: dict[int, Bad] = field(default_factory=dict)
    named: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def mapped(self) -> set[str]:
        """Fields that the file or a default gives."""
        return set(self.columns) | {name for name, memo in self.memos.items() if memo.default is not None}

    def refuse(self, line: int, bad: Bad) -> None:
        if line not in self.refused:
            self.refused[line] = bad

    def refuse_lines(self, lines: Iterable[tuple[int, str]], reason: Reason) -> None:
        for line, found in lines:
            self.refuse(line, Bad(reason, found=str(found)))

    def name(self, what: str, which: str, times: int = 1) -> None:
        """Count something by name as well, such as the fee lines by product."""
        self.named.setdefault(what, Counter())[which] += times

    def say(self, words: str, done: int = 0, total: int | None = None) -> None:
        self.watcher.step(words, done, total)

    def columns_read(self, batch: Batch) -> tuple[list[Sequence[object]], set[int]]:
        """Return the values of every field in order, and the places of rows that were refused."""
        self.counts["rows"] += len(batch)
        read: list[Sequence[object]] = []
        for name in self.fields:
            memo = self.memos[name]
            column = self.columns.get(name)
            if column is None:
                read.append([memo.default] * len(batch))
            else:
                read.append(list(map(memo.__getitem__, batch.columns[column])))
        return read, self._refused_places(batch, read)

    def _refused_places(self, batch: Batch, read: list[Sequence[object]]) -> set[int]:
        places = set()
        for place, cells in batch.crooked.items():
            places.add(place)
            more = {"expected": str(len(self.source.columns))}
            self.refuse(batch.lines[place], Bad(Reason.CELLS, found=str(cells), more=more))
        for (name, what), values in zip(self.fields.items(), read, strict=True):
            if self.memos[name].bad:
                for place, value in enumerate(values):
                    if type(value) is Bad:
                        places.add(place)
                        self.refuse(batch.lines[place], value)
            if what.required and None in values:
                for place, value in enumerate(values):
                    if value is None:
                        places.add(place)
                        self.refuse(batch.lines[place], self._missing(name))
        return places

    def _missing(self, name: str) -> Bad:
        if name == "customer":
            return Bad(Reason.NO_CUSTOMER)
        return Bad(Reason.MISSING, self.columns.get(name, name))

    def batches(self) -> Iterator[Batch]:
        for batch in self.source.batches(list(dict.fromkeys(self.columns.values()))):
            yield batch
            self.say(
                gettext("Reading %(rows)s rows") % {"rows": f"{self.counts['rows']:,}"},
                self.source.position,
                self.source.size,
            )

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Yield (line, values in the order of the fields) of every row that could be read."""
        for batch in self.batches():
            read, bad = self.columns_read(batch)
            for place, line, row in zip(range(len(batch)), batch.lines, zip(*read, strict=True), strict=False):
                if place not in bad:
                    yield line, row


def stage(run: Run, definition: Mapping[str, str], compose: Callable[[int, Row], Row | Bad]) -> int:
    """Copy the readable rows of the file into a temporary table and return how many there are.

    `definition` maps its columns to types, `line` is put before them; `compose` makes a row of it from the values.
    """
    make_table(STAGE, {"line": "bigint", **definition})
    columns = sql.SQL(", ").join(map(sql.Identifier, ("line", *definition)))
    copied = 0
    with connection.cursor() as cursor:
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(STAGE), columns)
        with cursor.copy(statement) as copy:
            for line, row in run.rows():
                made = compose(line, row)
                if type(made) is Bad:
                    run.refuse(line, made)
                else:
                    copy.write_row((line, *cast(Row, made)))
                    copied += 1
        cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(STAGE)))
    return copied


def make_table(name: str, definition: Mapping[str, str]) -> None:
    """Make a temporary table that lives until the end of the transaction; names and types are our own."""
    parts = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(type)) for column, type in definition.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(sql.Identifier(name)))
        cursor.execute(sql.SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DROP").format(sql.Identifier(name), parts))


def make_from(name: str, statement: str, **values: Any) -> None:
    """Make a temporary table by one of our CREATE TEMP TABLE … AS statements and tell the planner its size."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS pg_temp.{}").format(sql.Identifier(name)))
        cursor.execute(statement, values)
        cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def ask(statement: str, **values: Any) -> list[Row]:
    """Run one of our statements and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def do(statement: str, **values: Any) -> int:
    """Run one of our statements and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
