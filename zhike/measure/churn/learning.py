"""Learning who will leave: both models on the same folds, the better one kept and calibrated, judged on unseen rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zhike.measure.churn import design, judging
from zhike.measure.churn.models import KINDS, Signs
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
    named: bool = False
    """Whether groups are those of customers, so that rows of one are one piece of evidence."""
    signs: Mapping[str, int] = field(default_factory=dict)
    """Columns of which more may only raise (1) or only lower (-1) the score."""

    def __len__(self) -> int:
        return len(self.positive)

    @property
    def rarer(self) -> int:
        """How many rows have the rarer answer."""
        return min(int(self.positive.sum()), int((~self.positive).sum()))

    @property
    def cases(self) -> int:
        """How many customers have the rarer answer: the same one on many days is one case."""
        if not self.named:
            return self.rarer
        rarer = self.positive if self.positive.mean() <= 0.5 else ~self.positive
        return len(np.unique(self.group[rarer]))

    def taken(self, rows: Rows) -> Sample:
        """Return these rows only."""
        columns = {name: column.taken(rows) for name, column in self.columns.items()}
        moment = None if self.moment is None else self.moment[rows]
        return replace(self, columns=columns, positive=self.positive[rows], group=self.group[rows], moment=moment)

    def without(self, names: set[str]) -> Sample:
        """Return the sample without these columns."""
        left = {name: column for name, column in self.columns.items() if name not in names}
        return replace(self, columns=left)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the models said of rows they had not seen: `rows` of the sample, and the log-odds by model, calibrated."""

    rows: Rows
    positive: Flags
    customer: npt.NDArray[np.uint64] | None
    log_odds: Mapping[str, Floats]
    calibration: Mapping[str, tuple[float, float]]
    """Slope and shift by model, from all of these rows."""

    def chances(self, kind: str) -> Floats:
        """Return the probabilities of a model."""
        return judging.probability(self.log_odds[kind])

    def figures(self, kind: str) -> dict[str, Any]:
        """Return the figures of a model on these rows."""
        return figures(self.positive, self.chances(kind), self.customer)

    @property
    def best(self) -> str:
        """The model kept: the weighted sum unless the trees are better beyond chance."""
        losses = {kind: judging.losses(self.positive, self.chances(kind)) for kind in self.log_odds}
        gain = losses["logistic"] - losses["boosting"]
        error = judging.error_of_mean(gain, self.customer)
        return "boosting" if float(gain.mean()) > error else "logistic"


@dataclass(frozen=True, slots=True)
class Learned:
    """The score, the model it is of, and how it did on unseen rows."""

    kind: str
    scorer: Scorer
    judged: Judged


def figures(positive: Flags, chance: Floats, customer: npt.NDArray[np.uint64] | None = None) -> dict[str, Any]:
    """Return AUC with interval, Brier, log-loss, calibration error and average precision; needs both answers."""
    area = judging.auc(positive, chance, customer)
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
    taken = {name: column.taken(order) for name, column in columns.items()}
    when = None if moment is None else moment[order]
    return Sample(taken, positive[order], group[order], when, named=who is not None), order


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
    return Scorer(made, KINDS[kind].fit(matrix, held.positive, held.cases, _signs(held, made)))


def _signs(sample: Sample, made: design.Design) -> Signs | None:
    if not sample.signs:
        return None
    each = [sample.signs.get(part.name, 0) if part.kind == "number" else 0 for part in made.parts]
    return np.array(each, dtype=np.int8)[made.source]


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
            said[kind].append(model.fit(matrix, held.positive, held.cases, _signs(held, made)).log_odds(view))
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
    return Judged(rows, positive, sample.group[rows] if sample.named else None, log_odds, calibration)


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
