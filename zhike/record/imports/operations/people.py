"""Bringing in customers, and making those that other files name."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.utils.translation import gettext

from zhike.kit.refusal import Place, Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.org.models import Staff
from zhike.record.customers.models import AttributeDefinition
from zhike.record.imports.operations.findable import TERMS, filled_in_bulk, note_terms
from zhike.record.imports.operations.running import Row, Run, ask, copy_rows, do, make_from, make_table, stage
from zhike.record.imports.rules.kinds import ATTRIBUTES
from zhike.record.imports.rules.problems import Bad, Reason

FIELDS = ("name", "kind", "industry", "region", "size", "joined", "owner_id", "acquisition_cost")
STAGE_COLUMNS = {
    "ref": "text",
    "name": "text",
    "kind": "text",
    "industry": "text",
    "region": "text",
    "size": "text",
    "joined": "date",
    "owner_id": "bigint",
    "acquisition_cost": "numeric(16,2)",
    "attributes": "jsonb",
}

REPEATED = """
    SELECT ref, array_agg(line ORDER BY line) FROM import_stage GROUP BY ref
    HAVING count(DISTINCT md5(
        ROW(name, kind, industry, region, size, joined, owner_id, acquisition_cost, attributes)::text)) > 1
    ORDER BY min(line) LIMIT 1
"""
DROP_DUPLICATES = """
    DELETE FROM import_stage s USING (
        SELECT line, row_number() OVER (PARTITION BY ref ORDER BY line) AS place FROM import_stage) d
    WHERE d.line = s.line AND d.place > 1
"""
# A cell that is empty says nothing, so it neither differs from what we have nor wipes it out.
EXISTING = """
    CREATE TEMP TABLE import_existing ON COMMIT DROP AS
    SELECT s.line, s.ref, c.id,
        (%(all)s OR c.owner_id = ANY(%(owners)s)) AS visible,
        (s.name IS NULL OR s.name = c.name) AND (s.kind IS NULL OR s.kind = c.kind)
        AND (s.industry IS NULL OR s.industry = c.industry) AND (s.region IS NULL OR s.region = c.region)
        AND (s.size IS NULL OR s.size = c.size) AND (s.joined IS NULL OR s.joined IS NOT DISTINCT FROM c.joined)
        AND (s.owner_id IS NULL OR s.owner_id IS NOT DISTINCT FROM c.owner_id)
        AND (s.acquisition_cost IS NULL OR s.acquisition_cost IS NOT DISTINCT FROM c.acquisition_cost)
        AND c.attributes @> s.attributes AS same
    FROM import_stage s JOIN customers_customer c ON c.ref = s.ref
"""
# Terms are worked out only for customers that are new or, with an update, called otherwise than before.
NAMED = """
    SELECT s.line, coalesce(s.name, s.ref), s.ref FROM import_stage s
    LEFT JOIN import_existing e ON e.line = s.line LEFT JOIN customers_customer c ON c.id = e.id
    WHERE e.line IS NULL OR (%(update)s AND e.visible AND s.name <> c.name) ORDER BY s.line
"""
INSERT = f"""
    INSERT INTO customers_customer (ref, name, kind, industry, region, size, joined, owner_id, acquisition_cost,
        attributes, sort_key, terms, import_id, created_at, updated_at)
    SELECT ref, coalesce(name, ref), coalesce(kind, 'organisation'), coalesce(industry, ''), coalesce(region, ''),
        coalesce(size, ''), joined, coalesce(owner_id, %(owner)s), acquisition_cost, attributes, t.sort_key,
        {TERMS}, %(import_id)s, %(now)s, %(now)s
    FROM import_stage s JOIN import_terms t USING (line)
    WHERE NOT EXISTS (SELECT 1 FROM import_existing e WHERE e.line = s.line)
    ORDER BY s.line
"""  # noqa: S608  A constant of ours.
UPDATE = f"""
    UPDATE customers_customer c SET name = coalesce(s.name, c.name), kind = coalesce(s.kind, c.kind),
        industry = coalesce(s.industry, c.industry), region = coalesce(s.region, c.region),
        size = coalesce(s.size, c.size), joined = coalesce(s.joined, c.joined),
        owner_id = coalesce(s.owner_id, c.owner_id),
        acquisition_cost = coalesce(s.acquisition_cost, c.acquisition_cost),
        attributes = c.attributes || s.attributes,
        sort_key = coalesce(t.sort_key, c.sort_key), terms = coalesce({TERMS}, c.terms), updated_at = %(now)s
    FROM import_existing e JOIN import_stage s ON s.line = e.line LEFT JOIN import_terms t ON t.line = e.line
    WHERE c.id = e.id AND e.visible AND NOT e.same
"""  # noqa: S608  A constant of ours.
NOTE_UPDATED = """
    INSERT INTO events_event (customer_id, kind, at, by_id, payload)
    SELECT id, 'customer.updated', %(now)s, %(by)s, jsonb_build_object('import', %(import_id)s::bigint)
    FROM import_existing WHERE visible AND NOT same
"""
NOTE_CREATED = """
    INSERT INTO events_event (customer_id, kind, at, by_id, payload)
    SELECT id, 'customer.created', %(now)s, %(by)s, jsonb_build_object('import', %(import_id)s::bigint, 'name', name)
    FROM customers_customer WHERE import_id = %(import_id)s AND created_at = %(now)s
"""


class RepeatedNumber(Refusal):
    message = _("Line %(line)s gives %(what)s again, with other values than line %(first)s; nothing was imported.")


def bring_in(run: Run) -> None:
    """Bring in customers: new ones are made, known ones compared and, when asked, updated."""
    AttributeDefinition.objects.bulk_create(run.new_attributes)
    run.counts["attributes_created"] += len(run.new_attributes)
    stage(run, STAGE_COLUMNS, _Composer(run))
    refuse_repeats(run)
    run.counts["duplicates"] += do(DROP_DUPLICATES)
    make_from("import_existing", EXISTING, all=run.owners is None, owners=run.owners or [])
    run.say(gettext("Making customers findable"))
    named = ask(NAMED, update=run.update)
    new = note_terms((line, name, [], [], [ref]) for line, name, ref in named)
    _settle_existing(run)
    with filled_in_bulk("customer_terms", new):
        created = do(INSERT, owner=_default_owner(run), import_id=run.import_id, now=run.now)
    run.counts["created"] += created
    do(NOTE_CREATED, import_id=run.import_id, now=run.now, by=run.by_id)


def refuse_repeats(run: Run) -> None:
    """Refuse the whole file when one number stands twice with different values: nobody can say which is right."""
    for ref, lines in ask(REPEATED):
        raise RepeatedNumber(place=Place(line=lines[1], field="id"), line=lines[1], first=lines[0], what=ref)


def _settle_existing(run: Run) -> None:
    hidden = ask("SELECT line, ref FROM import_existing WHERE NOT visible ORDER BY line")
    run.refuse_lines(hidden, Reason.EXISTS)
    run.counts["unchanged"] += ask("SELECT count(*) FROM import_existing WHERE visible AND same")[0][0]
    if run.update:
        run.counts["updated"] += do(UPDATE, now=run.now)
        do(NOTE_UPDATED, now=run.now, by=run.by_id, import_id=run.import_id)
    else:
        other = ask("SELECT line, ref FROM import_existing WHERE visible AND NOT same ORDER BY line")
        run.refuse_lines(other, Reason.EXISTS)


def _default_owner(run: Run) -> int | None:
    """Return the importer where only own or team customers are seen: they must see what they bring in."""
    return run.by_id if run.owners is not None else None


class _Composer:
    """Makes a staged row from a row's values."""

    def __init__(self, run: Run) -> None:
        self.run, self.staff = run, Colleagues()
        self.attributes = [name.removeprefix(ATTRIBUTES) for name in run.fields if name.startswith(ATTRIBUTES)]

    def __call__(self, line: int, row: Row) -> Row | Bad:
        ref, name, kind, industry, region, size, joined, owner, cost, *more = row
        owner_id: object = None
        if owner is not None:
            owner_id = self.staff.find(owner)
            if isinstance(owner_id, Bad):
                return owner_id
        if name is None:
            self.run.counts["unnamed"] += 1
        given = {key: value for key, value in zip(self.attributes, more, strict=True) if value is not None}
        attributes = json.dumps(given, ensure_ascii=False)
        return (ref, name, kind, industry, region, size, joined, owner_id, cost, attributes)


class Colleagues:
    """Finds colleagues by e-mail address or name."""

    def __init__(self) -> None:
        self.found: dict[str, int | Bad] = {}
        for pk, email, name in Staff.objects.values_list("pk", "email", "name"):
            self.found[email.casefold()] = pk
            key = name.casefold()
            self.found[key] = Bad(Reason.SEVERAL_STAFF, "owner", name) if key in self.found else pk

    def find(self, text: str) -> int | Bad:
        return self.found.get(text.casefold(), Bad(Reason.UNKNOWN_STAFF, "owner", text))


FIND = """
    INSERT INTO import_people (ref, id)
    SELECT c.ref, c.id FROM customers_customer c
    JOIN (SELECT DISTINCT customer FROM import_named) n ON n.customer = c.ref
    WHERE %(all)s OR c.owner_id = ANY(%(owners)s)
"""
UNKNOWN = """
    SELECT n.customer FROM (SELECT DISTINCT customer FROM import_named) n
    WHERE NOT EXISTS (SELECT 1 FROM customers_customer c WHERE c.ref = n.customer) ORDER BY 1
"""
MAKE = f"""
    INSERT INTO customers_customer (ref, name, kind, industry, region, size, owner_id, attributes, sort_key, terms,
        import_id, created_at, updated_at)
    SELECT n.ref, n.ref, 'organisation', '', '', '', %(owner)s, '{{}}'::jsonb, t.sort_key, {TERMS},
        %(import_id)s, %(now)s, %(now)s
    FROM import_newcomers n JOIN import_terms t USING (line) ORDER BY n.line
"""  # noqa: S608  A constant of ours.


def resolve(run: Run, refs: Iterable[str]) -> None:
    """Fill the temporary table `import_people (ref, id)` for these customer numbers, making customers when asked."""
    make_table("import_named", {"customer": "text"})
    make_table("import_people", {"ref": "text PRIMARY KEY", "id": "bigint"})
    copy_rows("import_named", ["customer"], ((ref,) for ref in refs))
    if run.create_customers:
        _make_newcomers(run)
    do(FIND, all=run.owners is None, owners=run.owners or [])
    do("ANALYZE import_people")


def _make_newcomers(run: Run) -> None:
    """Make the customers that a file names and nobody knows; their number is their name until somebody says it."""
    new = list(enumerate(ref for (ref,) in ask(UNKNOWN)))
    make_table("import_newcomers", {"line": "bigint", "ref": "text"})
    copy_rows("import_newcomers", ["line", "ref"], new)
    note_terms((line, ref, [], [], [ref]) for line, ref in new)
    with filled_in_bulk("customer_terms", len(new)):
        made = do(MAKE, owner=_default_owner(run), import_id=run.import_id, now=run.now)
    run.counts["customers_created"] += made
    do(NOTE_CREATED, import_id=run.import_id, now=run.now, by=run.by_id)
    do("ANALYZE import_named")
    do("ANALYZE customers_customer")


def resolve_staged(run: Run) -> None:
    """Resolve the customers of the staged rows and refuse the rows whose customer is unknown."""
    resolve(run, (ref for (ref,) in ask("SELECT DISTINCT customer FROM import_stage")))
    missing = ask(
        """DELETE FROM import_stage s WHERE NOT EXISTS (SELECT 1 FROM import_people p WHERE p.ref = s.customer)
        RETURNING line, customer"""
    )
    run.refuse_lines(missing, Reason.UNKNOWN_CUSTOMER)
