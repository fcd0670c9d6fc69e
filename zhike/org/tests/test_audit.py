"""The audit chain: lines cannot be changed, and one that was changed all the same is named."""

import pytest
from django.db import DatabaseError, connection, transaction

from zhike.conftest import NOW, Person
from zhike.org import audit
from zhike.org.models import AuditLine


@pytest.fixture
def lines(mei: Person) -> int:
    for number in range(20):
        audit.note(mei.staff, "thing.done", ("thing", number), at=NOW, word=f"第 {number} 件", amount=number * 1.5)
    return 20


def tamper(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE org_auditline DISABLE TRIGGER ALL")
        cursor.execute(statement)


def test_an_untouched_chain_holds(lines: int) -> None:
    assert AuditLine.objects.count() == lines
    assert list(audit.verify()) == []


@pytest.mark.parametrize(
    "statement", ["UPDATE org_auditline SET action = 'x'", "DELETE FROM org_auditline", "TRUNCATE org_auditline"]
)
def test_the_database_refuses_to_change_a_line(lines: int, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE org_auditline ENABLE TRIGGER audit_is_not_emptied")
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditLine.objects.count() == lines


@pytest.mark.parametrize(
    "column", ["actor_name = 'Somebody else'", "detail = '{}'", "at = at + interval '1 second'", "object_id = '99'"]
)
@pytest.mark.parametrize("line", [1, 7, 20])
def test_an_altered_line_is_named(lines: int, column: str, line: int) -> None:
    tamper(f"UPDATE org_auditline SET {column} WHERE id = {line}")
    assert audit.Break(line, "altered") in list(audit.verify())


def test_a_removed_line_is_named(lines: int) -> None:
    tamper("DELETE FROM org_auditline WHERE id = 7")
    assert audit.Break(7, "missing") in list(audit.verify())


def test_a_line_altered_with_a_fresh_digest_breaks_its_neighbour(lines: int) -> None:
    line = AuditLine.objects.get(pk=7)
    line.actor_name = "Somebody else"
    tamper(f"UPDATE org_auditline SET actor_name = 'Somebody else', digest = '{audit.digest_of(line)}' WHERE id = 7")
    assert list(audit.verify()) == [audit.Break(8, "does not follow the line before")]
