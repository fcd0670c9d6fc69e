"""The plan on the web: who may read, draft and publish it, and what they see at the line that is wrong."""

from datetime import timedelta

import pytest
from django.test import Client

from zhike.conftest import NOW, Person
from zhike.decide.plans import operations, queries
from zhike.decide.plans.models import PlanState, PlanVersion
from zhike.decide.plans.tests.plans import SMALL, changed, line_of
from zhike.measure.models import FactsSummary

HALF = changed("revenue_up_to: 0.5", "revenue_up_to: 0.6")
BROKEN = changed("logins_per_week:", "logins_per_weak:")
HTMX = {"HX-Request": "true"}


def sent(text: str, **more: object) -> dict[str, object]:
    """Return what the editor sends."""
    return {"text": text, "note": "", "revision": "", "based_on": "1", **more}


def test_who_may_read_draft_and_publish(
    first: PlanVersion, mei: Person, viewer: Person, lead: Person, hire: object, stranger: Client
) -> None:
    marketer: Person = hire("Max", "marketer")  # type: ignore[operator]  # The fixture is a function.
    for page, people in {
        "/plan": {viewer: 200, mei: 200, marketer: 200, lead: 200, stranger: 302},
        "/plan/versions/1": {viewer: 200, mei: 200, lead: 200, stranger: 302},
        "/plan/versions/1/file": {viewer: 200, mei: 200, stranger: 302},
        "/plan/edit": {viewer: 403, mei: 403, marketer: 200, lead: 200, stranger: 302},
    }.items():
        assert {person: person.get(page).status_code for person in people} == people, page
    for page, people in {
        "/plan/check": {mei: 403, marketer: 200, stranger: 302},
        "/plan/discard": {mei: 403, marketer: 302, stranger: 302},
        "/plan/versions/1/rollback": {mei: 403, marketer: 403, lead: 302, stranger: 302},
        "/plan/publish": {mei: 403, marketer: 403, stranger: 302, lead: 302},
    }.items():
        assert {person: person.post(page, sent(HALF)).status_code for person in people} == people, page
    assert queries.in_force().number == 2


def test_reading_the_plan_shows_what_it_says(first: PlanVersion, mei: Person) -> None:
    FactsSummary.objects.create(
        tier="core", stage="growth", customers=60, revenue=0, revenue_12m=0, mrr=0, health_sum=0, health_known=0
    )
    page = mei.get("/plan").content.decode()
    for words in (
        "Small plan",
        "Keep customers",
        "80%",
        "Strategy talk",
        "2 a month",
        "No usage for 30 days",
        "at once",
    ):
        assert words in page, words
    row = page[page.index('id="tier-core"') :].split("</tr>")[0]
    assert "<b>28</b>" in row  # 60 customers, one touch in 15 days.
    assert "/plan/edit" not in page  # A CSM reads only.


def test_the_plan_is_read_in_chinese(first: PlanVersion, hire: object) -> None:
    mei: Person = hire("Mei", "csm", language="zh-hans")  # type: ignore[operator]  # The fixture is a function.
    page = mei.get("/plan").content.decode()
    assert "留住客户" in page
    assert "核心" in page


def test_a_company_without_a_plan_is_offered_ready_ones(lead: Person, mei: Person) -> None:
    assert "/plan/edit?ready=retail" in lead.get("/plan").content.decode()
    assert "/plan/edit?ready" not in mei.get("/plan").content.decode()
    assert "churn_by: orders" in lead.get("/plan/edit?ready=retail").content.decode()


def test_the_check_names_the_line_while_typing(first: PlanVersion, lead: Person) -> None:
    answer = lead.post("/plan/check", sent(BROKEN), headers=HTMX).content.decode()
    line = line_of(BROKEN, "logins_per_weak")
    assert f'data-lines="{line}"' in answer
    assert "did you mean logins_per_week?" in answer
    assert "<html" not in answer  # Only the findings.
    whole = lead.post("/plan/check", sent(BROKEN)).content.decode()
    assert "<html" in whole  # Without script the page comes back, the text kept.
    assert "logins_per_weak" in whole[whole.index("<textarea") :]


def test_the_check_shows_what_would_change(first: PlanVersion, lead: Person) -> None:
    answer = lead.post("/plan/check", sent(HALF), headers=HTMX).content.decode()
    assert 'data-lines=""' in answer
    assert "Tiers / Core / Share of revenue" in answer
    assert '<span class="old">0.5</span> → <b>0.6</b>' in answer


def test_publishing_a_broken_plan_names_the_line_and_keeps_the_text(first: PlanVersion, lead: Person) -> None:
    answer = lead.post("/plan/publish", sent(BROKEN))
    assert answer.status_code == 422
    assert "did you mean logins_per_week?" in answer.content.decode()
    assert queries.in_force().number == 1


def test_publishing_and_going_back(first: PlanVersion, lead: Person) -> None:
    lead.post("/plan/publish", sent(HALF, note="Wider core"))
    page = lead.get("/plan").content.decode()
    assert "Version 2 is in force" in page
    assert "Wider core" in page
    assert "up to 60% of all revenue" in page
    earlier = lead.get("/plan/versions/1").content.decode()
    assert "version 2 is in force" in earlier
    lead.post("/plan/versions/1/rollback")
    assert queries.in_force().number == 3
    assert "up to 50% of all revenue" in lead.get("/plan").content.decode()


def test_going_nowhere_is_refused(first: PlanVersion, lead: Person) -> None:
    assert "which is in force already" in lead.post("/plan/versions/1/rollback", follow=True).content.decode()
    assert lead.post("/plan/versions/9/rollback").status_code == 404
    assert lead.get("/plan/versions/9").status_code == 404
    assert lead.get("/plan/edit?from=9").status_code == 404


def test_a_draft_is_saved_continued_and_published(first: PlanVersion, lead: Person) -> None:
    lead.post("/plan/edit", sent(BROKEN))
    page = lead.get("/plan/edit").content.decode()
    assert "draft v2, changed by Lan" in page
    assert "logins_per_weak" in page
    assert "This draft is not a plan yet." in lead.get("/plan/versions/2").content.decode()
    lead.post("/plan/edit", sent(HALF, revision="1"))
    lead.post("/plan/publish", sent(HALF, revision="2"))
    assert list(PlanVersion.objects.order_by("number").values_list("number", "state")) == [
        (1, PlanState.RETIRED),
        (2, PlanState.IN_FORCE),
    ]


def test_the_second_to_save_sees_who_was_first_and_what_differs(
    first: PlanVersion, lead: Person, admin: Person
) -> None:
    draft = operations.save_draft(HALF, revision=None, by=lead.staff, now=NOW)
    operations.save_draft(SMALL, revision=draft.revision, by=admin.staff, now=NOW + timedelta(minutes=5))
    answer = lead.post("/plan/edit", sent(HALF, revision="1"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Ana saved the draft at 2026-03-12 10:23" in page
    assert "Share of revenue" in page
    assert "revenue_up_to: 0.6" in page  # What Lan typed is kept.
    assert 'name="revision" value="2"' in page  # The next try knows what it overwrites.
    assert lead.post("/plan/edit", sent(HALF, revision="2")).status_code == 302


def test_the_second_to_publish_is_told(first: PlanVersion, lead: Person, admin: Person) -> None:
    operations.publish(HALF, based_on=1, by=admin.staff, now=NOW)
    answer = lead.post("/plan/publish", sent(changed("times: 2", "times: 1")))
    assert answer.status_code == 409
    assert "Ana published version 2" in answer.content.decode()


def test_the_draft_is_thrown_away(first: PlanVersion, lead: Person) -> None:
    lead.post("/plan/edit", sent(HALF))
    assert "v2, changed" in lead.post("/plan/discard", {"revision": "7"}, follow=True).content.decode()
    lead.post("/plan/discard", {"revision": "1"})
    assert queries.draft() is None


def test_a_version_is_handed_out_as_the_same_file(first: PlanVersion, viewer: Person) -> None:
    answer = viewer.get("/plan/versions/1/file")
    assert answer.content.decode() == SMALL
    assert answer["Content-Disposition"] == 'attachment; filename="plan-v1.yaml"'


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "name: <b>x</b>\nxyz: <i>1</i>"])
def test_no_text_becomes_markup(first: PlanVersion, lead: Person, text: str) -> None:
    page = lead.post("/plan/check", sent(text)).content.decode()
    assert text not in page


@pytest.mark.parametrize("name", ["saas", "retail"])
def test_ready_plans_are_shown_whole(name: str, admin: Person) -> None:
    operations.ensure_ready_plan(name, now=NOW)
    assert admin.get("/plan").status_code == 200
    assert 'data-lines=""' in admin.get("/plan/edit").content.decode()


def test_reading_takes_few_queries(first: PlanVersion, lead: Person, django_assert_max_num_queries: object) -> None:
    lead.get("/plan")  # The navigation remembers its figures for a minute.
    with django_assert_max_num_queries(12):  # type: ignore[operator]  # pytest-django gives a context manager.
        lead.get("/plan")
