"""Any file that imports read, as a table of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from django.utils.translation import ngettext

from zhike.kit.refusal import Place
from zhike.measure.lab.reports import Warned
from zhike.record.imports.operations.files import NoRows
from zhike.record.imports.operations.preparing import UnknownColumn, open_file
from zhike.record.imports.rules.words import folded


def read(path: Path) -> tuple[pa.Table, list[Warned]]:
    """Return all columns of a file as text, None where there is nothing, and warnings for rows left out.

    Rows that lack or exceed cells are left out and counted. A missing, empty or unknown file is refused.
    """
    crooked = 0
    with open_file(path, path.name) as source:
        chunks: dict[str, list[pa.Array]] = {name: [] for name in source.columns}
        for batch in source.batches():
            crooked += len(batch.crooked)
            straight = [at for at in range(len(batch)) if at not in batch.crooked] if batch.crooked else None
            for name, cells in batch.columns.items():
                held = cells if straight is None else [cells[at] for at in straight]
                chunks[name].append(_texts(held))
    table = pa.table({name: pa.chunked_array(parts, type=pa.string()) for name, parts in chunks.items()})
    if not len(table):
        raise NoRows(place=Place(file=path.name), name=path.name)
    return table, _left_out(crooked)


def column_of(table: pa.Table, wanted: str, option: str, file: str) -> str:
    """Return the name of a column as the table has it; another case or width is the same name."""
    names: list[str] = table.column_names
    if wanted in names:
        return wanted
    alike = {folded(name): name for name in reversed(names)}
    real = alike.get(folded(wanted))
    if real is None:
        place = Place(file=file, field=option)
        raise UnknownColumn(place=place, name=file, column=wanted, columns=", ".join(names))
    return real


def _texts(cells: Sequence[object]) -> pa.Array:
    try:
        return pa.array(cells, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array([_text(cell) for cell in cells], pa.string())


def _text(cell: object) -> str | None:
    return None if cell is None else str(cell)


def _left_out(crooked: int) -> list[Warned]:
    if not crooked:
        return []
    said = ngettext(
        "%(count)d row has more or fewer cells than the header and is left out.",
        "%(count)d rows have more or fewer cells than the header and are left out.",
        crooked,
    )
    return [Warned("crooked_rows", "", said % {"count": crooked})]
