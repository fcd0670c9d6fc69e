"""From columns to what models learn from: numbers as they are, categories as yes or no, rare and many of them as rates.

Everything is learnt from the rows of `fit` alone; `transform` then reads any other rows the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from zhike.measure.churn.tables import Column, Flags, Floats

MOST_CATEGORIES = 12
LEAST_ROWS = 10
PRIOR_ROWS = 20.0
SKEWED = 2.0
FOLDS = 5
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Part:
    """How one column becomes one or more columns of the matrix."""

    name: str
    kind: str
    origin: float = 0.0
    """Of days: the day they are counted back from."""
    categories: tuple[str, ...] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    """Of many categories: the log-odds of each, drawn towards that of all."""
    usual: float = 0.0
    """What stands for an unknown category."""
    gaps: bool = False
    """Whether rows without a value have a column of their own, for the linear model."""

    @property
    def width(self) -> int:
        return 1 if self.kind != "category" else len(self.categories) + bool(self.rates)


@dataclass(frozen=True, slots=True)
class Design:
    """The parts, in the order of the matrix."""

    parts: tuple[Part, ...]

    @property
    def source(self) -> npt.NDArray[np.intp]:
        """Of each column of the matrix, the number of the part it comes from."""
        return np.repeat(np.arange(len(self.parts)), [part.width for part in self.parts])

    @property
    def names(self) -> list[str]:
        return [part.name for part in self.parts]

    def transform(self, columns: Mapping[str, Column], rows: int) -> Matrix:
        """Return the matrix of these rows; a column that is not there is missing everywhere."""
        found = np.full((rows, sum(part.width for part in self.parts)), np.nan, dtype=np.float32)
        left = 0
        for part in self.parts:
            column = columns.get(part.name)
            if column is not None:
                found[:, left : left + part.width] = _read(part, column)
            left += part.width
        return found

    def as_plain(self) -> list[dict[str, Any]]:
        """Return the design as plain values, for JSON."""
        return [{name: _plain(getattr(part, name)) for name in Part.__slots__} for part in self.parts]

    @classmethod
    def of_plain(cls, plain: Sequence[Mapping[str, Any]]) -> Design:
        """Return what `as_plain` wrote."""
        return cls(tuple(Part(**{**one, "categories": tuple(one["categories"])}) for one in plain))


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def fit(columns: Mapping[str, Column], positive: Flags) -> Design:
    """Return the design of these columns; columns without two different values get no part."""
    return Design(tuple(_part(column, positive) for column in columns.values() if column.distinct() > 0))


def fitted(columns: Mapping[str, Column], positive: Flags) -> tuple[Design, Matrix]:
    """Return the design and the matrix to learn from, in which no row's rate has seen its own answer."""
    design = fit(columns, positive)
    matrix = design.transform(columns, len(positive))
    place = -1
    for part in design.parts:
        place += part.width
        if part.rates:
            column = columns[part.name]
            # Rows are in an order of their content, so every fifth one is as good as drawn by lot.
            fold = np.arange(len(positive)) % FOLDS
            for number in range(FOLDS):
                rates, usual = _rates(column.codes[fold != number], positive[fold != number], len(column.names))
                here = fold == number
                matrix[here, place] = np.append(rates, usual)[column.codes[here]]
    return design, matrix


def _part(column: Column, positive: Flags) -> Part:
    gaps = bool(column.missing.any())
    if column.kind != "category":
        origin = float(np.nanmax(column.values)) if column.kind == "day" else 0.0
        return Part(column.name, column.kind, origin=origin, gaps=gaps)
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.names))
    order = np.lexsort((np.arange(len(counts)), -counts))
    frequent = [int(code) for code in order[:MOST_CATEGORIES] if counts[code] >= LEAST_ROWS or code == order[0]]
    many = int((counts > 0).sum()) > MOST_CATEGORIES
    rates: dict[str, float] = {}
    usual = 0.0
    if many:
        found, usual = _rates(column.codes, positive, len(column.names))
        rates = {column.names[code]: float(found[code]) for code in np.flatnonzero(counts > 1)}
    return Part(
        column.name,
        "category",
        categories=tuple(column.names[code] for code in sorted(frequent)),
        rates=rates,
        usual=usual,
    )


def _rates(codes: npt.NDArray[np.int32], positive: Flags, names: int) -> tuple[Floats, float]:
    base = min(max(float(positive.mean()) if len(positive) else 0.5, 1e-6), 1 - 1e-6)
    held = codes >= 0
    rows = np.bincount(codes[held], minlength=names)
    hits = np.bincount(codes[held], weights=positive[held], minlength=names)
    share = (hits + PRIOR_ROWS * base) / (rows + PRIOR_ROWS)
    return np.log(share / (1 - share)), float(np.log(base / (1 - base)))


def _read(part: Part, column: Column) -> Floats:
    if part.kind == "number":
        return column.values[:, None]
    if part.kind == "day":
        return (part.origin - column.values)[:, None]
    names = np.array([*column.names, ""], dtype=object)
    place = {name: at for at, name in enumerate(part.categories)}
    at = np.array([place.get(name, -1) for name in names])[column.codes]
    found = np.zeros((len(column), part.width))
    rows = np.flatnonzero((at >= 0) & (column.codes >= 0))
    found[rows, at[rows]] = 1.0
    if part.rates:
        rates = np.array([part.rates.get(name, part.usual) for name in names])
        found[:, -1] = np.where(column.codes >= 0, rates[column.codes], part.usual)
    return found
