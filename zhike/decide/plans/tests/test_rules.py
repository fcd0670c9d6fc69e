"""What a plan means: rhythms, channels, words, what can never be, and what differs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhike.decide.plans import rules
from zhike.decide.plans.rules import Cadence, ChannelPolicy, Content, PlanErrors, Text
from zhike.decide.plans.rules.impossible import BOUNDS, never_true
from zhike.decide.plans.rules.structure import OTHER_VALUE, REASONS
from zhike.decide.plans.tests.plans import KNOWN, SMALL, changed
from zhike.kit.ruletrees import evaluate, parse
from zhike.measure.facts import FACTS
from zhike.record.customers.models import Channel

HELLO = [Content(title=Text(en="Hello"))]


def test_the_channels_of_plans_are_those_of_interactions() -> None:
    assert set(rules.CHANNELS) == set(Channel.values)


def test_bounds_are_given_for_facts_that_exist() -> None:
    assert set(BOUNDS) <= set(FACTS)


@pytest.mark.parametrize(
    ("rhythm", "days"),
    [
        ({"every_days": 21}, 21),
        ({"times": 1, "per": "month"}, 30),
        ({"times": 2, "per": "month"}, 15),
        ({"times": 1, "per": "quarter"}, 91),
        ({"times": 1, "per": "half_year"}, 182),
        ({"times": 1, "per": "year"}, 365),
        ({"times": 31, "per": "month"}, 1),
    ],
)
def test_a_rhythm_is_a_number_of_days(rhythm: dict[str, Any], days: int) -> None:
    assert Cadence(**rhythm, contents=HELLO).days == days


def test_the_contact_is_asked_first_then_the_wish_then_the_tier() -> None:
    policy = ChannelPolicy(fallbacks=["email", "phone"], tiers={"core": ["visit", "phone"]})
    assert policy.order("core", preferred="wecom", asked="meeting") == ["wecom", "meeting", "visit", "phone", "email"]
    assert policy.order(None) == ["email", "phone"]
    forced = policy.model_copy(update={"preferred_first": False})
    assert forced.order("core", preferred="wecom")[0] == "visit"


def test_words_come_in_the_readers_language_or_the_other() -> None:
    assert Text(zh="你好", en="Hello").to("zh-hans") == "你好"
    assert Text(zh="你好").to("en") == "你好"


def test_every_reason_of_the_schema_has_a_sentence_of_its_own() -> None:
    for text in (
        changed("full_at: 20", "full_at: 0"),
        changed("healthy_from: 80", "healthy_from: 60"),
        changed("tiers:\n  revenue", "rfm: { scores: bounds }\ntiers:\n  revenue"),
        changed("name: High risk", "name: {}"),
        changed("silence: { days: 30 }", ""),
        changed("    after_days: 0\n", ""),
        changed("    every_days: 365\n", ""),
    ):
        with pytest.raises(PlanErrors) as caught:
            rules.read(text, KNOWN)
        messages = {problem.message for problem in caught.value.problems}
        assert messages <= {*REASONS.values()}, messages
        assert OTHER_VALUE not in messages


def test_short_forms_mean_the_same_as_long_ones() -> None:
    long = changed("name: Small plan", "name: { zh: Small plan, en: Small plan }\nincentives:")
    plan = rules.read(changed("company_kind: saas", "company_kind: saas\nplays:", text=long), KNOWN)
    assert plan == rules.read(SMALL, KNOWN)


def test_line_ends_and_comments_do_not_matter() -> None:
    text = "# A comment\n" + SMALL.replace("\n", "\r\n")
    assert rules.read(text, KNOWN) == rules.read(SMALL, KNOWN)


def test_the_measuring_part_is_handed_on_whole() -> None:
    measure = rules.read(SMALL, KNOWN).measure
    assert measure.tiers.tiers[0].where == {"logins_per_week": {"at_least": 3}}
    assert measure.health.parts["usage"].weight == 60


def test_a_known_name_in_braces_may_stand_in_words_and_another_may_not() -> None:
    rules.read(changed("title: Greetings", "title: 您好 {contact}"), KNOWN)
    with pytest.raises(PlanErrors) as caught:
        rules.read(changed("title: Greetings", "title: Dear {password}"), KNOWN)
    assert caught.value.problems[0].details["name"] == "password"


NUMBERS = st.integers(-20, 120)
COMPARISONS = st.one_of(
    st.builds(
        lambda op, value: {"health": {op: value}},
        st.sampled_from(["is", "above", "at_least", "below", "at_most"]),
        NUMBERS,
    ),
    st.builds(lambda pair: {"health": {"between": sorted(pair)}}, st.tuples(NUMBERS, NUMBERS)),
    st.builds(lambda values: {"health": {"in": values}}, st.lists(NUMBERS, min_size=1, max_size=3)),
)
TREES = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda rules_: {"all": rules_}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda rules_: {"any": rules_}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda rule: {"not": rule}, inner),
    ),
    max_leaves=6,
)


@given(TREES, st.integers(0, 100))
def test_a_rule_that_some_customer_satisfies_is_never_called_impossible(tree: dict[str, Any], health: int) -> None:
    rule = parse(tree, KNOWN.fields)
    if evaluate(rule, {"health": health}, today=None):  # type: ignore[arg-type]  # No dates are asked about.
        assert never_true(rule) == ""


def test_a_contradiction_within_all_is_seen_through_groups() -> None:
    tree = {"all": [{"health": {"below": 50}}, {"all": [{"health": {"above": 60}}]}]}
    assert never_true(parse(tree, KNOWN.fields)) == "health"
    assert never_true(parse({"any": [tree, {"orders": {"above": 1}}]}, KNOWN.fields)) == ""


def test_differences_name_the_path_and_both_values() -> None:
    old = rules.read(SMALL, KNOWN)
    new_text = changed("revenue_up_to: 0.5", "revenue_up_to: 0.6", text=changed("key: call", "key: talk"))
    found = rules.differences(old, rules.read(new_text, KNOWN))
    assert [(each.op, each.path) for each in found] == [
        ("~", ("tiers", "tiers", "core", "revenue_up_to")),
        ("−", ("onboarding", "call")),
        ("+", ("onboarding", "talk")),
    ]
    assert (found[0].old, found[0].new) == (0.5, 0.6)


def test_the_same_plan_differs_in_nothing() -> None:
    assert rules.differences(rules.read(SMALL, KNOWN), rules.read("# else\n" + SMALL, KNOWN)) == []
