"""Planning rules by their properties: level weeks, limits kept, nothing twice, nobody nagged."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhike.act.engagement.rules import limits, people, priority, signs, slices, wording
from zhike.act.engagement.rules.planning import AHEAD, Agenda, Scout, decide
from zhike.act.engagement.rules.wishes import Decision, OpenTouch, Standing
from zhike.decide.plans.rules.contact import (
    PLACEHOLDERS,
    Alert,
    Cadence,
    ChannelPolicy,
    Content,
    Limit,
    OnboardingStep,
    Sign,
)
from zhike.decide.plans.rules.schema import Plan
from zhike.decide.plans.rules.wording import Text
from zhike.kit.calendars import CHINA

DAY = date(2026, 3, 12)
DAYS = st.dates(date(2024, 1, 1), date(2026, 10, 31))
REFS = st.text(min_size=1, max_size=12)
TEXT = Text(zh="联系", en="Contact")
CONTENT = Content(title=TEXT)
MONTHLY = Cadence(times=1, per="month", contents=[CONTENT], at_most=Limit(touches=2, days=30))
CADENCES = st.one_of(
    st.builds(
        lambda times, per: Cadence(times=times, per=per, contents=[CONTENT]),
        st.integers(1, 3),
        st.sampled_from(["month", "quarter", "half_year", "year"]),
    ),
    st.builds(lambda days: Cadence(every_days=days, contents=[CONTENT]), st.integers(7, 400)),
)


NOTHING = Standing()
at_ease = settings(deadline=None)  # Two cores are shared; a slow moment is no failure.


def alert(**given_: Any) -> Alert:
    return Alert.model_validate({"name": {"zh": "预警", "en": "Alert"}, "content": CONTENT, **given_})


def plan_of(**given_: Any) -> Plan:
    return Plan.model_construct(
        **{"cadence": {"core": MONTHLY}, "alerts": {}, "onboarding": [], "channels": ChannelPolicy(), **given_}
    )


def row(**given_: Any) -> dict[str, Any]:
    plain = dict.fromkeys(
        ["health", "health_30d_ago", "joined", "last_touch", "days_since_touch", "days_since_usage", "industry"]
    )
    return {**plain, "ref": "C1", "tier": "core", "stage": "maturity", **given_}


def agenda(plan: Plan, today: date = DAY, since: date | None = None) -> Agenda:
    return Agenda(plan, CHINA, today, since or today)


def decided(plan: Plan, facts: dict[str, Any], standing: Standing = NOTHING, today: date = DAY) -> Decision:
    day = agenda(plan, today)
    return decide(Scout(day).prospect(facts), standing, day)


def opened(kind: str = "cadence", **given_: Any) -> OpenTouch:
    plain = OpenTouch(7, f"{kind}:x", kind, DAY, 1, {}, DAY - timedelta(days=3))
    return replace(plain, **given_)


@at_ease
@given(CADENCES, DAYS)
def test_slices_follow_each_other_without_gap_and_hold_the_day(cadence: Cadence, day: date) -> None:
    found = slices.slices_over(cadence, day, day + timedelta(days=400))
    assert found[0].start <= day < found[0].end
    assert all(a.end == b.start and a.number + 1 == b.number for a, b in pairwise(found))
    assert len({part.name for part in found}) == len(found)


@at_ease
@given(CADENCES, DAYS, REFS, st.one_of(st.none(), st.integers(0, 500)))
def test_a_contact_is_due_on_a_workday_of_its_slice(cadence: Cadence, day: date, ref: str, ago: int | None) -> None:
    part = slices.slices_over(cadence, day, day)[0]
    last = None if ago is None else part.start - timedelta(days=ago + 1)
    due = slices.due_in(part, slices.fraction(ref), last, CHINA)
    assert due is not None
    assert CHINA.is_workday(due)
    if any(CHINA.is_workday(part.start + timedelta(days=offset)) for offset in range(part.days)):
        assert part.start <= due < part.end


@at_ease
@given(CADENCES, DAYS, REFS, st.integers(0, 200))
def test_who_was_touched_is_left_alone_for_half_a_slice(cadence: Cadence, day: date, ref: str, ago: int) -> None:
    last = day - timedelta(days=ago)
    due = slices.next_due(cadence, slices.fraction(ref), last, day, CHINA)
    assert due is not None
    shortest = min(part.days for part in slices.slices_over(cadence, last, due))
    workless = 12  # The longest run of days without a workday, with room.
    assert (due - last).days >= shortest // 2 - workless


def test_make_up_saturdays_are_workdays_and_the_spring_festival_is_not() -> None:
    february = slices.slices_over(MONTHLY, date(2026, 2, 1), date(2026, 2, 1))[0]
    days = slices.workdays_of(february.start, february.end, CHINA)
    assert date(2026, 2, 14) in days  # A Saturday, worked for the festival.
    assert date(2026, 2, 28) in days
    assert not [day for day in days if date(2026, 2, 15) <= day <= date(2026, 2, 23)]
    used = {slices.own_day(february, slices.fraction(f"C{n}"), CHINA) for n in range(2000)}
    assert used == set(days)


@pytest.mark.parametrize("per", ["month", "quarter", "half_year", "year"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_days_of_many_customers_lie_level(per: Any, seed: int) -> None:
    part = slices.slices_over(Cadence(times=1, per=per, contents=[CONTENT]), DAY, DAY)[0]
    days = slices.workdays_of(part.start, part.end, CHINA)
    count = len(days) * 60
    load = Counter(slices.own_day(part, slices.fraction(f"{seed}-{n}"), CHINA) for n in range(count))
    assert max(load.values()) < 2 * 60
    assert min(load[day] for day in days) > 20


@at_ease
@given(st.lists(DAYS, max_size=12), DAYS, st.integers(1, 4), st.integers(1, 90))
def test_no_window_ever_holds_more_than_the_limit(made: list[date], day: date, most: int, days: int) -> None:
    limit = Limit(touches=most, days=days)
    fitting = limits.first_fitting(day, made, limit, CHINA)
    if fitting is None:
        return
    assert CHINA.is_workday(fitting)
    assert fitting >= day
    for start in (fitting - timedelta(days=back) for back in range(days)):
        window = [other for other in [*made, fitting] if start <= other < start + timedelta(days=days)]
        before = [other for other in made if start <= other < start + timedelta(days=days)]
        assert len(window) <= most or len(before) >= most + 1


@at_ease
@given(st.floats(0, 1), st.integers(1, 3), st.integers(0, 30))
def test_priority_never_falls_with_urgency_impact_or_lateness(rank: float, urgency: int, overdue: int) -> None:
    here = priority.priority(rank, urgency, overdue)
    assert priority.priority(rank, urgency, overdue + 1) >= here
    assert priority.priority(rank + 0.2, urgency, overdue) >= here
    assert priority.priority(rank, urgency + 1, overdue) >= here


def test_a_small_greeting_never_overtakes_a_large_alarm() -> None:
    assert priority.priority(0, 1, 30) < priority.priority(1, 3, 0)


@at_ease
@given(st.text(max_size=60), st.dictionaries(st.sampled_from(sorted(PLACEHOLDERS)), st.text(max_size=8)))
def test_words_only_ever_get_known_names_replaced(words: str, values: dict[str, str]) -> None:
    assert wording.filled(words.replace("{", ""), values) == words.replace("{", "")


def test_words_cannot_reach_anything_but_the_listed_figures() -> None:
    words = "{customer} {health} {health.__class__} {0} {secret} {owner}"
    assert wording.filled(words, {"customer": "{owner}", "health": "58", "secret": "x"}) == (
        "{owner} 58 {health.__class__} {0} {secret} —"
    )


def person(number: int, role: str = "user", **given_: Any) -> people.Person:
    return people.Person(number, role, **{"has": frozenset({"phone", "email"}), **given_})


POLICY = ChannelPolicy(tiers={"core": ["visit", "phone"]}, fallbacks=["email"])


@pytest.mark.parametrize(
    ("found", "way"),
    [
        ([], people.Way(None, "visit")),
        ([person(1), person(2, "decision_maker")], people.Way(2, "visit")),
        ([person(2, "decision_maker", left_on=DAY), person(1)], people.Way(1, "visit")),
        ([person(1, preferred="wecom")], people.Way(1, "wecom")),
        ([person(1, preferred="wecom", refused=frozenset({"wecom"}))], people.Way(1, "visit")),
        ([person(1, preferred="phone", has=frozenset())], people.Way(1, "visit")),
        ([person(1, refused=frozenset({"visit", "phone", "email"}))], people.Way(None, "")),
    ],
)
def test_the_decision_maker_first_on_the_channel_they_like(found: list[people.Person], way: people.Way) -> None:
    assert people.way_to(found, POLICY, tier="core", asked=None, today=DAY) == way


def test_the_newest_word_on_consent_counts() -> None:
    lines = [
        {"purpose": "service", "channel": "phone", "granted": False},
        {"purpose": "service", "channel": "phone", "granted": True},
        {"purpose": "service", "channel": "sms", "granted": True},
        {"purpose": "service", "channel": "sms", "granted": False},
    ]
    assert people.refused_channels(lines) == {"sms"}


MONTHLY_LEFT_OUT = {"renewal_due": {"days": 60, "contracts_from_days": 180}}


@pytest.mark.parametrize(
    ("sign", "facts", "code"),
    [
        ({"health_drop": {"points": 10}}, {"health_30d_ago": 71, "health": 61}, "health_fell"),
        ({"health_drop": {"points": 10}}, {"health_30d_ago": 71, "health": 61.5}, None),
        ({"health_drop": {"points": 35, "within_days": 90}}, {"health_90d_ago": 85, "health": 50}, "health_fell"),
        ({"silence": {"days": 30}}, {"days_since_usage": 30}, "silent"),
        ({"silence": {"days": 30}}, {"days_since_usage": 29}, None),
        ({"silence": {"days": 30}}, {"days_since_usage": None}, None),
        ({"silence": {"days": 30, "of": "contact"}}, {"days_since_touch": 31}, "silent"),
        ({"usage_drop": {"share": 0.7}}, {"usage_prev_30d": 100, "usage_30d": 30}, "usage_fell"),
        ({"usage_drop": {"share": 0.7}}, {"usage_prev_30d": 100, "usage_30d": 31}, None),
        ({"usage_drop": {"share": 0.7}}, {"usage_prev_30d": 0, "usage_30d": 0}, None),
        ({"logins_drop": {"share": 0.8}}, {"logins_per_week_90d_ago": 10.0, "logins_per_week": 2.0}, "logins_fell"),
        ({"renewal_due": {"days": 60}}, {"days_to_renewal": 60, "contract_end": DAY}, "renewal_due"),
        ({"renewal_due": {"days": 60}}, {"days_to_renewal": -1, "contract_end": DAY}, None),
        (MONTHLY_LEFT_OUT, {"days_to_renewal": 20, "contract_end": DAY, "contract_days": 30}, None),
        (MONTHLY_LEFT_OUT, {"days_to_renewal": 20, "contract_end": DAY, "contract_days": 365}, "renewal_due"),
    ],
)
def test_a_sign_shows_from_its_step_on(sign: Any, facts: dict[str, Any], code: str | None) -> None:
    found = signs.figures_of(Sign.model_validate(sign), row(**facts), None, DAY)
    assert (found["code"] if found else None) == code


SILENT = {"silent": alert(when={"silence": {"days": 30}}, urgency=2)}


def test_an_alert_is_raised_once_and_again_after_its_time() -> None:
    plan, facts = plan_of(alerts=SILENT, cadence={}), row(days_since_usage=40)
    assert [wish.key for wish in decided(plan, facts).wishes] == ["alert:silent:2026-03-12"]
    for last, is_open, raised in [(DAY, False, 0), (DAY - timedelta(29), False, 0), (DAY - timedelta(30), False, 1)]:
        standing = Standing(alerts={"silent": (last, is_open)})
        assert len(decided(plan, facts, standing).sightings) == raised
    still_open = Standing(alerts={"silent": (DAY - timedelta(days=99), True)})
    assert not decided(plan, facts, still_open).sightings


def test_one_customer_gets_one_call() -> None:
    plan = plan_of(alerts={**SILENT, "fell": alert(when={"health_drop": {"points": 10}}, urgency=3)})
    facts = row(days_since_usage=40, health_30d_ago=71, health=58)
    found = decided(plan, facts, Standing(open=(opened(),)))
    assert [wish.key for wish in found.wishes] == ["alert:fell:2026-03-12"]
    assert [also["rule"] for also in found.wishes[0].reason["also"]] == ["silent"]
    assert [change.superseded for change in found.changes] == [{"code": "one_call", "by": "fell"}]
    assert {each.rule: each.answer for each in found.sightings} == {
        "fell": "alert:fell:2026-03-12",
        "silent": "alert:fell:2026-03-12",
    }


def test_a_new_sign_makes_the_open_alert_more_urgent() -> None:
    plan = plan_of(alerts={"fell": alert(when={"health_drop": {"points": 10}}, urgency=3, within_workdays=0)})
    open_alert = opened("alert", urgency=2, due_on=DAY + timedelta(days=4))
    found = decided(plan, row(health_30d_ago=71, health=58), Standing(open=(open_alert,)))
    assert not found.wishes
    assert [(change.touch, change.urgency, change.due_on) for change in found.changes] == [(7, 3, DAY)]


def test_who_has_left_gets_neither_cadence_nor_warning() -> None:
    plan = plan_of(alerts=SILENT)
    found = decided(plan, row(stage="churned", days_since_usage=400), Standing(open=(opened(),)))
    assert not found.wishes
    assert [change.superseded for change in found.changes] == [{"code": "left"}]


def test_a_contact_in_its_slice_satisfies_the_cadence() -> None:
    touch = opened(reason={"from": "2026-03-01", "to": "2026-04-01"})
    made = decided(plan_of(), row(last_touch=date(2026, 3, 9)), Standing(open=(touch,)))
    assert made.changes[0].superseded == {"code": "contact_made", "on": "2026-03-09"}
    before = decided(plan_of(), row(last_touch=date(2026, 2, 20)), Standing(open=(touch,)))
    assert not [change for change in before.changes if change.superseded]


def test_an_urgent_alert_does_not_wait_for_the_limit_and_another_does() -> None:
    touched = Standing(contacts=(DAY - timedelta(days=1), DAY - timedelta(days=2)))
    facts = row(days_since_usage=40, last_touch=DAY - timedelta(days=1))
    urgent = decided(plan_of(alerts={"s": alert(when={"silence": {"days": 30}}, urgency=3)}), facts, touched)
    assert urgent.wishes[0].due_on == date(2026, 3, 13)
    waits = decided(plan_of(alerts=SILENT), facts, touched)
    assert waits.wishes[0].due_on == date(2026, 4, 9)


STEPS = [
    OnboardingStep(key="welcome", after_days=0, content=CONTENT, urgency=3),
    OnboardingStep(key="call", after_workdays=1, content=CONTENT, urgency=3),
    OnboardingStep(key="value", after_days=7, content=CONTENT),
]


def test_onboarding_counts_workdays_and_forgets_what_is_long_past() -> None:
    plan = plan_of(onboarding=STEPS, cadence={})
    friday = date(2026, 2, 13)
    found = decided(plan, row(stage="onboarding", joined=friday), today=friday)
    dues = {wish.key.split(":")[1]: wish.due_on for wish in found.wishes}
    # The day after is a worked Saturday; a week later lies in the Spring Festival.
    assert dues == {"welcome": friday, "call": date(2026, 2, 14), "value": date(2026, 2, 24)}
    late = decided(plan, row(stage="onboarding", joined=DAY - timedelta(days=10)))
    assert [wish.key for wish in late.wishes] == ["onboarding:value"]
    assert not decided(plan, row(stage="onboarding", joined=DAY - timedelta(days=60))).wishes
    assert not decided(plan, row(stage="growth", joined=DAY)).wishes


@at_ease
@given(REFS, st.one_of(st.none(), st.integers(0, 90)), DAYS, CADENCES)
def test_planning_twice_wishes_nothing_new(ref: str, ago: int | None, day: date, cadence: Cadence) -> None:
    plan = plan_of(cadence={"core": cadence}, alerts=SILENT)
    facts = row(ref=ref, last_touch=None if ago is None else day - timedelta(days=ago), days_since_usage=ago)
    first = decided(plan, facts, today=day)
    touches = tuple(
        OpenTouch(n, wish.key, wish.kind, wish.due_on, wish.urgency, wish.reason, day)
        for n, wish in enumerate(first.wishes)
    )
    seen = {each.rule: (day, True) for each in first.sightings}
    wished = frozenset(wish.key for wish in first.wishes)
    again = decided(plan, facts, Standing(open=touches, alerts=seen, wished=wished), today=day)
    assert (again.wishes, again.sightings, again.changes) == ([], [], [])
    assert all(day <= wish.due_on <= day + AHEAD + timedelta(days=12) for wish in first.wishes)


def test_day_after_day_a_customer_is_called_once_a_month() -> None:
    plan, calls = plan_of(), []
    last: date | None = None
    for offset in range(365):
        day = date(2026, 1, 1) + timedelta(days=offset)
        wishes = decided(plan, row(ref="C9", last_touch=last), today=day).wishes
        if wishes and wishes[0].due_on == day:
            calls.append(day)
            last = day
    months = Counter(call.month for call in calls)
    assert all(months[month] == 1 for month in range(1, 12))
    assert all((b - a).days >= 15 for a, b in pairwise(calls))


def test_slots_of_before_planning_began_are_not_owed_and_missed_ones_are_made_up() -> None:
    ref = next(f"C{n}" for n in range(99) if slices.own_day(march(), slices.fraction(f"C{n}"), CHINA).day == 5)
    fresh = Scout(agenda(plan_of())).prospect(row(ref=ref))
    assert fresh.slot is not None
    assert fresh.slot[1] > date(2026, 3, 31)
    missed = Scout(agenda(plan_of(), since=date(2026, 1, 1))).prospect(row(ref=ref))
    assert missed.slot is not None
    assert DAY <= missed.slot[1] <= DAY + timedelta(days=7)


def march() -> slices.Slice:
    return slices.slices_over(MONTHLY, DAY, DAY)[0]
