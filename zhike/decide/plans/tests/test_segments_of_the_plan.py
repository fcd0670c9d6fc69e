"""The segments of the plan are views of the customer list for everybody, and change with the plan alone."""

import pytest
from django.utils import translation

from zhike.conftest import NOW, Person
from zhike.decide.plans import operations as plans
from zhike.decide.plans.tests.plans import SMALL, changed
from zhike.decide.segments import operations
from zhike.decide.segments.models import Segment

SILENT = {"days_since_usage": {"at_least": 30}}
NAMED = changed("name: High risk", "name: { zh: 高风险, en: High risk }")


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
            assert [segment.label for segment in Segment.objects.visible_to(mei.staff)] == [name]


def test_a_view_of_the_plan_is_changed_in_the_plan(lead: Person) -> None:
    plans.publish(NAMED, by=lead.staff, now=NOW)
    segment = Segment.objects.get(plan_key="risky")
    with pytest.raises(operations.OfThePlan):
        operations.change_view(segment, name="Mine", by=lead.staff, now=NOW)
    with pytest.raises(operations.OfThePlan):
        operations.delete_view(segment, by=lead.staff, now=NOW)
