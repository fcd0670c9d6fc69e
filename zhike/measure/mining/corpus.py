"""Texts made ready once: their plain spelling, which say the same, and their terms counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from zhike.measure.mining import cues, folds, terms, wording
from zhike.measure.mining.linear import Floats
from zhike.measure.mining.terms import Ints


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts made ready: `group` is the same for texts that say the same, `tones` are their cues for and against."""

    plain: list[str]
    group: Ints
    counts: sparse.csr_matrix
    tones: Floats
    pieces: bool

    @classmethod
    def of(cls, texts: Sequence[str], *, pieces: bool | None = None) -> Corpus:
        """Make texts ready; `pieces` of words are counted where that pays, or as a model wants it."""
        plain = [wording.plain(text) for text in texts]
        wanted = terms.pieces_pay(plain) if pieces is None else pieces
        group = folds.groups([wording.same(text) for text in plain])
        return cls(plain, group, terms.matrix(plain, pieces=wanted), _tones(plain), wanted)

    def __len__(self) -> int:
        return len(self.plain)

    def only(self, rows: Ints) -> Corpus:
        """Return the texts of these rows."""
        plain = [self.plain[row] for row in rows]
        return Corpus(plain, self.group[rows], self.counts[rows], self.tones[rows], self.pieces)


def _tones(plain: Sequence[str]) -> Floats:
    found = cues.tones(plain)
    return np.asarray(np.sqrt(found) / np.sqrt(1.0 + found.sum(axis=1, keepdims=True)))
