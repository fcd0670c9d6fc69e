"""Views of the customer list that people save."""

import pytest

from zhike.conftest import NOW, Person
from zhike.decide.segments import operations
from zhike.decide.segments.models import Segment
from zhike.org.models import AuditLine

SILENT = {"days_since_usage": {"at_least": 30}}


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
