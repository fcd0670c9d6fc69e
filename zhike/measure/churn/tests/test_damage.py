"""What is wrong with a table is seen, in narrow, wide and short ones, and nothing is seen in clean ones."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zhike.measure.churn import drifts, scales, tables, trying
from zhike.measure.churn.findings import Finding
from zhike.measure.churn.learning import Sample
from zhike.measure.churn.tests import damage
from zhike.measure.churn.tests.damage import DAMAGES, NARROW, SHAPES, SHORT, WIDE, Damage, Shape
from zhike.measure.churn.trying import Given
from zhike.measure.lab import tables as files

pytestmark = pytest.mark.slow
SEEDS = (0, 1, 2)
SHARED = Path(__file__).parents[5] / "shared" / "data"
HIDDEN = {
    ("two currencies", NARROW): "nothing else goes with the amount, whose own spread hides a factor of seven",
    ("a tenth of it in a fifth", NARROW): "the same",
    ("two currencies", SHORT): "too few rows for heaps that touch each other",
    ("a tenth of it in a fifth", SHORT): "the same",
}
"""What cannot be told from a clean column."""


def seen(given: Given, test: Given | None) -> list[Finding]:
    trial = trying.looked_through(given, test)
    if test is None:
        return trial.findings
    there = {name: test.columns[name] for name in trial.sample.columns}
    newer = Sample(there, test.positive, np.zeros(len(test.positive), dtype=np.uint64))
    return [*trial.findings, *drifts.columns(trial.sample.columns, newer.columns)]


@pytest.mark.parametrize("broken", DAMAGES, ids=lambda one: one.name)
def test_damage_is_seen_and_blamed_on_its_column_alone(broken: Damage) -> None:
    missed: Counter[str] = Counter()
    for shape in SHAPES:
        if (broken.name, shape) in HIDDEN:
            continue
        for seed in SEEDS[: 1 if shape is WIDE else None]:
            found = seen(*broken.done(damage.table(shape, seed), seed + 100))
            assert {one.column for one in found} <= {broken.column}, (shape.name, seed)
            missed[shape.name] += not any(one.kind == broken.kind for one in found)
    assert sum(missed.values()) == 0, missed


@pytest.mark.parametrize("shape", SHAPES, ids=lambda one: one.name)
def test_nothing_is_seen_in_clean_tables(shape: Shape) -> None:
    for seed in range(8 if shape is not WIDE else 3):
        given = damage.table(shape, seed)
        half = np.random.default_rng(seed).random(shape.rows) < 0.65
        assert seen(given, None) == [], seed
        assert seen(damage.cut(given, half), damage.cut(given, ~half)) == [], seed


def real() -> Iterator[tuple[str, dict[str, tables.Column]]]:
    for path in sorted([*SHARED.glob("*/*.csv*"), *SHARED.glob("*/*.parquet")]):
        if path.stat().st_size > 3_000_000 or path.name == "daily_events.parquet":
            continue
        table, _warnings = files.read(path)
        if table.num_rows >= 300 and len(table.column_names) >= 4:
            read = tables.columns(table.slice(0, 8_000))
            yield path.name, {name: one for name, one in read.items() if not trying._unusable(one)}


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not beside the checkout")
def test_no_scale_is_found_damaged_in_real_tables() -> None:
    wrong: dict[str, list[str]] = {}
    for name, columns in real():
        found = scales.inside(columns, {one.name: one.values for one in columns.values()})
        wrong |= {name: [one.column for one in found]} if found else {}
    assert wrong == {}


def test_without_signal_there_is_no_score() -> None:
    for shape in (NARROW, replace_columns(WIDE, 30)):
        trial = trying.attempt(damage.table(shape, 3, told=0.0))
        assert [one.kind for one in trial.findings] == ["no_signal"]
        assert not trial.published


def test_few_rows_are_said_to_be_few() -> None:
    trial = trying.attempt(damage.table(Shape(45, 8), 1))
    assert "few_rows" in {one.kind for one in trial.findings}
    assert not trial.published


def test_customers_of_another_kind_are_drift() -> None:
    trial = trying.attempt(damage.table(NARROW, 1), damage.table(NARROW, 2, moved=1.2))
    told = {(one.kind, one.column) for one in trial.findings}
    assert ("drift", "logins_0") in told
    assert {kind for kind, _column in told} == {"drift"}


def replace_columns(shape: Shape, columns: int) -> Shape:
    return replace(shape, columns=columns)
