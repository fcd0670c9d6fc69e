"""Writing down what a batch told about people: new ones, those found to be the same, and what changed of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
from django.db import connection

from zhike.kit.failpoints import failpoint, register
from zhike.record.tracking.operations.people import Placed, Who, joined_traits

register("drain.people_added", "drain.people_merged", "drain.people_changed")

LATELY = 3600 * 10**6  # Microseconds by which "last seen" may lag behind: a busy person is not written every second.

ADD = """
    INSERT INTO tracking_person (id, customer_id, contact_id, "group", email, traits, waiting, first_seen, last_seen)
    SELECT id, nullif(customer, 0), nullif(contact, 0), named, email, traits::jsonb, waiting,
        to_timestamp(first / 1e6), to_timestamp(last / 1e6)
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[],
        %s::bigint[], %s::bigint[]) AS n (id, customer, contact, named, email, traits, waiting, first, last)
"""
NAME = """
    INSERT INTO tracking_identity (kind, value, person_id)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])
"""
PAIRS = "unnest(%s::bigint[], %s::bigint[]) AS m (other, root)"
RENAME = f"UPDATE tracking_identity i SET person_id = m.root FROM {PAIRS} WHERE i.person_id = m.other"  # noqa: S608  Our own.
FOLLOW = f"UPDATE tracking_person p SET merged_into_id = m.root FROM {PAIRS} WHERE p.merged_into_id = m.other"  # noqa: S608  Our own.
# Counts and traits are gathered apart: joined, a person's count would be added once for each trait.
GATHER = f"""
    WITH pairs AS (SELECT DISTINCT other, root FROM {PAIRS}),
    counts AS (
        SELECT root, sum(t.waiting) AS waiting, min(t.first_seen) AS first_seen
        FROM pairs JOIN tracking_person t ON t.id = other GROUP BY root
    ),
    known AS (
        SELECT root, jsonb_object_agg(e.key, e.value) AS traits
        FROM pairs JOIN tracking_person t ON t.id = other CROSS JOIN LATERAL jsonb_each(t.traits) e GROUP BY root
    )
    UPDATE tracking_person p SET waiting = p.waiting + counts.waiting,
        first_seen = least(p.first_seen, counts.first_seen), traits = coalesce(known.traits, '{{}}') || p.traits
    FROM counts LEFT JOIN known USING (root) WHERE p.id = counts.root
"""  # noqa: S608  Our own.
MERGE = f"""
    UPDATE tracking_person p SET merged_into_id = m.root, waiting = 0, customer_id = NULL, contact_id = NULL,
        traits = '{{}}', email = '', "group" = ''
    FROM {PAIRS} WHERE p.id = m.other
"""  # noqa: S608  Our own.
CHANGE = """
    UPDATE tracking_person p SET customer_id = nullif(n.customer, 0), contact_id = nullif(n.contact, 0),
        "group" = n.named, email = n.email, traits = p.traits || n.traits::jsonb
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[])
        AS n (id, customer, contact, named, email, traits)
    WHERE p.id = n.id
"""
SEE = """
    UPDATE tracking_person p SET waiting = p.waiting + n.waiting,
        first_seen = least(p.first_seen, to_timestamp(n.first / 1e6)),
        last_seen = greatest(p.last_seen, to_timestamp(n.last / 1e6))
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS n (id, waiting, first, last)
    WHERE p.id = n.id
"""


def give_numbers(new: Sequence[Who]) -> None:
    """Reserve the numbers of new people before their events are written."""
    if not new:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('tracking_person', 'id')) FROM generate_series(1, %s)", [len(new)]
        )
        for who, (pk,) in zip(new, cursor.fetchall(), strict=True):
            who.pk = pk


def settle(placed: Placed, seen: pa.Table) -> None:
    """Write down what was learnt. `seen` has person, at (µs) and waits (0 or 1), a row per event."""
    spans = _spans(seen)
    with connection.cursor() as cursor:
        _add(cursor, placed, spans)
        failpoint("drain.people_added")
        pairs = _columns(((who.pk, who.root().pk) for who in placed.merged), 2)
        if placed.merged:
            # Waiting events of both are counted at the one who stays before the other's count is cleared.
            for statement in (GATHER, RENAME, FOLLOW, MERGE):
                cursor.execute(statement, pairs)
        failpoint("drain.people_merged")
        changed = sorted(placed.changed, key=lambda who: who.pk)
        if changed:
            cursor.execute(CHANGE, _columns((_row(who) for who in changed), 6))
        new = {who.pk for who in placed.new}
        old = {who.pk: who for who in set(placed.whos) if who.pk and who.pk not in new}
        rows = [(pk, *spans[pk]) for pk, who in sorted(old.items()) if _is_news(who, *spans[pk])]
        if rows:
            cursor.execute(SEE, _columns(rows, 4))
        names = [(kind, value, who.root().pk) for kind, value, who in placed.new_names]
        if names:
            cursor.execute(NAME, _columns(names, 3))
        failpoint("drain.people_changed")


def _spans(seen: pa.Table) -> dict[int, tuple[int, int, int]]:
    """Return by person: events that wait, first and last time."""
    found = seen.group_by("person").aggregate([("waits", "sum"), ("at", "min"), ("at", "max")])
    columns = (found[name].to_pylist() for name in ("person", "waits_sum", "at_min", "at_max"))
    return {person: (waits, first, last) for person, waits, first, last in zip(*columns, strict=True)}


def _add(cursor: Any, placed: Placed, spans: dict[int, tuple[int, int, int]]) -> None:
    if placed.new:
        rows = ((*_row(who), *spans[who.pk]) for who in placed.new)
        cursor.execute(ADD, _columns(rows, 9))


def _row(who: Who) -> tuple[int, int, int, str, str, str]:
    return who.pk, who.customer, who.contact, who.group, who.email, joined_traits(who)


def _is_news(who: Who, waits: int, _first: int, last: int) -> bool:
    return waits > 0 or last > who.last_seen + LATELY


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
