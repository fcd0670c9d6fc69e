"""The score ledger: its causes add up to the change exactly, and it does not matter from which side one looks."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zhike.kit.ruletrees import INTEGER, TEXT
from zhike.measure import asof, health, ledger, turns
from zhike.measure.lake import Engine
from zhike.measure.ledger import Standing
from zhike.measure.models import FactsDay
from zhike.measure.snapshots import HEALTH
from zhike.measure.specs import HEALTH_PARTS, HealthSpec, MeasureSpec
from zhike.measure.tests.conftest import NOW, PLAN, TODAY, Book

INPUTS = ("usage_30d", "features_30d", "days_since_touch", "days_to_renewal", "last_nps", "orders")
FIELDS = {**dict.fromkeys(INPUTS, INTEGER), "industry": TEXT}
WEIGHT = st.sampled_from([0.5, 1.0, 3.0, 10.0, 12.5, 33.3, 100.0])
PART = st.fixed_dictionaries(
    {
        "fact": st.sampled_from(INPUTS),
        "weight": WEIGHT,
        "zero_at": st.sampled_from([0.0, 60.0, -20.0]),
        "full_at": st.sampled_from([7.0, 97.0, 1.5]),
    }
)
PARTS = st.dictionaries(st.sampled_from(HEALTH_PARTS), PART, min_size=1)
SEGMENTS = st.lists(
    st.builds(
        lambda place, least, parts: {"key": f"s{place}", "where": {"orders": {"at_least": least}}, "parts": parts},
        st.integers(0, 10**6),
        st.integers(0, 3),
        PARTS,
    ),
    max_size=2,
)
SPEC = st.builds(
    lambda parts, segments: HealthSpec.model_validate({"parts": parts, "segments": segments}), PARTS, SEGMENTS
)
ROW = st.fixed_dictionaries(dict.fromkeys(INPUTS, st.none() | st.integers(-10, 120)))


def scored(engine: Engine, spec: HealthSpec, row: dict[str, Any], day: date) -> Standing:
    """A row as measuring would have kept it."""
    known = pa.table({"customer_id": pa.array([1], pa.int64())} | {n: pa.array([row[n]], pa.int64()) for n in INPUTS})
    (found,) = health.scores(engine, known, spec, HEALTH.empty_table(), fields=FIELDS, today=day).to_pylist()
    return Standing(day, spec, {**row, **found})


@settings(max_examples=60, deadline=None)
@given(SPEC, SPEC, ROW, ROW, st.booleans())
def test_the_causes_sum_to_the_change_and_turn_their_signs_on_the_way_back(
    engine: Engine, one: HealthSpec, other: HealthSpec, before: dict[str, Any], after: dict[str, Any], same: bool
) -> None:
    first = scored(engine, one, before, TODAY)
    last = scored(engine, one if same else other, after, TODAY + timedelta(days=30))
    assume(first.health is not None and last.health is not None)
    found, back = ledger.between(first, last, FIELDS), ledger.between(last, first, FIELDS)
    assert sum(cause.tenths for cause in found.causes) == found.change
    assert last.health is not None
    assert first.health is not None
    assert found.change == (last.health - first.health) * 10
    assert {(c.kind, c.name): c.tenths for c in back.causes if c.kind not in {"known", "unknown"}} == {
        (c.kind, c.name): -c.tenths for c in found.causes if c.kind not in {"known", "unknown"}
    }
    assert not [cause for cause in found.causes if cause.kind == "other"]
    assert sum((b or 0) - (a or 0) for a, b in found.parts.values()) == found.change


@settings(max_examples=30, deadline=None)
@given(SPEC, ROW)
def test_where_nothing_changed_there_is_nothing_to_tell(engine: Engine, spec: HealthSpec, row: dict[str, Any]) -> None:
    standing = scored(engine, spec, row, TODAY)
    found = ledger.between(standing, Standing(TODAY + timedelta(days=9), spec, standing.facts), FIELDS)
    assert found.causes == ()
    assert found.change in (0, None)


SAAS = HealthSpec.model_validate(PLAN["health"])
STEADY: dict[str, Any] = dict.fromkeys(INPUTS) | {
    "usage_30d": 60,
    "features_30d": 2,
    "days_since_touch": 7,
    "days_to_renewal": 90,
    "last_nps": 5,
}


def causes_of(engine: Engine, before: Standing, after: Standing) -> list[tuple[str, str, int]]:
    return [(cause.kind, cause.name, cause.tenths) for cause in ledger.between(before, after, FIELDS).causes]


def test_each_fact_has_the_points_it_took(engine: Engine) -> None:
    before = scored(engine, SAAS, STEADY, TODAY)
    after = scored(engine, SAAS, {**STEADY, "usage_30d": 15, "last_nps": 10}, TODAY)
    # 35 of 100 points by usage: a quarter of 60 is left. Feedback brings half of 10 points more.
    assert causes_of(engine, before, after) == [("fact", "usage_30d", -262), ("fact", "last_nps", 50)]


def test_a_part_that_becomes_known_says_so(engine: Engine) -> None:
    silent = scored(engine, SAAS, {**STEADY, "last_nps": None}, TODAY)
    asked = scored(engine, SAAS, {**STEADY, "last_nps": 0}, TODAY)
    assert [row[:2] for row in causes_of(engine, silent, asked)] == [("known", "last_nps")]
    assert [row[:2] for row in causes_of(engine, asked, silent)] == [("unknown", "last_nps")]


def test_new_weights_and_new_scales_are_told_apart(engine: Engine) -> None:
    parts = PLAN["health"]["parts"]
    heavier = HealthSpec.model_validate({"parts": parts | {"usage": parts["usage"] | {"weight": 70}}})
    longer = HealthSpec.model_validate({"parts": parts | {"usage": parts["usage"] | {"full_at": 120}}})
    row = STEADY
    before = scored(engine, SAAS, row, TODAY)
    assert [each[0] for each in causes_of(engine, before, scored(engine, heavier, row, TODAY))] == ["weights"]
    assert causes_of(engine, before, scored(engine, longer, row, TODAY)) == [("scales", "", -175)]


def test_moving_to_another_segment_is_a_cause(engine: Engine) -> None:
    parts = PLAN["health"]["parts"]
    segment = {"key": "buyers", "where": {"orders": {"at_least": 3}}, "parts": {"usage": parts["usage"]}}
    spec = HealthSpec.model_validate({"parts": parts, "segments": [segment]})
    before = scored(engine, spec, {**STEADY, "orders": 2}, TODAY)
    after = scored(engine, spec, {**STEADY, "orders": 3}, TODAY)
    (cause,) = ledger.between(before, after, FIELDS).causes
    assert (cause.kind, cause.before, cause.after) == ("segment", None, "buyers")
    assert after.health == Decimal("100.0")


def test_what_the_kept_facts_do_not_explain_stands_apart(engine: Engine) -> None:
    before = scored(engine, SAAS, STEADY, TODAY)
    after = Standing(TODAY, SAAS, {**before.facts, "health": (before.health or Decimal(0)) - 9})
    assert causes_of(engine, before, after) == [("other", "", -90)]


def test_more_changes_than_all_orders_can_be_tried_for_still_sum(engine: Engine, monkeypatch: Any) -> None:
    monkeypatch.setattr(ledger, "ALL_ORDERS", 1)
    before = scored(engine, SAAS, STEADY, TODAY)
    after = scored(engine, SAAS, {**STEADY, "usage_30d": 1, "last_nps": None, "days_since_touch": 33}, TODAY)
    one, back = ledger.between(before, after, FIELDS), ledger.between(after, before, FIELDS)
    assert sum(cause.tenths for cause in one.causes) == one.change
    assert {c.name: c.tenths for c in one.causes} == {c.name: -c.tenths for c in back.causes}


def test_a_turn_later_the_ledger_explains_the_kept_change(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer(joined=TODAY - timedelta(days=200))
    for back in range(1, 30):
        book.used(customer, TODAY - timedelta(days=back + 30), count=2)
    book.talk(customer, TODAY - timedelta(days=35))
    book.file_usage()
    for day in (TODAY - timedelta(days=30), TODAY):
        turns.measure(spec, today=day, now=NOW)
    told = asof.change(customer.pk, since=TODAY - timedelta(days=20))
    assert told.since.day == TODAY - timedelta(days=30)  # The nearest kept day before.
    assert {cause.name for cause in told.ledger.causes} >= {"usage_30d", "days_since_touch"}
    kept = asof.row(FactsDay.objects.get(day=told.since.day), customer.pk)
    assert kept is not None
    assert told.ledger.before == kept["health"] * 10
    assert sum(cause.tenths for cause in told.ledger.causes) == told.ledger.change


def test_days_before_the_first_kept_one_are_refused_kindly(book: Book, spec: MeasureSpec) -> None:
    customer = book.customer(joined=TODAY - timedelta(days=200))
    with pytest.raises(asof.NothingMeasured):
        asof.change(customer.pk, since=TODAY)
    turns.measure(spec, today=TODAY, now=NOW)
    with pytest.raises(asof.NothingKept) as refused:
        asof.change(customer.pk, since=TODAY - timedelta(days=1))
    assert refused.value.details == {"day": TODAY - timedelta(days=1), "first": TODAY}
