"""Our figure for each published number about who leaves, by its id in the table."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors

from tests.published.rows import DATA
from zhike.measure.churn import design, judging, learning
from zhike.measure.churn import tables as read_as
from zhike.measure.churn.learning import Judged, Sample

DATASETS = ("churn_telco", "churn_saas_survival")


@dataclass(frozen=True, slots=True)
class Source:
    """A table, its label with the value that means leaving, and columns that are not learnt from."""

    path: Path
    label: str
    positive: str
    without: tuple[str, ...]


SOURCES = {
    "telco": Source(DATA / "churn_telco/telco_customer_churn.csv.gz", "Churn", "Yes", ("customerID",)),
    "saas": Source(DATA / "churn_saas_survival/saas_churn.csv.gz", "churned", "1.0", ("months_active",)),
}


@functools.cache
def sample(name: str) -> Sample:
    source = SOURCES[name]
    names = csv.open_csv(source.path).schema.names
    table = csv.read_csv(
        source.path, convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    )
    positive = np.array(table[source.label].to_pylist()) == source.positive
    columns = read_as.columns(table.drop_columns([source.label, *source.without]))
    return learning.sample(columns, positive)[0]


@functools.cache
def judged(name: str) -> Judged:
    """Five folds, every row judged by a model that has not seen it."""
    found = learning.judge(sample(name))
    assert found is not None
    return found


def folds(name: str, kind: str, *names: str) -> list[float]:
    return [round(judged(name).figures(kind)[one], 4) for one in names]


@functools.cache
def fifth() -> tuple[float, float]:
    """AUC and average precision of trees on a fifth of the rows, learnt from the rest."""
    rows = sample("telco")
    learn, see = next(iter(learning.folds(rows)))
    scorer = learning.fit(rows, learn, "boosting")
    held = rows.taken(see)
    chance = scorer.chances(held.columns, len(held))
    area, precision = judging.plain_auc(held.positive, chance), judging.precision_area(held.positive, chance)
    return round(area, 4), round(precision, 4)


def by_yes_or_no() -> float:
    """AUC of whether the chance is a half or more, instead of the chance itself."""
    found = judged("telco")
    return round(judging.plain_auc(found.positive, (found.chances("boosting") >= 0.5).astype(np.float64)), 4)


@functools.cache
def made_up_before_parting() -> float:
    """AUC of folds of rows among which many were made up from others (SMOTE-ENN of Batista et al. 2004).

    Customers who left are multiplied by points between a customer and a neighbour, then all whose three neighbours do
    not agree with them are dropped: the hard cases go, and what is judged was made of what was learnt.
    """
    rows = sample("telco")
    matrix = np.nan_to_num(design.fit(rows.columns, rows.positive).transform(rows.columns, len(rows))).astype(float)
    spread = matrix.std(axis=0)
    matrix = (matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1)
    draw, few = np.random.default_rng(0), matrix[rows.positive]
    wanted = len(rows) - 2 * len(few)
    near = NearestNeighbors(n_neighbors=6).fit(few).kneighbors(few, return_distance=False)[:, 1:]
    one = draw.integers(0, len(few), wanted)
    other = near[one, draw.integers(0, 5, wanted)]
    between = few[one] + draw.random((wanted, 1)) * (few[other] - few[one])
    every, positive = np.r_[matrix, between], np.r_[rows.positive, np.ones(wanted, dtype=bool)]
    around = NearestNeighbors(n_neighbors=4).fit(every).kneighbors(every, return_distance=False)[:, 1:]
    kept = (positive[around] == positive[:, None]).all(axis=1)
    trees = HistGradientBoostingClassifier(random_state=0)
    chance = cross_val_predict(trees, every[kept], positive[kept], cv=5, method="predict_proba")[:, 1]
    return round(judging.plain_auc(positive[kept], chance), 4)


OURS: Mapping[str, Callable[[], list[float]]] = {
    "P088": lambda: folds("telco", "logistic", "auc", "brier", "log_loss", "ece"),
    "P089": lambda: folds("telco", "boosting", "auc", "brier", "log_loss", "ece"),
    "P090": lambda: [fifth()[0]],
    "P091": lambda: [*folds("telco", "boosting", "auc"), *folds("telco", "logistic", "auc")],
    "P092": lambda: [*folds("telco", "boosting", "auc"), *fifth()],
    "P093": lambda: [by_yes_or_no()],
    "P094": lambda: [made_up_before_parting()],
    "P095": lambda: [*folds("saas", "logistic", "auc"), *folds("saas", "boosting", "auc")],
}
COVERED = {"P091": 2}
"""How many of the figures of a row are covered: no neural network is built."""
TOLERANCES = {"P093": "±0.02", "P094": "±0.01"}
"""Ours, where the table has none."""
NOTES = {
    "P091": "no neural network is built, so the third figure has no fellow",
    "P093": "reproduced by its own protocol, an AUC of yes and no at one half instead of scores. Nobody should compare "
    "by it: it throws the order away, which is all that AUC measures, and the same model has 0.845 by its scores",
    "P094": "reproduced by its own protocol: rows were made up from others, and hard ones dropped, before the parts "
    "were parted, so what is judged was made of what was learnt. Nobody should rely on it: on customers not seen the "
    "same trees reach 0.845, and a claim like it is a leak",
}
"""What must be known to read a figure."""
