"""Churn in the product: learnt from kept days alone, withheld where they carry nothing, never wiser than its day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from zhike.kit.ruletrees import ATTRIBUTES
from zhike.measure import snapshots, turns
from zhike.measure.churn import judging, trying
from zhike.measure.facts import FACTS
from zhike.measure.leaving import gathering, saying, telling
from zhike.measure.models import ChurnModel, CustomerFacts, FactsDay
from zhike.measure.specs import ChurnSpec, MeasureSpec
from zhike.measure.tests.conftest import NOW, PLAN, TODAY, Book

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

WEEK = timedelta(weeks=1)
BY_USE = ChurnSpec(by="usage", days=30, horizon_days=56)


def keep(day: date, customers: Sequence[int], facts: dict[str, Any]) -> None:
    """Write a kept day with these facts; all the others are unknown."""
    columns: dict[str, Any] = {"customer_id": pa.array(customers, pa.int64())}
    for name in FACTS:
        blank = snapshots.unknown(name, len(customers))
        columns[name] = pa.array(facts[name]).cast(blank.type) if name in facts else blank
    columns[ATTRIBUTES] = pa.array(["{}"] * len(customers))
    FactsDay.objects.update_or_create(
        day=day,
        defaults={
            "path": snapshots.write(pa.table(columns), day),
            "rows": len(customers),
            "spec": {},
            "computed_at": NOW,
            "seconds": 0.0,
        },
    )


def history(size: int = 500, weeks: int = 30, seed: int = 3, *, told: bool = True) -> np.ndarray[Any, Any]:
    """Keep weekly days of customers whose use foretells, or does not, whether they stop; returns the true chances.

    The chances are those of stopping within the horizon from the last day, of customers who had not stopped by then.
    """
    rng = np.random.default_rng(seed)
    pull = rng.normal(0, 1, size)
    weekly = 1 - np.exp(-0.012 * np.exp(1.3 * pull))
    stopped = np.full(size, 10**6)
    for week in range(weeks + 1):
        day = TODAY - WEEK * (weeks - week)
        newly = (stopped > week) & (rng.random(size) < weekly)
        stopped[newly] = week
        since = np.where(stopped <= week, 7 * (week - stopped) + 3, 1)
        if not told:  # Who is away on a day is drawn by lot, whatever was before.
            since = np.where(rng.random(size) < 0.04, 40, 1)
        shown = pull if told else rng.normal(0, 1, size)
        used = np.clip(60 - 18 * shown + rng.normal(0, 4, size), 0, None) * np.where(since < 30, 1, 0)
        facts = {
            "last_usage": [day - timedelta(days=int(one)) for one in since],
            "days_since_usage": since.astype(int),
            "usage_30d": used.round().astype(int),
            "users_30d": rng.poisson(5, size),
            "tenure_days": 400 + 7 * week + rng.permutation(size),
            "stage": rng.choice(["growth", "maturity"], size),
        }
        keep(day, range(1, size + 1), facts)
    # To be seen as gone within 8 weeks one must stop within the first 4, as 30 days must pass.
    return np.where(stopped > weeks, 1 - (1 - weekly) ** 4, np.nan)


def today_table() -> pa.Table:
    return snapshots.read(FactsDay.objects.get(day=TODAY))


def test_the_score_is_learnt_and_calibrated_and_orders_by_the_true_chance() -> None:
    truth = history()
    column, model = saying.said(today_table(), BY_USE, TODAY)
    assert model is not None
    assert model.card["published"], model.card["findings"]
    assert model.card["auc"] > 0.7
    assert model.card["ece"] < 0.05
    assert model.card["lead_days"] > 0
    assert "usage_30d" in [one["fact"] for one in model.card["drivers"][:3]]
    said = column.to_numpy(zero_copy_only=False)
    both = ~np.isnan(said) & ~np.isnan(truth)
    assert both.sum() > 200
    assert np.corrcoef(np.argsort(np.argsort(said[both])), np.argsort(np.argsort(truth[both])))[0, 1] > 0.7
    assert abs(said[both].mean() - truth[both].mean()) < 0.03


def test_who_has_stopped_already_has_no_score() -> None:
    history()
    table = today_table()
    column, _model = saying.said(table, BY_USE, TODAY)
    gone = np.array(table["days_since_usage"].to_pylist()) >= 30
    assert gone.any()
    assert np.isnan(column.to_numpy(zero_copy_only=False)[gone]).all()


def test_days_kept_later_change_nothing_that_is_said_of_a_day() -> None:
    history()
    day = TODAY - 2 * WEEK
    table = snapshots.read(FactsDay.objects.get(day=day))
    before = saying.said(table, BY_USE, day)
    for later in (TODAY - WEEK, TODAY):
        kept = snapshots.read(FactsDay.objects.get(day=later), ["customer_id"])["customer_id"].to_pylist()
        gone = [day - timedelta(days=100)] * len(kept)
        keep(later, kept, {"last_usage": gone, "days_since_usage": [100] * len(kept)})
    after = saying.said(table, BY_USE, day)
    assert after[0].equals(before[0])
    assert after[1] is not None
    assert before[1] is not None
    assert after[1].card == before[1].card


def test_nobody_is_learnt_from_before_it_is_known_whether_they_left() -> None:
    history()
    past = gathering.past(BY_USE, TODAY)
    assert past is not None
    assert max(past.days) <= TODAY - timedelta(days=BY_USE.horizon_days - gathering.NEAR)
    given = saying._given(past, BY_USE)
    trial = trying.attempt(given)
    assert trial.learned is not None
    judged = np.asarray(trial.sample.moment)[trial.learned.judged.rows]
    # The first rows judged lie at least a horizon after the first ones learnt from.
    assert judged.min() - past.day.min() >= BY_USE.horizon_days


def test_what_each_fact_adds_sums_to_the_score() -> None:
    history()
    table = today_table()
    column, model = saying.said(table, BY_USE, TODAY)
    assert model is not None
    assert model.scorer is not None
    saying.keep(model)
    again = saying.in_force(TODAY, model.made_by)
    assert again is not None
    assert again.scorer is not None
    base, added = again.scorer.explain(gathering.features(table, BY_USE), table.num_rows)
    chance = judging.probability(base + added.sum(axis=1))
    said = column.to_numpy(zero_copy_only=False)
    known = ~np.isnan(said)
    assert np.abs(chance[known] - said[known]).max() <= 0.00005 + 1e-9


def test_kept_days_that_tell_nothing_give_no_score_but_the_reason() -> None:
    history(told=False)
    column, model = saying.said(today_table(), BY_USE, TODAY)
    assert model is not None
    assert column.null_count == len(column)
    assert "no_signal" in {one["kind"] for one in model.card["findings"]}


def test_a_young_company_has_no_score_and_says_why() -> None:
    history(size=40, weeks=4)
    column, model = saying.said(today_table(), BY_USE, TODAY)
    assert model is not None
    assert column.null_count == len(column)
    assert [one["kind"] for one in model.card["findings"]] == ["few_rows"]


def test_the_turn_writes_the_score_keeps_the_model_a_week_and_tells_the_drivers(book: Book) -> None:
    spec = MeasureSpec.model_validate({**PLAN, "churn": BY_USE.model_dump()})
    people = [book.customer() for _ in range(300)]
    history(size=300, weeks=30)
    moved = {one.pk: at for at, one in enumerate(people, start=1)}
    for day in FactsDay.objects.all():
        table = snapshots.read(day)
        ids = {at: pk for pk, at in moved.items()}
        table = table.set_column(0, "customer_id", pa.array([ids[at] for at in table["customer_id"].to_pylist()]))
        FactsDay.objects.filter(pk=day.pk).update(path=snapshots.write(table, day.day))
    for at, one in enumerate(people):
        for back in (3, 12, 20):
            book.used(one, TODAY - timedelta(days=back), count=1 + at % 40)
    book.file_usage()
    turns.measure(spec, today=TODAY, now=NOW)
    assert ChurnModel.objects.count() == 1
    rows = dict(CustomerFacts.objects.values_list("customer_id", "churn_probability"))
    scored = [value for value in rows.values() if value is not None]
    assert len(scored) == 300
    turns.measure(spec, today=TODAY + timedelta(days=1), now=NOW + timedelta(days=1))
    assert ChurnModel.objects.count() == 1
    told = telling.told(people[0].pk, BY_USE, TODAY, "en")
    assert told is not None
    assert told.chance == pytest.approx(rows[people[0].pk], abs=1e-4)
    assert told.drivers
    total = told.base + sum(one.log_odds for one in told.drivers) + told.others
    assert 1 / (1 + np.exp(-total)) == pytest.approx(told.chance, abs=1e-6)


def test_days_that_were_computed_afterwards_are_said_to_flatter() -> None:
    history()
    FactsDay.objects.update(computed_at=datetime(2026, 6, 1, tzinfo=UTC))
    _column, model = saying.said(today_table(), BY_USE, TODAY)
    assert model is not None
    assert "late" in {one["kind"] for one in model.card["findings"]}


def test_days_that_are_unlike_those_learnt_from_are_said_to_drift() -> None:
    history()
    for day in FactsDay.objects.filter(day__gt=TODAY - timedelta(weeks=16)):
        table = snapshots.read(day)
        used = pc.multiply(table["usage_30d"], 3).cast(pa.int64())
        place = table.schema.get_field_index("usage_30d")
        FactsDay.objects.filter(pk=day.pk).update(
            path=snapshots.write(table.set_column(place, "usage_30d", used), day.day)
        )
    _column, model = saying.said(today_table(), BY_USE, TODAY)
    assert model is not None
    assert ("scale", "usage_30d") in {(one["kind"], one["column"]) for one in model.card["findings"]} or (
        "drift",
        "usage_30d",
    ) in {(one["kind"], one["column"]) for one in model.card["findings"]}


def test_the_card_counts_how_long_before_leaving_customers_were_named() -> None:
    history()
    _column, model = saying.said(today_table(), BY_USE, TODAY)
    assert model is not None
    lead = model.card["lead"]
    assert sum(one["left"] for one in lead) == model.card["judged_left"]
    assert 0 < sum(one["named"] for one in lead) <= sum(one["left"] for one in lead)
    assert max(one["days"] for one in lead if one["left"]) <= BY_USE.horizon_days
