"""Statements that a connection keeps, asked without the cursor's way round.

A page asks some twelve questions, and a cursor spends more processor time on sending one and taking its answer than all
that follows: its steps are made for pipelines, several results and several formats. Here the values go to libpq and the
rows come back, through the same dumpers and loaders as a cursor's.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from psycopg import pq
from psycopg.abc import Buffer
from psycopg.adapt import Loader, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.types.numeric import Int8

KEPT = 400  # Statements that a connection keeps; past that it begins anew.
PLACE = re.compile("%%|%s")
Rows = list[tuple[Any, ...]]


class _Moment(Loader):
    """Reads a moment as PostgreSQL writes it in UTC, which Django has every connection speak."""

    def load(self, data: Buffer) -> datetime:
        return datetime.fromisoformat(bytes(data).decode())


class _Statements:
    """What one connection of psycopg keeps. It is that connection's own attribute, so that both end together."""

    def __init__(self, raw: Any) -> None:
        self.pgconn: pq.abc.PGconn = raw.pgconn
        # Of the adapters alone: with the connection, the two would hold each other.
        self.between = Transformer(_cursor(raw).adapters)
        self.names: dict[tuple[str, Any], bytes] = {}
        self.numbers = count()

    def rows(self, text: str, values: Sequence[Any]) -> Rows:
        between = self.between
        dumped = between.dump_sequence(values, [PyFormat.AUTO] * len(values))
        # A statement is kept once for each combination of types, as these decide what it means.
        name = self.names.get((text, between.types)) or self._keep(text)
        given: Any = dumped  # NULL is None, which the types of libpq forget.
        result = self._done(self.pgconn.exec_prepared(name, given, between.formats, pq.Format.TEXT))
        between.set_pgresult(result)
        return cast("Rows", between.load_rows(0, result.ntuples, tuple))

    def _keep(self, text: str) -> bytes:
        if len(self.names) >= KEPT:
            for name in self.names.values():
                self._done(self.pgconn.exec_(b"DEALLOCATE " + name))
            self.names.clear()
        name = b"kept_%d" % next(self.numbers)
        self._done(self.pgconn.prepare(name, _numbered(text), self.between.types))
        self.names[text, self.between.types] = name
        return name

    def _done(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status in {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK}:
            return result
        if self.pgconn.status != pq.ConnStatus.OK:
            raise psycopg.OperationalError(self.pgconn.get_error_message())
        raise error_from_result(result)


@lru_cache(maxsize=KEPT)
def _numbered(text: str) -> bytes:
    """Return a statement as PostgreSQL writes it: places are numbered, and a percent sign stands for itself."""
    numbers = count(1)
    return PLACE.sub(lambda place: "%" if place[0] == "%%" else f"${next(numbers)}", text).encode()


def answered(text: str, values: Sequence[Any]) -> Rows:
    """Return the rows of a statement of ours that PostgreSQL keeps, values bound there; `text` has a %s for each.

    A list of whole numbers goes as text, so its place has to say which array it is. Raises what Django's cursors raise.
    """
    given = [_bound(one) for one in values]
    database: Any = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    raw = database.connection
    if database.execute_wrappers or database.queries_logged or _begins_with_it(raw):
        wrapped = database.make_debug_cursor if database.queries_logged else database.make_cursor
        with wrapped(_cursor(raw)) as cursor:
            cursor.execute(text, given)
            return list(cursor.fetchall())
    database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        kept: _Statements | None = vars(raw).get("zhike_statements")
        if kept is None:
            kept = raw.zhike_statements = _Statements(raw)
        return kept.rows(text, given)


def _begins_with_it(raw: Any) -> bool:
    """Return whether a transaction begins with the next statement; a cursor knows how."""
    return not raw.autocommit and raw.pgconn.transaction_status == pq.TransactionStatus.IDLE


def _bound(value: Any) -> Any:
    # Numbers of every size are of one type: the statement is kept once.
    if type(value) is int:
        return Int8(value)
    if type(value) is list and all(type(one) is int for one in value):
        return f"{{{','.join(map(str, value))}}}"
    return value


def _cursor(raw: Any) -> Any:
    """Return a cursor as Django gives it, but one that binds values in PostgreSQL, where statements are kept."""
    bound: Any = ServerBindingCursor
    made = bound(raw)
    made.adapters.register_loader("timestamptz", _Moment)
    return made
