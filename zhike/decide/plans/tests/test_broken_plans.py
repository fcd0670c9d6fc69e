"""Each broken plan is refused with its line, its place and a sentence that says what to do."""

import time

import pytest

from zhike.decide.plans import rules
from zhike.decide.plans.rules import PlanErrors, Problem
from zhike.decide.plans.rules.source import MAX_BYTES
from zhike.decide.plans.tests.plans import KNOWN, SMALL, changed, line_of


def english(problem: Problem) -> str:
    return problem.message % problem.details if problem.details else problem.message


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(PlanErrors) as caught:
        rules.read(text, KNOWN)
    return caught.value.problems


def test_the_small_plan_is_right() -> None:
    assert rules.read(SMALL, KNOWN, number=7).number == 7


# What is replaced, by what, a part of the line that is blamed, and a part of the sentence.
BROKEN = {
    "unknown section": ("company_kind: saas", "company_kind: saas\ntires: 3", "tires: 3", "did you mean tiers?"),
    "unknown name inside": ("at_most: {", "at_mots: {", "at_mots:", "did you mean at_most?"),
    "wholly unknown name": ("revenue: revenue\n", "revenue: revenue\n  zzz: 1\n", "zzz: 1", "allowed: revenue, tiers"),
    "missing name": ("    target: 0.8\n", "", "key: keep", "target is missing"),
    "missing section": ("cadence:", "cadense:", "name: Small plan", "cadence is missing"),
    "text for a number": ("healthy_from: 80", 'healthy_from: "80"', "healthy_from", "a number is needed, not 80"),
    "broken whole number": (
        "onboarding_days: 90",
        "onboarding_days: 90.5",
        "onboarding_days",
        "a whole number is needed",
    ),
    "out of range": ("warning_from: 60", "warning_from: 160", "warning_from", "at most 100"),
    "below range": ("times: 2", "times: 0", "times: 0", "at least 1 is needed, not 0"),
    "not a choice": ("company_kind: saas", "company_kind: bank", "company_kind", "choose one of saas, ecommerce"),
    "not a date": ("by: 2026-12-31", "by: next year", "by: next year", "a date like 2026-03-31"),
    "impossible date": ("by: 2026-12-31", "by: 2026-02-30", "by: 2026-02-30", "a date like 2026-03-31"),
    "list needed": ("contents:\n      - title: Strategy talk", "contents: talk", "contents: talk", "a list is needed"),
    "section needed": ("segments:\n  - key", "segments:\n  - word\n  - key", "- word", "a section of names and values"),
    "empty list": ("contents:\n      - title: Greetings", "contents: []", "contents: []", "at least 1 entries"),
    "bad key": ("key: risky", "key: High-Risk", "key: High-Risk", "lower-case letters"),
    "bad currency": (
        "company_kind: saas",
        "company_kind: saas\ncurrency: yuan",
        "currency",
        "a currency code like CNY",
    ),
    "empty text": ("name: High risk", 'name: ""', 'name: ""', "at least 1 characters"),
    "blank text": ("name: High risk", 'name: "  "', 'name: "  "', "may not be empty"),
    "bands upside down": ("healthy_from: 80", "healthy_from: 50", "health:", "warning_from must lie below"),
    "no slope": ("full_at: 20", "full_at: 0", "usage:", "zero_at and full_at must differ"),
    "two rhythms": (
        "every_days: 365",
        "every_days: 365\n    times: 1\n    per: year",
        "  general:\n    every",
        "either every_days",
    ),
    "half a rhythm": ("    per: month\n", "", "  core:\n    times", "times together with per"),
    "two signs": (
        "silence: { days: 30 }",
        "silence: { days: 30 }, renewal_due: { days: 9 }",
        "when:",
        "exactly one of",
    ),
    "two offsets": ("after_days: 0", "after_days: 0\n    after_workdays: 1", "- key: welcome", "either after_days or"),
    "bounds missing": (
        "tiers:\n  revenue",
        "rfm: { scores: bounds }\ntiers:\n  revenue",
        "rfm:",
        "four rising numbers",
    ),
    "unknown fact in a tier": (
        "logins_per_week:",
        "logins_per_weak:",
        "logins_per_weak",
        "did you mean logins_per_week?",
    ),
    "unknown fact in a segment": ("{ health: {", "{ karma_of_all: {", "karma_of_all", "there is no field karma_of_all"),
    "unknown operator": ("{ below: 60 }", "{ under: 60 }", "under: 60", "allowed: is, is_not"),
    "wrong value in a rule": ("{ below: 60 }", "{ below: low }", "below: low", "a number of at most 15 digits"),
    "tier asks for tier": (
        "logins_per_week: { at_least: 3 }",
        "tier: { is: core }",
        "tier: { is",
        "there is no field tier",
    ),
    "unknown fact of health": ("fact: last_nps", "fact: last_npx", "fact: last_npx", "did you mean last_nps?"),
    "health from words": ("fact: last_nps", "fact: industry", "fact: industry", "is not a number"),
    "health from health": (
        "fact: last_nps",
        "fact: health_30d_ago",
        "fact: health_30d_ago",
        "health cannot build on it",
    ),
    "never true": ("{ below: 60 }", "{ above: 100 }", "above: 100", "this can never be true"),
    "cadence of no tier": ("  general:\n    every", "  generel:\n    every", "generel:", "there is no tier generel"),
    "tier without cadence": ("key: general", "key: other", "key: other", "the tier other has no cadence"),
    "share too small": ("revenue_up_to: 0.5", "revenue_up_to: 0", "revenue_up_to: 0", "does not rise above"),
    "last tier chooses": (
        "    - key: general\n",
        "    - key: general\n      where: { orders: { above: 1 } }\n",
        "where: { orders",
        "the last tier takes everybody",
    ),
    "tier takes all": (
        "      revenue_up_to: 0.5\n      where:\n        logins_per_week: { at_least: 3 }\n",
        "",
        "key: core",
        "it takes everybody",
    ),
    "key twice": ("key: call", "key: welcome", "key: welcome\n    after_workdays", "taken by an earlier entry"),
    "more than allowed": ("touches: 4", "touches: 1", "at_most", "asks for 2 touches in 30 days"),
    "mature too early": ("maturity_days: 365", "maturity_days: 80", "maturity_days", "before onboarding ends after 90"),
    "churned at once": (
        "onboarding_days: 90",
        "onboarding_days: 90\n  churn_by: usage",
        "lifecycle:",
        "at least 1 day",
    ),
    "alert after churn": (
        "onboarding_days: 90",
        "onboarding_days: 90\n  churn_by: usage\n  churn_after_days: 20",
        "silence:",
        "can never be raised",
    ),
    "step after onboarding": ("after_workdays: 1", "after_workdays: 70", "after_workdays: 70", "after onboarding ends"),
    "both free and worked": (
        "tiers:\n  revenue",
        "calendar:\n  holidays: [2026-05-04]\n  workdays: [2026-05-04]\ntiers:\n  revenue",
        "workdays: [2026",
        "a day is either free or worked",
    ),
    "reached goal": ("target: 0.8", "target: 0.8\n    baseline: 0.8", "target: 0.8", "nothing to reach"),
    "name in no language": ("{ zh: 一般, en: Standard }", "{}", "name: {}", "a name in zh or en"),
    "alert of no tier": (
        "    name: Silent",
        "    tiers: [vip]\n    name: Silent",
        "tiers: [vip]",
        "there is no tier vip",
    ),
    # The text itself
    "tab": ("  revenue: revenue", "\trevenue: revenue", "\trevenue", "use spaces"),
    "key given twice": (
        "company_kind: saas",
        "company_kind: saas\ncompany_kind: hotel",
        "company_kind: hotel",
        "second time",
    ),
    "quote left open": ("name: Small plan", 'name: "Small plan', "name:", "is never closed"),
    "bracket left open": ("at_most: { touches: 4, days: 30 }", "at_most: { touches: 4", "at_most", "is not closed"),
    "full-width colon": ("company_kind: saas", "company_kind：saas", "company_kind：", "plain colon"),
    "wrong indentation": ("  maturity_days: 365", "   maturity_days: 365", "   maturity_days", "check the indentation"),
    "anchor": ("company_kind: saas", "company_kind: &kind saas", "&kind", "not allowed in a plan"),
    "alias": ("company_kind: saas", "company_kind: *kind", "*kind", "not allowed in a plan"),
    "merge": ("at_most: { touches: 4, days: 30 }", "<<: { times: 3 }", "<<:", "not allowed in a plan"),
    "tag": ("name: Small plan", "name: !!python/object:os.system x", "name:", "tags (!) are not allowed"),
    "endless number": ("target: 0.8", "target: .inf", "target: .inf", "not an ordinary number"),
    "very long number": ("target: 0.8", f"target: {'9' * 5000}", "target: 9", "not an ordinary number"),
    "two documents": ("company_kind: saas", "company_kind: saas\n---\na: 1", "---", "One file holds one plan"),
    "control character": ("Small plan", "Small\x00plan", "name: Small", "U+0000 is not allowed"),
    "escaped control character": ("Small plan", '"Small\\0plan"', "name:", "not even escaped"),
}


@pytest.mark.parametrize(("old", "new", "blamed", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, blamed: str, said: str) -> None:
    text = changed(old, new)
    found = [(each.line, english(each)) for each in problems_of(text)]
    assert any(line == line_of(text, blamed) and said in sentence for line, sentence in found), found


def test_every_problem_stands_in_the_answer_not_only_the_first() -> None:
    text = changed("healthy_from: 80", "healthy_from: high", text=changed("times: 2", "times: 99"))
    assert [problem.path for problem in problems_of(text)] == ["health.healthy_from", "cadence.core.times"]


def test_the_column_points_at_the_value() -> None:
    text = changed("healthy_from: 80", "healthy_from: high")
    [problem] = problems_of(text)
    assert text.splitlines()[problem.line - 1][problem.column - 1 :] == "high"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "just words", "- a\n- b\n", "null", "42"])
def test_something_else_is_no_plan(text: str) -> None:
    assert problems_of(text)[0].line == 1


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_before_it_hurts(opening: str) -> None:
    assert problems_of(f"a:\n  {opening * 5000}")


def test_a_huge_text_is_refused_at_once() -> None:
    started = time.monotonic()
    assert "at most 128 KiB" in english(problems_of("#" * (8 * MAX_BYTES))[0])
    assert time.monotonic() - started < 1


def test_a_bomb_of_aliases_does_not_unfold() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    assert "Anchors" in english(problems_of(bomb)[0])


def test_rules_ask_about_the_tiers_of_this_plan() -> None:
    tiers = changed("key: core", "key: vip", text=changed("  core:\n", "  vip:\n"))
    assert rules.read(changed("{ health: { below: 60 } }", "{ tier: { is: vip } }", text=tiers), KNOWN)
    wrong = changed("{ health: { below: 60 } }", "{ tier: { is: core } }", text=tiers)
    assert "core is not one of vip, general" in english(problems_of(wrong)[0])
