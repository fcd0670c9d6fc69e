"""Maximum likelihood for models with a few positive parameters: the search, its proof, and what it may not claim."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from scipy import optimize
from scipy.special import gammaincc

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure.clv.histories import Floats

Objective = Callable[[Floats], tuple[float, Floats]]
"""Parameters as they are → log-likelihood and its gradient by them. One with a method `hessian` knows that, too."""

FARTHEST = math.log(1e6)  # Parameters are sought from a millionth to a million times their start.
UNCERTAIN = math.log(3)  # A standard error of ln(parameter) past this: the parameter may as well be three times as big.
UNKNOWABLE = 10.0
OPEN_PART = 0.1  # The share of an unknown direction from which on a parameter is unknown with it.
FLAT = 1e-9  # Slope of the mean log-likelihood by ln(parameter) at which the top is reached.
NEWTON_STEPS = 12


class NotFitted(Refusal):
    message = _("This %(model)s has no parameters yet: fit it first.")


class RunsAway(Refusal):
    message = _(
        "The data do not hold a %(model)s: its parameter %(parameter)s has no best value "
        "(the likelihood keeps rising towards %(towards)s), so nothing may be forecast from it."
    )


class NoTop(Refusal):
    message = _("No best parameters of %(model)s could be found in these data.")


@dataclass(frozen=True, slots=True)
class Caution:
    """Something a reader of the figures should know. `message` is an English msgid with %(name)s details."""

    kind: str
    column: str
    message: str
    details: Mapping[str, object]

    @property
    def text(self) -> str:
        return self.message % self.details


@dataclass(frozen=True, slots=True)
class Top:
    """The best parameters, the log-likelihood there, and the covariance of their logarithms.

    `open_end` is why there is no best value of a parameter, where the edge of the search was taken for it.
    """

    values: Floats
    log_likelihood: float
    covariance: Floats
    open_end: RunsAway | None = None


@runtime_checkable
class Curved(Protocol):
    """An objective that knows its second derivatives."""

    def hessian(self, values: Floats) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Downhill:
    """Minus the mean log-likelihood by the logarithms of the parameters: its value, slope and Hessian."""

    objective: Objective
    weight: float

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        values = np.exp(logs)
        height, slope = self.objective(values)
        return -height / self.weight, -slope * values / self.weight

    def hessian(self, logs: Floats, slope: Floats | None = None) -> Floats:
        """Return the Hessian, by central differences of the gradient where it is not known; symmetric.

        `slope` is that there, where it is known already.
        """
        own: object = self.objective
        if isinstance(own, Curved):
            values = np.exp(logs)
            here = self(logs)[1] if slope is None else slope
            bent = own.hessian(values) * np.outer(values, values) / self.weight
            return np.asarray(np.diag(here) - bent)
        width = 1e-4
        rows = []
        for place in range(len(logs)):
            shift = np.zeros(len(logs))
            shift[place] = width
            rows.append((self(logs + shift)[1] - self(logs - shift)[1]) / (2 * width))
        found = np.array(rows)
        return np.asarray((found + found.T) / 2)


def maximise(
    objective: Objective,
    start: Floats,
    names: Sequence[str],
    *,
    weight: float,
    model: str,
    limits: bool = False,
    coarse: Objective | None = None,
) -> Top:
    """Return the parameters, all positive, with the highest log-likelihood, and the observed information there.

    The search runs over logarithms, first with L-BFGS-B (Byrd et al. 1995), then with Newton steps whose Hessian is
    the central difference of the analytic gradient, which is also the observed information. `weight` is the number of
    customers: the mean is maximised, so that steps do not depend on it. `coarse` is the log-likelihood of a part of
    many customers: its top is where the search in all of them begins. Raises RunsAway when
    the top lies at infinity or zero or is flat, unless `limits` takes the edge of the search for it; NoTop when none
    was found.
    """

    downhill, centre = Downhill(objective, weight), np.log(start)
    if coarse is not None and (near := _from_part(downhill, Downhill(coarse, weight), centre)) is not None:
        bends, directions = np.linalg.eigh(near[1] * weight)
        if bends[0] > UNKNOWABLE**-2:
            return Top(np.exp(near[0]), -downhill(near[0])[0] * weight, _covariance(bends, directions))
    bounds = [(place - FARTHEST, place + FARTHEST) for place in centre]
    found = optimize.minimize(
        downhill, centre, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-7}
    )
    logs: Floats = np.asarray(found.x, dtype=np.float64)
    at_bound = np.abs(logs - centre) > FARTHEST - 1e-3
    open_end = _runs_away(int(np.argmax(at_bound)), logs - centre, names, model) if at_bound.any() else None
    if open_end is None:
        logs, information = _polished(downhill, logs, centre)
    else:
        information = downhill.hessian(logs)
    height, slope = downhill(logs)
    if not math.isfinite(height) or not np.isfinite(information).all():
        raise NoTop(model=model)
    bends, directions = np.linalg.eigh(information * weight)
    if bends[0] <= UNKNOWABLE**-2 and open_end is None:
        # A direction in which the likelihood does not fall is a top that lies nowhere; name its largest part.
        open_end = _runs_away(int(np.argmax(np.abs(directions[:, 0]))), logs - centre, names, model)
    if open_end is not None and not limits:
        raise open_end
    if open_end is None and np.abs(slope).max() > 1e-5:
        raise NoTop(model=model)
    return Top(np.exp(logs), -height * weight, _covariance(bends, directions), open_end)


def _covariance(bends: Floats, directions: Floats) -> Floats:
    """Return the inverse of the information; parameters of a direction of which nothing is known vary without end."""
    known = bends > UNKNOWABLE**-2
    covariance = directions[:, known] @ np.diag(1 / bends[known]) @ directions[:, known].T
    unknown = (np.abs(directions[:, ~known]) > OPEN_PART).any(axis=1)
    covariance[unknown, unknown] = np.inf
    return np.asarray(covariance)


def _from_part(downhill: Downhill, part: Downhill, centre: Floats) -> tuple[Floats, Floats] | None:
    """Return the top and the Hessian there, by Newton's method from the top of a part; None when it is not near."""
    options = {"ftol": 1e-13, "gtol": 1e-6}
    bounds = [(place - FARTHEST, place + FARTHEST) for place in centre]
    found = optimize.minimize(part, centre, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    logs = np.asarray(found.x, dtype=np.float64)
    _height, slope = downhill(logs)
    for _step in range(NEWTON_STEPS):
        information = downhill.hessian(logs, slope)
        if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= 0:
            return None
        if np.abs(slope).max() < FLAT:
            return logs, information
        step = np.linalg.solve(information, slope)
        if np.abs(step).max() > 1 or np.abs(logs - step - centre).max() > FARTHEST:
            return None
        logs = logs - step
        _height, slope = downhill(logs)
    return None


def _polished(downhill: Downhill, logs: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """Climb the last bit by Newton's method; return the place and the Hessian of the mean there."""
    height, slope = downhill(logs)
    information = downhill.hessian(logs)
    for _step in range(NEWTON_STEPS):
        if np.abs(slope).max() < FLAT or not np.isfinite(information).all():
            break
        bends, directions = np.linalg.eigh(information)
        step = directions @ ((directions.T @ slope) / np.maximum(np.abs(bends), 1e-8))
        step *= min(1.0, 1.0 / np.abs(step).max())
        moved = _shortened(downhill, logs, step, height, centre)
        if moved is None:
            break
        logs, height, slope = moved
        information = downhill.hessian(logs)
    return logs, information


def _shortened(
    downhill: Objective, logs: Floats, step: Floats, height: float, centre: Floats
) -> tuple[Floats, float, Floats] | None:
    for halvings in range(12):
        there = logs - step / 2**halvings
        if np.abs(there - centre).max() > FARTHEST:
            continue
        lower, slope = downhill(there)
        if lower <= height + 1e-13 * abs(height):
            return there, lower, slope
    return None


def _runs_away(place: int, moved: Floats, names: Sequence[str], model: str) -> RunsAway:
    return RunsAway(model=model, parameter=names[place], towards="∞" if moved[place] > 0 else "0")


class Model:
    """What every model has: parameters by their names in the literature, and how sure they are."""

    NAME: ClassVar[str]
    NAMES: ClassVar[tuple[str, ...]]

    def __init__(self) -> None:
        self._values: Floats | None = None
        self._covariance: Floats | None = None
        self._log_likelihood: float | None = None
        self._customers = 0.0
        self.cautions: tuple[Caution, ...] = ()

    @classmethod
    def of(cls, **params: float) -> Self:
        """Return a model with parameters that are known already. Raises ValueError for wrong names or values ≤ 0."""
        if set(params) != set(cls.NAMES):
            raise ValueError(f"{cls.__name__} has the parameters {', '.join(cls.NAMES)}.")
        if not all(math.isfinite(value) and value > 0 for value in params.values()):
            raise ValueError(f"Parameters are finite and more than zero, not {params}.")
        made = cls()
        made._values = np.array([params[name] for name in cls.NAMES], dtype=np.float64)
        return made

    @property
    def values(self) -> tuple[float, ...]:
        """The parameters in the order of NAMES. Raises NotFitted."""
        if self._values is None:
            raise NotFitted(model=self.NAME)
        return tuple(map(float, self._values))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters, in the order of `values`."""
        return self.NAMES

    @property
    def params(self) -> dict[str, float]:
        """The parameters by name. Raises NotFitted."""
        return dict(zip(self.names, self.values, strict=True))

    @property
    def log_likelihood(self) -> float:
        """The log-likelihood of the fitted data at `params`. Raises NotFitted."""
        if self._log_likelihood is None:
            raise NotFitted(model=self.NAME)
        return self._log_likelihood

    @property
    def aic(self) -> float:
        """Akaike's criterion: 2 for each parameter, less twice the log-likelihood. Raises NotFitted."""
        return 2 * len(self.names) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion: ln(customers) for each parameter, less twice the log-likelihood. Raises NotFitted."""
        return math.log(self._customers) * len(self.names) - 2 * self.log_likelihood

    @property
    def standard_errors(self) -> dict[str, float]:
        """One standard error of each parameter, from the observed information by the delta method.

        Infinite where nothing is known. Raises NotFitted.
        """
        if self._covariance is None:
            raise NotFitted(model=self.NAME)
        spread = np.sqrt(np.diag(self._covariance)) * np.array(self.values)
        return dict(zip(self.NAMES, map(float, spread), strict=True))

    def _climb(
        self,
        objective: Objective,
        start: Floats,
        weight: float,
        *,
        limits: bool = False,
        coarse: Objective | None = None,
    ) -> Self:
        """Take the best parameters; where one is open or all but open, say so in `cautions`."""
        top = maximise(objective, start, self.names, weight=weight, model=self.NAME, limits=limits, coarse=coarse)
        self._customers = weight
        self._values, self._covariance, self._log_likelihood = top.values, top.covariance, top.log_likelihood
        if top.open_end is not None:
            self.cautions = (Caution("parameter_at_bound", "", AT_BOUND, top.open_end.details),)
            return self
        wide = np.sqrt(np.diag(top.covariance)) > UNCERTAIN
        self.cautions = tuple(
            Caution("uncertain", "", UNCERTAIN_PARAMETER, {"model": self.NAME, "parameter": name})
            for name, open_ in zip(self.names, wide, strict=True)
            if open_
        )
        return self


def likelihood_ratio(wider: Model, narrower: Model) -> tuple[float, float]:
    """Return chi² and p of the test that the restriction of `narrower` holds (Wilks 1938).

    Both are fitted to the same customers, and every parameter of `narrower` is one of `wider`. Raises ValueError when
    `wider` has no more parameters.
    """
    free = len(wider.names) - len(narrower.names)
    if free < 1:
        raise ValueError("The wider model needs more parameters than the narrower one.")
    twice = 2 * (wider.log_likelihood - narrower.log_likelihood)
    return twice, float(gammaincc(free / 2, max(0.0, twice) / 2))


AT_BOUND = _(
    "The parameter %(parameter)s of %(model)s has no best value: the likelihood keeps rising towards %(towards)s. The "
    "figures are those of that limit; they hold for about as long as was observed, not for years."
)
UNCERTAIN_PARAMETER = _(
    "The data say little about %(parameter)s of %(model)s: three times or a third of it fits nearly as well."
)
