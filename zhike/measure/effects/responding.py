"""Who responds to a treatment drawn by lot, learnt from what is known of customers before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from zhike.measure.churn import learning
from zhike.measure.churn.learning import Sample
from zhike.measure.churn.tables import Column, Flags, Floats, Rows

Predict = Callable[[Mapping[str, Column], int], Floats]
Learn = Callable[[Sample, Flags, str], Predict]
"""Makes, of rows with their answers, of who was treated, and of a kind of model, what says the uplift of any rows."""


def by_two_models(sample: Sample, treated: Flags, kind: str) -> Predict:
    """Learn the chance of an answer with and without the treatment; the uplift is the difference.

    The T-learner of Künzel, Sekhon, Bickel and Yu (2019), *PNAS* 116, 4156.
    """
    with_it, without = (learning.fit(sample, np.flatnonzero(side), kind) for side in (treated, ~treated))
    return lambda columns, rows: with_it.chances(columns, rows) - without.chances(columns, rows)


def by_class(sample: Sample, treated: Flags, kind: str) -> Predict:
    """Learn the chance of an answer with the treatment or none without it; the uplift is twice that chance, less 1.

    The class transformation of Jaśkowski and Jaroszewicz (2012), *ICML workshop on clinical data analysis*; it asks for
    about as many treated as not.
    """
    made = learning.fit(replace(sample, positive=sample.positive == treated), np.arange(len(sample)), kind)
    return lambda columns, rows: 2 * made.chances(columns, rows) - 1


def unseen(sample: Sample, treated: Flags, kind: str = "logistic", learn: Learn = by_two_models) -> Floats:
    """Return the uplift of each row, by `kind` `logistic` or `boosting`, as said by models that have not seen it."""
    found: Floats = np.empty(len(sample))
    for known, here in learning.folds(replace(sample, moment=None)):
        say = learn(sample.taken(known), treated[known], kind)
        found[here] = say(_taken(sample.columns, here), len(here))
    return found


def _taken(columns: Mapping[str, Column], rows: Rows) -> dict[str, Column]:
    return {name: column.taken(rows) for name, column in columns.items()}
