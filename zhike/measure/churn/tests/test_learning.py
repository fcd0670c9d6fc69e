"""What is learnt, against truths that are known: the model kept, calibration, interval, signs, lead time."""

from dataclasses import replace

import numpy as np
import pytest

from zhike.measure.churn import judging, leading, learning, tables
from zhike.measure.churn.learning import Sample
from zhike.measure.churn.tables import Floats

pytestmark = pytest.mark.slow


def sampled(log_odds: Floats, columns: dict[str, Floats], seed: int) -> tuple[Sample, Floats]:
    """Return rows of which some left by these log-odds, and the true chance of each."""
    chance = judging.probability(log_odds)
    left = np.random.default_rng(seed).random(len(chance)) < chance
    made, order = learning.sample({name: tables.numbers(name, one) for name, one in columns.items()}, left)
    return made, chance[order]


def drawn(seed: int, rows: int = 4000) -> dict[str, Floats]:
    draw = np.random.default_rng(seed)
    return {name: draw.normal(0, 1, rows) for name in ("one", "two", "three")}


def test_the_weighted_sum_is_kept_where_things_add_up_and_trees_where_they_depend_on_each_other() -> None:
    held = drawn(1)
    adding, _chance = sampled(-1 + held["one"] - 0.8 * held["two"], held, 2)
    depending, _chance = sampled(-1 + 2.5 * np.sign(held["one"] * held["two"]), held, 3)
    kept = [learning.learn(one) for one in (adding, depending)]
    assert [one.kind if one else None for one in kept] == ["logistic", "boosting"]


@pytest.mark.parametrize(("shape", "near"), [("adds", 0.025), ("depends", 0.06)])
def test_what_is_said_is_near_the_true_chance(shape: str, near: float) -> None:
    """A straight line calibrates; where the truth has two steps and nothing between, it cannot be nearer than this."""
    held = drawn(4)
    odds = -1.5 + held["one"] - 0.8 * held["two"] if shape == "adds" else -1 + 2 * np.sign(held["one"] * held["two"])
    sample, chance = sampled(odds, held, 5)
    found = learning.learn(sample)
    assert found is not None
    said = found.judged.chances(found.kind)
    true = chance[found.judged.rows]
    groups = np.array_split(np.argsort(said), 10)
    assert np.mean([abs(said[part].mean() - true[part].mean()) for part in groups]) < near
    assert found.judged.figures(found.kind)["ece"] < near


def test_a_score_too_sure_of_itself_is_brought_back() -> None:
    draw = np.random.default_rng(6)
    odds = draw.normal(-1, 1, 20_000)
    left = draw.random(len(odds)) < judging.probability(odds)
    slope, shift = judging.calibrated(left, 2.5 * odds + 1)
    assert slope == pytest.approx(0.4, abs=0.02)
    assert shift == pytest.approx(-0.4, abs=0.05)


def test_the_interval_holds_the_truth_though_the_same_customers_come_again_and_again() -> None:
    draw = np.random.default_rng(7)
    pull = draw.normal(0, 1, 200_000)
    whole = draw.random(len(pull)) < judging.probability(-2 + pull)
    truth = judging.plain_auc(whole, pull)
    inside = narrow = 0
    for _turn in range(200):
        some = draw.choice(len(pull), 150, replace=False)
        rows = np.repeat(some, 12)
        customer = np.repeat(np.arange(150), 12).astype(np.uint64)
        left, score = whole[rows], pull[rows] + draw.normal(0, 0.01, len(rows))
        together, alone = judging.auc(left, score, customer), judging.auc(left, score)
        inside += together.low <= truth <= together.high
        narrow += alone.low <= truth <= alone.high
    assert 180 <= inside <= 199
    assert narrow < 120  # As if twelve rows of a customer were twelve customers.


def test_a_customer_on_many_days_is_one_case() -> None:
    who = tables.numbers("customer", np.repeat(np.arange(40), 10))
    left = np.repeat(np.arange(40) < 8, 10)
    columns = {"one": tables.numbers("one", np.random.default_rng(1).normal(0, 1, 400))}
    sample, _order = learning.sample(columns, left, who=who)
    assert (sample.rarer, sample.cases) == (80, 8)
    assert replace(sample, named=False).cases == 80


def test_more_use_never_raises_the_score_where_it_is_said_so() -> None:
    """By chance, or beside a column that goes with it, use may seem to make people leave; its sign forbids that."""
    draw = np.random.default_rng(8)
    use = draw.normal(0, 1, 1500)
    people = use + draw.normal(0, 0.1, 1500)
    sample, _chance = sampled(-1 - 4 * people + 3 * use, {"use": use, "people": people}, 9)
    free, bound = (
        learning.fit(one, np.arange(len(one)), "logistic")
        for one in (sample, replace(sample, signs={"use": -1, "people": -1}))
    )
    steps = {"use": tables.numbers("use", [-1.0, 1.0]), "people": tables.numbers("people", [0.0, 0.0])}
    rise = [float(np.diff(one.log_odds(steps, 2))[0]) for one in (free, bound)]
    assert rise[0] > 0.5
    assert rise[1] <= 0
    trees = learning.fit(replace(sample, signs={"use": -1}), np.arange(len(sample)), "boosting")
    grid = {"use": tables.numbers("use", np.linspace(-3, 3, 50)), "people": tables.numbers("people", np.zeros(50))}
    assert (np.diff(trees.log_odds(grid, 50)) <= 1e-6).all()


def test_lead_time_is_counted_from_the_rows_named() -> None:
    chance = np.array([0.9, 0.8, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1] * 2)
    after = np.full(20, np.nan)
    after[[0, 2, 10, 11]] = [21, 5, 35, 10]
    told = leading.ahead(after, chance)
    assert told["lead_days"] == 21.0  # Named are as many rows as leave, of them those seen 21, 35 and 10 days later.
    assert [(one["days"], one["left"], one["named"]) for one in told["lead"]] == [
        (7, 1, 0),
        (14, 1, 1),
        (21, 1, 1),
        (28, 0, 0),
        (35, 1, 1),
    ]


def test_an_alarm_counts_from_where_it_was_not_broken_any_more() -> None:
    customer = np.repeat(np.arange(10), 4).astype(np.uint64)
    moment = np.tile([0.0, 30.0, 60.0, 90.0], 10)
    chance = np.full(40, 0.1)
    chance[[0, 2, 3, 7]] = 0.9  # Named, then not, then from day 60; the next only at the end.
    positive = np.zeros(40, dtype=bool)
    positive[[3, 7]] = True
    assert leading.unbroken(positive, chance, moment, customer).tolist() == [30.0, 0.0]
