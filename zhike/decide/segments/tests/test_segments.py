"""Views of the customer list: saved by people, or given by the plan and changed with it alone."""

import pytest
from django.utils import translation

from zhike.conftest import NOW, Person
from zhike.decide.plans import operations as plans
from zhike.decide.plans.tests.plans import SMALL, changed
from zhike.decide.segments import operations
from zhike.decide.segments.models import Segment
from zhike.org.models import AuditLine

SILENT = {"days_since_usage": {"at_least": 30}}
NAMED = changed("name: High risk", "name: { zh: 高风险, en: High risk }")


def names(person: Person) -> list[str]:
    return [segment.label for segment in Segment.objects.visible_to(person.staff)]


def test_a_view_is_ones_own_until_it_is_shared(mei: Person, jun: Person) -> None:
    segment = operations.save_view("Silent", SILENT, sort="-days_since_usage", by=mei.staff, now=NOW)
    assert (names(mei), names(jun)) == (["Silent"], [])
    operations.change_view(segment, is_shared=True, name="Quiet", by=mei.staff, now=NOW)
    assert (names(mei), names(jun)) == (["Quiet"], ["Quiet"])
    lines = AuditLine.objects.filter(object_kind="segments.segment").order_by("id")
    assert [(line.action, line.actor_id) for line in lines] == [
        ("segment.saved", mei.staff.pk),
        ("segment.changed", mei.staff.pk),
    ]
    assert lines[1].detail["before"] == {"is_shared": False, "name": "Silent"}


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"karma": {"above": 1}},
        {"health": {"below": "low"}},
        {"health": {"sounds_like": 3}},
        {"all": []},
        {"health": {"below": 1}, "orders": {"above": 2}},
        {"attributes.secret": {"is": "x"}},
    ],
)
def test_a_rule_that_cannot_be_asked_is_not_saved(mei: Person, rule: dict[str, object]) -> None:
    with pytest.raises(operations.NotASegment):
        operations.save_view("Odd", rule, by=mei.staff, now=NOW)
    assert not Segment.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_view_needs_a_name(mei: Person, name: str) -> None:
    with pytest.raises(operations.NameMissing):
        operations.save_view(name, SILENT, by=mei.staff, now=NOW)


def test_a_name_is_taken_once_by_each(mei: Person, jun: Person) -> None:
    first = operations.save_view("Silent", SILENT, by=mei.staff, now=NOW)
    with pytest.raises(operations.NameTaken):
        operations.save_view(" Silent ", SILENT, by=mei.staff, now=NOW)
    operations.save_view("Silent", SILENT, by=jun.staff, now=NOW)
    other = operations.save_view("Other", SILENT, by=mei.staff, now=NOW)
    with pytest.raises(operations.NameTaken):
        operations.change_view(other, name="Silent", by=mei.staff, now=NOW)
    operations.change_view(first, name="Silent", sort="health", by=mei.staff, now=NOW)


def test_only_the_owner_or_a_publisher_changes_a_view(mei: Person, jun: Person, lead: Person) -> None:
    segment = operations.save_view("Silent", SILENT, shared=True, by=mei.staff, now=NOW)
    with pytest.raises(operations.NotYours):
        operations.change_view(segment, name="Mine", by=jun.staff, now=NOW)
    with pytest.raises(operations.NotYours):
        operations.delete_view(segment, by=jun.staff, now=NOW)
    operations.change_view(segment, name="Quiet", by=lead.staff, now=NOW)
    operations.delete_view(segment, by=mei.staff, now=NOW)
    assert AuditLine.objects.get(action="segment.deleted").detail["name"] == "Quiet"


def test_the_plan_brings_its_segments_and_takes_them_away(mei: Person, lead: Person) -> None:
    saved = operations.save_view("Silent", SILENT, by=mei.staff, now=NOW)
    plans.publish(NAMED, by=lead.staff, now=NOW)
    [risky, _saved] = Segment.objects.visible_to(mei.staff)
    assert (risky.plan_key, risky.rule, risky.is_shared) == ("risky", {"health": {"below": 60}}, True)
    plans.publish(changed("{ below: 60 }", "{ below: 50 }", text=NAMED), by=lead.staff, now=NOW)
    kept = Segment.objects.get(plan_key="risky")
    assert (kept.pk, kept.rule) == (risky.pk, {"health": {"below": 50}})  # Links to the view go on working.
    without = SMALL[: SMALL.index("segments:")] + SMALL[SMALL.index("cadence:") :]
    plans.publish(without, by=lead.staff, now=NOW)
    assert list(Segment.objects.all()) == [saved]


def test_the_plans_views_are_named_in_the_readers_language(mei: Person, lead: Person) -> None:
    plans.publish(NAMED, by=lead.staff, now=NOW)
    for language, name in {"zh-hans": "高风险", "en": "High risk"}.items():
        with translation.override(language):
            assert names(mei) == [name]


def test_a_view_of_the_plan_is_changed_in_the_plan(lead: Person) -> None:
    plans.publish(NAMED, by=lead.staff, now=NOW)
    segment = Segment.objects.get(plan_key="risky")
    with pytest.raises(operations.OfThePlan):
        operations.change_view(segment, name="Mine", by=lead.staff, now=NOW)
    with pytest.raises(operations.OfThePlan):
        operations.delete_view(segment, by=lead.staff, now=NOW)
