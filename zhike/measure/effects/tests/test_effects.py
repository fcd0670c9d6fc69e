"""Effects of treatments drawn by lot: the formulas, what must hold for any numbers, and rankings with a known truth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhike.measure import effects
from zhike.measure.churn import learning, tables
from zhike.measure.effects import TooFew, TwoAnswers, by_class, by_two_models, judge, lots, ranking
from zhike.measure.effects.differences import effect

money = st.floats(0, 1e6).map(lambda paid: round(paid, 2))
amounts = st.lists(money, min_size=2, max_size=40).map(lambda paid: np.array(paid))
answers = st.lists(st.sampled_from((0.0, 1.0)), min_size=2, max_size=40).map(lambda said: np.array(said))


def test_an_effect_on_a_mean_is_that_of_the_text_book() -> None:
    found = effect(np.array([1.0, 2.0, 3.0, 6.0]), np.array([1.0, 2.0, 1.5]))
    error = math.sqrt(14 / 3 / 4 + 0.25 / 3)
    assert (found.treated, found.control, found.difference) == (4, 3, 1.5)
    assert found.error == pytest.approx(error)
    assert (found.low, found.high) == pytest.approx((1.5 - 1.959964 * error, 1.5 + 1.959964 * error))
    assert found.z == pytest.approx(1.5 / error)
    assert found.p == pytest.approx(math.erfc(1.5 / error / math.sqrt(2)))
    assert found.relative == pytest.approx(1.0)


def test_an_effect_on_a_rate_has_the_interval_of_newcombe() -> None:
    # The first three examples of Newcombe (1998), table II, method 10.
    for (hits, rows), (others, size), low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ):
        found = effect(np.repeat((1.0, 0.0), (hits, rows - hits)), np.repeat((1.0, 0.0), (others, size - others)))
        assert (found.low, found.high) == pytest.approx((low, high), abs=0.0001)


@given(st.one_of(st.tuples(amounts, amounts), st.tuples(answers, answers)))
def test_the_other_way_round_is_the_opposite(sides: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = effect(*sides), effect(*sides[::-1])
    assert one.difference == pytest.approx(-other.difference)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)
    assert one.low <= one.difference + 1e-9
    assert one.difference <= one.high + 1e-9
    if one.relative is not None and other.relative is not None:
        assert (1 + one.relative) * (1 + other.relative) == pytest.approx(1)


@given(amounts, amounts, st.floats(0.01, 1000))
def test_the_unit_of_money_changes_nothing_but_the_unit(one: np.ndarray, other: np.ndarray, rate: float) -> None:
    found, other_money = effect(one, other), effect(one * rate, other * rate)
    assert other_money.difference == pytest.approx(rate * found.difference, rel=1e-6, abs=1e-6)
    if found.relative is not None and found.error > 1e-6 and other_money.relative is not None:
        assert other_money.relative == pytest.approx(found.relative, rel=1e-6, abs=1e-9)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    draw = np.random.default_rng(1)
    kept = {"rate": 0, "mean": 0}
    for _turn in range(2000):
        rate = effect((draw.random(400) < 0.08).astype(float), (draw.random(300) < 0.05).astype(float))
        mean = effect(draw.lognormal(3, 0.8, 400), draw.lognormal(3, 0.8, 300))
        kept["rate"] += rate.low <= 0.03 <= rate.high
        kept["mean"] += mean.low <= 0 <= mean.high
    assert all(0.935 <= count / 2000 <= 0.97 for count in kept.values()), kept


def test_nothing_is_divided_by_nothing() -> None:
    same = effect(np.zeros(5), np.zeros(6))
    assert (same.difference, same.z, same.p, same.relative, same.proven) == (0, None, None, None, False)
    assert same.low < 0 < same.high, "nobody of five and six answered, which proves no rate of nothing"
    with pytest.raises(TooFew):
        effect(np.ones(1), np.ones(6))


def test_every_arm_is_set_against_the_control_and_what_is_unknown_is_left_out() -> None:
    arm = np.array(["none", "call", "mail", "none", "call", "mail", "mail", "none"])
    outcome = np.array([1.0, 3.0, 2.0, 1.0, 5.0, 2.5, np.nan, 2.0])
    found = effects.effects(outcome, arm, "none")
    assert list(found) == ["call", "mail"]
    assert (found["call"].treated_mean, found["mail"].treated, found["mail"].control) == (4.0, 2, 3)
    with pytest.raises(TooFew):
        effects.effects(outcome, arm, "nobody")


def test_a_lot_that_lost_some_is_told() -> None:
    assert lots({"mail": 5000, "none": 5030}) > 0.5
    assert lots({"mail": 5000, "none": 5300}) < 0.01
    assert lots({"mail": 9000, "none": 1000}, (0.9, 0.1)) == 1
    assert lots({"a": 10, "b": 20, "c": 30}) == pytest.approx(math.exp(-5)), "two degrees of freedom: exp(-χ²/2)"


def by_hand(outcome: np.ndarray, treated: np.ndarray, score: np.ndarray) -> list[tuple[float, float]]:
    """Gain of the uplift and the Qini curve after each row, of scores that are all different."""
    found, order = [], np.argsort(-score)
    for rows in range(1, len(score) + 1):
        held, said = treated[order[:rows]], outcome[order[:rows]]
        many, hits, other = held.sum(), said[held].sum(), said[~held].sum()
        rate = (hits / many if many else 0) - (other / (rows - many) if rows - many else 0)
        found.append((rate * rows, hits - (other * many / (rows - many) if rows - many else 0)))
    return found


@given(st.integers(0, 10_000), st.integers(4, 30))
def test_curves_are_those_counted_by_hand(seed: int, size: int) -> None:
    draw = np.random.default_rng(seed)
    outcome, treated, score = (draw.random(size) < 0.4).astype(float), draw.random(size) < 0.5, draw.random(size)
    hand = by_hand(outcome, treated, score)
    uplift, qini = ranking.uplift_curve(outcome, treated, score), ranking.qini_curve(outcome, treated, score)
    assert [0.0, *(one for one, _other in hand)] == pytest.approx(uplift.gain.tolist())
    assert [0.0, *(other for _one, other in hand)] == pytest.approx(qini.gain.tolist())


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_only_the_order_of_scores_counts(seed: int) -> None:
    draw = np.random.default_rng(seed)
    outcome, treated = (draw.random(200) < 0.3).astype(float), draw.random(200) < 0.5
    score = np.round(draw.normal(size=200), 1)
    again = draw.permutation(200)
    one, other = judge(outcome, treated, score), judge(outcome[again], treated[again], np.exp(3 * score[again]))
    assert (one.qini, one.uplift, one.q) == pytest.approx((other.qini, other.uplift, other.q), abs=1e-12)
    nothing = judge(outcome, treated, np.zeros(200))
    assert (nothing.qini, nothing.uplift, nothing.q) == pytest.approx((0, 0, 0), abs=1e-12)


def test_who_knows_everything_has_one_and_the_opposite_is_below_nothing() -> None:
    draw = np.random.default_rng(3)
    treated = draw.random(4000) < 0.5
    outcome = (draw.random(4000) < 0.2 + 0.1 * treated).astype(float)
    signed = outcome * np.where(treated, 1.0, -1.0)
    assert judge(outcome, treated, signed).qini == pytest.approx(1)
    assert judge(outcome, treated, -signed).qini < 0
    with pytest.raises(TwoAnswers):
        judge(outcome * 3, treated, signed)
    with pytest.raises(TwoAnswers):
        judge(outcome, np.ones(4000, dtype=bool), signed)


def campaign(rows: int = 6000, seed: int = 4) -> tuple[learning.Sample, np.ndarray, np.ndarray]:
    """Customers of whom those with few log-ins answer a call, and nobody else does; and who that is."""
    draw = np.random.default_rng(seed)
    logins, seats = draw.poisson(6, rows).astype(float), draw.integers(1, 50, rows).astype(float)
    treated = draw.random(rows) < 0.5
    truth = 0.25 * (logins < 6)
    answered = draw.random(rows) < 0.1 + truth * treated
    columns = {"logins": tables.numbers("logins", logins), "seats": tables.numbers("seats", seats)}
    sample, order = learning.sample(columns, answered)
    return sample, treated[order], truth[order]


@pytest.mark.parametrize("learn", [by_two_models, by_class])
def test_who_responds_is_found(learn: effects.responding.Learn) -> None:
    sample, treated, truth = campaign()
    said = effects.unseen(sample, treated, learn=learn)
    outcome = sample.positive.astype(float)
    assert np.corrcoef(said, truth)[0, 1] > 0.7
    assert said.mean() == pytest.approx(truth.mean(), abs=0.02)
    assert ranking.uplift_at(outcome, treated, said, 0.3) > 1.5 * effect(outcome[treated], outcome[~treated]).difference
    assert judge(outcome, treated, said).qini > 0.05


def test_where_nobody_responds_differently_no_ranking_helps() -> None:
    sample, treated, _truth = campaign()
    by_chance = np.random.default_rng(5).permutation(treated)
    said = effects.unseen(sample, by_chance)
    assert abs(judge(sample.positive.astype(float), by_chance, said).qini) < 0.05
    assert math.isnan(ranking.uplift_at(sample.positive.astype(float), by_chance, by_chance.astype(float), 0.1))
