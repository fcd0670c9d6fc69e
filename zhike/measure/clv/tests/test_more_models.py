"""Pareto/NBD with covariates and GGompertz/NBD: gradients, the Pareto/NBD as their limit, and what is found again."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhike.measure.clv import (
    AlwaysTheSame,
    BadHistory,
    BetaGeo,
    FewRepeatBuyers,
    GammaGompertzNBD,
    ModifiedBetaGeo,
    ParetoNBD,
    ParetoNBDWithCovariates,
    RunsAway,
    beta_geo,
    covariates,
    gompertz,
    likelihood_ratio,
    pareto_nbd,
)
from zhike.measure.clv.histories import Floats, distinct
from zhike.measure.clv.simulating import beta_geo_histories, pareto_histories
from zhike.measure.clv.tests.test_models import POSITIVE, SOME, assert_gradient, columns

TRUE = {"r": 0.8, "alpha": 6.0, "s": 0.7, "beta": 20.0}
SIX = st.tuples(POSITIVE, POSITIVE, POSITIVE, POSITIVE, POSITIVE, POSITIVE)
FIVE = st.tuples(POSITIVE, POSITIVE, st.floats(math.log(1e-5), math.log(0.3)).map(math.exp), POSITIVE, POSITIVE)


@settings(max_examples=40, deadline=None)
@given(SOME, SIX)
def test_gradient_with_covariates_is_the_derivative(
    some: list[tuple[int, float, float, int]], values: tuple[float, ...]
) -> None:
    x, t_x, T, weights = columns(some)
    draw = np.random.default_rng(len(x))
    rows = distinct((x, t_x, T), weights)
    life, trans = (draw.normal(size=(len(rows.weights), 2)) for _part in "lt")
    assert_gradient(covariates.Likelihood(rows, life, trans), values)


@settings(max_examples=60, deadline=None)
@given(SOME, FIVE)
def test_gompertz_gradient_is_the_derivative(
    some: list[tuple[int, float, float, int]], values: tuple[float, ...]
) -> None:
    x, t_x, T, weights = columns(some)
    assert_gradient(gompertz.Likelihood(distinct((x, t_x, T), weights)), values)


def grouped(size: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Customers of two kinds: the second one buys e^0.6 times as fast and leaves e^0.8 times as soon."""
    first = pareto_histories(size, seed=3, **TRUE)
    quick = {**TRUE, "alpha": TRUE["alpha"] * math.exp(-0.6), "beta": TRUE["beta"] * math.exp(-0.8)}
    second = pareto_histories(size, seed=4, **quick)
    x, t_x, T = (np.r_[one, other] for one, other in zip(first, second, strict=True))
    return x, t_x, T, np.r_[np.zeros(size), np.ones(size)]


def test_what_covariates_do_is_found_again_whatever_their_unit_and_order() -> None:
    x, t_x, T, kind = grouped(4000)
    fitted = ParetoNBDWithCovariates().fit(x, t_x, T, life={"kind": kind}, trans={"kind": kind})
    for name, true in {**TRUE, "trans.kind": 0.6, "life.kind": 0.8}.items():
        assert abs(fitted.params[name] - true) < 3.5 * fitted.standard_errors[name], name
    order = np.random.default_rng(1).permutation(len(x))
    thousands = {"kind": 1000 * kind[order]}
    again = ParetoNBDWithCovariates().fit(x[order], t_x[order], T[order], life=thousands, trans=thousands)
    assert again.log_likelihood == pytest.approx(fitted.log_likelihood, abs=1e-6)
    assert again.params["trans.kind"] == pytest.approx(fitted.params["trans.kind"] / 1000, rel=1e-4)
    assert again.standard_errors["life.kind"] == pytest.approx(fitted.standard_errors["life.kind"] / 1000, rel=1e-3)
    quick, slow = (
        fitted.of_customers(life={"kind": [one]}, trans={"kind": [one]}).expected_purchases(5) for one in (1, 0)
    )
    assert quick[0] > slow[0]
    chi2, p = likelihood_ratio(fitted, ParetoNBD().fit(x, t_x, T))
    assert chi2 > 50
    assert p < 1e-6
    with pytest.raises(ValueError, match="more parameters"):
        likelihood_ratio(fitted, fitted)


def test_without_a_covariate_it_is_the_pareto_nbd_and_nonsense_is_refused() -> None:
    x, t_x, T = pareto_histories(1500, seed=7, **TRUE)
    plain = ParetoNBD().fit(x, t_x, T)
    bare = ParetoNBDWithCovariates().fit(x, t_x, T, life={}, trans={})
    assert bare.params == pytest.approx(plain.params, rel=1e-5)
    kind = np.arange(1500) % 2
    with pytest.raises(AlwaysTheSame, match="kind"):
        ParetoNBDWithCovariates().fit(x, t_x, T, life={}, trans={"kind": 0 * kind})
    with pytest.raises(BadHistory, match="kind"):
        ParetoNBDWithCovariates().fit(x, t_x, T, life={}, trans={"kind": np.where(kind > 0, math.nan, 1)})
    with pytest.raises(ValueError, match="among both"):
        ParetoNBDWithCovariates().fit(x, t_x, T, life={}, trans={"kind": kind}, same=["kind"])
    few = np.r_[np.ones(45), np.zeros(1455)]
    with pytest.raises(FewRepeatBuyers, match="at least 50"):
        ParetoNBDWithCovariates().fit(few, few, few + 5, life={}, trans={"kind": kind})


@settings(max_examples=40, deadline=None)
@given(values=st.tuples(POSITIVE, POSITIVE, POSITIVE, POSITIVE), x=st.integers(0, 60), T=st.floats(0.5, 300))
def test_gompertz_that_does_not_grow_is_the_pareto_nbd(values: tuple[float, ...], x: int, T: float) -> None:
    r, alpha, s, beta = values
    tiny = 1e-9 / T
    known = GammaGompertzNBD.of(r=r, alpha=alpha, b=tiny, s=s, beta=beta * tiny)
    pareto = ParetoNBD.of(r=r, alpha=alpha, s=s, beta=beta)
    t_x = T / 2 if x else 0.0
    assert known.params["beta"] == pytest.approx(beta * tiny)
    assert float(known.p_alive(x, t_x, T)) == pytest.approx(float(pareto.p_alive(x, t_x, T)), abs=1e-6)
    for history in ((), (x, t_x, T)):
        ours, theirs = (one.expected_purchases(np.array([0.5, 10, 300]), *history) for one in (known, pareto))
        assert ours == pytest.approx(theirs, rel=1e-4)


def test_lives_that_end_in_old_age_are_told_from_others() -> None:
    draw = np.random.default_rng(5)
    size, watched, b = 6000, 60.0, 0.12
    eta = draw.gamma(2.0, 1 / 20.0, size)
    life = np.log1p(draw.exponential(size=size) / eta) / b
    rate, seen = draw.gamma(1.2, 1 / 4.0, size), np.minimum(life, watched)
    x = draw.poisson(rate * seen).astype(np.float64)
    t_x = np.where(x > 0, seen * draw.random(size) ** (1 / np.maximum(x, 1)), 0.0)
    T = np.full(size, watched)
    fitted = GammaGompertzNBD().fit(x, t_x, T)
    for name, true in {"r": 1.2, "alpha": 4.0, "b": b}.items():
        assert abs(fitted.params[name] - true) < 3.5 * fitted.standard_errors[name], name
    assert math.isfinite(fitted.standard_errors["beta"])
    assert fitted.aic < ParetoNBD().fit(x, t_x, T, limits=True).aic
    assert (np.diff(fitted.expected_purchases(np.array([0, 1, 5, 50, 500]), 4, 50.0, 60.0)) >= 0).all()
    rows = distinct((x, t_x, T))
    assert pareto_nbd.Likelihood(rows)(np.array([1.2, 4, 2, 20 / b]))[0] < fitted.log_likelihood


def test_where_nothing_grows_the_parameter_runs_away_in_words() -> None:
    x, t_x, T = pareto_histories(1500, seed=7, **TRUE)
    plain = ParetoNBD().fit(x, t_x, T)
    limit = GammaGompertzNBD().fit(x, t_x, T, limits=True)
    assert limit.log_likelihood >= plain.log_likelihood - 1e-3
    if limit.params["b"] < 1e-4:
        assert [one.kind for one in limit.cautions] == ["parameter_at_bound"]
        with pytest.raises(RunsAway, match="b has no best value"):
            GammaGompertzNBD().fit(x, t_x, T)


@pytest.mark.parametrize("extra", [0, 1])
@settings(max_examples=40, deadline=None)
@given(some=SOME, values=st.tuples(POSITIVE, POSITIVE, POSITIVE, POSITIVE))
def test_beta_geo_hessian_is_the_derivative_of_the_gradient(
    extra: int, some: list[tuple[int, float, float, int]], values: tuple[float, ...]
) -> None:
    x, t_x, T, weights = columns(some)
    likelihood = beta_geo.Likelihood(distinct((x, t_x, T), weights), extra)
    at = np.array(values)
    bent = likelihood.hessian(at)
    assert np.array_equal(bent, bent.T)
    for place in range(4):
        step = np.zeros(4)
        step[place] = 1e-5 * at[place]
        rough = (likelihood(at + step)[1] - likelihood(at - step)[1]) / (2 * step[place])
        scale = at * at[place]
        assert np.allclose(bent[place] * scale, rough * scale, rtol=1e-3, atol=1e-4 * (1 + abs(likelihood(at)[0])))


@pytest.mark.parametrize("kind", [BetaGeo, ModifiedBetaGeo])
def test_many_customers_are_fitted_from_a_part_of_them_to_the_same_top(
    kind: type[BetaGeo], monkeypatch: pytest.MonkeyPatch
) -> None:
    true = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    x, t_x, T = beta_geo_histories(160_000, seed=2, first=kind is ModifiedBetaGeo, **true)
    asked = []
    whole = beta_geo.Likelihood.__call__

    def counted(self: beta_geo.Likelihood, values: Floats) -> tuple[float, Floats]:
        asked.append(len(self.blocks[0][1]) * len(self.blocks))
        return whole(self, values)

    monkeypatch.setattr(beta_geo.Likelihood, "__call__", counted)
    fitted = kind().fit(x, t_x, T)
    quick = sum(asked)
    asked.clear()
    monkeypatch.setattr(beta_geo, "thinned", lambda rows: None)
    slowly = kind().fit(x, t_x, T)
    assert quick < 0.6 * sum(asked)
    assert fitted.params == pytest.approx(slowly.params, rel=1e-6)
    assert fitted.log_likelihood == pytest.approx(slowly.log_likelihood, abs=1e-6)
    assert fitted.standard_errors == pytest.approx(slowly.standard_errors, rel=1e-5)
    order = np.random.default_rng(1).permutation(len(x))
    monkeypatch.undo()
    assert kind().fit(x[order], t_x[order], T[order]).params == fitted.params
