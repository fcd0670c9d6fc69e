"""Many rows written at once: open touches rewritten in one statement, new rows brought over by COPY."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, models
from psycopg import sql

from zhike.act.engagement.models import Touch, TouchState
from zhike.act.engagement.rules.wishes import Reason

FOLLOW = """
    UPDATE engagement_touch AS touch
    SET owner_id = new.owner_id, stake = new.stake, priority = new.priority, due_on = new.due_on,
        urgency = new.urgency, reason = new.reason::jsonb
    FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::float8[], %s::date[], %s::int[], %s::text[])
        AS new(id, owner_id, stake, priority, due_on, urgency, reason)
    WHERE touch.id = new.id AND touch.state = 'open'
"""
CLOSE = """
    UPDATE engagement_touch AS touch
    SET state = %s, closed_at = %s, reason = touch.reason || jsonb_build_object('superseded', new.cause::jsonb)
    FROM unnest(%s::bigint[], %s::text[]) AS new(id, cause)
    WHERE touch.id = new.id AND touch.state = 'open'
"""


class Rewrites:
    """Collects what changes about open touches and writes it; what has not changed is left alone."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._follow: list[tuple[int, int | None, Decimal, float, date, int, str]] = []
        self._close: list[tuple[int, str]] = []

    def follow(
        self, touch: Touch, row: Mapping[str, Any], *, due_on: date, urgency: int, reason: Reason, priority: float
    ) -> None:
        """Note how an open touch should stand; nothing when it stands so already."""
        stake = row["stake"].quantize(Decimal("0.01"))
        wanted = (row["owner_id"], stake, priority, due_on, urgency, reason)
        if wanted != (touch.owner_id, touch.stake, touch.priority, touch.due_on, touch.urgency, touch.reason):
            self._follow.append((touch.pk, row["owner_id"], stake, priority, due_on, urgency, json.dumps(reason)))

    def close(self, touch: Touch, cause: Reason) -> None:
        """Note that an open touch is superseded, and by what."""
        self._close.append((touch.pk, json.dumps(cause)))

    def write(self) -> None:
        with connection.cursor() as cursor:
            if self._follow:
                cursor.execute(FOLLOW, [list(column) for column in zip(*self._follow, strict=True)])
            if self._close:
                columns = [list(column) for column in zip(*self._close, strict=True)]
                cursor.execute(CLOSE, [TouchState.SUPERSEDED, self.now, *columns])


NOTHING = "\\N"  # How COPY knows an unknown value from an empty text.
SLICE = 20_000


def append(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows to the table of a model; values of JSON columns are given as dicts or lists."""
    _copy(model._meta.db_table, columns, rows)


def append_new(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], *, returning: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Add the rows that break no unique constraint and return the named columns of those."""
    names = {
        "table": sql.Identifier(model._meta.db_table),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "returning": sql.SQL(", ").join(map(sql.Identifier, returning)),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE brought AS SELECT {columns} FROM {table} WHERE false").format(**names)
        )
        _copy("brought", columns, rows)
        cursor.execute(
            sql.SQL(
                "INSERT INTO {table} ({columns}) SELECT {columns} FROM brought ON CONFLICT DO NOTHING "
                "RETURNING {returning}"
            ).format(**names)
        )
        added: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.execute("DROP TABLE brought")
    return added


def _copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL {})").format(
        sql.Identifier(table), names, sql.Literal(NOTHING)
    )
    text = io.StringIO()
    write = csv.writer(text).writerow
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number, row in enumerate(rows, 1):
            write([_written(value) for value in row])
            if number % SLICE == 0:
                copy.write(text.getvalue())
                text.seek(0)
                text.truncate()
        copy.write(text.getvalue())


def _written(value: Any) -> Any:
    if value is None:
        return NOTHING
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
