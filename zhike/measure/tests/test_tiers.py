"""Tiers: together the first half of the revenue, then the next part, as the plan says."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhike.kit.ruletrees import BOOLEAN, RuleError
from zhike.measure import tiers
from zhike.measure.facts import fact_fields
from zhike.measure.lake import Engine
from zhike.measure.specs import TiersSpec
from zhike.measure.tests.conftest import PLAN, TODAY

NAME = {"zh": "层", "en": "Tier"}


def spec_of(*given: dict[str, Any], revenue: str = "revenue") -> TiersSpec:
    return TiersSpec.model_validate({"revenue": revenue, "tiers": [{"name": NAME, **tier} for tier in given]})


FOUR = spec_of(
    {"key": "core", "revenue_up_to": 0.5},
    {"key": "key", "revenue_up_to": 0.8},
    {"key": "potential", "revenue_up_to": 0.95},
    {"key": "general"},
)


def known(revenue: list[int], **more: list[Any]) -> pa.Table:
    refs = [f"K{place:03d}" for place in range(len(revenue))]
    money = pa.array([Decimal(each) for each in revenue], pa.decimal128(18, 2))
    return pa.table({"customer_id": pa.array(range(len(refs)), pa.int64()), "ref": refs, "revenue": money, **more})


def assigned(engine: Engine, table: pa.Table, spec: TiersSpec) -> list[str]:
    found = tiers.assign(engine, table, spec, fact_fields([tier.key for tier in spec.tiers]), TODAY)
    return [row["tier"] for row in sorted(found.to_pylist(), key=lambda row: int(row["customer_id"]))]


def test_the_first_half_of_the_revenue_is_core(engine: Engine) -> None:
    assert assigned(engine, known([40, 30, 10, 10, 5, 5]), FOUR) == [
        "core",
        "core",
        "key",
        "potential",
        "potential",
        "general",
    ]


def test_a_customer_who_crosses_the_border_is_still_inside(engine: Engine) -> None:
    assert assigned(engine, known([90, 10]), FOUR) == ["core", "potential"]
    assert assigned(engine, known([50, 50]), FOUR) == ["core", "key"]


def test_who_brings_nothing_is_in_the_last_tier(engine: Engine) -> None:
    assert assigned(engine, known([10, 0, -5]), FOUR) == ["core", "general", "general"]
    assert assigned(engine, known([0, 0]), FOUR) == ["general", "general"]
    assert assigned(engine, known([5, -9]), FOUR) == ["general", "general"]


def test_equals_stand_in_the_order_of_their_numbers(engine: Engine) -> None:
    table = known([10, 10, 10, 10])
    turned = table.take([3, 1, 0, 2])
    assert assigned(engine, table, FOUR) == assigned(engine, turned, FOUR) == ["core", "core", "key", "key"]


def test_a_tier_may_ask_for_more(engine: Engine) -> None:
    spec = spec_of(
        {"key": "core", "revenue_up_to": 0.5, "where": {"tenure_days": {"at_least": 365}}},
        {"key": "key", "revenue_up_to": 0.8},
        {"key": "general"},
    )
    table = known([60, 30, 10], tenure_days=pa.array([100, 400, None], pa.int64()))
    assert assigned(engine, table, spec) == ["key", "key", "general"]


def test_a_tier_without_a_share_takes_whom_its_rule_finds(engine: Engine) -> None:
    spec = spec_of(
        {"key": "vip", "where": {"any": [{"attributes.vip": {"is": True}}, {"ref": {"is": "K{x}'$today"}}]}},
        {"key": "rest"},
    )
    fields = {**fact_fields(), "attributes.vip": BOOLEAN}
    table = known([0, 0], attributes=['{"vip": true}', "{}"])
    found = tiers.assign(engine, table, spec, fields, TODAY).to_pydict()
    assert dict(zip(found["customer_id"], found["tier"], strict=True)) == {0: "vip", 1: "rest"}


def test_another_revenue_may_be_the_basis(engine: Engine) -> None:
    spec = spec_of({"key": "core", "revenue_up_to": 0.5}, {"key": "rest"}, revenue="arr")
    table = known([90, 10], arr=pa.array([Decimal(0), Decimal(12)], pa.decimal128(18, 2)))
    assert assigned(engine, table, spec) == ["rest", "core"]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(-20, 1000), min_size=1, max_size=40))
def test_more_revenue_never_means_a_lower_tier_and_shares_add_up(engine: Engine, revenue: list[int]) -> None:
    table = known(revenue)
    order = ["core", "key", "potential", "general"]
    found = assigned(engine, table, FOUR)
    by_revenue = [order.index(found[place]) for place in sorted(range(len(revenue)), key=lambda place: -revenue[place])]
    assert by_revenue == sorted(by_revenue)
    shares = tiers.shares(engine, table).to_pylist()
    ranked = sorted(shares, key=lambda row: int(row["revenue_rank"]))
    assert [row["revenue_rank"] for row in ranked] == list(range(1, len(revenue) + 1))
    if sum(revenue) > 0:
        assert ranked[-1]["cumulative_share"] == pytest.approx(1)
        assert sum(row["revenue_share"] for row in ranked) == pytest.approx(1)
    else:
        assert {row["revenue_share"] for row in ranked} == {None}


def test_a_rule_that_asks_about_the_tier_itself_is_refused() -> None:
    spec = spec_of({"key": "core", "where": {"tier": {"is": "core"}}}, {"key": "rest"})
    with pytest.raises(RuleError) as caught:
        tiers.rules(spec, fact_fields())
    assert caught.value.path.startswith("tiers[0].where")


def test_the_columns_a_plan_asks_about_are_known() -> None:
    spec = TiersSpec.model_validate(PLAN["tiers"])
    assert tiers.columns(spec, fact_fields()) == {"logins_per_week", "orders"}
