"""Bringing in interactions, with whoever had them, known to us or not."""

from __future__ import annotations

from zhike.record.imports.operations.people import Colleagues, resolve_staged
from zhike.record.imports.operations.running import Row, Run, do, stage
from zhike.record.imports.operations.selling import DROP_DUPLICATES, key_of
from zhike.record.imports.rules.problems import Bad

STAGE_COLUMNS = {
    "customer": "text",
    "at": "timestamptz",
    "channel": "text",
    "direction": "text",
    "by_id": "bigint",
    "by_name": "text",
    "text": "text",
    "key": "text",
}
DROP_KNOWN = "DELETE FROM import_stage s USING interactions_interaction i WHERE i.key = s.key"
INSERT = """
    INSERT INTO interactions_interaction (customer_id, at, channel, direction, outcome, by_id, by_name, text, key,
        import_id, created_at)
    SELECT p.id, s.at, s.channel, s.direction, 'reached', s.by_id, s.by_name, s.text, s.key, %(import_id)s, %(now)s
    FROM import_stage s JOIN import_people p ON p.ref = s.customer ORDER BY s.at, s.line
"""


def bring_in(run: Run) -> None:
    """Bring in interactions. One that is known already, by everything it says, is left alone."""
    for name, usual in (("channel", "phone"), ("direction", "out")):
        run.memos[name].default = run.memos[name].default or usual
    stage(run, STAGE_COLUMNS, _Composer())
    resolve_staged(run)
    run.counts["duplicates"] += do(DROP_DUPLICATES)
    run.counts["unchanged"] += do(DROP_KNOWN)
    run.counts["created"] += do(INSERT, import_id=run.import_id, now=run.now)


class _Composer:
    def __init__(self) -> None:
        self.staff = Colleagues()

    def __call__(self, _line: int, row: Row) -> Row | Bad:
        customer, at, channel, direction, by, text = row
        found = self.staff.find(by) if by else None
        by_id = found if isinstance(found, int) else None
        key = key_of("interaction", customer, at.isoformat(), channel, direction, by, text)
        return (customer, at, channel, direction, by_id, (by or "")[:80], text or "", key)
