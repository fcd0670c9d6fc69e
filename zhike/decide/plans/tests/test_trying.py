"""A draft of the health score is tried on the past: by page with a job, by command, by those who may."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from procrastinate.contrib.django.models import ProcrastinateJob

from zhike.conftest import NOW, Person
from zhike.decide.plans import jobs, operations, queries
from zhike.decide.plans.models import HealthTrial, PlanVersion
from zhike.decide.plans.rules import PlanErrors
from zhike.decide.plans.tests.plans import changed
from zhike.measure.tests.test_trials import company

BY_USE = changed(
    "active_days_30d, weight: 60, zero_at: 0, full_at: 20", "usage_30d, weight: 100, zero_at: 0, full_at: 90"
)
SEGMENTS = """
  segments:
    - key: makers
      name: { zh: 制造业, en: Makers }
      where: { industry: { is: 制造 } }
      parts:
        feedback: { fact: last_nps, weight: 1, zero_at: 0, full_at: 10 }
segments:"""


def drafted(lead: Person, text: str = BY_USE) -> PlanVersion:
    return operations.save_draft(text, revision=None, by=lead.staff, now=NOW)


def test_a_draft_is_tried_by_the_worker_and_its_page_tells(first: PlanVersion, lead: Person, mei: Person) -> None:
    company()
    row = drafted(lead)
    page = lead.get(f"/plan/versions/{row.number}").content.decode()
    assert f"/plan/versions/{row.number}/try-health" in page
    assert mei.post(f"/plan/versions/{row.number}/try-health").status_code == 403
    answer = lead.post(f"/plan/versions/{row.number}/try-health", {"outcome": "churn", "horizon": "60"})
    trial = HealthTrial.objects.get()
    assert answer.headers["Location"] == f"/plan/trials/{trial.pk}"
    assert "Scoring past days" in lead.get(f"/plan/trials/{trial.pk}").content.decode()
    job = ProcrastinateJob.objects.get(task_name="plans.try_health")
    jobs.try_health(**job.args)
    jobs.try_health(**job.args)  # A worker may run it twice.
    page = mei.get(f"/plan/trials/{trial.pk}").content.decode()
    assert "The draft tells better who is lost" in page
    assert "Days of warning" in page
    told = HealthTrial.objects.get().result
    assert told["horizon"] == 60
    assert f"/plan/trials/{trial.pk}" in lead.get(f"/plan/versions/{row.number}").content.decode()


def test_a_trial_without_kept_days_says_so(first: PlanVersion, lead: Person) -> None:
    row = drafted(lead)
    lead.post(f"/plan/versions/{row.number}/try-health", {})
    trial = HealthTrial.objects.get()
    jobs.try_health(trial.pk)
    assert "so far 0 days are kept" in lead.get(f"/plan/trials/{trial.pk}").content.decode()


def test_a_plan_that_scores_alike_has_nothing_to_try(first: PlanVersion, lead: Person) -> None:
    row = drafted(lead, changed("name: Small plan", "name: Other plan"))
    assert "try-health" not in lead.get(f"/plan/versions/{row.number}").content.decode()
    lead.post(f"/plan/versions/{row.number}/try-health", {})
    assert not HealthTrial.objects.exists()


def test_segments_are_part_of_the_plan_and_checked(first: PlanVersion, lead: Person) -> None:
    text = changed("segments:\n", f"{SEGMENTS.strip(chr(10))}\n")
    plan = queries.checked(text)
    assert [segment.key for segment in plan.health.segments] == ["makers"]
    row = drafted(lead, text)
    page = lead.get(f"/plan/versions/{row.number}").content.decode()
    assert "Makers" in page
    for wrong, said in (
        ("{ tier: { is: core } }", "tier"),
        ("{ health: { below: 50 } }", "health"),
    ):
        with pytest.raises(PlanErrors) as refused:
            queries.checked(text.replace("{ industry: { is: 制造 } }", wrong))
        (problem,) = refused.value.problems
        assert problem.path.startswith("health.segments[0].where")
        assert said in str(problem.details)
    with pytest.raises(PlanErrors):
        queries.checked(text.replace("fact: last_nps, weight: 1,", "fact: tier, weight: 1,"))


@pytest.mark.django_db(transaction=True)
def test_the_command_tells_figures_and_verdict(tmp_path: Path, first: PlanVersion) -> None:
    company()
    file = tmp_path / "plan.yaml"
    file.write_text(BY_USE, encoding="utf-8")
    out, said = StringIO(), StringIO()
    call_command("plan", "try-health", str(file), "--horizon", "60", "--json", stdout=out, stderr=said)
    told = json.loads(out.getvalue())
    assert {"auc", "capture", "false_alarms", "warning"} <= set(told["draft"])
    assert (told["horizon"], told["verdict"]) == (60, "better")
    out = StringIO()
    call_command("plan", "try-health", str(file), stdout=out, stderr=said)
    assert "AUC" in out.getvalue()
