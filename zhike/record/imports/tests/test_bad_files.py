"""Files that cannot be imported: a message that names the place, and nothing changed."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.utils.translation import override

from zhike.kit import textfiles
from zhike.kit.refusal import Refusal
from zhike.org.pages import sentence
from zhike.record.customers.models import Customer
from zhike.record.imports.models import Import, ImportState
from zhike.record.imports.operations import columnar, delimited, files, preparing, spreadsheets
from zhike.record.imports.tests.conftest import Command

Make = Callable[[Path], Path]


def text(content: bytes, name: str = "bad.csv") -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


def truncated_parquet(folder: Path) -> Path:
    path = folder / "cut.parquet"
    pq.write_table(pa.table({"id": [str(number) for number in range(5000)], "name": ["x"] * 5000}), path)
    path.write_bytes(path.read_bytes()[:-200])
    return path


def damaged_parquet(folder: Path) -> Path:
    path = folder / "damaged.parquet"
    pq.write_table(pa.table({"id": [f"C{number}" for number in range(50_000)]}), path, use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[1000:60_000] = b"\xff" * 59_000
    path.write_bytes(bytes(content))
    return path


def formula_sheet(folder: Path) -> Path:
    book = openpyxl.Workbook()
    for row in (["id", "name"], ["A", "Acme"], ["B", '=HYPERLINK("http://evil.example","Beta")']):
        book.active.append(row)
    book.save(folder / "formula.xlsx")
    return folder / "formula.xlsx"


def bomb(folder: Path) -> Path:
    path = folder / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for number in range(4):
            with package.open(f"xl/worksheets/sheet{number}.xml", "w") as part:
                for _piece in range(32):
                    part.write(bytes(2**20))
    return path


def entities(folder: Path) -> Path:
    path = folder / "laughs.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("xl/workbook.xml", '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><workbook/>')
    return path


def long_line(folder: Path) -> Path:
    """Two gigabytes would say the same; the reader gives up after a few megabytes of one line."""
    path = folder / "long.csv"
    with path.open("wb") as file:
        file.write(b"id,name\nA,Acme\nB,")
        for _piece in range(64):
            file.write(b"x" * 2**20)
    return path


def huge_cell(folder: Path) -> Path:
    return text(b"id,name\nA," + b"y" * 40_000 + b"\n")(folder)


BAD: list[tuple[Make, tuple[str, ...], type[Refusal], str]] = [
    (truncated_parquet, (), columnar.BrokenParquet, "cut.parquet"),
    (damaged_parquet, (), columnar.BrokenParquet, "damaged.parquet"),
    (formula_sheet, (), spreadsheets.FormulaInSheet, "Cell B3"),
    (bomb, (), spreadsheets.TooLargeUnpacked, "bomb.xlsx"),
    (entities, (), spreadsheets.HasEntities, "laughs.xlsx"),
    (long_line, (), textfiles.LineTooLong, "Line 3"),
    (huge_cell, (), textfiles.CellTooLong, "Line 2"),
    (text(b"id,name\nA,=cmd|' /C calc'!A0\n"), (), delimited.FormulaInCell, "Line 2"),
    (text(b"id,name\nA,\x81\x20\xff\n"), (), textfiles.UnreadableText, "bad.csv"),
    (text("id,name\nA,Müller\nB,Böhm\nC,Jürgen Ünal\n".encode("latin-1")), (), delimited.WrongEncoding, "Line 2"),
    (text("id,name\nA,Acme\n".encode("utf-16-le")), (), textfiles.NulInText, "Line 1"),
    (text(b'id,name\nA,"Acme\nB,Beta\n'), (), textfiles.QuoteNotClosed, "line 2"),
    (text(b"id,name\nA,Ac\x00me\n"), (), textfiles.NulInText, "Line 2"),
    (text(b""), (), files.EmptyFile, "bad.csv"),
    (text(b"\n\n"), (), files.EmptyFile, "bad.csv"),
    (text(b"id,name\n"), (), files.NoRows, "bad.csv"),
    (text(gzip.compress(b"id\nA\n")[:-9], "cut.csv.gz"), (), textfiles.BrokenArchive, "cut.csv.gz"),
    (text(b"PK\x03\x04 not a workbook", "a.xlsx"), (), spreadsheets.BrokenWorkbook, "a.xlsx"),
    (text(b"%PDF-1.7 ...", "a.pdf"), (), files.UnknownFormat, "a.pdf"),
    (lambda folder: folder, (), files.NotAFile, "folder"),
    (lambda folder: folder / "none.csv", (), files.FileMissing, "none.csv"),
    (text(b"id,name\nA,Acme\n"), ("--map", "id=nope"), preparing.UnknownColumn, "id, name"),
    (text(b"id,name\nA,Acme\n"), ("--map", "number=id"), preparing.UnknownField, "id, name, kind, industry"),
    (text(b"a,b\nA,Acme\n"), ("--map", "name=b"), preparing.FieldNotMapped, "id"),
    (text(b"id,joined\nA,03/04/2024\nB,05/06/2024\n"), (), preparing.AmbiguousDates, "--date-format"),
    (text(b"id\nA\n"), ("--default", "joined=soon"), preparing.BadDefault, "joined=soon"),
]


@pytest.mark.parametrize(
    ("make", "options", "kind", "named"), BAD, ids=[f"{each[2].__name__}-{at}" for at, each in enumerate(BAD)]
)
def test_a_bad_file_is_refused_with_its_place_and_changes_nothing(
    bring_in: Command, tmp_path: Path, make: Make, options: tuple[str, ...], kind: type[Refusal], named: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = make(folder)
    with pytest.raises(kind) as caught:
        bring_in("customers", path, *options)
    with override("en"):
        said = sentence(caught.value)
    assert named in said
    assert "upload" not in said, "the name under which the file is stored means nothing to anybody"
    assert not Customer.objects.exists()
    assert set(Import.objects.values_list("state", flat=True)) <= {ImportState.FAILED, ImportState.UPLOADED}


def test_orders_without_any_currency_name_the_remedy(bring_in: Command, tmp_path: Path) -> None:
    path = text(b"order,customer,time,price\n1,A,2024-01-01,5\n")(tmp_path)
    with pytest.raises(preparing.NoCurrency) as caught:
        bring_in("orders", path, "--create-customers")
    with override("en"):
        assert "--default currency=" in sentence(caught.value)


def test_a_date_order_that_the_file_shows_or_the_person_says_is_taken(bring_in: Command, tmp_path: Path) -> None:
    shown = text(b"id,joined\nA,03/04/2024\nB,25/06/2024\n")(tmp_path)
    bring_in("customers", shown)
    assert str(Customer.objects.get(ref="A").joined) == "2024-04-03"
    said = text(b"id,joined\nC,03/04/2024\n")(tmp_path)
    bring_in("customers", said, "--date-format", "month-first")
    assert str(Customer.objects.get(ref="C").joined) == "2024-03-04"
