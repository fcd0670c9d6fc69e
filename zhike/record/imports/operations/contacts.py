"""Bringing in contacts: people at customers, known by their number at that customer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from zhike.kit.refusal import Place
from zhike.record.imports.operations.findable import TERMS, filled_in_bulk, note_terms
from zhike.record.imports.operations.people import RepeatedNumber, resolve_staged
from zhike.record.imports.operations.running import Row, Run, ask, do, make_from, stage
from zhike.record.imports.rules.problems import Bad, Reason
from zhike.record.imports.rules.words import ROLES, folded

STAGE_COLUMNS = {
    "customer": "text",
    "ref": "text",
    "name": "text",
    "role": "text",
    "title": "text",
    "email": "text",
    "phone": "text",
    "birthday": "date",
    "lunar": "boolean",
}
REPEATED = """
    SELECT ref, array_agg(line ORDER BY line) FROM import_stage GROUP BY customer, ref
    HAVING count(DISTINCT md5(ROW(name, role, title, email, phone, birthday, lunar)::text)) > 1
    ORDER BY min(line) LIMIT 1
"""
DROP_DUPLICATES = """
    DELETE FROM import_stage s USING (
        SELECT line, row_number() OVER (PARTITION BY customer, ref ORDER BY line) AS place FROM import_stage) d
    WHERE d.line = s.line AND d.place > 1
"""
EXISTING = """
    CREATE TEMP TABLE import_existing ON COMMIT DROP AS
    SELECT s.line, s.ref, c.id,
        s.name = c.name AND (s.role IS NULL OR s.role = c.role) AND (s.title IS NULL OR s.title = c.title)
        AND (s.email IS NULL OR s.email = c.email) AND (s.phone IS NULL OR s.phone = c.phone)
        AND (s.birthday IS NULL OR (s.birthday, s.lunar) IS NOT DISTINCT FROM (c.birthday, c.birthday_is_lunar)) AS same
    FROM import_stage s JOIN import_people p ON p.ref = s.customer
    JOIN customers_contact c ON c.customer_id = p.id AND c.ref = s.ref
"""
NEW = """
    SELECT s.line, s.name, s.phone, s.email FROM import_stage s
    WHERE NOT EXISTS (SELECT 1 FROM import_existing e WHERE e.line = s.line) ORDER BY s.line
"""
INSERT = f"""
    INSERT INTO customers_contact (customer_id, ref, name, title, role, email, phone, language, birthday,
        birthday_is_lunar, preferred_channel, reachable, terms, import_id, created_at, updated_at)
    SELECT p.id, s.ref, s.name, coalesce(s.title, ''), coalesce(s.role, 'other'), coalesce(s.email, ''),
        coalesce(s.phone, ''), '', s.birthday, coalesce(s.lunar, false), '', '', {TERMS},
        %(import_id)s, %(now)s, %(now)s
    FROM import_stage s JOIN import_people p ON p.ref = s.customer JOIN import_terms t ON t.line = s.line
    ORDER BY s.line
"""  # noqa: S608  A constant of ours.
UPDATE = """
    UPDATE customers_contact c SET name = s.name, role = coalesce(s.role, c.role), title = coalesce(s.title, c.title),
        email = coalesce(s.email, c.email), phone = coalesce(s.phone, c.phone),
        birthday = coalesce(s.birthday, c.birthday),
        birthday_is_lunar = CASE WHEN s.birthday IS NULL THEN c.birthday_is_lunar ELSE s.lunar END,
        updated_at = %(now)s
    FROM import_stage s, import_existing e WHERE e.line = s.line AND c.id = e.id AND NOT e.same
    RETURNING c.id, c.name, c.phone, c.email
"""
UPDATE_TERMS = f"UPDATE customers_contact c SET terms = {TERMS} FROM import_terms t WHERE c.id = t.line"  # noqa: S608  As above.


def bring_in(run: Run) -> None:
    """Bring in contacts of known customers."""
    stage(run, STAGE_COLUMNS, _compose)
    for ref, lines in ask(REPEATED):
        raise RepeatedNumber(place=Place(line=lines[1], field="id"), line=lines[1], first=lines[0], what=ref)
    run.counts["duplicates"] += do(DROP_DUPLICATES)
    resolve_staged(run)
    make_from("import_existing", EXISTING)
    run.counts["unchanged"] += ask("SELECT count(*) FROM import_existing WHERE same")[0][0]
    if run.update:
        changed = ask(UPDATE, now=run.now)
        run.counts["updated"] += len(changed)
        note_terms(_findable(changed))
        do(UPDATE_TERMS)
    else:
        other = ask("SELECT line, ref FROM import_existing WHERE NOT same ORDER BY line")
        run.refuse_lines(other, Reason.EXISTS)
    new = note_terms(_findable(ask(NEW)))
    with filled_in_bulk("contact_terms", new):
        created = do(INSERT, import_id=run.import_id, now=run.now)
    run.counts["created"] += created


def _findable(rows: Iterable[Row]) -> Iterator[tuple[int, str, list[str], list[str], list[str]]]:
    """Yield what search needs of (line or id, name, phone, e-mail)."""
    for line, name, phone, email in rows:
        yield line, name, [phone] if phone else [], [email] if email else [], []


def _compose(_line: int, row: Row) -> Row | Bad:
    customer, ref, name, role, email, phone, birthday = row
    key = role and ROLES.get(folded(role))
    # A title that names none of our roles is kept as the title; nothing that a file says is lost.
    title = role[:100] if role and key is None else None
    day, lunar = birthday or (None, None)
    return (customer, (ref or email or phone or name)[:100], name, key, title, email, phone, day, lunar)
