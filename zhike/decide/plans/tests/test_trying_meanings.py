"""Every meaning of being lost, through the command and the page, against a truth worked out by hand beside it."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from django.core.management import call_command
from django.utils import translation
from procrastinate.contrib.django.models import ProcrastinateJob

from zhike.conftest import NOW, Person
from zhike.decide.plans import jobs, operations
from zhike.decide.plans.models import HealthTrial, PlanVersion
from zhike.decide.plans.tests.plans import changed
from zhike.measure.tests.test_trials import FIRST, WEEKS, keep

CUSTOMERS, HORIZON, SILENT = 160, 60, 30
LAST = FIRST + timedelta(weeks=WEEKS - 1)
DRAFT = changed(
    "active_days_30d, weight: 60, zero_at: 0, full_at: 20", "features_30d, weight: 60, zero_at: 0, full_at: 100"
).replace("    feedback: { fact: last_nps, weight: 40, zero_at: 4, full_at: 9 }\n", "")
SAID = {
    "orders": "no order for 30 days",
    "usage": "no use for 30 days",
    "contract": "no contract runs any more",
    "renewal": "a contract that ended and was not renewed",
}
Rows = list[tuple[int, bool]]


@dataclass(frozen=True)
class Truth:
    """What a trial has to find: score and answer of every customer counted on a day, and how many were lost."""

    rows: Rows
    lost: int

    @property
    def auc(self) -> float:
        score, lost = np.array([one[0] for one in self.rows]), np.array([one[1] for one in self.rows])
        from sklearn.metrics import roc_auc_score  # noqa: PLC0415  A second to load, also for who only collects.

        return float(roc_auc_score(lost, -score))

    @property
    def false_alarms(self) -> float:
        alarmed = [lost for score, lost in self.rows if score < 60]
        return 1 - sum(alarmed) / len(alarmed)


def drawn() -> tuple[Any, Any, Any]:
    """Return who stays, the day on which each of the others goes, and a score for each week that foretells it a bit."""
    draw = np.random.default_rng(11)
    stays = np.arange(CUSTOMERS) % 2 == 0
    goes = np.array([FIRST + timedelta(days=int(one)) for one in draw.integers(60, 240, CUSTOMERS)])
    level = np.where(stays, 68, 48)
    return stays, goes, np.clip(level + draw.normal(0, 12, (WEEKS, CUSTOMERS)), 0, 100).round().astype(int)


def lived(meaning: str) -> Truth:
    """Keep weeks in which half of the customers go, and return what is true of them."""
    stays, goes, scores = drawn()
    days = [FIRST + timedelta(weeks=week) for week in range(WEEKS)]
    for day, score in zip(days, scores, strict=True):
        facts = {
            "customer_id": pa.array(range(CUSTOMERS), pa.int64()),
            "features_30d": pa.array(score, pa.int64()),
            "active_days_30d": pa.array([10] * CUSTOMERS, pa.int64()),
        }
        keep(day, facts | _sign(meaning, day, stays, goes))
    first_gone = [None if stay else _first(meaning, days, gone) for stay, gone in zip(stays, goes, strict=True)]
    counted = [day for day in days if day <= LAST - timedelta(days=HORIZON)][::-1][::4]
    rows, lost = [], set()
    for day in counted:
        until = day + timedelta(days=HORIZON)
        for customer, gone in enumerate(first_gone):
            here = gone is None or day < gone
            asked = day < goes[customer] <= until if meaning == "renewal" else here
            if not asked:
                continue
            goes_now = gone is not None and day < gone <= until
            rows.append((int(scores[days.index(day), customer]), goes_now))
            lost |= {customer} if goes_now else set()
    return Truth(rows, len(lost))


def _first(meaning: str, days: list[date], gone: date) -> date | None:
    """Return the day of the loss: the first kept day that shows it, or the end of the contract itself."""
    if meaning == "renewal":
        return gone
    shown = gone if meaning == "contract" else gone + timedelta(days=SILENT)
    return next((day for day in days if day >= shown), None)


def _sign(meaning: str, day: date, stays: Any, goes: Any) -> dict[str, pa.Array]:
    if meaning in {"orders", "usage"}:
        last = [day if stay else min(day, gone) for stay, gone in zip(stays, goes, strict=True)]
        return {f"last_{'order' if meaning == 'orders' else 'usage'}": pa.array(last, pa.date32())}
    if meaning == "contract":
        paid = [100.0 if stay or day < gone else None for stay, gone in zip(stays, goes, strict=True)]
        return {"mrr": pa.array(paid, pa.float64())}
    year = timedelta(days=365)
    ends = [gone if day < gone else gone + year if stay else None for stay, gone in zip(stays, goes, strict=True)]
    return {"contract_end": pa.array(ends, pa.date32())}


def plan(meaning: str) -> str:
    by = {"renewal": "orders"}.get(meaning, meaning)
    return DRAFT + f"churn:\n  by: {by}\n  days: {SILENT}\n  horizon_days: {HORIZON}\n"


def check(told: dict[str, Any], meaning: str, truth: Truth) -> None:
    assert told["lost_by"] == meaning
    assert told["lost"] == truth.lost >= 40
    assert told["rows"] == len(truth.rows)
    assert told["draft"]["auc"]["value"] == pytest.approx(truth.auc, abs=1e-4)
    assert told["draft"]["auc"]["low"] < truth.auc < told["draft"]["auc"]["high"]
    assert told["draft"]["false_alarms"]["value"] == pytest.approx(truth.false_alarms, abs=1e-4)
    assert told["verdict"] == "better"


@pytest.mark.parametrize("meaning", sorted(SAID))
@pytest.mark.django_db(transaction=True)
def test_the_command_finds_what_is_true(meaning: str, tmp_path: Path, first: PlanVersion) -> None:
    truth = lived(meaning)
    file, out, said = tmp_path / "plan.yaml", StringIO(), StringIO()
    file.write_text(plan(meaning), encoding="utf-8")
    outcome = "renewal" if meaning == "renewal" else "churn"
    asked = ("plan", "try-health", str(file), "--horizon", str(HORIZON), "--outcome", outcome)
    call_command(*asked, "--json", stdout=out, stderr=said)
    check(json.loads(out.getvalue()), meaning, truth)
    words = StringIO()
    with translation.override("en"):
        call_command(*asked, stdout=words, stderr=said)
    assert SAID[meaning] in words.getvalue()


@pytest.mark.parametrize("meaning", sorted(SAID))
def test_the_page_finds_what_is_true(meaning: str, first: PlanVersion, lead: Person) -> None:
    truth = lived(meaning)
    row = operations.save_draft(plan(meaning), revision=None, by=lead.staff, now=NOW)
    outcome = "renewal" if meaning == "renewal" else "churn"
    lead.post(f"/plan/versions/{row.number}/try-health", {"outcome": outcome, "horizon": str(HORIZON)})
    jobs.try_health(**ProcrastinateJob.objects.get(task_name="plans.try_health").args)
    trial = HealthTrial.objects.get()
    check(trial.result, meaning, truth)
    page = lead.get(f"/plan/trials/{trial.pk}").content.decode()
    assert SAID[meaning] in page
    assert f"{trial.result['draft']['auc']['value']:.3f}" in page
