from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhike.kit.ruletrees import BOOLEAN, DATE, INTEGER, NUMBER, TEXT, RuleError, choice, multi, parse, to_tree
from zhike.web.rules import filters

FIELDS = {
    "tier": choice("core", "key"),
    "health": NUMBER,
    "orders": INTEGER,
    "region": TEXT,
    "contract_end": DATE,
    "attributes.vip": BOOLEAN,
    "attributes.tags": multi(),
}

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
DAYS = st.one_of(
    st.dates().map(lambda day: day.isoformat()),
    st.integers(0, 9000).map(lambda days: {"days_ago": days}),
    st.integers(0, 9000).map(lambda days: {"days_ahead": days}),
)
CONDITIONS = st.one_of(
    st.builds(lambda values: {"tier": {"in": values}}, st.lists(st.sampled_from(["core", "key"]), min_size=1)),
    st.builds(lambda op, n: {"health": {op: n}}, st.sampled_from(["below", "at_least"]), st.integers(-999, 999)),
    st.builds(lambda low: {"orders": {"between": [low, low + 5]}}, st.integers(0, 999)),
    st.builds(lambda op, text: {"region": {op: text}}, st.sampled_from(["is", "contains"]), TEXTS),
    st.builds(lambda values: {"region": {"in": values}}, st.lists(TEXTS, min_size=1, max_size=4)),
    st.builds(lambda op, day: {"contract_end": {op: day}}, st.sampled_from(["above", "at_most"]), DAYS),
    st.builds(lambda yes: {"attributes.vip": {"is": yes}}, st.booleans()),
    st.builds(lambda yes: {"health": {"known": yes}}, st.booleans()),
    st.builds(lambda text: {"attributes.tags": {"contains": text}}, TEXTS),
    st.builds(lambda n: {"any": [{"health": {"below": n}}, {"tier": {"is": "core"}}]}, st.integers(0, 100)),
)


@given(CONDITIONS)
def test_a_condition_survives_the_address(condition: dict[str, Any]) -> None:
    again = filters.from_text(filters.to_text(condition), FIELDS)
    assert to_tree(parse(again, FIELDS)) == to_tree(parse(condition, FIELDS))


@given(st.lists(CONDITIONS, max_size=5))
def test_a_tree_taken_apart_and_put_together_means_the_same(conditions: list[dict[str, Any]]) -> None:
    tree = filters.together(conditions)
    assert filters.conditions_of(tree) == conditions


@pytest.mark.parametrize(
    "text",
    ["", "tier", "tier:in", "nothing:is:1", "health:below:soon", "attributes.vip:is:maybe", "rule:[1]", "rule:{"],
)
def test_what_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises((filters.Unreadable, RuleError)):
        parse(filters.from_text(text, FIELDS), FIELDS)
