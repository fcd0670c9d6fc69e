import pickle
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhike.kit.ruletrees import (
    BOOLEAN,
    DATE,
    INTEGER,
    MONEY,
    NUMBER,
    TEXT,
    AllOf,
    Comparison,
    Not,
    Op,
    RuleError,
    choice,
    compile,
    describe,
    evaluate,
    fields_of,
    multi,
    parse,
    sql,
)

TODAY = date(2026, 3, 1)
FIELDS = {
    "health": NUMBER,
    "orders": INTEGER,
    "arr": MONEY,
    "name": TEXT,
    "since": DATE,
    "paying": BOOLEAN,
    "tier": choice("core", "key"),
    "tags": multi("vip", "new"),
    "attributes.industry": TEXT,
}


def nested(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"health": {"below": 60}}
    for _ in range(depth):
        tree = {"not": tree}
    return tree


@pytest.mark.parametrize(
    ("tree", "path", "says"),
    [
        ({"all": [{"tier": {"is": "core"}}, {"helth": {"below": 1}}]}, "all[1].helth", "did you mean health?"),
        ({"any": [{"not": {"attributes.industy": {"is": "x"}}}]}, "any[0].not.attributes.industy", "industry?"),
        ({"zzz": {"is": 1}}, "zzz", "there is no field zzz."),
        ({"all": [{"tier": {"is": "core"}}, {"health": {"contains": 1}}]}, "all[1].health.contains", "above, at_least"),
        ({"health": 5}, "health", "for example health: {is: …}"),
        ({"health": {}}, "health", "say how to compare"),
        ({}, "rule", "write all, any, not, or one field"),
        ([], "rule", "write all, any, not, or one field"),
        ({"all": []}, "all", "at least one rule"),
        ({"any": {"health": {"is": 1}}}, "any", "at least one rule"),
        ({"health": {"is": 1}, "tier": {"is": "core"}}, "rule", "not health, tier"),
        ({"all": [None]}, "all[0]", "write all, any, not"),
        ({"health": {"is": "5"}}, "health.is", "a number of at most 15 digits"),
        ({"health": {"is": True}}, "health.is", "not True"),
        ({"health": {"is": float("nan")}}, "health.is", "not nan"),
        ({"health": {"is": 10**15}}, "health.is", "15 digits"),
        ({"health": {"is": 10**6000}}, "health.is", "not an endless number"),
        ({"health": {"is": 0.1234567890123456}}, "health.is", "15 digits"),
        ({"orders": {"above": 2.5}}, "orders.above", "a whole number"),
        ({"name": {"is": ""}}, "name.is", "a text of 1 to 1000"),
        ({"name": {"is": "a\0b"}}, "name.is", "a text of 1 to 1000"),
        ({"name": {"is": "\ud800"}}, "name.is", "a text of 1 to 1000"),
        ({"name": {"in": []}}, "name.in", "a list of 1 to 500"),
        ({"name": {"in": "ab"}}, "name.in", "a list of 1 to 500"),
        ({"name": {"in": ["a", 5]}}, "name.in[1]", "a text of 1"),
        ({"since": {"below": "2026-02-30"}}, "since.below", "a date like 2026-03-31"),
        ({"since": {"below": "20260228"}}, "since.below", "a date like 2026-03-31"),
        ({"since": {"below": {"days_ago": -1}}}, "since.below", "days_ago or days_ahead"),
        ({"since": {"below": {"days_ago": True}}}, "since.below", "days_ago or days_ahead"),
        ({"since": {"below": datetime(2026, 1, 1)}}, "since.below", "a date like"),  # noqa: DTZ001 - any time is refused
        ({"paying": {"is": 1}}, "paying.is", "true or false"),
        ({"health": {"known": "yes"}}, "health.known", "true or false"),
        ({"tier": {"is": "coer"}}, "tier.is", "coer is not one of core, key"),
        ({"tags": {"contains": "old"}}, "tags.contains", "not one of vip, new"),
        ({"health": {"between": [5, 1]}}, "health.between", "the smaller first"),
        ({"health": {"between": [5]}}, "health.between", "two values"),
        ({"since": {"between": [{"days_ahead": 1}, {"days_ago": 1}]}}, "since.between", "the smaller first"),
        (nested(9), "not" + ".not" * 8, "at most 8 deep"),
        ({"all": [{"health": {"is": 1}}] * 201}, "all[200].health.is", "at most 200 comparisons"),
    ],
)  # fmt: skip
def test_a_complaint_names_the_place_and_what_is_allowed(tree: object, path: str, says: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(tree, FIELDS)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_complaint_can_stand_inside_a_larger_document_and_travel() -> None:
    with pytest.raises(RuleError) as caught:
        parse({"not": {"helth": {"is": 1}}}, FIELDS, at="segments.silent.when")
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert copy.path == caught.value.path == "segments.silent.when.not.helth"
    assert str(copy) == str(caught.value)


def test_eight_deep_and_two_hundred_comparisons_are_allowed() -> None:
    parse(nested(8), FIELDS)
    parse({"all": [{"health": {"is": 1}}] * 200}, FIELDS)


KEYS = st.sampled_from(["all", "any", "not", "days_ago", *FIELDS, *Op]) | st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_a_rule_or_a_complaint(tree: object) -> None:
    with suppress(RuleError):
        rule = parse(tree, FIELDS)
        assert fields_of(rule) <= FIELDS.keys()
        assert sql(rule, "postgres", TODAY)


def test_several_comparisons_of_one_field_all_hold() -> None:
    rule = parse({"health": {"at_least": 40, "below": 60}}, FIELDS)
    assert rule == AllOf(
        (
            Comparison("health", NUMBER, Op.AT_LEAST, Decimal(40)),
            Comparison("health", NUMBER, Op.BELOW, Decimal(60)),
        )
    )
    assert [evaluate(rule, {"health": score}, TODAY) for score in (39, 40, 59.9, 60, None)] == [
        False, True, True, False, False,
    ]  # fmt: skip


def test_relative_days_move_with_today() -> None:
    rule = parse({"since": {"at_least": {"days_ago": 30}}}, FIELDS)
    row = {"since": date(2026, 1, 30)}
    assert evaluate(rule, row, date(2026, 3, 1))
    assert not evaluate(rule, row, date(2026, 3, 2))
    assert "'2026-01-30'" in sql(rule, "duckdb", date(2026, 3, 1))
    assert compile(rule, date(2026, 3, 1)).sql("postgres") == sql(rule, "postgres", date(2026, 3, 1))


def test_a_column_that_is_missing_or_holds_a_time_is_a_fault_not_an_answer() -> None:
    with pytest.raises(KeyError):
        evaluate(parse({"health": {"known": False}}, FIELDS), {}, TODAY)
    with pytest.raises(TypeError, match="since holds a date with a time"):
        evaluate(parse({"since": {"is": "2026-01-01"}}, FIELDS), {"since": datetime(2026, 1, 1)}, TODAY)  # noqa: DTZ001 - refused


COMPANY = {"name": {"contains": "有限"}}
NAMES = {
    "health": "健康分",
    "tier": "客户层级",
    "tier=core": "核心",
    "tier=key": "重点",
    "arr": "年费",
    "since": "签约日",
}


@pytest.mark.parametrize(
    ("tree", "zh", "en"),
    [
        ({"health": {"below": 60}}, "健康分低于 60", "health is below 60"),
        (
            {"all": [{"health": {"below": 60.50}}, {"tier": {"in": ["core", "key"]}}]},
            "健康分低于 60.5 且客户层级为核心、重点之一",
            "health is below 60.5 and tier is one of core, key",
        ),
        (
            {"any": [{"arr": {"at_least": 200_000}}, {"all": [{"paying": {"is": True}}, {"not": COMPANY}]}]},
            "年费不低于 200,000 或（paying 为是且不满足（name 包含有限））",
            "arr is at least 200,000 or (paying is yes and not (name contains 有限))",
        ),
        ({"since": {"at_most": {"days_ago": 1}}}, "签约日不晚于 1 天前", "since is on or before 1 day ago"),
        ({"since": {"above": {"days_ahead": 90}}}, "签约日晚于 90 天后", "since is after 90 days from now"),
        (
            {"since": {"between": ["2026-01-01", {"days_ago": 0}]}},
            "签约日在 2026-01-01 到今天之间",
            "since is between 2026-01-01 and today",
        ),
        ({"tags": {"not_in": ["vip", "new"]}}, "tags 不含 vip、new", "tags has none of vip, new"),
        ({"health": {"known": False}}, "健康分未知", "health is unknown"),
    ],
)  # fmt: skip
def test_a_rule_in_words(tree: object, zh: str, en: str) -> None:
    rule = parse(tree, FIELDS)
    assert describe(rule, NAMES, "zh") == zh
    assert describe(rule, {}, "en") == en


def test_fields_of_a_rule() -> None:
    rule = parse({"not": {"any": [{"health": {"below": 60}}, {"attributes.industry": {"known": True}}]}}, FIELDS)
    assert isinstance(rule, Not)
    assert fields_of(rule) == {"health", "attributes.industry"}
