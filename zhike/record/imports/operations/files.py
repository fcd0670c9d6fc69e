"""Reading a file of any of the three formats as batches of columns, with the place of every row kept."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _

ROWS_AT_ONCE = 20_000
SAMPLE_ROWS = 200
MOST_COLUMNS = 2_000


class NotAFile(Refusal):
    message = _("%(name)s is a folder, not a file.")


class FileMissing(Refusal):
    message = _("There is no file %(name)s.")


class EmptyFile(Refusal):
    message = _("%(name)s is empty; nothing was imported.")


class NoRows(Refusal):
    message = _("%(name)s has a header but no rows; nothing was imported.")


class UnknownFormat(Refusal):
    message = _("%(name)s is none of CSV, XLSX and Parquet; save it as one of these.")


class TooManyColumns(Refusal):
    message = _("%(name)s has more than %(most)s columns; is it really one row per line?")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows: the line of each in its file, and their cells by column. `crooked` rows lack or exceed cells."""

    lines: Sequence[int]
    columns: Mapping[str, Sequence[object]]
    crooked: Mapping[int, int]

    def __len__(self) -> int:
        return len(self.lines)


class Source(AbstractContextManager["Source"], Protocol):
    """An open file. `size` and `position` share a unit, for progress."""

    columns: list[str]
    size: int
    position: int

    def batches(self, wanted: Sequence[str] | None = None) -> Iterator[Batch]:
        """Yield all rows from the start, with the wanted columns, or all of them."""


def unique(headers: Sequence[object], name: str) -> list[str]:
    """Return headers as column names: an empty one by its place, a repeated one with a number."""
    if len(headers) > MOST_COLUMNS:
        raise TooManyColumns(name=name, most=MOST_COLUMNS)
    found: list[str] = []
    seen: dict[str, int] = {}
    for place, header in enumerate(headers, start=1):
        text = " ".join(str(header if header is not None else "").replace("\x00", "").split())[:200] or f"#{place}"
        seen[text] = seen.get(text, 0) + 1
        found.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return found


def kind_of_file(path: Path, name: str) -> str:
    """Return csv, xlsx or parquet, by what the file holds rather than by its name."""
    if path.is_dir():
        raise NotAFile(name=name)
    if not path.exists():
        raise FileMissing(name=name)
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(max(0, path.stat().st_size - 4))
        tail = file.read(4)
    if not head:
        raise EmptyFile(name=name)
    if head.startswith(b"PAR1") or tail == b"PAR1":
        return "parquet"
    if head.startswith(b"PK\x03\x04") or zipfile.is_zipfile(path):
        return "xlsx"
    if head.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"7z\xbc\xaf", b"Rar!", b"\x89PNG", b"\xff\xd8\xff", b"ORC")):
        raise UnknownFormat(name=name)
    return "csv"


def sample_of(source: Source, rows: int = SAMPLE_ROWS) -> Batch:
    """Return the first rows with every column."""
    for batch in source.batches():
        keep = min(rows, len(batch))
        columns = {name: cells[:keep] for name, cells in batch.columns.items()}
        return Batch(batch.lines[:keep], columns, batch.crooked)
    return Batch([], {name: [] for name in source.columns}, {})
