"""Drafts of the health score tried on kept days: with a truth that is known, without a look ahead."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhike.measure import snapshots, trials
from zhike.measure.models import FactsDay
from zhike.measure.specs import ChurnSpec, HealthSpec
from zhike.measure.trials import figures
from zhike.org.works import Silent

FIRST = date(2025, 1, 6)
WEEKS = 40
BY_USE = HealthSpec.model_validate(
    {"parts": {"usage": {"fact": "usage_30d", "weight": 1, "zero_at": 0, "full_at": 100}}}
)
BY_NPS = HealthSpec.model_validate(
    {"parts": {"feedback": {"fact": "last_nps", "weight": 1, "zero_at": 0, "full_at": 10}}}
)


def keep(day: date, columns: dict[str, pa.Array], *, late: bool = False) -> None:
    """Keep facts of a day, as a turn that morning would have."""
    table = pa.table(columns)
    at = datetime(day.year, day.month, day.day, 6, tzinfo=UTC) + timedelta(days=400 if late else 0)
    path = snapshots.write(table, day)
    FactsDay.objects.create(day=day, path=path, rows=table.num_rows, spec={}, computed_at=at, seconds=0)


def company(customers: int = 240, seed: int = 4, *, hazard: float = 0.05, only_after: bool = False) -> None:
    """Keep weeks of a company in which whoever uses little leaves; NPS says nothing.

    With `only_after`, use falls on the day of the loss and not before: nobody can know it earlier.
    """
    draw = np.random.default_rng(seed)
    level = draw.uniform(5, 95, customers)
    gone = np.zeros(customers, bool)
    for week in range(WEEKS):
        use = np.clip(np.full(customers, 80.0) if only_after else level + draw.normal(0, 4, customers), 0, 100)
        leaving = ~gone & (draw.random(customers) < (hazard / 2 if only_after else hazard * (level < 30)))
        gone |= leaving
        use[gone] = 0
        stage = np.where(gone, "churned", "maturity").tolist()
        keep(
            FIRST + timedelta(weeks=week),
            {
                "customer_id": pa.array(range(1, customers + 1), pa.int64()),
                "usage_30d": pa.array(use.round().astype(int), pa.int64()),
                "last_nps": pa.array(draw.integers(0, 11, customers), pa.int64()),
                "stage": pa.array(stage, pa.string()),
            },
        )


def tried(draft: HealthSpec = BY_USE, force: HealthSpec = BY_NPS, **given: Any) -> trials.Tried:
    return trials.try_health(draft, force, watcher=Silent(), **given)


@pytest.mark.django_db
def test_a_draft_that_tells_is_better_than_one_that_does_not() -> None:
    company()
    told = tried(horizon=60)
    assert told.verdict == "better"
    assert told.draft.auc.value is not None
    assert told.draft.auc.value > 0.75
    assert told.force.auc.low is not None
    assert told.force.auc.high is not None
    assert told.force.auc.low < 0.5 < told.force.auc.high
    assert told.better.low is not None
    assert told.better.low > 0
    assert told.draft.capture.value is not None
    assert told.force.capture.value is not None
    assert told.draft.capture.value > 2 * told.force.capture.value
    assert told.draft.warning.value is not None
    assert told.draft.warning.value >= 28
    assert told.deciles["draft"][0] > told.deciles["draft"][-1]  # type: ignore[operator]  # Both are counted.
    assert told.late == 0
    back = tried(BY_NPS, BY_USE, horizon=60)
    assert (back.verdict, back.draft.auc) == ("no_signal", told.force.auc)


@pytest.mark.django_db
def test_what_is_only_known_after_the_loss_helps_no_draft() -> None:
    company(only_after=True)
    told = tried(horizon=60)
    assert told.draft.auc.value == pytest.approx(0.5, abs=0.01)
    assert told.draft.warning.value == 0
    assert told.verdict == "no_signal"


@pytest.mark.django_db
def test_too_few_lost_customers_are_said_to_be_too_few() -> None:
    company(customers=40, hazard=0.01)
    told = tried(horizon=60)
    assert told.lost < 20
    assert told.verdict == "too_few"


@pytest.mark.django_db
def test_later_days_change_nothing_about_an_earlier_score() -> None:
    """Facts kept after the horizon are never read: rubbish in them leaves every figure as it was."""
    company()
    before = tried(horizon=60)
    last = FIRST + timedelta(weeks=WEEKS + 20)
    ids = pa.array(range(1, 241), pa.int64())
    keep(last, {"customer_id": ids, "usage_30d": pa.array([0] * 240, pa.int64()), "stage": pa.array(["churned"] * 240)})
    FactsDay.objects.filter(day=last).update(day=last)
    after = tried(horizon=60)
    # More days can be counted now; those that were counted before, by themselves, gave the same.
    FactsDay.objects.filter(day=last).delete()
    assert tried(horizon=60) == before
    assert after.days >= before.days


@pytest.mark.django_db
def test_a_contract_that_was_not_renewed_is_a_loss_and_one_that_was_is_none() -> None:
    ends = [FIRST + timedelta(days=120 + place % 60) for place in range(120)]
    for week in range(WEEKS):
        day = FIRST + timedelta(weeks=week)
        renewed = [place % 2 == 0 and day >= end for place, end in enumerate(ends)]
        keep(
            day,
            {
                "customer_id": pa.array(range(120), pa.int64()),
                "usage_30d": pa.array([60 if place % 2 == 0 else 20 for place in range(120)], pa.int64()),
                "last_nps": pa.array([place % 11 for place in range(120)], pa.int64()),
                "stage": pa.array(["maturity"] * 120),
                "contract_end": pa.array(
                    [end + timedelta(days=365) if again else end for end, again in zip(ends, renewed, strict=True)],
                    pa.date32(),
                ),
            },
        )
    told = tried(horizon=90, outcome="renewal")
    assert told.lost == 60
    assert told.draft.auc.value == 1.0
    assert told.verdict == "better"


@pytest.mark.django_db
def test_what_being_lost_means_comes_from_the_plan() -> None:
    """No stage is kept here: who is lost is told by the last order, and somebody back the next week is not."""
    gone = [100 + 2 * place if place % 2 else 10_000 for place in range(60)]
    for week in range(WEEKS):
        day, at = FIRST + timedelta(weeks=week), 7 * week
        keep(
            day,
            {
                "customer_id": pa.array(range(60), pa.int64()),
                "usage_30d": pa.array([20 if place % 2 else 80 for place in range(60)], pa.int64()),
                "last_nps": pa.array([place % 11 for place in range(60)], pa.int64()),
                "last_order": pa.array([FIRST + timedelta(days=min(at, end)) for end in gone], pa.date32()),
            },
        )
    told = tried(horizon=60, churn=ChurnSpec(by="orders", days=30))
    assert (told.lost_by, told.lost_days, told.lost) == ("orders", 30, 30)
    assert told.draft.auc.value is not None
    assert told.draft.auc.value > 0.6
    assert tried(horizon=60, churn=ChurnSpec(by="usage", days=30)).lost == 0


@pytest.mark.django_db
def test_days_that_were_computed_afterwards_are_counted() -> None:
    company(customers=60)
    FactsDay.objects.update(computed_at=datetime(2026, 6, 1, tzinfo=UTC))
    told = tried(horizon=60)
    assert told.late == told.days


@pytest.mark.django_db
def test_without_kept_days_there_is_nothing_to_try() -> None:
    with pytest.raises(trials.NothingToTry) as refused:
        tried()
    assert refused.value.details == {"horizon": 90, "days": 0}


SCORES = st.lists(st.tuples(st.integers(0, 1000), st.booleans(), st.integers(0, 3)), min_size=2, max_size=60)


@settings(max_examples=60, deadline=None)
@given(SCORES, st.randoms(use_true_random=False))
def test_auc_is_the_published_one_whatever_the_order_of_rows(rows: list[tuple[int, bool, int]], random: Any) -> None:
    def auc_of(given: list[tuple[int, bool, int]]) -> float | None:
        score, lost, _day = (np.array(column) for column in zip(*given, strict=True))
        return figures.auc(score.astype(np.int64), lost.astype(np.float64), np.ones(len(given)))

    lost = [each[1] for each in rows]
    found = auc_of(rows)
    if len(set(lost)) < 2:
        assert found is None
        return
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415  A second to load, also for who only collects.

    assert found == pytest.approx(roc_auc_score(lost, [-each[0] for each in rows]))
    mixed = list(rows)
    random.shuffle(mixed)
    assert auc_of(mixed) == pytest.approx(found)


@settings(max_examples=40, deadline=None)
@given(SCORES)
def test_the_worst_tenth_is_a_tenth_of_every_day(rows: list[tuple[int, bool, int]]) -> None:
    score, _lost, day = (np.array(column) for column in zip(*rows, strict=True))
    found = figures.in_worst_tenth(score.astype(np.int64), day.astype(np.int64))
    for each in np.unique(day):
        assert found[day == each].sum() == pytest.approx(0.1 * (day == each).sum())
