"""Drafting, publishing and going back: versions are kept, and nobody overwrites a colleague unseen."""

from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from zhike.conftest import NOW, Person
from zhike.decide.plans import operations, queries
from zhike.decide.plans.models import PlanState, PlanVersion
from zhike.decide.plans.rules import PlanErrors
from zhike.decide.plans.tests.conftest import EARLIER
from zhike.decide.plans.tests.plans import SMALL, changed
from zhike.kit.refusal import Refusal
from zhike.org.models import AuditLine

HALF = changed("revenue_up_to: 0.5", "revenue_up_to: 0.6")
BROKEN = changed("revenue_up_to: 0.5", "revenue_up_to: much")


def remeasurings() -> list[object]:
    jobs = ProcrastinateJob.objects.filter(task_name="loop.remeasure").order_by("id")
    return [job.args for job in jobs]


def states() -> list[tuple[int, str]]:
    return list(PlanVersion.objects.order_by("number").values_list("number", "state"))


def test_a_published_plan_is_in_force_and_the_one_before_is_kept(first: PlanVersion, lead: Person) -> None:
    second = operations.publish(HALF, note="Wider core", by=lead.staff, now=NOW)
    assert states() == [(1, PlanState.RETIRED), (2, PlanState.IN_FORCE)]
    assert queries.in_force().number == second.number == 2
    assert queries.in_force().tiers.tiers[0].revenue_up_to == 0.6
    assert queries.plan_of(queries.version(1)).tiers.tiers[0].revenue_up_to == 0.5
    assert (second.note, second.published_by, second.based_on) == ("Wider core", lead.staff, first)


def test_publishing_leaves_an_audit_line_and_asks_for_measuring_anew(first: PlanVersion, lead: Person) -> None:
    assert remeasurings() == []  # Nobody has been measured by an earlier plan.
    operations.publish(HALF, note="Wider core", by=lead.staff, now=NOW)
    line = AuditLine.objects.get(action="plan.published", detail__number=2)
    assert (line.actor_id, line.detail["before"], line.detail["note"]) == (lead.staff.pk, 1, "Wider core")
    assert remeasurings() == [{"plan_number": 2}]


def test_a_broken_text_changes_nothing(first: PlanVersion, lead: Person) -> None:
    lines = AuditLine.objects.count()
    with pytest.raises(PlanErrors):
        operations.publish(BROKEN, by=lead.staff, now=NOW)
    assert (states(), remeasurings(), AuditLine.objects.count()) == ([(1, PlanState.IN_FORCE)], [], lines)


def test_the_same_text_is_not_published_twice(first: PlanVersion, lead: Person) -> None:
    with pytest.raises(operations.NothingChanged):
        operations.publish(SMALL.replace("\n", "\r\n") + "\n\n", by=lead.staff, now=NOW)
    assert states() == [(1, PlanState.IN_FORCE)]


def test_going_back_makes_a_new_version_of_the_old_text(first: PlanVersion, lead: Person) -> None:
    operations.publish(HALF, by=lead.staff, now=NOW)
    third = operations.roll_back(1, by=lead.staff, now=NOW)
    assert states() == [(1, PlanState.RETIRED), (2, PlanState.RETIRED), (3, PlanState.IN_FORCE)]
    assert third.text == first.text
    assert AuditLine.objects.filter(action="plan.published", detail__back_to=1).exists()


def test_there_is_no_going_back_to_what_was_never_in_force(first: PlanVersion, lead: Person) -> None:
    draft = operations.save_draft(HALF, revision=None, by=lead.staff, now=NOW)
    with pytest.raises(operations.NotPublished):
        operations.roll_back(draft.number, by=lead.staff, now=NOW)
    with pytest.raises(operations.NothingChanged):
        operations.roll_back(1, by=lead.staff, now=NOW)
    with pytest.raises(queries.NoSuchVersion):
        operations.roll_back(99, by=lead.staff, now=NOW)


def test_a_draft_may_be_wrong_and_is_published_under_its_number(first: PlanVersion, lead: Person) -> None:
    draft = operations.save_draft(BROKEN, revision=None, by=lead.staff, now=NOW)
    assert (draft.number, draft.based_on, queries.in_force().number) == (2, first, 1)
    draft = operations.save_draft(HALF, revision=draft.revision, by=lead.staff, now=NOW)
    row = operations.publish(HALF, draft_revision=draft.revision, by=lead.staff, now=NOW)
    assert row.pk == draft.pk
    assert states() == [(1, PlanState.RETIRED), (2, PlanState.IN_FORCE)]


def test_saving_over_a_colleague_is_refused_with_their_name(first: PlanVersion, lead: Person, admin: Person) -> None:
    draft = operations.save_draft(HALF, revision=None, by=lead.staff, now=NOW)
    operations.save_draft(SMALL + "# Ana\n", revision=draft.revision, by=admin.staff, now=NOW + timedelta(minutes=5))
    with pytest.raises(operations.DraftChanged) as refused:
        operations.save_draft(HALF + "# Lan\n", revision=draft.revision, by=lead.staff, now=NOW)
    assert refused.value.details == {"who": "Ana", "when": "2026-03-12 10:23"}
    with pytest.raises(operations.DraftChanged):
        operations.publish(HALF, draft_revision=draft.revision, by=lead.staff, now=NOW)
    with pytest.raises(operations.DraftChanged):
        operations.save_draft(HALF, revision=None, by=lead.staff, now=NOW)
    found = queries.draft()
    assert found is not None
    assert "# Ana" in found.text


def test_a_draft_that_is_gone_is_not_written_to(first: PlanVersion, lead: Person) -> None:
    draft = operations.save_draft(HALF, revision=None, by=lead.staff, now=NOW)
    operations.discard_draft(revision=draft.revision, by=lead.staff, now=NOW)
    assert AuditLine.objects.get(action="plan.draft_discarded").detail["text"] == HALF
    with pytest.raises(operations.DraftGone):
        operations.save_draft(HALF, revision=draft.revision, by=lead.staff, now=NOW)
    with pytest.raises(operations.DraftGone):
        operations.discard_draft(revision=draft.revision, by=lead.staff, now=NOW)


def test_publishing_over_a_newer_version_is_refused(first: PlanVersion, lead: Person, admin: Person) -> None:
    operations.publish(HALF, based_on=1, by=admin.staff, now=NOW)
    with pytest.raises(operations.PublishedMeanwhile) as refused:
        operations.publish(SMALL + "# mine\n", based_on=1, by=lead.staff, now=NOW)
    assert refused.value.details["who"] == "Ana"
    assert queries.in_force().number == 2


def test_a_file_published_past_a_draft_does_not_leave_two_orders(first: PlanVersion, lead: Person) -> None:
    draft = operations.save_draft(HALF, revision=None, by=lead.staff, now=NOW)
    operations.publish(SMALL + "# from a file\n", by=None, now=NOW)
    row = operations.publish(HALF, draft_revision=draft.revision, based_on=3, by=lead.staff, now=NOW)
    assert states() == [(1, PlanState.RETIRED), (3, PlanState.RETIRED), (4, PlanState.IN_FORCE)]
    assert row.pk == draft.pk


def test_a_text_without_end_is_refused(first: PlanVersion, lead: Person) -> None:
    with pytest.raises(operations.TextTooLarge):
        operations.save_draft("#" * 200_000, revision=None, by=lead.staff, now=NOW)


@pytest.mark.parametrize("name", ["saas", "retail"])
def test_ready_plans_check_clean_and_publish(name: str, db: None) -> None:
    row = operations.ensure_ready_plan(name, now=NOW)
    assert queries.in_force().number == row.number == 1
    assert [tier.key for tier in queries.in_force().measure.tiers.tiers] == ["core", "key", "potential", "general"]
    assert operations.ensure_ready_plan("saas", now=NOW).pk == row.pk  # A second start changes nothing.


def test_an_unknown_ready_plan_is_named(db: None) -> None:
    with pytest.raises(queries.NoSuchReadyPlan):
        operations.ensure_ready_plan("../../settings", now=NOW)


def test_a_fresh_installation_has_no_plan(db: None) -> None:
    with pytest.raises(queries.NoPlanInForce):
        queries.in_force()


def test_the_plan_in_force_is_asked_for_in_one_query(first: PlanVersion, django_assert_num_queries: object) -> None:
    queries.in_force()
    with django_assert_num_queries(1):  # type: ignore[operator]  # pytest-django gives a context manager.
        queries.in_force()


def test_two_publishers_at_once_follow_each_other(transactional_db: None, first: PlanVersion, lead: Person) -> None:
    start = Barrier(2)
    said: list[object] = []

    def publish(text: str, at: datetime) -> None:
        start.wait()
        try:
            said.append(operations.publish(text, based_on=1, by=lead.staff, now=at).number)
        except Refusal as refusal:
            said.append(type(refusal).__name__)
        finally:
            connection.close()

    texts = [changed("revenue_up_to: 0.5", f"revenue_up_to: 0.{digit}") for digit in (6, 7)]
    threads = [Thread(target=publish, args=(text, EARLIER)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, said)) == ["2", "PublishedMeanwhile"]
    assert states() == [(1, PlanState.RETIRED), (2, PlanState.IN_FORCE)]
