"""Columns of any table as numbers, days and categories, whatever way they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zhike.measure.churn import writing

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Kind = Literal["number", "day", "category"]
ENOUGH_NUMBERS = 0.9
ENOUGH_DAYS = 0.95
SAMPLE = 400


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `values` of numbers and days (days since 1970; NaN missing), or `codes` into `names` (-1 missing)."""

    name: str
    kind: Kind
    values: Floats
    codes: Codes
    names: tuple[str, ...] = ()

    @property
    def missing(self) -> Flags:
        """Which rows have nothing here."""
        return self.codes < 0 if self.kind == "category" else np.isnan(self.values)

    def __len__(self) -> int:
        return len(self.codes if self.kind == "category" else self.values)

    def taken(self, rows: Rows) -> Column:
        """Return the column with these rows only, in this order."""
        if self.kind == "category":
            return Column(self.name, self.kind, self.values, self.codes[rows], self.names)
        return Column(self.name, self.kind, self.values[rows], self.codes, self.names)

    def distinct(self) -> int:
        """Return how many different values there are, missing ones not counted."""
        held = self.codes[self.codes >= 0] if self.kind == "category" else self.values[~np.isnan(self.values)]
        return len(np.unique(held))

    def shown(self, row: int) -> str:
        """Return the value of a row for people, "" when missing."""
        if self.kind == "category":
            return self.names[self.codes[row]] if self.codes[row] >= 0 else ""
        value = self.values[row]
        if np.isnan(value):
            return ""
        return str(np.datetime64(int(value), "D")) if self.kind == "day" else f"{value:,.6g}"


def numbers(name: str, values: npt.ArrayLike) -> Column:
    """Return a column of numbers; what is not finite is missing."""
    found = np.asarray(values, dtype=np.float64)
    return Column(name, "number", np.where(np.isfinite(found), found, np.nan), np.empty(0, np.int32))


def days(name: str, values: Floats) -> Column:
    """Return a column of days since 1970."""
    return Column(name, "day", values, np.empty(0, np.int32))


def categories(name: str, codes: npt.ArrayLike, names: Iterable[str]) -> Column:
    """Return a column of categories."""
    return Column(name, "category", np.empty(0), np.asarray(codes, dtype=np.int32), tuple(names))


def columns(table: pa.Table, like: Mapping[str, Column] | None = None) -> dict[str, Column]:
    """Return every column of a table, read as the kind its values show, or as that of `like` where it is there.

    Text that holds numbers with signs of currency or per cent, separators of thousands, decimal commas or words for
    nothing is read as numbers; text that holds days, as days. A cell that does not fit its column is missing.
    """
    return {name: column(name, table[name], (like or {}).get(name)) for name in table.column_names}


def column(name: str, held: pa.ChunkedArray, like: Column | None = None) -> Column:
    """Return one column of a table."""
    kind = held.type
    if pa.types.is_dictionary(kind):
        return column(name, held.cast(kind.value_type), like)
    if pa.types.is_boolean(kind):
        codes = pc.fill_null(held.cast(pa.int32()), -1)
        read = categories(name, codes.to_numpy(), ("False", "True"))
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        read = numbers(name, _floats(held.cast(pa.float64())))
    elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        seconds = held.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.float64(), safe=False)
        read = days(name, np.floor(_floats(seconds) / 86_400e6))
    elif pa.types.is_null(kind):
        read = numbers(name, np.full(len(held), np.nan))
    else:
        return _written(name, _trimmed(held.cast(pa.string())), like.kind if like else None)
    if like is not None and like.kind == "category" and read.kind != "category":
        return _as_categories(name, held.cast(pa.string()))
    return read


def _floats(held: pa.ChunkedArray) -> Floats:
    found: Floats = pc.fill_null(held, float("nan")).to_numpy().astype(np.float64)
    return found


def _trimmed(held: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(held)
    nothing = pc.is_in(pc.utf8_lower(text), value_set=pa.array(sorted(writing.NOTHING)))
    found: pa.ChunkedArray = pc.if_else(nothing, pa.scalar(None, pa.string()), text)
    return found


def _written(name: str, text: pa.ChunkedArray, kind: Kind | None) -> Column:
    filled = len(text) - text.null_count
    if not filled:
        return numbers(name, np.full(len(text), np.nan))
    if kind in {None, "number"}:
        try:
            plain = text.cast(pa.float64())
        except pa.ArrowInvalid:
            pass
        else:
            if kind is None and _compact_days(plain):
                return _each(name, text, writing.days(_some(text)), days)
            return numbers(name, _floats(plain))
    coded = text.combine_chunks().dictionary_encode()
    unlike = coded.dictionary.to_pylist()
    sample = unlike[:: max(1, len(unlike) // SAMPLE)][:SAMPLE]
    if kind == "day" or (kind is None and _share(writing.days(sample), sample) >= ENOUGH_DAYS):
        return _each(name, text, writing.days(sample), days)
    read = writing.numbers(sample)
    if kind == "number" or (kind is None and _share(read, sample) >= ENOUGH_NUMBERS):
        return _each(name, text, read, numbers)
    return _as_categories(name, text)


def _some(text: pa.ChunkedArray) -> list[str]:
    return [str(one) for one in text.drop_null().slice(0, SAMPLE).to_pylist()]


def _share(read: Callable[[str], float], sample: list[str]) -> float:
    return float(np.mean([not np.isnan(read(one)) for one in sample])) if sample else 0.0


def _compact_days(plain: pa.ChunkedArray) -> bool:
    """Say whether all numbers are days such as 20240131."""
    held = _floats(plain)
    held = held[~np.isnan(held)]
    if not ((held >= 19_000_101) & (held <= 21_001_231) & (held % 1 == 0)).all():
        return False
    month, day = held // 100 % 100, held % 100
    return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all())


def _each(
    name: str, text: pa.ChunkedArray, read: Callable[[str], float], make: Callable[[str, Floats], Column]
) -> Column:
    coded = text.combine_chunks().dictionary_encode()
    known = np.array([read(one) for one in coded.dictionary.to_pylist()] + [np.nan])
    at = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    return make(name, known[at])


def _as_categories(name: str, text: pa.ChunkedArray) -> Column:
    coded = text.combine_chunks().dictionary_encode()
    # The order of names must not depend on that of the rows.
    names = np.array(coded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(names.astype(str), kind="stable")
    place = np.empty(len(order) + 1, dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    place[-1] = -1
    at = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    return categories(name, place[at], [str(one) for one in names[order]])
