"""Rows from text files that strangers made: encoding, line lengths, quotes and gzip are checked, nothing is guessed.

All reading is streamed: a file of any size costs a few megabytes of memory.
"""

import codecs
import csv
import gzip
import io
import re
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from zhike.kit.refusal import Place, Refusal
from zhike.kit.refusal import gettext_noop as _

Encoding = Literal["utf-8", "utf-8-sig", "gb18030", "utf-16"]

MAX_LINE = 1 << 20
"""Characters in one row, 1 MiB."""
MAX_FIELD = 32_767
"""Characters in one cell: what a spreadsheet cell holds."""
MAX_UNPACKED = 4 << 30
"""Bytes a .gz may unpack to, 4 GiB."""

_CHUNK = 1 << 18
_DELIMITERS = (",", ";", "\t")


class UnreadableText(Refusal):
    message = _("%(file)s is neither UTF-8 nor GB18030 text: byte %(offset)d cannot be read.")


class NulInText(Refusal):
    message = _("Line %(line)d of %(file)s holds a NUL character; save the file as UTF-8 text (CSV).")


class LineTooLong(Refusal):
    message = _("Line %(line)d of %(file)s is longer than %(limit)d characters.")


class CellTooLong(Refusal):
    message = _("Line %(line)d of %(file)s has a cell of more than %(limit)d characters.")


class QuoteNotClosed(Refusal):
    message = _("The quotation mark opened on line %(line)d of %(file)s is never closed.")


class QuoteMisplaced(Refusal):
    message = _("Line %(line)d of %(file)s has text after a closing quotation mark.")


class BrokenArchive(Refusal):
    message = _("%(file)s is damaged or was cut off: it cannot be unpacked.")


class ArchiveTooLarge(Refusal):
    message = _("%(file)s unpacks to more than %(limit)d bytes.")


class Row(NamedTuple):
    """One row: the physical line it starts on, counted from 1, and its cells as they are written."""

    line: int
    cells: list[str]


def sniff_encoding(path: Path, *, max_unpacked: int = MAX_UNPACKED) -> Encoding:
    """Return the encoding in which the whole file, unpacked when it is gzip, can be read.

    A byte order mark decides; without one the file must be UTF-8 throughout, else GB18030 throughout.
    Raises UnreadableText with the first byte that fits neither (of the two, the one read further), BrokenArchive
    or ArchiveTooLarge.
    """
    return _survey(path, max_unpacked=max_unpacked, max_line=None)


def read_csv_rows(
    path: Path, *, max_field: int = MAX_FIELD, max_line: int = MAX_LINE, max_unpacked: int = MAX_UNPACKED
) -> Iterator[Row]:
    """Yield the rows of a CSV file, the header first; blank lines are left out.

    The delimiter (comma, semicolon or tab) is the one the first line has most of. The whole file is read once
    for its encoding before the first row comes. `max_field` may be at most 131,072 characters; a row, with
    the line breaks inside its quotes, at most `max_line`. Raises, naming the line: LineTooLong, CellTooLong,
    QuoteNotClosed, QuoteMisplaced, NulInText, and what `sniff_encoding` raises.
    """
    if max_field > csv.field_size_limit():
        raise ValueError(f"max_field may be at most {csv.field_size_limit()}.")
    encoding = _survey(path, max_unpacked=max_unpacked, max_line=max_line)
    with _opened(path, max_unpacked) as stream:
        text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        lines = _Lines(text, path.name, max_line)
        reader = csv.reader(lines, delimiter=_delimiter(lines), strict=True)
        yield from _rows(reader, lines, max_field)


def _rows(reader: "Iterator[list[str]]", lines: "_Lines", max_field: int) -> Iterator[Row]:
    while True:
        lines.start_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _csv_refusal(error, lines, max_field) from error
        if max(map(len, cells), default=0) > max_field:
            raise lines.refusal(CellTooLong, limit=max_field)
        if cells:
            yield Row(lines.row_line, cells)


def _csv_refusal(error: csv.Error, lines: "_Lines", max_field: int) -> Refusal:
    """The reader of the standard library tells its complaints apart by their words only."""
    said = str(error)
    if "field larger" in said and lines.read == lines.row_line:
        return lines.refusal(CellTooLong, limit=max_field)
    return lines.refusal(QuoteMisplaced if "expected after" in said else QuoteNotClosed)


@dataclass
class _Lines:
    """The physical lines of a text, counted, with the line on which the present row starts."""

    text: io.TextIOWrapper
    file: str
    max_line: int
    read: int = 0
    row_line: int = 1
    row_size: int = 0
    waiting: str | None = None

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.waiting is None:
            line = self.text.readline(self.max_line + 1)
        else:
            line, self.waiting = self.waiting, None
        if not line:
            raise StopIteration
        self.read += 1
        if "\0" in line:
            raise self.refusal(NulInText, line=self.read)
        if len(line) > self.max_line:
            raise self.refusal(LineTooLong, line=self.read, limit=self.max_line)
        self.row_size += len(line)
        if self.row_size > self.max_line:
            raise self.refusal(LineTooLong, limit=self.max_line)
        return line

    def peek(self) -> str:
        """The next line without taking it."""
        if self.waiting is None:
            self.waiting = self.text.readline(self.max_line + 1)
        return self.waiting

    def start_row(self) -> None:
        """Say that the next line begins a row."""
        self.row_line, self.row_size = self.read + 1, 0

    def refusal(self, kind: type[Refusal], *, line: int | None = None, **details: object) -> Refusal:
        """Return a refusal of the present row, or of `line`."""
        number = self.row_line if line is None else line
        return kind(place=Place(file=self.file, line=number), file=self.file, line=number, **details)


def _delimiter(lines: _Lines) -> str:
    """The delimiter the first line has most of, outside quotes; the comma when it has none."""
    bare = "".join(lines.peek().split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


@contextmanager
def _opened(path: Path, max_unpacked: int) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked when it is gzip, at most `max_unpacked` of them then."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as unpacked, io.BufferedReader(_Capped(unpacked, path.name, max_unpacked)) as b:
            yield b


class _Capped(io.RawIOBase):
    """The unpacked bytes of an archive, refused past a limit: a small file may unpack to terabytes."""

    def __init__(self, source: gzip.GzipFile, file: str, limit: int) -> None:
        super().__init__()
        self.source = source
        self.file = file
        self.limit = limit
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override] # any writable buffer will do
        try:
            data = self.source.read(len(buffer))
        except (EOFError, OSError, zlib.error) as error:
            raise BrokenArchive(place=Place(file=self.file), file=self.file) from error
        self.taken += len(data)
        if self.taken > self.limit:
            raise ArchiveTooLarge(place=Place(file=self.file), file=self.file, limit=self.limit)
        buffer[: len(data)] = data
        return len(data)


def _survey(path: Path, *, max_unpacked: int, max_line: int | None) -> Encoding:
    """Find the encoding; with `max_line`, refuse a line of far more bytes than it could have without reading on."""
    with _opened(path, max_unpacked) as stream:
        start = stream.read(4)
    marked = _marked(start)
    candidates: tuple[Encoding, ...] = (marked,) if marked else ("utf-8", "gb18030")
    furthest = 0
    for encoding in candidates:
        offset = _first_unreadable(path, encoding, max_unpacked, max_line)
        if offset is None:
            return encoding
        furthest = max(furthest, offset)
    raise UnreadableText(place=Place(file=path.name), file=path.name, offset=furthest)


def _marked(start: bytes) -> Encoding | None:
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return None


def _first_unreadable(path: Path, encoding: Encoding, max_unpacked: int, max_line: int | None) -> int | None:
    """The offset of the first byte that cannot be decoded, None when all can."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    done, lines, since_newline = 0, 0, 0
    with _opened(path, max_unpacked) as stream:
        while True:
            chunk = stream.read(_CHUNK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return done - pending + error.start
            if not chunk:
                return None
            done += len(chunk)
            if max_line is None:
                continue
            lines += chunk.count(b"\n")
            newline = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            since_newline = since_newline + len(chunk) if newline < 0 else len(chunk) - newline - 1
            if since_newline > 4 * max_line + 4:  # No encoding here takes more than four bytes a character.
                place = Place(file=path.name, line=lines + 1)
                raise LineTooLong(place=place, file=path.name, line=lines + 1, limit=max_line)


_NEGATIVE = re.compile(r"-[0-9][0-9,]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?%?")
_DANGEROUS = frozenset("=+-@")
_DANGEROUS_RAW = ("\t", "\r", "\n", "\0")


def neutralise(cell: str) -> str:
    """Return a cell for an export that a spreadsheet will show and never calculate.

    A leading apostrophe is put before what, after blanks, control and invisible characters, starts with = + - or @
    (full-width ones too), and before a cell that itself starts with a tab, line break or NUL. Plain negative
    numbers such as -1,234.50 or -5% stay.
    """
    if _NEGATIVE.fullmatch(cell):
        return cell
    first = next((c for c in cell if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf")), "")
    risky = unicodedata.normalize("NFKC", first)[:1] in _DANGEROUS or cell.startswith(_DANGEROUS_RAW)
    return f"'{cell}" if risky else cell
