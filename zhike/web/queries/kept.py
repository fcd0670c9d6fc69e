"""The customer list of a past day: the same conditions, order and pages, asked of the facts kept that day.

Whom somebody may see is asked of today: a past day shows nobody whom the person may not see now, and nobody who was
erased since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Max
from psycopg import sql

from zhike.kit import ruletrees
from zhike.kit.ruletrees import ATTRIBUTES, Rule
from zhike.measure import lake, snapshots
from zhike.measure import queries as measured
from zhike.measure.facts import FACTS
from zhike.measure.models import FactsDay
from zhike.org.principals import Principal
from zhike.org.roles import Scope
from zhike.record.customers.models import Customer
from zhike.web.queries.paging import Page
from zhike.web.queries.searching import matching_terms
from zhike.web.queries.selection import Totals, seen_by
from zhike.web.queries.status import company_status
from zhike.web.rules.paging import PAGE, Order, Phase, Place

MOST_WORDS = 10_000
REMEMBERED = 3600  # Seconds; a kept file never changes, and who may be seen is part of the key.
_CUSTOMERS = sql.Identifier(Customer._meta.db_table)
IDS = pa.schema([("customer_id", pa.int64())])


@lru_cache(maxsize=2)
def _all_ids(_count: int, _last: int | None) -> pa.Table:
    """Return the numbers of all customers there are; any that was added or erased makes another key."""
    # As one text: row by row, a hundred thousand take most of a second.
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT string_agg(id::text, ',') FROM {}").format(_CUSTOMERS))
        text = cursor.fetchone()[0] or ""
    return _ids(np.fromstring(text, dtype=np.int64, sep=","))


def _ids(keys: Any) -> pa.Table:
    return pa.table({"customer_id": pa.array(keys, pa.int64())}, IDS)


def _visible(principal: Principal) -> tuple[str, pa.Table]:
    """Return whom the person may see now, and a word that is another when that is."""
    if principal.scope == Scope.ALL:
        found = Customer.objects.aggregate(count=Count("pk"), last=Max("pk"))
        return f"{found['count']}-{found['last']}", _all_ids(found["count"], found["last"])
    keys = list(Customer.objects.visible_to(principal).order_by("pk").values_list("pk", flat=True))
    return str(hash(tuple(keys))), _ids(keys)


@dataclass(frozen=True, slots=True)
class Condition:
    """Whom a view asks for: by a rule, by words, perhaps only one owner's."""

    rule: Rule | None
    words: str = ""
    owner: int | None = None

    def sql(self, kept: FactsDay) -> str:
        """Return the SQL condition; braces in it are text."""
        tests = ["true"]
        if self.rule is not None:
            tests.append(ruletrees.sql(self.rule, "duckdb", kept.day))
        if self.owner is not None:
            tests.append(f"owner_id = {int(self.owner)}")
        if self.words:
            plain = lake.quoted(self.words.lower())
            tests.append(
                f"(contains(lower(name), {plain}) OR contains(lower(ref), {plain}) OR customer_id IN (FROM called))"
            )
        return " AND ".join(f"({test})" for test in tests)

    def columns(self) -> set[str]:
        named = ruletrees.fields_of(self.rule) if self.rule is not None else frozenset[str]()
        found = {ATTRIBUTES if name.startswith(f"{ATTRIBUTES}.") else name for name in named}
        return found | ({"name", "ref"} if self.words else set()) | ({"owner_id"} if self.owner is not None else set())

    def called(self, principal: Principal) -> pa.Table:
        """Return the customers whom the words find today, by pinyin and initials too."""
        terms = matching_terms(self.words, personal=principal.sees_personal) if self.words else None
        if terms is None:
            return IDS.empty_table()
        return _ids(
            list(Customer.objects.visible_to(principal).filter(terms).values_list("pk", flat=True)[:MOST_WORDS])
        )


@dataclass(frozen=True, slots=True)
class KeptSelection:
    """Whom a person asks for on a past day. The counterpart of `selection.Selection`."""

    principal: Principal
    kept: FactsDay
    condition: Condition

    @property
    def measured_only(self) -> bool:
        return True

    def ask(self, columns: Sequence[str], statement: str, values: Mapping[str, lake.Value] | None = None) -> pa.Table:
        """Return the rows of a statement over `found`, the customers of the selection with these columns.

        Raises RevenueIsHidden when the rule asks about what the person may not see.
        """
        rule = self.condition.rule
        measured.refuse_hidden(ruletrees.fields_of(rule) if rule is not None else (), self.principal)
        needed = sorted({*columns, *self.condition.columns()} - {"customer_id"})
        _word, visible = _visible(self.principal)
        # The rule holds texts of people, in which braces mean nothing: so nothing is filled in after it.
        sql = (
            f"WITH found AS (SELECT * FROM {snapshots.relation(self.kept, needed)} "  # noqa: S608  Literals are escaped by sqlglot and `quoted`.
            f"SEMI JOIN visible USING (customer_id) WHERE {self.condition.sql(self.kept)}) {statement}"
        )
        called = self.condition.called(self.principal)
        return lake.reader().query(sql, values, visible=visible, called=called)

    def totals(self) -> Totals:
        """Return the totals of the selection; always exact."""
        worth = "arr" if company_status().has_subscriptions else "revenue_12m"
        rows = self.ask(
            ["health_band", "health", worth],
            f"SELECT health_band AS band, COUNT(*) AS number, SUM({worth}) AS worth, "  # noqa: S608  One of two columns of ours.
            "SUM(CAST(health AS DOUBLE)) AS points, COUNT(health) AS known FROM found GROUP BY health_band",
        ).to_pylist()
        known = sum(row["known"] for row in rows)
        return Totals(
            count=sum(row["number"] for row in rows),
            worth=sum((row["worth"] or Decimal(0) for row in rows), Decimal(0)),
            health=sum(row["points"] or 0 for row in rows) / known if known else None,
            bands={row["band"]: row["number"] for row in rows if row["band"]},
            risk_worth=next((row["worth"] for row in rows if row["band"] == "risk"), None),
        )


def counts(principal: Principal, kept: FactsDay, conditions: Mapping[str, Condition]) -> dict[str, int]:
    """Return how many customers each condition finds on the kept day, all in one scan."""
    word, visible = _visible(principal)
    told = hash(tuple((key, repr(condition)) for key, condition in conditions.items()))
    memory = f"kept:{kept.path}:{seen_by(principal)}:{word}:{told}"
    known: dict[str, int] | None = cache.get(memory)
    if known is not None:
        return known
    columns = sorted({name for condition in conditions.values() for name in condition.columns()} - {"customer_id"})
    asked = ", ".join(
        f'COUNT(*) FILTER ({condition.sql(kept)}) AS "v{place}"' for place, condition in enumerate(conditions.values())
    )
    relation = snapshots.relation(kept, columns)
    row = (
        lake.reader()
        .query(f"SELECT {asked} FROM {relation} SEMI JOIN visible USING (customer_id)", visible=visible)  # noqa: S608  Literals are escaped by sqlglot.
        .to_pylist()[0]
    )
    found = {key: row[f"v{place}"] for place, key in enumerate(conditions)}
    cache.set(memory, found, REMEMBERED)
    return found


@dataclass(frozen=True, slots=True)
class KeptListing:
    """A page of a past day's list, forwards or backwards from a place. The counterpart of `paging.Listing`."""

    selection: KeptSelection
    order: Order
    columns: Sequence[str]

    def page(self, *, after: Place | None = None, before: Place | None = None, size: int = PAGE) -> Page:
        """Return the page that begins after a place, ends before one, or is the first."""
        if before is not None:
            found = self._read(before, size + 1, back=True)
            return Page(found[:size][::-1], has_newer=len(found) > size, has_older=True)
        found = self._read(after, size + 1, back=False)
        return Page(found[:size], has_newer=after is not None, has_older=len(found) > size)

    def _read(self, place: Place | None, wanted: int, *, back: bool) -> list[dict[str, Any]]:
        column = column_of(self.order)
        names = [name for name in map(_plain, self.columns) if name in FACTS or name == ATTRIBUTES]
        listed = ", ".join(f'"{name}"' for name in dict.fromkeys(["customer_id", *names, column]))
        down = self.order.down != back
        step, sign = ("DESC", "-") if down else ("ASC", "")
        unknown = "DESC" if back else "ASC"
        tie = f"CASE WHEN {column} IS NULL THEN {'-' if back else ''}customer_id ELSE {sign}customer_id END"
        statement = (
            f"SELECT {listed} FROM found WHERE {_beyond(column, place, down=down, back=back)} "  # noqa: S608  Names of our own columns.
            f"ORDER BY ({column} IS NULL) {unknown}, {column} {step}, {tie} LIMIT {int(wanted)}"
        )
        values: dict[str, lake.Value] = {}
        if place is not None:
            values = {"id": place.id} | ({} if place.value is None else {"value": str(place.value)})
        rows = self.selection.ask([*names, column], statement, values).to_pylist()
        return [self._row(row, column) for row in rows]

    def _row(self, row: dict[str, Any], column: str) -> dict[str, Any]:
        phase: Phase = "unknown" if row[column] is None else "known"
        found = {name: row.get(_plain(name)) for name in self.columns}
        if ATTRIBUTES in found:
            found[ATTRIBUTES] = json.loads(found[ATTRIBUTES] or "{}")
        return {**found, "id": row["customer_id"], "phase": phase, self.order.path: row[column]}

    def neighbours(self, customer_id: int) -> tuple[int | None, int | None]:
        """Return the customers before and after one in this list; None where there is none."""
        column = column_of(self.order)
        found = self.selection.ask(
            [column],
            f"SELECT {column} AS value FROM found WHERE customer_id = $id",  # noqa: S608  A column of ours.
            {"id": customer_id},
        ).to_pylist()
        if not found:
            return None, None
        value = found[0]["value"]
        place = Place("unknown" if value is None else "known", value, customer_id)
        sides = self.page(before=place, size=1).rows, self.page(after=place, size=1).rows
        before, after = (rows[0]["id"] if rows else None for rows in sides)
        return before, after


def column_of(order: Order) -> str:
    """Return the kept column by which a past list is ordered; how a name sounds is not kept, so it is as written."""
    return "name" if order.path == "sort_key" else _plain(order.path)


def _plain(name: str) -> str:
    return name.removeprefix("facts__")


def _beyond(column: str, place: Place | None, *, down: bool, back: bool) -> str:
    """Return the condition that a row comes after a place, in the direction of reading."""
    if place is None:
        return "true"
    if place.value is None:
        if back:
            return f"{column} IS NOT NULL OR customer_id < $id"
        return f"{column} IS NULL AND customer_id > $id"
    kind = FACTS[column].duckdb_type
    sign = "<" if down else ">"
    further = (
        f"{column} {sign} CAST($value AS {kind}) OR ({column} = CAST($value AS {kind}) AND customer_id {sign} $id)"
    )
    # Unknown values come last; read backwards, they come before everything that is known.
    return f"{column} IS NOT NULL AND ({further})" if back else f"{column} IS NULL OR {further}"


def as_now(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return what today's record says of customers where a past day says something of its own."""
    names = ("name", "industry", "region", "size", "owner_id")
    rows = Customer.objects.filter(pk__in=ids).values("pk", *names)
    return {row["pk"]: {name: row[name] for name in names} for row in rows}
