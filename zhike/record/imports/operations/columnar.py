"""Parquet as a source of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.record.imports.operations.files import ROWS_AT_ONCE, Batch, unique


class BrokenParquet(Refusal):
    message = _("%(name)s is cut off or damaged and cannot be read as Parquet: %(why)s.")


class NestedColumn(Refusal):
    message = _("Column %(column)s of %(name)s holds lists or records, not plain values.")


class Columnar:
    """A Parquet file."""

    def __init__(self, path: Path, name: str) -> None:
        self.name, self.position = name, 0
        try:
            self.file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise BrokenParquet(name=name, why=_short(error)) from error
        schema = self.file.schema_arrow
        self._names = list(schema.names)
        self._nested = {field.name for field in schema if pa.types.is_nested(field.type)}
        self.columns = unique(self._names, name)
        self.size = int(self.file.metadata.num_rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()

    def batches(self, wanted: Sequence[str] | None = None) -> Iterator[Batch]:
        columns = list(self.columns if wanted is None else wanted)
        names = [self._names[self.columns.index(column)] for column in columns]
        for column, name in zip(columns, names, strict=True):
            if wanted is not None and name in self._nested:
                raise NestedColumn(name=self.name, column=column)
        line = 0
        for batch in self._read(names):
            cells = {column: _values(batch.column(name)) for column, name in zip(columns, names, strict=True)}
            lines = range(line + 1, line + 1 + batch.num_rows)
            line += batch.num_rows
            self.position = line
            yield Batch(lines, cells, {})

    def _read(self, names: list[str]) -> Iterator[Any]:
        try:
            yield from self.file.iter_batches(batch_size=ROWS_AT_ONCE, columns=names)
        except (pa.ArrowException, OSError) as error:
            raise BrokenParquet(name=self.name, why=_short(error)) from error


def _values(column: Any) -> list[object]:
    """Return a column's cells as plain Python; repeated values share one object, which makes reading them fast."""
    if pa.types.is_nested(column.type):
        return [str(cell) for cell in column.to_pylist()]
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    encoded = column.dictionary_encode()
    if len(encoded.dictionary) * 2 > len(column):
        return list(column.to_pylist())
    values = encoded.dictionary.to_pylist()
    return [None if at is None else values[at] for at in encoded.indices.to_pylist()]


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:160].rstrip(".")
