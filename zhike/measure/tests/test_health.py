"""Health: its parts add up to it exactly, whatever is known and however it is weighted."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhike.measure import health
from zhike.measure.lake import Engine
from zhike.measure.snapshots import HEALTH
from zhike.measure.specs import HEALTH_PARTS, HealthPart, HealthSpec

FACTS = ("usage_30d", "features_30d", "days_since_touch", "days_to_renewal", "last_nps")
WEIGHT = st.floats(0.1, 100, allow_nan=False).map(lambda number: round(number, 2))
VALUES = st.tuples(*[st.none() | st.integers(-20, 200)] * 5)


def scores(
    engine: Engine, spec: HealthSpec, rows: list[tuple[Any, ...]], past: pa.Table | None = None
) -> list[dict[str, Any]]:
    columns = {"customer_id": pa.array(range(len(rows)), pa.int64())}
    columns |= {name: pa.array([row[place] for row in rows], pa.int64()) for place, name in enumerate(FACTS)}
    found = health.scores(engine, pa.table(columns), spec, HEALTH.empty_table() if past is None else past)
    return sorted(found.to_pylist(), key=lambda row: int(row["customer_id"]))


def spec_of(weights: tuple[float, ...], **bands: float) -> HealthSpec:
    parts = {
        key: HealthPart(fact=fact, weight=weight, zero_at=0, full_at=97)
        for key, fact, weight in zip(HEALTH_PARTS, FACTS, weights, strict=False)
    }
    return HealthSpec.model_validate({"parts": parts, **bands})


@settings(max_examples=20, deadline=None)
@given(st.lists(WEIGHT, min_size=1, max_size=5), st.lists(VALUES, min_size=1, max_size=10))
def test_the_parts_add_up_exactly(engine: Engine, weights: list[float], rows: list[tuple[Any, ...]]) -> None:
    spec = spec_of(tuple(weights))
    for row, values in zip(scores(engine, spec, rows), rows, strict=True):
        points = [row[f"health_{key}"] for key in HEALTH_PARTS]
        known = [value is not None for value in values[: len(weights)]] + [False] * (5 - len(weights))
        assert [each is not None for each in points] == known
        if not any(known):
            assert (row["health"], row["health_band"]) == (None, None)
            continue
        assert sum(each for each in points if each is not None) == row["health"]
        assert 0 <= row["health"] <= 100
        assert all(each is None or each >= 0 for each in points)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 97), st.integers(0, 20), VALUES)
def test_a_better_fact_never_lowers_health(engine: Engine, low: int, more: int, rest: tuple[Any, ...]) -> None:
    one, other = scores(engine, spec_of((35, 20, 25, 10, 10)), [(low, *rest[1:]), (low + more, *rest[1:])])
    assert one["health"] <= other["health"]


def test_full_facts_are_a_hundred_and_empty_ones_zero(engine: Engine) -> None:
    full, none = scores(engine, spec_of((30, 30, 30, 5, 5)), [(97,) * 5, (0,) * 5])
    assert (full["health"], none["health"]) == (Decimal("100.0"), Decimal("0.0"))


def test_an_unknown_part_leaves_its_weight_to_the_others(engine: Engine) -> None:
    (row,) = scores(engine, spec_of((60, 20, 20)), [(97, 0, None, None, None)])
    assert (row["health"], row["health_usage"], row["health_relationship"]) == (Decimal("75.0"), Decimal("75.0"), None)


def test_a_scale_may_run_downwards(engine: Engine) -> None:
    part = HealthPart(fact="days_since_touch", weight=1, zero_at=60, full_at=10)
    spec = HealthSpec(parts={"relationship": part})
    rows: list[tuple[Any, ...]] = [(0, 0, days, 0, 0) for days in (0, 10, 35, 60, 99)]
    assert [row["health"] for row in scores(engine, spec, rows)] == [100, 100, 50, 0, 0]


def test_the_bands_begin_at_their_limits(engine: Engine) -> None:
    spec = HealthSpec(
        healthy_from=80,
        warning_from=60,
        parts={"usage": HealthPart(fact="usage_30d", weight=1, zero_at=0, full_at=1000)},
    )
    rows: list[tuple[Any, ...]] = [(value, 0, 0, 0, 0) for value in (800, 799, 600, 599)]
    bands = [row["health_band"] for row in scores(engine, spec, rows)]
    assert bands == ["healthy", "warning", "warning", "risk"]


def test_the_change_is_against_what_was_kept(engine: Engine) -> None:
    past = pa.table([pa.array([0], pa.int64()), pa.array([Decimal("71.5")], pa.decimal128(5, 1))], schema=HEALTH)
    one, other = scores(engine, spec_of((1,)), [(97, 0, 0, 0, 0)] * 2, past)
    assert (one["health_30d_ago"], one["health_change_30d"]) == (Decimal("71.5"), Decimal("28.5"))
    assert (other["health_30d_ago"], other["health_change_30d"]) == (None, None)


def test_a_page_can_explain_each_point(engine: Engine) -> None:
    spec = spec_of((35, 20, 25))
    (row,) = scores(engine, spec, [(48, 97, None, 1, 1)])
    row |= {"usage_30d": 48, "features_30d": 97, "days_since_touch": None}
    usage, relationship, breadth = health.explain(spec, row)
    assert (usage.key, usage.points, usage.most, usage.scaled) == ("usage", row["health_usage"], Decimal("63.6"), 49)
    assert (relationship.key, relationship.points, relationship.most) == ("relationship", None, None)
    assert (breadth.points, breadth.scaled) == (row["health_breadth"], 100)
    assert usage.points is not None
    assert breadth.points is not None
    assert usage.points + breadth.points == row["health"] == pytest.approx(Decimal("67.9"), abs=Decimal("0.1"))
