"""The models of customer value: their gradients, what must hold for any data, and what they refuse."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln, gammaln

from zhike.measure.clv import (
    BadHistory,
    BetaGeo,
    BetaGeoBetaBinomial,
    FewRepeatBuyers,
    GammaGamma,
    ModifiedBetaGeo,
    NotFitted,
    ParetoNBD,
    RunsAway,
    ShiftedBetaGeometric,
    beta_binomial,
    beta_geo,
    clv,
    gamma_gamma,
    pareto_nbd,
    payback,
    subscription,
    value_to_cost,
)
from zhike.measure.clv.histories import Floats, distinct
from zhike.measure.clv.quadrature import beta_nodes
from zhike.measure.clv.simulating import beta_geo_histories, pareto_histories

Buying = type[BetaGeo] | type[ParetoNBD]
BUYING: list[Buying] = [BetaGeo, ModifiedBetaGeo, ParetoNBD]
TRUE = {
    BetaGeo: {"r": 0.8, "alpha": 6.0, "a": 0.9, "b": 3.0},
    ModifiedBetaGeo: {"r": 0.8, "alpha": 6.0, "a": 0.9, "b": 3.0},
    ParetoNBD: {"r": 0.8, "alpha": 6.0, "s": 0.7, "beta": 20.0},
}
SOME = st.lists(
    st.tuples(st.integers(0, 40), st.floats(0.05, 1), st.floats(0.1, 200), st.integers(1, 9)), min_size=1, max_size=8
)
POSITIVE = st.floats(math.log(0.05), math.log(50)).map(math.exp)
FOUR = st.tuples(POSITIVE, POSITIVE, POSITIVE, POSITIVE)


def people(model: Buying, size: int, seed: int = 7) -> tuple[Floats, Floats, Floats]:
    if model is ParetoNBD:
        return pareto_histories(size, seed=seed, **TRUE[model])
    return beta_geo_histories(size, seed=seed, first=model is ModifiedBetaGeo, **TRUE[model])


def columns(some: list[tuple[int, float, float, int]]) -> tuple[Floats, Floats, Floats, Floats]:
    x, share, T, weights = (np.array(each, dtype=np.float64) for each in zip(*some, strict=True))
    return x, np.where(x > 0, share * T, 0.0), T, weights


def slope_by_steps(likelihood: Any, values: Floats) -> Floats:
    """The derivative as a difference of heights, over steps of the logarithm."""
    found = []
    for place in range(len(values)):
        step = np.zeros(len(values))
        step[place] = 1e-5
        rise = likelihood(values * np.exp(step))[0] - likelihood(values * np.exp(-step))[0]
        found.append(rise / (2e-5 * values[place]))
    return np.array(found)


def assert_gradient(likelihood: Any, values: tuple[float, ...]) -> None:
    given_ = np.array(values)
    height, slope = likelihood(given_)
    assert math.isfinite(height)
    rough = slope_by_steps(likelihood, given_)
    assert np.allclose(slope * given_, rough * given_, rtol=1e-4, atol=1e-5 * (1 + abs(height)))


@pytest.mark.parametrize("extra", [0, 1])
@settings(max_examples=60, deadline=None)
@given(some=SOME, values=FOUR)
def test_beta_geo_gradient_is_the_derivative(
    extra: int, some: list[tuple[int, float, float, int]], values: tuple[float, ...]
) -> None:
    x, t_x, T, weights = columns(some)
    assert_gradient(beta_geo.Likelihood(distinct((x, t_x, T), weights), extra), values)


@settings(max_examples=60, deadline=None)
@given(SOME, FOUR)
def test_pareto_gradient_is_the_derivative(
    some: list[tuple[int, float, float, int]], values: tuple[float, ...]
) -> None:
    x, t_x, T, weights = columns(some)
    assert_gradient(pareto_nbd.Likelihood(distinct((x, t_x, T), weights)), values)


@settings(max_examples=40, deadline=None)
@given(SOME, st.tuples(POSITIVE, POSITIVE, POSITIVE))
def test_gamma_gamma_gradient_is_the_derivative(
    some: list[tuple[int, float, float, int]], values: tuple[float, ...]
) -> None:
    x, _t_x, spend, weights = columns(some)
    assert_gradient(gamma_gamma.Likelihood(distinct((x + 1, spend), weights)), values)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 20), st.booleans(), st.integers(1, 9)), min_size=1), POSITIVE, POSITIVE)
def test_subscription_gradient_is_the_derivative(some: list[tuple[int, bool, int]], alpha: float, beta: float) -> None:
    periods, left, weights = (np.array(each, dtype=np.float64) for each in zip(*some, strict=True))
    assert_gradient(subscription.Likelihood(distinct((periods, left), weights)), (alpha, beta))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=8), FOUR)
def test_beta_binomial_gradient_is_the_derivative(some: list[tuple[int, int, int]], values: tuple[float, ...]) -> None:
    ordered = np.array([sorted(each) for each in some], dtype=np.float64)
    x, t_x, n = ordered.T
    t_x = np.where(x > 0, t_x, 0)
    assert_gradient(beta_binomial.Likelihood(distinct((x, t_x, n))), values)


@settings(max_examples=60, deadline=None)
@given(SOME, FOUR)
def test_pareto_likelihood_is_the_integral_over_the_moment_of_leaving(
    some: list[tuple[int, float, float, int]], values: tuple[float, ...]
) -> None:
    r, alpha, s, beta = values
    x, t_x, T, _weights = columns(some[:1])
    start, count = float(t_x[0]), float(x[0])
    peak = -(r + count) * math.log(alpha + start) - (s + 1) * math.log(beta + start)

    def integrand(moment: float) -> float:
        logs = -(r + count) * math.log(alpha + moment) - (s + 1) * math.log(beta + moment)
        return s * math.exp(logs - peak)

    near = start + (float(T[0]) - start) / 50
    slow = sum(quad(integrand, *ends, limit=200, epsrel=1e-10)[0] for ends in ((start, near), (near, float(T[0]))))
    if T[0] - start > 1e-9 * T[0]:
        assert pareto_nbd.dead((r, alpha, s, beta), x, t_x, T)[0][0] == pytest.approx(math.log(slow) + peak, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(POSITIVE, st.floats(0.05, 400), st.floats(0.1, 100), st.floats(0.01, 50))
def test_expectations_under_a_beta_distribution(a: float, b: float, power: float, scale: float) -> None:
    """E p·(1 + scale·p)^-power, smooth enough for a slow rule to agree with ours."""
    places, shares = beta_nodes(a, b)
    assert shares.sum() == pytest.approx(1)
    assert shares @ places == pytest.approx(a / (a + b))
    ours = shares @ (places * (1 + scale * places) ** -power)

    def integrand(u: float) -> float:  # p = e^u / (1 + e^u) takes the ends of the interval to infinity.
        log_p, log_q = -math.log1p(math.exp(-u)), -math.log1p(math.exp(u))
        logs = (a + 1) * log_p + b * log_q - betaln(a, b) - power * math.log1p(scale * math.exp(log_p))
        return math.exp(logs)

    cuts = (-60.0, -15.0, -8.0, -4.0, -1.0, 2.0, 5.0, 15.0, 60.0)
    slow = sum(quad(integrand, *ends, limit=200)[0] for ends in pairwise(cuts))
    tail = math.exp(b * -60 - betaln(a, b)) / b  # p is all but 1 beyond the last cut.
    if tail < 1e-9:
        assert ours == pytest.approx(slow, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("model", BUYING)
def test_what_was_simulated_is_found_again(model: Buying) -> None:
    fitted = model().fit(*people(model, 20_000))
    for name, true in TRUE[model].items():
        assert abs(fitted.params[name] - true) < 3.5 * fitted.standard_errors[name], name


@pytest.mark.parametrize("model", BUYING)
def test_order_of_rows_and_copies_of_rows_change_nothing(model: Buying) -> None:
    x, t_x, T = people(model, 1500)
    fitted = model().fit(x, t_x, T)
    order = np.random.default_rng(1).permutation(len(x))
    mixed = model().fit(x[order], t_x[order], T[order])
    assert mixed.params == fitted.params
    twice = model().fit(np.r_[x, x], np.r_[t_x, t_x], np.r_[T, T])
    weighty = model().fit(x, t_x, T, weights=np.full(len(x), 2))
    assert twice.params == weighty.params
    assert twice.log_likelihood == pytest.approx(2 * fitted.log_likelihood)
    assert twice.params == pytest.approx(fitted.params, rel=1e-5)
    assert twice.standard_errors["r"] == pytest.approx(fitted.standard_errors["r"] / math.sqrt(2), rel=1e-3)


@pytest.mark.parametrize("model", BUYING)
def test_the_unit_of_time_changes_nothing(model: Buying) -> None:
    x, t_x, T = people(model, 1500)
    weeks, days = model().fit(x, t_x, T), model().fit(x, 7 * t_x, 7 * T)
    assert days.params["alpha"] == pytest.approx(7 * weeks.params["alpha"], rel=1e-4)
    assert days.p_alive(3, 70, 140) == pytest.approx(weeks.p_alive(3, 10, 20), rel=1e-4)
    assert days.expected_purchases(70, 3, 70, 140) == pytest.approx(weeks.expected_purchases(10, 3, 10, 20), rel=1e-4)


@pytest.mark.parametrize("model", BUYING)
@settings(max_examples=40, deadline=None)
@given(values=FOUR, x=st.integers(1, 60), T=st.floats(0.5, 300))
def test_who_bought_more_recently_is_likelier_alive(model: Buying, values: tuple[float, ...], x: int, T: float) -> None:
    known = model.of(**dict(zip(model.NAMES, values, strict=True)))
    chances = known.p_alive(x, np.linspace(T / 50, T, 30), T)
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances) >= -1e-9).all()


@pytest.mark.parametrize("model", BUYING)
@settings(max_examples=40, deadline=None)
@given(values=FOUR, x=st.integers(0, 60), share=st.floats(0.01, 1), T=st.floats(0.5, 300))
def test_expected_purchases_begin_at_none_and_only_rise(
    model: Buying, values: tuple[float, ...], x: int, share: float, T: float
) -> None:
    known = model.of(**dict(zip(model.NAMES, values, strict=True)))
    t_x = share * T if x else 0.0
    for history in ((), (x, t_x, T)):
        bought = known.expected_purchases(np.array([0, 1e-6, 1, 5, 20, 100, 400]), *history)
        assert bought[0] == 0
        assert np.isfinite(bought).all()
        assert (np.diff(bought) >= -1e-9).all()
        # Nobody buys faster than the rate of who is surely alive.
        assert bought[1] <= 1e-6 * known.values[0] / known.values[1] * 1.001 or history


def test_no_value_of_a_parameter_is_an_exception() -> None:
    """The closed forms divide by a - 1 and s - 1; there is nothing special about these customers."""
    for model, name in ((BetaGeo, "a"), (ModifiedBetaGeo, "a"), (ParetoNBD, "s")):
        near = [model.of(**{**TRUE[model], name: value}) for value in (1 - 1e-7, 1.0, 1 + 1e-7)]
        ahead = [float(one.expected_purchases(30, 4, 20, 25)) for one in near]
        assert ahead[0] == pytest.approx(ahead[1], rel=1e-5)
        assert ahead[2] == pytest.approx(ahead[1], rel=1e-5)


def test_customers_of_every_kind_add_up_to_the_likelihood_written_down_in_the_paper() -> None:
    x, t_x, T = people(BetaGeo, 400)
    fitted = BetaGeo().fit(x, t_x, T)
    r, alpha, a, b = fitted.values
    purchases = gammaln(r + x) - gammaln(r) + r * math.log(alpha)
    alive = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + T)
    some = x > 0
    gone = betaln(a + 1, b + x[some] - 1) - betaln(a, b) - (r + x[some]) * np.log(alpha + t_x[some])
    alive[some] = np.logaddexp(alive[some], gone)
    assert fitted.log_likelihood == pytest.approx(float((purchases + alive).sum()))


@pytest.mark.parametrize("model", BUYING)
def test_a_history_that_cannot_be_is_refused_with_its_row(model: Buying) -> None:
    x, t_x, T = people(model, 200)
    for column, row, value in (
        (1, 3, float(T[3]) + 1),
        (0, 5, -1.0),
        (0, 5, 1.5),
        (2, 9, math.nan),
        (1, 4, math.inf),
        (2, 1, -4.0),
    ):
        broken = [x.copy(), t_x.copy(), T.copy()]
        broken[column][row] = value
        with pytest.raises(BadHistory) as refused:
            model().fit(*broken)
        assert refused.value.place is not None
        assert refused.value.place.row == row + 1
        assert str(row + 1) in str(refused.value)
    with pytest.raises(ValueError, match="one length"):
        model().fit(x, t_x, T[:-1])


@pytest.mark.parametrize("model", BUYING)
def test_five_repeat_buyers_among_three_thousand_are_refused(model: Buying) -> None:
    x = np.zeros(3000)
    x[:5] = 1
    T = np.linspace(1, 50, 3000)
    with pytest.raises(FewRepeatBuyers, match="Only 5 of 3000 customers bought again"):
        model().fit(x, x * 0.5, T)
    with pytest.raises(FewRepeatBuyers, match="Only 0 of"):
        model().fit(0 * x, 0 * x, T)


@pytest.mark.parametrize("model", BUYING)
def test_parameters_that_the_data_do_not_hold_are_refused(model: Buying) -> None:
    """Everybody buys exactly once a week for ever: no two customers differ, and nobody leaves."""
    T = np.repeat([20.0, 30.0, 40.0], 100)
    with pytest.raises(RunsAway):
        model().fit(T, T, T)
    limit = model().fit(T, T, T, limits=True)
    assert [caution.kind for caution in limit.cautions] == ["parameter_at_bound"]
    assert math.inf in limit.standard_errors.values()
    assert float(limit.expected_purchases(10, 30, 30, 30)) == pytest.approx(10, rel=0.05)


def test_an_unfitted_model_says_so_and_wrong_parameters_do_not_pass() -> None:
    with pytest.raises(NotFitted):
        _ = BetaGeo().params
    with pytest.raises(NotFitted):
        _ = BetaGeo.of(r=1, alpha=1, a=1, b=1).standard_errors
    with pytest.raises(ValueError, match="r, alpha, a, b"):
        BetaGeo.of(r=1, alpha=1)
    with pytest.raises(ValueError, match="more than zero"):
        BetaGeo.of(r=1, alpha=1, a=0, b=1)


def test_spend_is_drawn_towards_the_average_and_dependence_is_said() -> None:
    rng = np.random.default_rng(3)
    count = rng.integers(1, 12, 4000).astype(np.float64)
    spend = rng.gamma(6.0 * count, 1 / (rng.gamma(4.0, 1 / 15.0, 4000) * count))
    fitted = GammaGamma().fit(count, spend)
    for name, true in {"p": 6.0, "q": 4.0, "v": 15.0}.items():
        assert abs(fitted.params[name] - true) < 3.5 * fitted.standard_errors[name], name
    assert fitted.cautions == ()
    mean = float(fitted.expected_spend())
    few, many = fitted.expected_spend([1, 50], [2 * mean, 2 * mean])
    assert mean < few < many < 2 * mean
    told = GammaGamma().fit(count, spend * np.exp(0.2 * count)).cautions
    assert [caution.kind for caution in told] == ["spend_depends_on_frequency"]
    with pytest.raises(BadHistory, match="mean_spend"):
        GammaGamma().fit(count, 0 * spend)


def test_subscriptions_of_the_paper_and_their_worth() -> None:
    """The regular customers of Fader & Hardie (2007), table 1: alpha 0.704 and beta 1.182 after seven years."""
    kept = np.array([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1])
    fitted = ShiftedBetaGeometric().fit(
        [*range(1, 8), 8], [1] * 7 + [0], weights=[*(10 * -np.diff(kept)), 10 * kept[-1]]
    )
    assert fitted.params == pytest.approx({"alpha": 0.704, "beta": 1.182}, abs=5e-4)
    assert (np.diff(fitted.retention(np.arange(1, 20))) > 0).all()
    slow = (fitted.survival(np.arange(4000)) / 1.1 ** np.arange(4000)).sum()
    assert float(fitted.expected_periods(0.1)) == pytest.approx(float(slow), rel=1e-6)
    assert (np.diff(fitted.expected_periods(0.1, [1, 2, 3])) > 0).all()
    with pytest.raises(subscription.FewLeavers):
        ShiftedBetaGeometric().fit([5] * 300, [0] * 297 + [1] * 3)


def test_occasions_beyond_the_data_are_summed() -> None:
    known = BetaGeoBetaBinomial.of(alpha=1.2, beta=0.75, gamma=1.0, delta=2.8)
    ahead = [float(known.expected_purchases(count, 4, 5, 6)) for count in (1, 5, 20)]
    assert 0 < ahead[0] < ahead[1] < ahead[2]
    assert known.p_alive(6, 6, 6) == pytest.approx(1)


def test_value_is_discounted_and_weighed_against_its_cost() -> None:
    model = ParetoNBD.of(r=0.553, alpha=10.578, s=0.606, beta=11.669)
    plain = clv(model, 35.0, 0.5, 0.0, 52.0, 2, 30.43, 38.86)
    assert plain == pytest.approx(0.5 * 35 * model.expected_purchases(52, 2, 30.43, 38.86))
    weekly = 1.15 ** (1 / 52) - 1
    dear = clv(model, 35.0, 0.5, weekly, 52.0, 2, 30.43, 38.86)
    endless = clv(model, 35.0, 0.5, weekly, math.inf, 2, 30.43, 38.86)
    assert dear < plain < endless
    assert endless == pytest.approx(clv(model, 35.0, 0.5, weekly, 52 * 60, 2, 30.43, 38.86), rel=0.02)
    steps = model.expected_purchases(np.linspace(0, 52, 5201), 2, 30.43, 38.86)
    slow = 17.5 * (np.diff(steps) * (1 + weekly) ** -np.linspace(0.005, 51.995, 5200)).sum()
    assert dear == pytest.approx(slow, rel=1e-6)
    assert value_to_cost([30.0, 30.0], [10.0, 0.0]).tolist() == pytest.approx([3.0, math.nan], nan_ok=True)
    after = payback(model, 35.0, 0.5, weekly, 10.0, 260.0)
    assert after is not None
    assert float(clv(model, 35.0, 0.5, weekly, after)) == pytest.approx(10, rel=0.02)
    assert payback(model, 35.0, 0.5, weekly, 1e6, 260.0) is None
    for wrong in ({"margin": 0.0}, {"discount_rate": -0.1}, {"horizon": 0.0}, {"horizon": math.inf}):
        told: dict[str, float] = {"margin": 0.5, "discount_rate": 0.0, "horizon": 52.0, **wrong}
        with pytest.raises(ValueError, match=r"margin|discount|horizon"):
            clv(model, 35.0, **told)
