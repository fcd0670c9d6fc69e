"""From Arrow into PostgreSQL: rows go over by COPY into a temporary table; only what differs is written."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
from django.db import connection
from psycopg import sql
from pyarrow import csv

from zhike.measure import reading
from zhike.measure.facts import STORED
from zhike.measure.lake import Engine, filled
from zhike.measure.models import CustomerFacts, FactsSummary, StageMove, TierMove
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


def replace_rows(engine: Engine, table: pa.Table, weeks: pa.Table) -> int:
    """Make today's rows those of `table`; returns how many were new, different or gone."""
    nothing = ", ".join(["NULL"] * 25)
    rows = engine.query(filled(ROWS, columns=", ".join(COLUMNS), nothing=nothing), facts=table, weeks=weeks)
    _bring("facts_today", CustomerFacts, rows)
    changed = _execute(
        """
        INSERT INTO {facts} AS f (customer_id, {columns})
        SELECT t.customer_id, {columns} FROM facts_today AS t JOIN {customers} AS c ON c.id = t.customer_id
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


def add_empty_rows() -> int:
    """Add a row without facts for every customer that has none."""
    return _execute(
        "INSERT INTO {facts} (customer_id, health_weeks) SELECT id, '{{}}' FROM {customers} AS c "
        "WHERE NOT EXISTS (SELECT 1 FROM {facts} AS f WHERE f.customer_id = c.id) ON CONFLICT DO NOTHING"
    )


def replace_next_touch(rows: pa.Table) -> int:
    """Set `next_touch` of all rows by customer_id and next_touch, None for customers not named."""
    _bring("touches_today", CustomerFacts, rows)
    changed = _execute(
        "UPDATE {facts} AS f SET next_touch = t.next_touch FROM (SELECT c.customer_id, t.next_touch FROM {facts} AS c "
        "LEFT JOIN touches_today AS t USING (customer_id)) AS t "
        "WHERE f.customer_id = t.customer_id AND f.next_touch IS DISTINCT FROM t.next_touch"
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


def _execute(statement: str, **parts: sql.Composable) -> int:
    """Run a statement of ours and return how many rows it touched."""
    columns = [*COLUMNS, "health_weeks"]
    common = {
        "facts": sql.Identifier(CustomerFacts._meta.db_table),
        "customers": sql.Identifier(Customer._meta.db_table),
        "summary": sql.Identifier(FactsSummary._meta.db_table),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "excluded": sql.SQL(", ").join(sql.Identifier("excluded", column) for column in columns),
        "current": sql.SQL(", ").join(sql.Identifier("f", column) for column in columns),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(**{**common, **parts}))
        return int(cursor.rowcount)
