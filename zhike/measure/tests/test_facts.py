"""The declarations: complete in both languages, the same in table and page."""

from pathlib import Path

import pytest

from zhike.kit.ruletrees import Kind
from zhike.measure import facts
from zhike.measure.exporting import COLUMNS, FIRST
from zhike.measure.facts import FACTS, STORED
from zhike.measure.facts.page import PLACE, page
from zhike.measure.models import CustomerFacts
from zhike.record.customers.models import AttributeDefinition, Customer, CustomerKind


def chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_every_fact_speaks_both_languages() -> None:
    for fact in FACTS.values():
        assert chinese(fact.meaning_zh), fact.name
        assert not chinese(fact.en + fact.meaning_en), fact.name
        assert fact.label("zh-hans") == fact.zh
        assert fact.label("en") == fact.en
        assert fact.meaning("en") == fact.meaning_en


def test_no_two_facts_have_the_same_label() -> None:
    for language in ("zh-hans", "en"):
        labels = [fact.label(language) for fact in FACTS.values()]
        assert sorted(labels) == sorted(set(labels))


def test_the_reference_page_is_what_the_declarations_say() -> None:
    shown = Path(__file__).parents[3] / PLACE
    assert shown.read_text(encoding="utf-8") == page(FACTS), "run: python -m django facts"


def test_each_stored_fact_is_a_column_and_every_other_stands_in_the_customer() -> None:
    columns = {field.name for field in CustomerFacts._meta.get_fields()}
    assert columns == {"customer", "health_weeks", "book_id", *(fact.name for fact in STORED)}
    own = {name for name, fact in FACTS.items() if not fact.stored}
    assert own <= {field.attname for field in Customer._meta.concrete_fields}


def test_the_kinds_of_customer_are_those_of_the_record() -> None:
    assert FACTS["kind"].choices == tuple(CustomerKind.values)


def test_the_export_begins_with_what_was_promised_and_leaves_nothing_out() -> None:
    assert COLUMNS[: len(FIRST)] == FIRST
    assert set(COLUMNS) == {*FACTS, "attributes"}


@pytest.mark.django_db
def test_rules_may_ask_about_the_attributes_that_the_company_added() -> None:
    AttributeDefinition.objects.create(name="score", title="Score", kind="number")
    AttributeDefinition.objects.create(name="plan", title="Plan", kind="choice", choices=["a", "b"])
    AttributeDefinition.objects.create(name="tags", title="Tags", kind="multi", choices=["x"])
    AttributeDefinition.objects.create(name="site", title="Site", kind="link")
    found = facts.fields(["vip", "rest"])
    assert found["attributes.score"].kind is Kind.NUMBER
    assert found["attributes.plan"].choices == ("a", "b")
    assert found["attributes.tags"].kind is Kind.MULTI
    assert found["attributes.site"].kind is Kind.TEXT
    assert found["tier"].choices == ("vip", "rest")
    assert facts.fields()["tier"].kind is Kind.TEXT


def test_health_and_tiers_may_only_ask_what_is_known_before_them() -> None:
    assert "health" not in facts.HEALTH_INPUTS
    assert "stage" not in facts.HEALTH_INPUTS
    assert {"usage_30d", "days_to_renewal", "r_score"} <= facts.HEALTH_INPUTS
    assert "tier" not in facts.TIER_INPUTS
    assert {"health", "stage", "revenue"} <= facts.TIER_INPUTS
