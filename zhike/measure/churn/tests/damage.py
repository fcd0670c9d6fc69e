"""Tables drawn from a seed, clean and damaged in known ways, to count what is seen and what is seen wrongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from zhike.measure.churn import tables
from zhike.measure.churn.tables import Column, Flags, Floats
from zhike.measure.churn.trying import Given

Columns = dict[str, Column]
LABEL = "churned"


@dataclass(frozen=True)
class Shape:
    """How large a table is."""

    rows: int
    columns: int

    @property
    def name(self) -> str:
        return f"{self.rows} × {self.columns}"


NARROW, WIDE, SHORT = Shape(1500, 8), Shape(2000, 60), Shape(400, 40)
SHAPES = (NARROW, WIDE, SHORT)


def table(shape: Shape, seed: int, *, moved: float = 0.0, told: float = 1.0) -> Given:
    """Return a table of customers of whom some left, for reasons that stand in its columns.

    Its columns are of eight sorts, in turn: amounts that go with the customer's size, counts, amounts that may be
    negative, plans, ages in whole years, shares, regions, durations with a long tail. `moved` shifts all numbers by so
    many deviations; with `told` 0 nothing tells who leaves.
    """
    draw = np.random.default_rng(seed)
    size, mood = draw.normal(0, 1, (2, shape.rows))
    mood = mood - moved
    columns: Columns = {}
    for number in range(shape.columns):
        name, made = SORTS[number % len(SORTS)]
        column = made(f"{name}_{number // len(SORTS)}", draw, size, mood, number)
        columns[column.name] = column
    left = draw.random(shape.rows) < 1 / (1 + np.exp(1.2 + 1.3 * told * mood))
    return Given(columns, left, LABEL)


def _amount(name: str, draw: Generator, size: Floats, mood: Floats, number: int) -> Column:
    spread = (0.35, 0.6)[number // len(SORTS) % 2]
    own = draw.normal(0, spread, len(size))
    return tables.numbers(name, np.round(np.exp(4 + number % 3 + 0.5 * size + own), 2))


def _count(name: str, draw: Generator, size: Floats, mood: Floats, number: int) -> Column:
    return tables.numbers(name, draw.poisson(np.exp(2 + 0.35 * mood)).astype(float))


def _balance(name: str, draw: Generator, size: Floats, mood: Floats, number: int) -> Column:
    return tables.numbers(name, np.round(40 + 90 * (0.4 * mood + draw.normal(0, 1, len(size))), 2))


def _plan(name: str, draw: Generator, size: Floats, mood: Floats, number: int) -> Column:
    codes = np.digitize(mood + draw.normal(0, 1.5, len(size)), [-0.8, 0.8])
    return tables.categories(name, codes, ("monthly", "yearly", "两年"))


def _age(name: str, draw: Generator, size: Floats, mood: Floats, number: int) -> Column:
    return tables.numbers(name, np.clip(np.round(draw.normal(43, 12, len(size))), 18, 90))


def _share(name: str, draw: Generator, size: Floats, mood: Floats, number: int) -> Column:
    held = np.round(draw.beta(3, 2, len(size)), 3)
    return tables.numbers(name, np.where(draw.random(len(size)) < 0.08, np.nan, held))


def _region(name: str, draw: Generator, size: Floats, mood: Floats, number: int) -> Column:
    return tables.categories(name, draw.integers(-1, 6, len(size)), ("北京", "上海", "广州", "成都", "武汉", "西安"))


def _days(name: str, draw: Generator, size: Floats, mood: Floats, number: int) -> Column:
    held = np.round(draw.exponential(30, len(size)) * np.exp(-0.3 * mood))
    return tables.numbers(name, np.where(draw.random(len(size)) < 0.3, 0.0, held))


Make = Callable[[str, Generator, Floats, Floats, int], Column]
SORTS: tuple[tuple[str, Make], ...] = (
    ("fee", _amount),
    ("logins", _count),
    ("balance", _balance),
    ("plan", _plan),
    ("age", _age),
    ("share", _share),
    ("region", _region),
    ("idle_days", _days),
)


@dataclass(frozen=True)
class Damage:
    """A way to break a column: what is seen of it is of this kind. `test` is done to a newer file only."""

    name: str
    kind: str
    column: str
    change: Callable[[Column, Flags, Generator], Column]
    test: bool = False

    def done(self, given: Given, seed: int) -> tuple[Given, Given | None]:
        """Return the table, and the newer one, of which the one or the other is broken."""
        draw = np.random.default_rng(seed)
        half = draw.random(len(given.positive)) < 0.65
        if not self.test:
            return _with(given, self.change(given.columns[self.column], given.positive, draw)), None
        older, newer = cut(given, half), cut(given, ~half)
        return older, _with(newer, self.change(newer.columns[self.column], newer.positive, draw))


def cut(given: Given, rows: Flags) -> Given:
    """Return some rows of a table."""
    at = np.flatnonzero(rows)
    return replace(
        given, columns={name: one.taken(at) for name, one in given.columns.items()}, positive=given.positive[at]
    )


def _with(given: Given, column: Column) -> Given:
    return replace(given, columns={**given.columns, column.name: column})


def times(factor: float, share: float = 1.0) -> Callable[[Column, Flags, Generator], Column]:
    """Multiply a share of the rows."""

    def change(column: Column, _left: Flags, draw: Generator) -> Column:
        odd = draw.random(len(column)) < share
        return tables.numbers(column.name, np.where(odd, column.values * factor, column.values))

    return change


def moved(by: float) -> Callable[[Column, Flags, Generator], Column]:
    """Move a number by deviations."""

    def change(column: Column, _left: Flags, _draw: Generator) -> Column:
        return tables.numbers(column.name, column.values + by * np.nanstd(column.values))

    return change


def without_minus(column: Column, _left: Flags, _draw: Generator) -> Column:
    return tables.numbers(column.name, np.abs(column.values))


def instead(value: float, share: float) -> Callable[[Column, Flags, Generator], Column]:
    """Put a number that stands for nothing into a share of the rows."""

    def change(column: Column, _left: Flags, draw: Generator) -> Column:
        return tables.numbers(column.name, np.where(draw.random(len(column)) < share, value, column.values))

    return change


def answer(noise: float) -> Callable[[Column, Flags, Generator], Column]:
    """Make a number that is the answer with some noise, in deviations of the answer."""

    def change(column: Column, left: Flags, draw: Generator) -> Column:
        return tables.numbers(column.name, np.round(100 * left + 100 * noise * draw.normal(0, 1, len(left)), 1))

    return change


def status(wrong: float) -> Callable[[Column, Flags, Generator], Column]:
    """Make a category that says who left, but for a share."""

    def change(column: Column, left: Flags, draw: Generator) -> Column:
        said = left ^ (draw.random(len(left)) < wrong)
        codes = np.where(said, 2, draw.integers(0, 2, len(left)))
        return tables.categories(column.name, codes, ("active", "paused", "terminated"))

    return change


def filled_later(column: Column, left: Flags, draw: Generator) -> Column:
    codes = np.where(left & (draw.random(len(left)) < 0.7), draw.integers(0, 3, len(left)), -1)
    return tables.categories(column.name, codes, ("price", "service", "product"))


def other_mix(column: Column, _left: Flags, draw: Generator) -> Column:
    codes = np.where(draw.random(len(column)) < 0.6, 0, column.codes)
    return tables.categories(column.name, codes, column.names)


DAMAGES = (
    Damage("cents in a tenth", "scale", "fee_0", times(100, 0.1)),
    Damage("cents in a third", "scale", "fee_0", times(100, 0.33)),
    Damage("thousands in a twentieth", "scale", "fee_0", times(1000, 0.05)),
    Damage("a tenth of it in a fifth", "scale", "fee_0", times(0.1, 0.2)),
    Damage("durations in seconds", "scale", "idle_days_0", times(86_400, 0.15)),
    Damage("shares in per cent", "scale", "share_0", times(100, 0.2)),
    Damage("ages in months", "scale", "age_0", times(12, 0.2)),
    Damage("two currencies", "scale", "fee_0", times(7.2, 0.4)),
    Damage("-999 for nothing", "scale", "age_0", instead(-999, 0.05)),
    Damage("9999 for nothing", "scale", "logins_0", instead(9999, 0.04)),
    Damage("-999 for nothing among negatives", "scale", "balance_0", instead(-999, 0.06)),
    Damage("newer in cents", "scale", "fee_0", times(100), test=True),
    Damage("newer in thousands", "scale", "logins_0", times(1000), test=True),
    Damage("newer in hours", "scale", "idle_days_0", times(24), test=True),
    Damage("newer in pounds", "scale", "age_0", times(2.20462), test=True),
    Damage("newer in per cent", "scale", "share_0", times(100), test=True),
    Damage("newer in another currency", "scale", "fee_0", times(7.2), test=True),
    Damage("a tenth of the newer in cents", "scale", "fee_0", times(100, 0.1), test=True),
    Damage("a third of the newer in another currency", "scale", "fee_0", times(7.2, 0.33), test=True),
    Damage("newer without minus", "scale", "balance_0", without_minus, test=True),
    Damage("newer turned round", "scale", "balance_0", times(-1), test=True),
    Damage("newer with -999 for nothing", "scale", "age_0", instead(-999, 0.08), test=True),
    Damage("the answer as a number", "leak", "fee_0", answer(0.05)),
    Damage("the answer with noise", "leak", "fee_0", answer(0.3)),
    Damage("the answer as a status", "leak", "plan_0", status(0.0)),
    Damage("nearly the answer as a status", "leak", "plan_0", status(0.02)),
    Damage("filled for those who left", "leak", "region_0", filled_later),
    Damage("newer moved", "drift", "age_0", moved(1.0), test=True),
    Damage("newer with another mix", "drift", "plan_0", other_mix, test=True),
)
