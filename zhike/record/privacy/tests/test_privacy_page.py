"""Retention and erasure through the page: rules, who is meant, the erasure itself and its receipt."""

from pathlib import Path
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from zhike.conftest import NOW, Person
from zhike.org.models import AuditLine, Work
from zhike.record.customers.models import Contact
from zhike.record.events.models import ErasureReceipt, RetentionRule
from zhike.record.privacy import jobs, queries
from zhike.record.tracking.models import Identity
from zhike.record.tracking.operations import drain
from zhike.record.tracking.tests import flow


@pytest.fixture(autouse=True)
def lake(settings: Any, tmp_path: Path) -> None:
    settings.LAKE = tmp_path


def test_only_who_manages_the_company_comes_in(admin: Person, mei: Person) -> None:
    assert mei.get("/settings/privacy").status_code == 403
    assert mei.post("/settings/privacy/erase", {"name": "u1", "reason": "asked"}).status_code == 403
    page = admin.get("/settings/privacy").content.decode()
    assert "Nothing is removed by age" in page
    assert "Nobody was erased yet." in page


def test_a_rule_is_set_changed_and_taken_back(admin: Person) -> None:
    for days in (400, 90):
        assert admin.post("/settings/privacy/rules", {"event": "Opened", "days": days}).status_code == 302
    rule = RetentionRule.objects.get()
    assert (rule.event, rule.days) == ("Opened", 90)
    lines = AuditLine.objects.filter(action="retention.set").order_by("id")
    assert [(line.detail["before"], line.detail["after"]) for line in lines] == [(None, 400), (400, 90)]
    refused = admin.post("/settings/privacy/rules", {"event": "Opened", "days": 0})
    assert refused.status_code == 422
    assert RetentionRule.objects.get().days == 90
    assert admin.post(f"/settings/privacy/rules/{rule.pk}/drop").status_code == 302
    assert not RetentionRule.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_person_is_looked_up_erased_and_receipted(admin: Person) -> None:
    firm = flow.customer("C1")
    zhou = flow.contact(firm, "u1", "zhou@firm.example")
    flow.contact(firm, "u2", "other@firm.example")
    flow.put_in(flow.event("m1", "u1"), flow.event("m2", "u2"), flow.event("m3", "u1"))
    drain(NOW)
    shown = admin.get("/settings/privacy", {"name": "zhou@firm.example"}).content.decode()
    assert "Erase for good" in shown
    assert 'value="zhou@firm.example"' in shown
    assert admin.post("/settings/privacy/erase", {"name": "zhou@firm.example", "reason": ""}).status_code == 422
    sent = admin.post("/settings/privacy/erase", {"name": "zhou@firm.example", "reason": "asked by letter"})
    work = Work.objects.get(kind="privacy.erase")
    assert sent.headers["Location"] == f"/jobs/{work.pk}"
    assert Contact.objects.filter(pk=zhou.pk).exists()  # The worker does it.
    job = ProcrastinateJob.objects.get(task_name="privacy.erase")
    jobs.erase(**job.args)
    assert flow.messages(flow.live()) == [flow.digest("m2")]
    assert set(Contact.objects.values_list("ref", flat=True)) == {"u2"}
    assert not Identity.objects.filter(value="u1").exists()
    receipt = ErasureReceipt.objects.get()
    assert (receipt.rows, receipt.reason, receipt.by_id) == (2, "asked by letter", admin.staff.pk)
    work.refresh_from_db()
    assert work.state == "done"
    assert "2 events" in work.result["text"]
    assert receipt.subject[:12] in admin.get("/settings/privacy").content.decode()
    jobs.erase(**job.args)  # The same job once more, as after a lost worker.
    assert ErasureReceipt.objects.count() == 1


def test_nobody_is_told_and_nothing_is_asked_for(admin: Person) -> None:
    assert "Nobody is known as" in admin.get("/settings/privacy", {"name": "ghost"}).content.decode()
    assert admin.post("/settings/privacy/erase", {"name": "ghost", "reason": "asked"}).status_code == 302
    assert not Work.objects.exists()
    assert queries.meant_by("  ").is_nobody
