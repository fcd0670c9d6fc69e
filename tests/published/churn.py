"""Our figure for each published number about who leaves, by its id in the table."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from tests.published.rows import DATA
from zhike.measure.churn import judging, learning
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


OURS: Mapping[str, Callable[[], list[float]]] = {
    "P088": lambda: folds("telco", "logistic", "auc", "brier", "log_loss", "ece"),
    "P089": lambda: folds("telco", "boosting", "auc", "brier", "log_loss", "ece"),
    "P090": lambda: [fifth()[0]],
    "P091": lambda: [*folds("telco", "boosting", "auc"), *folds("telco", "logistic", "auc")],
    "P092": lambda: [*folds("telco", "boosting", "auc"), *fifth()],
    "P095": lambda: [*folds("saas", "logistic", "auc"), *folds("saas", "boosting", "auc")],
}
COVERED = {"P091": 2}
"""How many of the figures of a row are covered: no neural network is built."""
NOT_COVERED = {
    "P093": "an AUC of yes and no instead of scores: it throws the order away, which is all that AUC measures",
    "P094": "rows were multiplied before they were parted, so copies of what was learnt were judged: not attainable "
    "on customers nobody has seen; a claim like it is a leak",
}
