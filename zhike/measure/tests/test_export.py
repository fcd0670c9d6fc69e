"""`zhike export facts`: any day, three formats, nothing half-written, and a clear word when it cannot be."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pyarrow import parquet

from zhike.measure import exporting, turns
from zhike.measure.exporting import NAMES, DayLiesAhead, NoDataThatDay, NothingMeasured
from zhike.measure.models import CustomerFacts, FactsDay
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import NOW, TODAY, Book
from zhike.org.works import Silent

pytestmark = pytest.mark.slow  # Whole turns take seconds.

DAY = timedelta(days=1)


@pytest.fixture
def company(book: Book, spec: MeasureSpec) -> Book:
    customer = book.customer("A", name="=HYPERLINK(1)", joined=TODAY - 100 * DAY, attributes={"vip": True})
    book.order(customer, TODAY - 5 * DAY, "99.90")
    book.order(customer, TODAY - 2 * DAY, 10)
    book.customer("B", joined=TODAY - 50 * DAY)
    turns.measure(spec, today=TODAY, now=NOW)
    return book


def exported(capsysbinary: Any, *arguments: str) -> str:
    call_command("export", "facts", *arguments)
    out: bytes = capsysbinary.readouterr().out
    return out.decode()


def test_csv_on_the_standard_output(company: Book, capsysbinary: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(capsysbinary), newline="")))
    assert tuple(rows[0]) == NAMES
    assert NAMES[:3] == ("customer", "tier", "stage")
    first, second = rows
    assert (first["customer"], first["revenue"], first["orders"], first["recency_days"]) == ("A", "109.90", "2", "2")
    assert first["name"] == "'=HYPERLINK(1)"
    assert json.loads(first["attributes"]) == {"vip": True}
    assert (second["recency_days"], second["r_score"], second["frequency"]) == ("", "", "0")


def test_json_and_parquet_say_the_same(company: Book, capsysbinary: Any, tmp_path: Path) -> None:
    rows = json.loads(exported(capsysbinary, "--format", "json"))
    assert [row["customer"] for row in rows] == ["A", "B"]
    assert (rows[0]["revenue"], rows[0]["name"], rows[0]["attributes"]) == (109.9, "=HYPERLINK(1)", {"vip": True})
    assert rows[0]["joined"] == (TODAY - 100 * DAY).isoformat()
    place = tmp_path / "facts.parquet"
    call_command("export", "facts", "--format", "parquet", "--output", str(place))
    table = parquet.read_table(place)
    assert tuple(table.column_names) == NAMES
    assert [float(each) for each in table["revenue"].to_pylist()] == [row["revenue"] for row in rows]
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["facts.parquet"]


def test_a_day_that_was_not_kept_is_computed(company: Book, capsysbinary: Any) -> None:
    text = exported(capsysbinary, "--as-of", (TODAY - 3 * DAY).isoformat())
    rows = {row["customer"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert (rows["A"]["orders"], rows["A"]["revenue"]) == ("1", "99.90")
    earlier = exported(capsysbinary, "--as-of", (TODAY - 60 * DAY).isoformat())
    assert [row["customer"] for row in csv.DictReader(io.StringIO(earlier, newline=""))] == ["A"]
    assert FactsDay.objects.count() == 1


def test_a_kept_day_is_told_as_it_was_kept(company: Book, capsysbinary: Any) -> None:
    company.order(company.customers[0], TODAY - DAY, 1000)
    CustomerFacts.objects.update(revenue=5)
    assert ",109.90," in exported(capsysbinary, "--as-of", TODAY.isoformat())


def test_what_cannot_be_told_is_refused(company: Book) -> None:
    def ask(day: date) -> None:
        exporting.facts_as_of(day, today=TODAY + 3 * DAY, watcher=Silent())

    ask(TODAY + DAY)
    with pytest.raises(DayLiesAhead, match="2026-03-16"):
        ask(TODAY + 4 * DAY)
    with pytest.raises(NoDataThatDay, match="2025-11-01"):
        ask(date(2025, 11, 1))


def test_before_the_first_turn_there_is_nothing(book: Book) -> None:
    with pytest.raises(NothingMeasured):
        exporting.facts_as_of(None, today=TODAY, watcher=Silent())


@pytest.mark.parametrize(
    "arguments",
    [("--as-of", "yesterday"), ("--format", "xlsx"), ("--output", "/nowhere/at/all.csv")],
)
def test_wrong_arguments_are_named(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("export", "facts", *arguments)
    assert arguments[1].removesuffix("/all.csv") in str(caught.value)


def test_an_export_that_fails_leaves_no_file(company: Book, tmp_path: Path) -> None:
    table = exporting.facts_as_of(None, today=TODAY, watcher=Silent())
    place = tmp_path / "facts.json"
    broken = table.set_column(table.column_names.index("attributes"), "attributes", [["{", "{"]])
    with pytest.raises(json.JSONDecodeError):
        exporting.write_file(broken, "json", place)
    assert not any(each.is_file() for each in tmp_path.iterdir())


def test_the_latest_day_is_the_default(company: Book, spec: MeasureSpec, capsysbinary: Any) -> None:
    company.order(company.customers[0], TODAY + DAY, 1)
    turns.measure(spec, today=TODAY + 2 * DAY, now=datetime(2026, 3, 14, tzinfo=UTC))
    assert ",110.90," in exported(capsysbinary)
