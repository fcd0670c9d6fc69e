"""XLSX as a source of rows: unpacked sizes are checked first, entities are refused, formulas are named."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from zhike.kit.refusal import Place, Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.record.imports.operations.files import MOST_COLUMNS, ROWS_AT_ONCE, Batch, EmptyFile, unique

MOST_PARTS = 2_000
MOST_UNPACKED = 2 * 2**30
MOST_RATIO = 200  # XML of ordinary sheets shrinks 5 to 30 times; a bomb shrinks a thousand times.
FREE_OF_RATIO = 50 * 2**20
HEAD = 65_536


class BrokenWorkbook(Refusal):
    message = _("%(name)s cannot be read as an XLSX workbook; it may be cut off or protected by a password.")


class TooLargeUnpacked(Refusal):
    message = _("%(name)s would unpack to more than is safe; split it, or save it as CSV.")


class HasEntities(Refusal):
    message = _("%(name)s contains XML definitions that no spreadsheet program writes; it was not opened.")


class FormulaInSheet(Refusal):
    message = _(
        "Cell %(cell)s of sheet “%(sheet)s” is a formula (%(formula)s). Paste the column as values and import again."
    )


def check_package(path: Path, name: str) -> None:
    """Refuse a workbook that is dangerous to unpack, before unpacking anything."""
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            unpacked = sum(part.file_size for part in parts)
            packed = max(1, sum(part.compress_size for part in parts))
            too_dense = unpacked > FREE_OF_RATIO and unpacked / packed > MOST_RATIO
            if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED or too_dense:
                raise TooLargeUnpacked(name=name)
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels")):
                    with package.open(part) as opened:
                        head = opened.read(HEAD).replace(b"\x00", b"")
                    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                        raise HasEntities(name=name)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, OSError) as error:
        raise BrokenWorkbook(name=name) from error


class Sheet:
    """The first sheet of a workbook that holds anything."""

    def __init__(self, path: Path, name: str) -> None:
        check_package(path, name)
        self.path, self.name, self.position = path, name, 0
        self._file = path.open("rb")  # By its content: the library would judge a path by its ending.
        try:
            self.book = load_workbook(self._file, read_only=True, data_only=False, keep_links=False)
        except (InvalidFileException, KeyError, ValueError, OSError, ParseError, zipfile.BadZipFile) as error:
            self._file.close()
            raise BrokenWorkbook(name=name) from error
        self.sheet, self.header_row, headers = self._first_sheet()
        self.columns = unique(headers, name)
        self.size = max(1, int(self.sheet.max_row or 1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.book.close()
        self._file.close()

    def _first_sheet(self) -> tuple[Any, int, list[object]]:
        try:
            for sheet in self.book.worksheets:
                for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True), start=1):
                    headers = list(row)
                    while headers and headers[-1] in (None, ""):
                        headers.pop()
                    if headers:
                        return sheet, number, headers
                    if number > 1_000:
                        break
        except (ParseError, KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise BrokenWorkbook(name=self.name) from error
        raise EmptyFile(name=self.name)

    def batches(self, wanted: Sequence[str] | None = None) -> Iterator[Batch]:
        places = {column: self.columns.index(column) for column in (self.columns if wanted is None else wanted)}
        lines: list[int] = []
        cells: list[list[object]] = [[] for _column in places]
        for line, row in self._rows():
            values = [row[place].value if place < len(row) else None for place in places.values()]
            if all(value is None for value in values) and all(cell.value is None for cell in row):
                continue
            for place in places.values():
                if wanted is not None and place < len(row) and row[place].data_type == "f":
                    self._refuse_formula(line, place, row[place].value)
            lines.append(line)
            for column, value in zip(cells, values, strict=True):
                column.append(value)
            if len(lines) >= ROWS_AT_ONCE:
                self.position = line
                yield Batch(lines, dict(zip(places, cells, strict=True)), {})
                lines, cells = [], [[] for _column in places]
        self.position = self.size
        if lines:
            yield Batch(lines, dict(zip(places, cells, strict=True)), {})

    def _rows(self) -> Iterator[tuple[int, Sequence[Any]]]:
        rows = self.sheet.iter_rows(min_row=self.header_row + 1, max_col=len(self.columns))
        try:
            yield from enumerate(rows, start=self.header_row + 1)
        except (ParseError, KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise BrokenWorkbook(name=self.name) from error

    def _refuse_formula(self, line: int, place: int, formula: object) -> None:
        cell = f"{get_column_letter(place + 1)}{line}"
        text = str(getattr(formula, "text", formula))[:60]
        where = Place(file=self.name, line=line, field=self.columns[place])
        raise FormulaInSheet(place=where, cell=cell, sheet=self.sheet.title, formula=text)
