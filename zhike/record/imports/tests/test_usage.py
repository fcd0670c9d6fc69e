"""Usage in the lake: what is new is written once, what is known is left, what is changed is written anew."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.conf import settings

from zhike.conftest import Person
from zhike.record.customers.models import Customer
from zhike.record.events import operations as lake
from zhike.record.events.models import LakeFile
from zhike.record.imports import operations
from zhike.record.imports.models import Import
from zhike.record.imports.tests.conftest import Command

Write = Callable[..., Path]
NOW = datetime(2026, 3, 12, 2, 18, tzinfo=UTC)
TEXT = """customer,time,event,count,users
A,2024-01-31,login,5,2
B,2024-01-31,login,1,1
A,2024-02-01,login,7,3
A,2024-02-01,login,7,3
A,2024-02-01,report,2,
A,2024-02-01,report,3,
Z,2024-02-01,login,1,1
A,2024-02-02,,1,1
A,2024-02-03,login,1.5,1
"""


def rows(sql: str) -> list[tuple[Any, ...]]:
    files = [str(Path(settings.LAKE) / path) for path in LakeFile.objects.values_list("path", flat=True)]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql, {"files": files}).fetchall()


ALL = """SELECT customer, strftime("at", '%Y-%m-%d %H:%M'), event, "count", users
    FROM read_parquet($files) ORDER BY ALL"""


@pytest.fixture
def people(bring_in: Command, write: Write) -> dict[str, int]:
    bring_in("customers", write("customers.csv", "id\nA\nB\n"))
    return dict(Customer.objects.values_list("ref", "id"))


def test_usage_is_counted_and_written_sorted_by_month(bring_in: Command, write: Write, people: dict[str, int]) -> None:
    done = bring_in("usage", write("u.csv", TEXT))
    assert (done["rows"], done["created"], done["duplicates"]) == (9, 4, 1)
    assert done["reasons"] == {
        "unknown customer": 1,
        "missing value": 1,
        "not a whole number": 1,
        "contradicts an earlier row": 1,
    }
    a, b = people["A"], people["B"]
    assert rows(ALL) == [
        (a, "2024-01-30 16:00", "login", 5, 2),
        (a, "2024-01-31 16:00", "login", 7, 3),
        (a, "2024-01-31 16:00", "report", 2, None),
        (b, "2024-01-30 16:00", "login", 1, 1),
    ]
    assert [str(file.month) for file in LakeFile.objects.all()] == ["2024-01-01"], "months are those of UTC"
    file = LakeFile.objects.get()
    assert (file.rows, file.least_customer, file.most_customer) == (4, min(a, b), max(a, b))
    assert (file.first_at, file.last_at) == (
        datetime(2024, 1, 30, 16, tzinfo=UTC),
        datetime(2024, 1, 31, 16, tzinfo=UTC),
    )
    schema = pq.read_schema(Path(settings.LAKE) / file.path)
    assert schema.field("at").type == pa.timestamp("us", tz="UTC")
    assert pa.types.is_dictionary(schema.field("event").type)


def test_the_same_usage_again_writes_nothing(bring_in: Command, write: Write, people: dict[str, int]) -> None:
    bring_in("usage", write("u.csv", TEXT))
    done = bring_in("usage", write("u.csv", TEXT))
    assert (done["created"], done["unchanged"], done["duplicates"]) == (0, 4, 1)
    assert LakeFile.objects.count() == 1


def test_changed_usage_is_refused_or_with_update_replaces_the_old(
    bring_in: Command, write: Write, people: dict[str, int]
) -> None:
    bring_in("usage", write("u.csv", TEXT))
    changed = write(
        "v.csv",
        "customer,time,event,count,users\nA,2024-01-31,login,9,2\nB,2024-01-31,login,1,1\nB,2024-05-01,login,1,1\n",
    )
    done = bring_in("usage", changed)
    assert (done["created"], done["unchanged"], done["reasons"]) == (1, 1, {"exists with other values": 1})
    done = bring_in("usage", changed, "--update")
    assert (done["created"], done["updated"], done["unchanged"]) == (0, 1, 2)
    found = rows(ALL)
    assert (people["A"], "2024-01-30 16:00", "login", 9, 2) in found
    assert len(found) == 5
    assert lake.sweep() == 0, "a reader may still hold the old file"
    assert lake.sweep(grace=-1) == 1
    assert rows(ALL) == found


def test_a_dry_run_writes_no_file(bring_in: Command, write: Write, people: dict[str, int]) -> None:
    assert bring_in("usage", write("u.csv", TEXT), "--dry-run")["created"] == 4
    assert not LakeFile.objects.exists()
    assert [path for path in Path(settings.LAKE).rglob("*") if path.is_file()] == []


def test_an_event_log_without_counts_and_taking_it_back(
    bring_in: Command, write: Write, people: dict[str, int], admin: Person
) -> None:
    text = "customer,time,event\nA,2024-01-01T00:00:01Z,login\nA,2024-01-01T00:00:02Z,login\n"
    text += "C,2024-01-01T00:00:01Z,login\n"
    done = bring_in("usage", write("log.csv", text), "--create-customers")
    assert (done["created"], done["customers_created"]) == (3, 1)
    result = operations.undo(Import.objects.get(pk=done["import"]), by=admin.staff, now=NOW)
    assert result == {"removed": 4, "kept": 0}
    assert not LakeFile.objects.exists()
    assert set(Customer.objects.values_list("ref", flat=True)) == {"A", "B"}


def test_customers_with_usage_from_elsewhere_are_kept(
    bring_in: Command, write: Write, people: dict[str, int], admin: Person
) -> None:
    first = Import.objects.get(kind="customers")
    bring_in("usage", write("u.csv", "customer,time,event\nA,2024-01-01,login\n"))
    assert operations.undo(first, by=admin.staff, now=NOW) == {"removed": 1, "kept": 1}
    assert list(Customer.objects.values_list("ref", flat=True)) == ["A"]
