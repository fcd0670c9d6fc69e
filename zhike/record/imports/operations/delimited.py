"""CSV as a source of rows; `kit.textfiles` reads it safely, here it becomes columns."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from zhike.kit.refusal import Place, Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.kit.textfiles import Row, read_csv_rows, sniff_encoding
from zhike.record.imports.operations.files import ROWS_AT_ONCE, Batch, EmptyFile, unique
from zhike.record.imports.rules.cells import is_formula

PIECE = 2**20
RARE_SHARE = 0.3  # Of the Chinese characters of real text at most a few in a hundred lie outside GB 2312.


class WrongEncoding(Refusal):
    message = _(
        "Line %(line)s of %(name)s reads as gibberish (%(text)s): it is written in neither UTF-8 nor GB18030. "
        "Save the file as UTF-8 and import again."
    )


class FormulaInCell(Refusal):
    message = _(
        "Line %(line)s of %(name)s has a formula in column %(column)s (%(formula)s). "
        "Save the values instead and import again."
    )


class Delimited:
    """A CSV file, plain or gzipped. Size and position are counted in lines."""

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name, self.position = path, name, 0
        with self._named():
            if sniff_encoding(path) == "gb18030":
                self._refuse_gibberish()
            first = next(self._rows(), None)
        if first is None:
            raise EmptyFile(name=name)
        self.columns = unique(first.cells, name)
        self.size = self._count_lines()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing stays open between two readings."""

    def batches(self, wanted: Sequence[str] | None = None) -> Iterator[Batch]:
        places = {column: self.columns.index(column) for column in (self.columns if wanted is None else wanted)}
        with self._named():
            numbered = self._rows()
            next(numbered, None)
            rows: list[Row] = []
            for row in numbered:
                rows.append(row)
                if len(rows) >= ROWS_AT_ONCE:
                    yield self._batch(rows, places, check=wanted is not None)
                    rows = []
            if rows:
                yield self._batch(rows, places, check=wanted is not None)

    def _rows(self) -> Iterator[Row]:
        return (row for row in read_csv_rows(self.path) if any(row.cells))

    def _batch(self, rows: list[Row], places: dict[str, int], *, check: bool) -> Batch:
        width, crooked = len(self.columns), {}
        for at, row in enumerate(rows):
            if len(row.cells) != width and (len(row.cells) < width or any(row.cells[width:])):
                crooked[at] = len(row.cells)
                row.cells.extend([""] * (width - len(row.cells)))
        columns: dict[str, Sequence[object]] = {name: [row.cells[at] for row in rows] for name, at in places.items()}
        lines = [row.line for row in rows]
        self.position = lines[-1]
        if check:
            for name, cells in columns.items():
                self._refuse_formulas(name, cells, lines)
        return Batch(lines, columns, crooked)

    def _refuse_formulas(self, column: str, cells: Sequence[object], lines: list[int]) -> None:
        for line, cell in zip(lines, cells, strict=True):
            if isinstance(cell, str) and cell[:1] in {"=", " "} and is_formula(cell):
                where = Place(file=self.name, line=line, field=column)
                raise FormulaInCell(place=where, name=self.name, line=line, column=column, formula=cell.strip()[:60])

    def _refuse_gibberish(self) -> None:
        """Refuse Latin text that can be read as GB18030 only by chance: it would give characters nobody writes."""
        seen = rare = 0
        example: Row | None = None
        for row in self._rows():
            text = "".join(row.cells)
            if text.isascii():
                continue
            for sign in text:
                if sign > "\u2fff":
                    seen += 1
                    if not _is_common(sign):
                        rare += 1
                        example = example or row
        if example and rare > seen * RARE_SHARE:
            text = " ".join(example.cells)[:60]
            raise WrongEncoding(
                place=Place(file=self.name, line=example.line), line=example.line, name=self.name, text=text
            )

    def _count_lines(self) -> int:
        with self.path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
            return 1 + sum(piece.count(b"\n") for piece in iter(lambda: stream.read(PIECE), b""))

    def _named(self) -> _OwnName:
        return _OwnName(self.path.name, self.name)


class _OwnName:
    """Gives refusals from below the name that the person knows the file by instead of the one it is stored under."""

    def __init__(self, stored: str, name: str) -> None:
        self.stored, self.name = stored, name

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Refusal):
            return
        if error.details.get("file") == self.stored:
            error.details["file"] = self.name
        place = error.place
        if place and place.file == self.stored:
            error.place = Place(file=self.name, line=place.line, row=place.row, field=place.field)


def _is_common(sign: str) -> bool:
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return sign in "，。、；：？！“”‘’（）【】《》—…·￥"
    return True
