"""The model that sorts texts into labels: learnt from labelled texts, calibrated on texts it had not seen."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from zhike.measure.mining import calibrating, folds, linear, terms
from zhike.measure.mining.calibrating import SURE, Bend, Calibration
from zhike.measure.mining.corpus import Corpus
from zhike.measure.mining.linear import Floats, Lines, Weighing
from zhike.measure.mining.terms import Ints

PARTS = 5
LEAST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Sorter:
    """Lines of labels over weighted terms and, last, the tones of a text."""

    weighing: Weighing
    lines: Lines
    tone: float

    @classmethod
    def learn(cls, texts: Corpus, labels: Ints, count: int) -> Sorter:
        """Learn from labelled texts; with few of them our own lists of cues weigh more."""
        weighing = Weighing.learn(texts.counts)
        tone = float(np.clip(10.0 / np.sqrt(max(1, len(texts))), 0.3, 1.0))
        return cls(weighing, linear.fit(_seen(texts, weighing, tone), labels, count), tone)

    def scores(self, texts: Corpus) -> Floats:
        return self.lines.scores(_seen(texts, self.weighing, self.tone))


def _seen(texts: Corpus, weighing: Weighing, tone: float) -> sparse.csr_matrix:
    return sparse.hstack([weighing.weighed(texts.counts), sparse.csr_matrix(texts.tones * tone)], format="csr")


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of each labelled text while it was kept from learning: its part, probabilities, and threshold."""

    part: Ints
    scores: Floats
    probabilities: Floats
    confidence: Floats
    thresholds: Floats
    calibration: Calibration
    bend: Bend
    threshold: float

    @property
    def answers(self) -> Ints:
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def sure(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.confidence >= self.thresholds)


def tried(
    texts: Corpus, labels: Ints, count: int, *, before: Floats | None = None, sure: float = SURE, seed: int = 0
) -> Trial:
    """Score every text by a model of the others; what says the same is never on both sides.

    Calibration and threshold of a text come from the other parts too, so that its own label is in nothing it is
    judged by. `before` are logarithms of probabilities believed without labels.
    """
    part = folds.dealt(labels, texts.group, min(PARTS, max(2, len(np.unique(texts.group)))), seed=seed)
    scores = np.zeros((len(texts), count))
    for learn, hold in _sides(part):
        scores[hold] = Sorter.learn(texts.only(learn), labels[learn], count).scores(texts.only(hold))
    heads = folds.heads(texts.group, labels)  # A text said a hundred times is one piece of evidence, not a hundred.
    probabilities = np.zeros_like(scores)
    for learn, hold in _sides(part):
        one = learn[heads[learn]]
        made = calibrating.calibrate(scores[one], labels[one], _rows(before, one))
        probabilities[hold] = made.probabilities(scores[hold], _rows(before, hold))
    best, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    confidence, thresholds = np.zeros(len(texts)), np.zeros(len(texts))
    for learn, hold in _sides(part):
        one = learn[heads[learn]]
        confidence[hold] = calibrating.bend(best[one], right[one])(best[hold])
    for learn, hold in _sides(part):
        one = learn[heads[learn]]
        thresholds[hold] = calibrating.threshold(confidence[one], right[one], sure=sure)
    return Trial(
        part,
        scores,
        probabilities,
        confidence,
        thresholds,
        calibrating.calibrate(scores[heads], labels[heads], _rows(before, np.flatnonzero(heads))),
        calibrating.bend(best[heads], right[heads]),
        calibrating.threshold(confidence[heads], right[heads], sure=sure),
    )


def _sides(part: Ints) -> Iterator[tuple[Ints, Ints]]:
    for number in np.unique(part):
        yield np.flatnonzero(part != number), np.flatnonzero(part == number)


def _rows(values: Floats | None, rows: Ints) -> Floats | None:
    return None if values is None else values[rows]


@dataclass(frozen=True, slots=True)
class TextModel:
    """A model in use. Texts whose best label is less likely than `threshold` are left unsure."""

    labels: tuple[str, ...]
    pieces: bool
    sorter: Sorter
    calibration: Calibration
    bend: Bend
    threshold: float

    @classmethod
    def learn(cls, texts: Corpus, labels: Ints, names: Sequence[str], trial: Trial) -> TextModel:
        """Learn from all texts; calibration and threshold are those of the trial on the same texts."""
        sorter = Sorter.learn(texts, labels, len(names))
        return cls(tuple(names), texts.pieces, sorter, trial.calibration, trial.bend, trial.threshold)

    def probabilities(self, texts: Corpus, before: Floats | None = None) -> Floats:
        """Return how likely each label is, one row per text."""
        return self.calibration.probabilities(self.sorter.scores(texts), before)

    def confidence(self, probabilities: Floats) -> Floats:
        """Return how likely the best label of each text is to be right."""
        return self.bend(probabilities.max(axis=1))

    def speaking(self, texts: Corpus, most: int = 8) -> list[list[str]]:
        """Return for each label the terms that speak most for it, as these texts spell them."""
        columns = self.sorter.weighing.columns
        having = np.bincount(texts.counts.indices, minlength=texts.counts.shape[1])[columns]
        readable = (self.sorter.weighing.block < terms.BLOCKS - 1) & (having > 1)
        pull = self.sorter.lines.weights[:, : len(columns)] * self.sorter.weighing.rarity * np.sqrt(having) * readable
        best = [np.argsort(-row)[: 12 * most] for row in pull]
        said = terms.spellings(texts.plain, columns[np.unique(np.concatenate(best))], pieces=False)
        found = []
        for row, places in zip(pull, best, strict=True):
            weighed = {said.get(int(columns[place]), ""): float(row[place]) for place in places if row[place] > 0}
            found.append(apart(weighed, most))
        return found

    def as_bytes(self) -> bytes:
        """Return the model as plain numbers (npz), to be read by `from_bytes`; nothing in it can run."""
        told = {
            "labels": self.labels,
            "pieces": self.pieces,
            "tone": self.sorter.tone,
            "slope": self.calibration.slope,
            "trust": self.calibration.trust,
            "bend": self.bend.terms,
            "threshold": self.threshold,
        }
        file = io.BytesIO()
        np.savez_compressed(
            file,
            told=np.frombuffer(json.dumps(told).encode(), dtype=np.uint8),
            columns=self.sorter.weighing.columns.astype(np.int32),
            rarity=self.sorter.weighing.rarity.astype(np.float32),
            weights=self.sorter.lines.weights.astype(np.float32),
            starts=self.sorter.lines.starts,
            steps=self.calibration.steps,
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> TextModel:
        with np.load(io.BytesIO(data), allow_pickle=False) as kept:
            told = json.loads(kept["told"].tobytes())
            columns = kept["columns"].astype(np.int64)
            weighing = Weighing(columns, kept["rarity"].astype(np.float64), terms.column_blocks(columns))
            lines = Lines(kept["weights"].astype(np.float64), kept["starts"])
            calibration = Calibration(told["slope"], told["trust"], kept["steps"])
        sorter = Sorter(weighing, lines, told["tone"])
        return cls(
            tuple(told["labels"]), told["pieces"], sorter, calibration, Bend(tuple(told["bend"])), told["threshold"]
        )


def apart(weighed: Mapping[str, float], most: int) -> list[str]:
    """Return the weightiest terms that read well and are no part of one another; a lone sign says little."""
    pull = {
        term: weight * (0.25 if len(term) == 1 and not term.isascii() else 1.0)
        for term, weight in weighed.items()
        if len(term) > (1 if term.isascii() else 0) and term[0].isalnum() and term[-1].isalnum()
    }
    found: list[str] = []
    for term in sorted(pull, key=lambda one: -pull[one]):
        if len(found) == most:
            break
        if not any(term in other or other in term for other in found):
            found.append(term)
    return found
