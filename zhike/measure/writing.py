"""From Arrow into PostgreSQL: rows go over by COPY into a temporary table; only what differs is written."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import pyarrow as pa
from django.db import connection
from django.db.models import Model
from psycopg import sql
from pyarrow import csv

from zhike.measure import reading
from zhike.measure.facts import STANDING, STORED
from zhike.measure.lake import Engine, filled
from zhike.measure.models import HEALTH_WEEKS, CustomerFacts, FactsSummary, StageMove, TierMove
from zhike.record.customers.models import Customer

MOVES = pa.schema([("customer_id", pa.int64()), ("before", pa.string()), ("after", pa.string()), ("new", pa.bool_())])
SLICE = 50_000
COLUMNS = tuple(fact.name for fact in STORED)

# An array goes over as PostgreSQL writes it: {71,NULL,66}.
ROWS = """
SELECT facts.customer_id, {columns},
       '{' || ARRAY_TO_STRING(LIST_TRANSFORM(
         LIST_APPEND(COALESCE(weeks.weeks, CAST(LIST_VALUE({nothing}) AS UTINYINT[])), CAST(ROUND(health) AS UTINYINT)),
         lambda week: COALESCE(CAST(week AS VARCHAR), 'NULL')), ',') || '}' AS health_weeks
FROM facts LEFT JOIN weeks USING (customer_id)
"""


# Everything but what planning writes and what models say once a night.
GIVEN_APART = tuple(fact.name for fact in STORED if fact.source not in STANDING)
CHANGED_ROWS = """
SELECT customer_id, {columns}, '{' || COALESCE(CAST(CAST(ROUND(health) AS UTINYINT) AS VARCHAR), 'NULL') || '}'
       AS health_weeks
FROM facts
"""


def replace_rows(engine: Engine, table: pa.Table, weeks: pa.Table) -> int:
    """Make today's rows those of `table`; returns how many were new, different or gone.

    One owner's rows are written one after the other: then they lie in few pages, and a book is read in a moment.
    """
    nothing = ", ".join(["NULL"] * 25)
    rows = engine.query(filled(ROWS, columns=", ".join(COLUMNS), nothing=nothing), facts=table, weeks=weeks)
    _bring("facts_today", CustomerFacts, rows)
    changed = _execute(
        """
        INSERT INTO {facts} AS f (customer_id, {columns})
        SELECT t.customer_id, {columns} FROM facts_today AS t JOIN {customers} AS c ON c.id = t.customer_id
        ORDER BY c.owner_id, t.customer_id
        ON CONFLICT (customer_id) DO UPDATE SET ({columns}) = ROW({excluded})
        WHERE ({current}) IS DISTINCT FROM ({excluded})
        """
    )
    gone = _execute(
        "DELETE FROM {facts} AS f WHERE f.tier IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM facts_today AS t WHERE t.customer_id = f.customer_id)"
    )
    _execute("DROP TABLE facts_today")
    add_empty_rows()
    _execute("ANALYZE {facts}")
    return changed + gone


def change_rows(engine: Engine, table: pa.Table, gone: Collection[int]) -> list[int]:
    """Make some of today's rows those of `table`, and empty those of customers who are gone; returns who changed.

    The next touch stays as planning left it. The last of the weeks of health becomes today's.
    """
    rows = engine.query(
        filled(CHANGED_ROWS, columns=", ".join(GIVEN_APART)),
        facts=table,
    )
    _bring("facts_changed", CustomerFacts, rows)
    names = sql.SQL(", ")
    parts = {
        "some": names.join(map(sql.Identifier, GIVEN_APART)),
        "new": names.join(sql.Identifier("t", column) for column in GIVEN_APART),
        "old": names.join(sql.Identifier("f", column) for column in GIVEN_APART),
        "weeks": sql.Literal(HEALTH_WEEKS - 1),
    }
    changed = _returned(
        """
        UPDATE {facts} AS f SET ({some}) = ROW({new}), health_weeks = CASE WHEN f.health_weeks = '{{}}'
            THEN array_fill(NULL::smallint, ARRAY[{weeks}]) ELSE f.health_weeks[1:{weeks}] END || t.health_weeks
        FROM facts_changed AS t WHERE t.customer_id = f.customer_id AND ({old}) IS DISTINCT FROM ({new})
        RETURNING f.customer_id
        """,
        **parts,
    )
    changed += _returned(
        """
        INSERT INTO {facts} AS f (customer_id, {some}, health_weeks)
        SELECT t.customer_id, {new}, array_fill(NULL::smallint, ARRAY[{weeks}]) || t.health_weeks
        FROM facts_changed AS t JOIN {customers} AS c ON c.id = t.customer_id
        WHERE NOT EXISTS (SELECT 1 FROM {facts} AS f WHERE f.customer_id = t.customer_id)
        RETURNING customer_id
        """,
        **parts,
    )
    _execute("DROP TABLE facts_changed")
    CustomerFacts.objects.filter(pk__in=gone, tier__isnull=False).delete()
    return changed


def add_empty_rows() -> int:
    """Add a row without facts for every customer that has none."""
    return _execute(
        "INSERT INTO {facts} (customer_id, health_weeks) SELECT id, '{{}}' FROM {customers} AS c "
        "WHERE NOT EXISTS (SELECT 1 FROM {facts} AS f WHERE f.customer_id = c.id) ON CONFLICT DO NOTHING"
    )


def replace_next_touch(rows: pa.Table, *, only: Collection[int] | None = None) -> int:
    """Set `next_touch` of all rows, or of some, by customer_id and next_touch: None for customers not named."""
    _bring("touches_today", CustomerFacts, rows)
    among: sql.Composable = sql.SQL("true")
    if only is not None:
        among = sql.SQL("c.customer_id = ANY({}::bigint[])").format(sql.Literal(sorted(only)))
    changed = _execute(
        "UPDATE {facts} AS f SET next_touch = t.next_touch FROM (SELECT c.customer_id, t.next_touch FROM {facts} AS c "
        "LEFT JOIN touches_today AS t USING (customer_id) WHERE {among}) AS t "
        "WHERE f.customer_id = t.customer_id AND f.next_touch IS DISTINCT FROM t.next_touch",
        among=among,
    )
    _execute("DROP TABLE touches_today")
    return changed


def note_moves(engine: Engine, model: type[StageMove] | type[TierMove], table: pa.Table, today: date) -> pa.Table:
    """Note who is in another class than before; returns today's moves (customer_id, before, after, new).

    The first class of a customer is noted too, as a row from nothing that is no move: for a stage from the day it
    began, for a tier from today.
    """
    before = reading.last_moves(model, today)
    name, since = ("stage", "stage_since") if model is StageMove else ("tier", "$today")
    moves = engine.query(
        filled(
            "SELECT facts.customer_id, COALESCE(before.after, '') AS before, {name} AS after, "
            "CAST(CASE WHEN before.after IS NULL THEN {since} ELSE $today END AS DATE) AS day "
            "FROM facts LEFT JOIN before USING (customer_id) WHERE before.after IS DISTINCT FROM {name} "
            "ORDER BY customer_id",
            name=name,
            since=since,
        ),
        {"today": today},
        facts=table.select(["customer_id", name, *(["stage_since"] if model is StageMove else [])]),
        before=before,
    )
    return _write_moves(engine, model, moves, today)


def _write_moves(engine: Engine, model: type[StageMove] | type[TierMove], moves: pa.Table, today: date) -> pa.Table:
    known = reading.rows(
        "SELECT customer_id, after, day FROM {moves} WHERE day = {today} AND before <> ''",
        reading.LAST_MOVES,
        moves=model,
        today=today,
    )
    _bring("moves_today", model, moves)
    table = sql.Identifier(model._meta.db_table)
    _execute(
        "DELETE FROM {moves} AS m WHERE day = {today} AND NOT EXISTS (SELECT 1 FROM moves_today AS t "
        "WHERE t.customer_id = m.customer_id AND t.after = m.after AND t.before = m.before)",
        moves=table,
        today=sql.Literal(today),
    )
    _execute(
        "INSERT INTO {moves} (customer_id, before, after, day) SELECT t.customer_id, before, after, day "
        "FROM moves_today AS t JOIN {customers} AS c ON c.id = t.customer_id ON CONFLICT (customer_id, day) DO NOTHING",
        moves=table,
    )
    _execute("DROP TABLE moves_today")
    return engine.query(
        "SELECT moves.customer_id, before, moves.after, known.after IS NULL AS new FROM moves "
        "LEFT JOIN known ON known.customer_id = moves.customer_id AND known.after = moves.after "
        "WHERE before <> '' ORDER BY moves.customer_id",
        moves=moves,
        known=known,
    ).cast(MOVES)


def summarise() -> None:
    """Count the totals anew."""
    _execute("DELETE FROM {summary}")
    _execute(
        """
        INSERT INTO {summary}
          (owner_id, tier, stage, band, customers, revenue, revenue_12m, mrr, health_sum, health_known)
        SELECT c.owner_id, COALESCE(tier, ''), COALESCE(stage, ''), COALESCE(health_band, ''), COUNT(*),
               COALESCE(SUM(revenue), 0), COALESCE(SUM(revenue_12m), 0), COALESCE(SUM(mrr), 0),
               COALESCE(SUM(health), 0), COUNT(health)
        FROM {facts} AS f JOIN {customers} AS c ON c.id = f.customer_id GROUP BY 1, 2, 3, 4
        """
    )


def replace_all(model: type[Model], rows: pa.Table) -> None:
    """Make the rows of a small table of our own those of `rows`, whose columns are named as in the database."""
    table = sql.Identifier(model._meta.db_table)
    columns = sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
    _execute("DELETE FROM {table}", table=table)
    copy = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT csv)").format(table=table, columns=columns)
    with connection.cursor() as cursor, cursor.copy(copy) as target:
        target.write(_as_csv(rows))


def _bring(name: str, model: type[CustomerFacts] | type[StageMove] | type[TierMove], rows: pa.Table) -> None:
    """Make a temporary table with the columns of `rows`, typed as in the model's table, and fill it."""
    columns = sql.SQL(", ").join(map(sql.Identifier, rows.column_names))
    target = {"name": sql.Identifier(name), "columns": columns, "table": sql.Identifier(model._meta.db_table)}
    _execute("CREATE TEMPORARY TABLE {name} AS SELECT {columns} FROM {table} WHERE false", **target)
    statement = sql.SQL("COPY {name} ({columns}) FROM STDIN (FORMAT csv)").format(**target)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, rows.num_rows, SLICE):
            copy.write(_as_csv(rows.slice(start, SLICE)))


def _as_csv(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    csv.write_csv(rows, sink, csv.WriteOptions(include_header=False))
    content: bytes = sink.getvalue().to_pybytes()
    return content


_WRITTEN = [*COLUMNS, "health_weeks"]
_COMMON: dict[str, sql.Composable] = {
    "facts": sql.Identifier(CustomerFacts._meta.db_table),
    "customers": sql.Identifier(Customer._meta.db_table),
    "summary": sql.Identifier(FactsSummary._meta.db_table),
    "columns": sql.SQL(", ").join(map(sql.Identifier, _WRITTEN)),
    "excluded": sql.SQL(", ").join(sql.Identifier("excluded", column) for column in _WRITTEN),
    "current": sql.SQL(", ").join(sql.Identifier("f", column) for column in _WRITTEN),
}


def _returned(statement: str, **parts: sql.Composable) -> list[int]:
    """Run a statement of ours and return the customers it returns."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**_COMMON, **parts))
        return [row[0] for row in cursor.fetchall()]


def _execute(statement: str, **parts: sql.Composable) -> int:
    """Run a statement of ours and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**{**_COMMON, **parts}))
        return int(cursor.rowcount)
