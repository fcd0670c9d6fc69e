"""How fast BG/NBD is fitted and applied, beside the library `lifetimes`, on the same simulated customers."""

from __future__ import annotations

import importlib
import time
from types import ModuleType

import numpy as np

from zhike.bench.say import Progress
from zhike.measure.clv import BetaGeo
from zhike.measure.clv.beta_geo import Likelihood
from zhike.measure.clv.histories import Floats, distinct
from zhike.measure.clv.simulating import beta_geo_histories

# What Fader, Hardie & Lee (2005) found for CDNOW.
TRUE = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
WEEKS_AHEAD = 52.0
PEER = "lifetimes"


def measure(customers: int, say: Progress) -> dict[str, float | None]:
    """Return seconds to fit and to score, ours and the peer's, and the log-likelihood each reached.

    Both likelihoods are computed by the same function, ours, at the parameters that each found. Scoring is the
    probability alive and the expected purchases of a year, for every customer. The peer's figures are None when it is
    not installed.
    """
    x, t_x, watched = beta_geo_histories(customers, seed=1, first=False, **TRUE)
    rows = distinct((x, t_x, watched))
    say(f"{customers:,} customers, {len(rows.weights):,} different histories")
    height = Likelihood(rows, 0)
    began = time.perf_counter()
    model = BetaGeo().fit(x, t_x, watched)
    fitted = time.perf_counter() - began
    say(f"fitted in {fitted:.2f} s: {_told(model.params)}")
    began = time.perf_counter()
    model.p_alive(x, t_x, watched)
    model.expected_purchases(WEEKS_AHEAD, x, t_x, watched)
    scored = time.perf_counter() - began
    say(f"scored in {scored:.2f} s")
    found = _peer(x, t_x, watched, say)
    return {
        "fit_seconds": round(fitted, 3),
        "lifetimes_fit_seconds": found and round(found[0], 3),
        "ratio": found and round(found[0] / fitted, 1),
        "log_likelihood": height(np.array(model.values))[0],
        "lifetimes_log_likelihood": found and height(found[1])[0],
        "score_seconds": round(scored, 3),
    }


def _peer(x: Floats, t_x: Floats, watched: Floats, say: Progress) -> tuple[float, Floats] | None:
    """Return the seconds and the parameters of the peer, None when it is not installed."""
    try:
        lifetimes: ModuleType = importlib.import_module(PEER)
    except ModuleNotFoundError:
        say(f"{PEER} is not installed, so there is nothing to compare with: `uv sync --group bench`,")
        say("or `pip install --group bench` with pip 25.1 or later, or `pip install lifetimes==0.11.3`, installs it")
        return None
    began = time.perf_counter()
    model = lifetimes.BetaGeoFitter().fit(x, t_x, watched)
    took = time.perf_counter() - began
    params = {name: float(model.params_[name]) for name in BetaGeo.NAMES}
    say(f"{PEER} fitted in {took:.2f} s: {_told(params)}")
    return took, np.array(list(params.values()))


def _told(params: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in params.items())
