"""Learning who will leave: both models on the same folds, the better one kept and calibrated, judged on unseen rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zhike.measure.churn import design, judging
from zhike.measure.churn.models import KINDS
from zhike.measure.churn.scoring import Scorer
from zhike.measure.churn.tables import Column, Flags, Floats, Rows

FOLDS, FEWER_FOLDS, MANY_ROWS = 5, 3, 50_000
"""Folds, and how many of them are enough where there are many rows."""
BLOCKS = 6
LEAST_TO_LEARN = 5
"""Rows of the rarer answer below which nothing is learnt."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows to learn from. `group` holds what must stay together; `moment` the time of a row, None without one."""

    columns: Mapping[str, Column]
    positive: Flags
    group: npt.NDArray[np.uint64]
    moment: Floats | None = None
    lag: float = 0.0
    """How long after its moment the answer of a row is known; before that it is nothing to learn from."""

    def __len__(self) -> int:
        return len(self.positive)

    @property
    def rarer(self) -> int:
        """How many rows have the rarer answer."""
        return min(int(self.positive.sum()), int((~self.positive).sum()))

    def taken(self, rows: Rows) -> Sample:
        """Return these rows only."""
        columns = {name: column.taken(rows) for name, column in self.columns.items()}
        moment = None if self.moment is None else self.moment[rows]
        return Sample(columns, self.positive[rows], self.group[rows], moment, self.lag)

    def without(self, names: set[str]) -> Sample:
        """Return the sample without these columns."""
        left = {name: column for name, column in self.columns.items() if name not in names}
        return Sample(left, self.positive, self.group, self.moment, self.lag)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the models said of rows they had not seen: `rows` of the sample, and the log-odds by model, calibrated."""

    rows: Rows
    positive: Flags
    log_odds: Mapping[str, Floats]
    calibration: Mapping[str, tuple[float, float]]
    """Slope and shift by model, from all of these rows."""

    def chances(self, kind: str) -> Floats:
        """Return the probabilities of a model."""
        return judging.probability(self.log_odds[kind])

    def figures(self, kind: str) -> dict[str, Any]:
        """Return the figures of a model on these rows."""
        return figures(self.positive, self.chances(kind))

    @property
    def best(self) -> str:
        """The model kept: the weighted sum unless the trees are better beyond chance."""
        losses = {kind: judging.losses(self.positive, self.chances(kind)) for kind in self.log_odds}
        gain = losses["logistic"] - losses["boosting"]
        error = float(gain.std()) / np.sqrt(max(1, len(gain)))
        return "boosting" if float(gain.mean()) > error else "logistic"


@dataclass(frozen=True, slots=True)
class Learned:
    """The score, the model it is of, and how it did on unseen rows."""

    kind: str
    scorer: Scorer
    judged: Judged


def figures(positive: Flags, chance: Floats) -> dict[str, Any]:
    """Return AUC with interval, Brier, log-loss, calibration error and average precision; needs both answers."""
    area = judging.auc(positive, chance)
    return {
        "auc": area.value,
        "auc_low": area.low,
        "auc_high": area.high,
        "brier": judging.brier(positive, chance),
        "log_loss": judging.log_loss(positive, chance),
        "ece": judging.ece(positive, chance),
        "average_precision": judging.precision_area(positive, chance),
    }


def sample(
    columns: Mapping[str, Column], positive: Flags, *, who: Column | None = None, moment: Floats | None = None
) -> tuple[Sample, Rows]:
    """Return a sample in an order that depends on what rows hold and not on where they stood, and that order.

    Rows of the same `who`, and rows with the same content, are in one group.
    """
    content = hashed(columns, len(positive))
    group = content if who is None else hashed({"": who}, len(positive))
    order = np.lexsort((positive, content, group if moment is None else moment))
    found = Sample({name: column.taken(order) for name, column in columns.items()}, positive[order], group[order])
    return Sample(found.columns, found.positive, found.group, None if moment is None else moment[order]), order


def hashed(columns: Mapping[str, Column], rows: int) -> npt.NDArray[np.uint64]:
    """Return a number per row that is the same for the same content."""
    found = np.full(rows, 0x9E3779B97F4A7C15, dtype=np.uint64)
    for column in columns.values():
        held = (
            column.codes.astype(np.float64) if column.kind == "category" else np.nan_to_num(column.values, nan=-1.5e300)
        )
        bits = (held + 0.0).view(np.uint64)
        found = (found ^ bits) * np.uint64(0xFF51AFD7ED558CCD)
        found ^= found >> np.uint64(32)
    return found


def folds(sample: Sample) -> Iterator[tuple[Rows, Rows]]:
    """Yield rows to learn from and rows to be judged on: later blocks of time, or five folds with groups unbroken."""
    if sample.moment is not None:
        yield from _forward(sample)
        return
    parts = folds_of(len(sample))
    groups, place = np.unique(sample.group, return_inverse=True)
    hits = np.bincount(place, weights=sample.positive, minlength=len(groups)) > 0
    fold = np.empty(len(groups), dtype=np.intp)
    for answer in (False, True):
        here = np.flatnonzero(hits == answer)
        fold[here] = np.arange(len(here)) % parts
    of_row = fold[place]
    for number in range(parts):
        yield np.flatnonzero(of_row != number), np.flatnonzero(of_row == number)


def folds_of(rows: int) -> int:
    """Return how many folds so many rows are judged by."""
    return FOLDS if rows <= MANY_ROWS else FEWER_FOLDS


def _forward(sample: Sample) -> Iterator[tuple[Rows, Rows]]:
    """Cut time into blocks of like many rows; each but the first is judged by what was learnt before it."""
    moment = np.asarray(sample.moment)
    edges = np.unique(np.quantile(moment, np.arange(1, BLOCKS) / BLOCKS, method="higher"))
    for low, high in zip(edges, [*edges[1:], np.inf], strict=True):
        # Who left after an earlier moment must be known by the first moment that is judged.
        known = (moment < low) & (moment + sample.lag <= low)
        learn, judge = np.flatnonzero(known), np.flatnonzero((moment >= low) & (moment < high))
        if len(learn) and len(judge):
            yield learn, judge


def fit(sample: Sample, rows: Rows, kind: str) -> Scorer:
    """Return the model of this kind, learnt from these rows, not calibrated."""
    held = sample.taken(rows)
    made, matrix = design.fitted(held.columns, held.positive)
    return Scorer(made, KINDS[kind].fit(matrix, held.positive))


def judge(sample: Sample) -> Judged | None:
    """Return what both models say of rows they have not seen; None where there is too little of one answer."""
    places: list[Rows] = []
    said: dict[str, list[Floats]] = {kind: [] for kind in KINDS}
    for learn, seen in folds(sample):
        hits = int(sample.positive[learn].sum())
        if min(hits, len(learn) - hits) < LEAST_TO_LEARN - 1:
            continue
        held = sample.taken(learn)
        made, matrix = design.fitted(held.columns, held.positive)
        if not made.parts:
            return None
        unseen = sample.taken(seen)
        view = made.transform(unseen.columns, len(seen))
        for kind, model in KINDS.items():
            said[kind].append(model.fit(matrix, held.positive).log_odds(view))
        places.append(seen)
    if not places:
        return None
    rows = np.concatenate(places)
    positive = sample.positive[rows]
    if positive.all() or not positive.any():
        return None
    raw = {kind: np.concatenate(parts) for kind, parts in said.items()}
    fold = np.repeat(np.arange(len(places)), [len(place) for place in places])
    forward = sample.moment is not None
    log_odds = {kind: _calibrated(positive, values, fold, forward=forward) for kind, values in raw.items()}
    calibration = {kind: judging.calibrated(positive, values) for kind, values in raw.items()}
    return Judged(rows, positive, log_odds, calibration)


def _calibrated(positive: Flags, raw: Floats, fold: Rows, *, forward: bool) -> Floats:
    """Calibrate each fold by the others, or by those before it."""
    found = raw.copy()
    for number in np.unique(fold):
        here, others = fold == number, (fold < number if forward else fold != number)
        hits = int(positive[others].sum())
        if min(hits, int(others.sum()) - hits) >= LEAST_TO_LEARN:
            slope, shift = judging.calibrated(positive[others], raw[others])
            found[here] = slope * raw[here] + shift
    return found


def learn(sample: Sample) -> Learned | None:
    """Return the better model, learnt from all rows and calibrated on what it said of unseen ones."""
    judged = judge(sample)
    if judged is None:
        return None
    kind = judged.best
    bare = fit(sample, np.arange(len(sample)), kind)
    slope, shift = judged.calibration[kind]
    return Learned(kind, Scorer(bare.design, bare.model, slope, shift), judged)
