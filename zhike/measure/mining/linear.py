"""One line for each label: a linear support vector machine over weighted terms."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from zhike.measure.mining.terms import BLOCKS, Ints, column_blocks

Floats = npt.NDArray[np.float64]
NEAR_ENOUGH = 0.03  # Nearer takes half as long again and sorts not one text in a thousand otherwise.
HAPAX_FROM = 300  # With so many texts, a term that stands in one only has nothing to say.


@dataclass(frozen=True, slots=True)
class Weighing:
    """Which columns of terms count, in their order, how much each weighs, and the block it stands in."""

    columns: Ints
    rarity: Floats
    block: Ints

    @classmethod
    def learn(cls, counts: sparse.csr_matrix) -> Weighing:
        """Weigh terms by how few of these texts have them."""
        texts = counts.shape[0]
        having = np.bincount(counts.indices, minlength=counts.shape[1])
        columns = np.flatnonzero(having >= (2 if texts >= HAPAX_FROM else 1))
        rarity = np.log((1.0 + texts) / (1.0 + having[columns])) + 1.0
        return cls(columns, rarity, column_blocks(columns))

    def weighed(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return the weights of terms by text, sublinear in the count, every text of length one.

        Pieces of words count together as much as the words do, so that a number in a Chinese text stays a small thing.
        """
        place = np.full(counts.shape[1], -1, dtype=np.int64)
        place[self.columns] = np.arange(len(self.columns))
        where = place[counts.indices]
        kept = where >= 0
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))[kept]
        where = where[kept]
        value = (1.0 + np.log(counts.data[kept].astype(np.float64))) * self.rarity[where]
        block = self.block[where]
        size = np.bincount(row * BLOCKS + block, weights=value * value, minlength=counts.shape[0] * BLOCKS)
        in_rows, in_words, in_pieces = np.maximum(size.reshape(-1, BLOCKS), 1e-12).T
        whole = in_rows + in_words
        share = np.where(in_pieces > 1e-9, in_words / whole, 0.0)
        scale = np.stack([1 / whole, 1 / whole, share / in_pieces], axis=1) / (1 + share)[:, None]
        value *= np.sqrt(scale[row, block])
        starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=counts.shape[0]))])
        return sparse.csr_matrix((value, where.astype(np.int32), starts), shape=(counts.shape[0], len(self.columns)))


@dataclass(frozen=True, slots=True)
class Lines:
    """Weights by label and column, and where each line begins."""

    weights: Floats
    starts: Floats

    def scores(self, weighed: Any) -> Floats:
        """Return the distance of each text from the line of each label."""
        return np.asarray(weighed @ self.weights.T + self.starts)


def fit(weighed: sparse.csr_matrix, labels: Ints, count: int, *, strictness: float = 1.0) -> Lines:
    """Draw the lines of labels 0 … count − 1; a label without a text gets one that never says yes."""
    seen = np.unique(labels)
    weights = np.zeros((count, weighed.shape[1]))
    starts = np.full(count, -1.0)
    if len(seen) == 1:
        starts[seen[0]] = 1.0
        return Lines(weights, starts)
    from sklearn.svm import LinearSVC  # noqa: PLC0415  A second to load, and only learning needs it.

    machine = LinearSVC(C=strictness, dual=True, tol=NEAR_ENOUGH, max_iter=100, random_state=0)
    with warnings.catch_warnings():
        # Near enough: what it scores is calibrated afterwards. Many labels of few texts each are meant.
        warnings.simplefilter("ignore", UserWarning)
        machine.fit(weighed, labels)
    if len(seen) == 2:
        weights[seen[1]], starts[seen[1]] = machine.coef_[0], machine.intercept_[0]
        weights[seen[0]], starts[seen[0]] = -machine.coef_[0], -machine.intercept_[0]
    else:
        weights[seen], starts[seen] = machine.coef_, machine.intercept_
    return Lines(weights, starts)
