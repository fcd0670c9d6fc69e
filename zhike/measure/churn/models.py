"""The two kinds of model: a weighted sum, and many small trees. Both say what each column adds to the log-odds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from zhike.measure.churn.design import Matrix
from zhike.measure.churn.tables import Flags, Floats

THREADS = 2
FEW_ROWS = 30_000
"""Up to here one thread is quicker than two that wait for each other, above all on a busy machine."""
SKEWED = 2.0
FARTHEST = 6.0
Sources = npt.NDArray[np.intp]
Signs = npt.NDArray[np.int8]


class Model(Protocol):
    """A fitted model over the columns of a matrix."""

    KEY: str

    def log_odds(self, matrix: Matrix) -> Floats:
        """Return the log-odds of each row."""

    def contributions(self, matrix: Matrix, source: Sources) -> tuple[float, Floats]:
        """Return the base, and what each part adds in each row: base + sum is the log-odds, to rounding."""

    def as_plain(self) -> dict[str, Any]:
        """Return the model as plain numbers, for JSON."""

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return what `as_plain` wrote."""


@dataclass(frozen=True, slots=True)
class Linear:
    """Logistic regression on columns brought to one scale; long tails are drawn in by a logarithm."""

    usual: Floats
    logged: Flags
    centre: Floats
    spread: Floats
    weights: Floats
    gap_weights: Floats
    gap_share: Floats
    intercept: float
    KEY = "logistic"

    @classmethod
    def fit(cls, matrix: Matrix, positive: Flags, cases: int, signs: Signs | None = None) -> Self:
        """Fit by maximum likelihood with a ridge that is firmer where there are few cases to learn from.

        `signs` says of each column whether more of it may only raise (1) or lower (-1) the score; 0 leaves it free.
        """
        usual, logged, centre, spread = _scales(matrix)
        gap_share = np.isnan(matrix).mean(axis=0)
        blank = cls(usual, logged, centre, spread, np.zeros(0), np.zeros(0), gap_share, 0.0)
        gaps = np.flatnonzero(gap_share > 0)
        read = np.hstack([blank._read(matrix), blank._gaps(matrix)[:, gaps]])
        ridge = float(np.clip(cases / (10 * max(1, read.shape[1])), 0.02, 1.0))
        with threadpool_limits(1 if len(positive) < FEW_ROWS else THREADS):
            if signs is None or not signs.any():
                coefficients, intercept = _free(read, positive, ridge)
            else:
                held = np.concatenate([signs, np.zeros(len(gaps), dtype=signs.dtype)])
                coefficients, intercept = _bound(read, positive, ridge, held)
        gap_weights = np.zeros(matrix.shape[1])
        gap_weights[gaps] = coefficients[matrix.shape[1] :]
        weights = coefficients[: matrix.shape[1]]
        return cls(usual, logged, centre, spread, weights, gap_weights, gap_share, intercept)

    def log_odds(self, matrix: Matrix) -> Floats:
        found: Floats = self.intercept + self._read(matrix) @ self.weights
        return found + self._gaps(matrix) @ self.gap_weights if self.gap_weights.any() else found

    def contributions(self, matrix: Matrix, source: Sources) -> tuple[float, Floats]:
        each = self._read(matrix) * self.weights + self._gaps(matrix) * self.gap_weights
        return self.intercept, _by_part(each, source)

    def _read(self, matrix: Matrix) -> Floats:
        held: Floats = np.where(np.isnan(matrix), self.usual.astype(np.float32), matrix).astype(np.float64)
        if self.logged.any():
            long = held[:, self.logged]
            held[:, self.logged] = np.sign(long) * np.log1p(np.abs(long))
        held -= self.centre
        held /= self.spread
        return np.clip(held, -FARTHEST, FARTHEST, out=held)

    def _gaps(self, matrix: Matrix) -> Floats:
        found: Floats = np.isnan(matrix) - self.gap_share
        return found

    def as_plain(self) -> dict[str, Any]:
        arrays = {name: getattr(self, name).tolist() for name in self.__slots__ if name != "intercept"}
        return {"kind": self.KEY, **arrays, "intercept": self.intercept}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        arrays = {name: np.array(plain[name]) for name in cls.__slots__ if name != "intercept"}
        return cls(**arrays, intercept=float(plain["intercept"]))


def _free(read: Floats, positive: Flags, ridge: float) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  A second to load, only to learn or score.

    found = LogisticRegression(C=ridge, max_iter=400, tol=1e-5).fit(read, positive)
    return found.coef_[0], float(found.intercept_[0])


def _bound(read: Floats, positive: Flags, ridge: float, signs: Signs) -> tuple[Floats, float]:
    """Return weights that are best among those of the given signs; the intercept, the last of them, has no ridge."""
    from scipy.optimize import minimize  # noqa: PLC0415  The same.

    answer = np.where(positive, 1.0, -1.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = answer * (read @ weights[:-1] + weights[-1])
        pull = -answer / (1 + np.exp(np.clip(margin, -500, 500)))
        value = np.logaddexp(0, -margin).sum() + 0.5 * (weights[:-1] @ weights[:-1]) / ridge
        return float(value), np.append(read.T @ pull + weights[:-1] / ridge, pull.sum())

    limits = [(0.0 if sign > 0 else None, 0.0 if sign < 0 else None) for sign in (*signs, 0)]
    base = float(np.clip(positive.mean(), 1e-6, 1 - 1e-6))
    start = np.append(np.zeros(read.shape[1]), np.log(base / (1 - base)))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": 500})
    return found.x[:-1], float(found.x[-1])


def _scales(matrix: Matrix) -> tuple[Floats, Flags, Floats, Floats]:
    width = matrix.shape[1]
    usual, centre, spread = np.zeros(width), np.zeros(width), np.ones(width)
    logged = np.zeros(width, dtype=bool)
    for at in range(width):
        held = matrix[:, at].astype(np.float64)
        held = held[~np.isnan(held)]
        if not len(held):
            continue
        usual[at] = np.median(held)
        deviation = float(held.std())
        if deviation > 0 and abs(float((((held - held.mean()) / deviation) ** 3).mean())) > SKEWED:
            binary = len(np.unique(held[:2000])) <= 2 and len(np.unique(held)) <= 2
            logged[at] = not binary
        if logged[at]:
            held = np.sign(held) * np.log1p(np.abs(held))
        centre[at] = held.mean()
        # A category that hardly anybody has must not get a huge step from its small spread.
        spread[at] = max(float(held.std()), 0.05) if deviation > 0 else 1.0
    return usual, logged, centre, spread


@dataclass(frozen=True, slots=True)
class Trees:
    """Gradient boosting: the sum of many small trees over a base."""

    trees: tuple[npt.NDArray[Any], ...]
    base: float
    KEY = "boosting"

    @classmethod
    def fit(cls, matrix: Matrix, positive: Flags, cases: int, signs: Signs | None = None) -> Self:
        """Fit with settings that grow with the rows; the same rows in the same order give the same trees."""
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415  The same.

        rows = len(positive)
        trees = HistGradientBoostingClassifier(
            learning_rate=0.05 if rows < 50_000 else 0.15,
            max_iter=60 if rows >= 50_000 else 100 if cases < 300 else 160,
            max_leaf_nodes=8 if rows < 3_000 else 16 if rows < 20_000 else 31,
            min_samples_leaf=int(np.clip(rows // 100, 5, 40)),
            l2_regularization=1.0,
            max_features=0.5,
            early_stopping=False,
            monotonic_cst=None if signs is None else signs.tolist(),
            random_state=0,
        )
        with threadpool_limits(1 if rows < FEW_ROWS else THREADS):
            found = trees.fit(matrix, positive)
        nodes = tuple(found._predictors[number][0].nodes for number in range(len(found._predictors)))
        return cls(nodes, float(found._baseline_prediction[0, 0]))

    def log_odds(self, matrix: Matrix) -> Floats:
        found = np.full(len(matrix), self.base)
        held = np.ascontiguousarray(matrix, dtype=np.float64)
        for nodes in self.trees:
            found += _walk(nodes, held)
        return found

    def contributions(self, matrix: Matrix, source: Sources) -> tuple[float, Floats]:
        """Follow each row down: what a split changes in the expected value is its column's (Saabas 2014)."""
        parts = int(source.max()) + 1 if len(source) else 0
        held = np.ascontiguousarray(matrix, dtype=np.float64)
        found = np.zeros((len(matrix), parts))
        base = self.base
        for nodes in self.trees:
            root, shares, used = _shares(nodes, source)
            base += root
            numbered = nodes.copy()
            numbered["value"] = np.arange(len(nodes))
            leaf = _walk(numbered, held).astype(np.intp)
            found[:, used] += shares[leaf]
        return base, found

    def as_plain(self) -> dict[str, Any]:
        kept = ("value", "count", "feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "is_leaf")
        trees = [{name: nodes[name].tolist() for name in kept} for nodes in self.trees]
        for tree in trees:  # JSON has no infinity; the highest number splits as well.
            tree["num_threshold"] = [min(max(one, -1e300), 1e300) for one in tree["num_threshold"]]
        return {"kind": self.KEY, "trees": trees, "base": self.base}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Self:
        from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE  # noqa: PLC0415  The same.

        trees = []
        for tree in plain["trees"]:
            nodes = np.zeros(len(tree["value"]), dtype=PREDICTOR_RECORD_DTYPE)
            for name, values in tree.items():
                nodes[name] = values
            trees.append(nodes)
        return cls(tuple(trees), float(plain["base"]))


def _walk(nodes: npt.NDArray[Any], held: Floats) -> Floats:
    from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor  # noqa: PLC0415  The same.

    none = np.zeros((0, 8), dtype=np.uint32)
    threads = 1 if len(held) < FEW_ROWS else THREADS
    tree = TreePredictor(nodes, none, none)
    found: Floats = tree.predict(held, none, np.zeros(held.shape[1], dtype=np.uint32), threads)
    return found


def _shares(nodes: npt.NDArray[Any], source: Sources) -> tuple[float, Floats, npt.NDArray[np.intp]]:
    """Return the mean of a tree, and for each leaf what each of the used parts adds to it."""
    expected = nodes["value"].astype(np.float64).copy()
    for at in range(len(nodes) - 1, -1, -1):  # Children stand after their parent.
        if not nodes["is_leaf"][at]:
            left, right = nodes["left"][at], nodes["right"][at]
            counts = nodes["count"][[left, right]].astype(np.float64)
            expected[at] = float(expected[[left, right]] @ counts / counts.sum())
    inner = nodes["is_leaf"] == 0
    used = np.unique(source[nodes["feature_idx"][inner]])
    shares = np.zeros((len(nodes), len(used)))
    for at in np.flatnonzero(inner).tolist():
        part = int(np.searchsorted(used, source[nodes["feature_idx"][at]]))
        for child in (nodes["left"][at], nodes["right"][at]):
            shares[child] = shares[at]
            shares[child, part] += expected[child] - expected[at]
    return float(expected[0]), shares, used


def _by_part(each: Floats, source: Sources) -> Floats:
    found = np.zeros((len(each), int(source.max()) + 1 if len(source) else 0))
    np.add.at(found.T, source, each.T)
    return found


KINDS: dict[str, type[Linear] | type[Trees]] = {"logistic": Linear, "boosting": Trees}
