"""Texts about the same thing, put together without knowing what there is to find."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.cluster import hierarchy
from scipy.spatial import distance

from zhike.measure.mining import terms, titles
from zhike.measure.mining.corpus import Corpus
from zhike.measure.mining.linear import Floats, Weighing
from zhike.measure.mining.sorting import apart
from zhike.measure.mining.terms import Ints

MOST = 3_000  # Pairs of texts are compared; more of them take long and show nothing that the latest do not.
FAR = 0.78
LEANING = 0.7  # How much it counts that two texts are sorted alike, beside their words.
TITLE_TERMS = 3


@dataclass(frozen=True, slots=True)
class Cluster:
    """Texts alike, the most typical first, and the terms that they share and others have not."""

    rows: Ints
    terms: list[str]


def clusters(texts: Corpus, leanings: Floats | None = None, *, least: int = 2, far: float = FAR) -> list[Cluster]:
    """Return groups of at least so many texts, the largest first; texts like no other are in none.

    Groups grow by average linkage of the cosine of weighted terms. `leanings` are probabilities of labels, one row per
    text: what is sorted alike lies nearer. Raises ValueError for more than MOST texts.
    """
    if len(texts) > MOST:
        raise ValueError(f"{len(texts)} texts are more than {MOST}")
    if len(texts) < 2:
        return []
    weighing = Weighing.learn(texts.counts)
    # What many say is what is looked for: rarity counts, but less than where one label is told from another.
    weighing = replace(weighing, rarity=np.sqrt(weighing.rarity))
    weighed = weighing.weighed(texts.counts)
    near = np.clip((weighed @ weighed.T).toarray(), 0.0, 1.0)
    near[texts.group[:, None] == texts.group[None, :]] = 1.0
    if leanings is not None:
        lengths = np.linalg.norm(leanings, axis=1, keepdims=True)
        alike = np.clip((leanings / lengths) @ (leanings / lengths).T, 0.0, 1.0)
        near *= (1 - LEANING) + LEANING * alike
    away = 1.0 - near
    np.fill_diagonal(away, 0.0)
    tree = hierarchy.linkage(distance.squareform(away, checks=False), method="average")
    number = hierarchy.fcluster(tree, t=far, criterion="distance")
    found = []
    for one in np.unique(number):
        rows = np.flatnonzero(number == one)
        if len(rows) >= least:
            typical = near[np.ix_(rows, rows)].sum(axis=1)
            found.append(rows[np.argsort(-typical, kind="stable")])
    found.sort(key=len, reverse=True)
    return [Cluster(rows, _shared(texts, weighing, weighed, rows)) for rows in found]


def _shared(texts: Corpus, weighing: Weighing, weighed: sparse.csr_matrix, rows: Ints) -> list[str]:
    """Return the terms that stand in most of these texts and weigh most there."""
    inside = weighed[rows]
    share = np.bincount(inside.indices, minlength=weighed.shape[1]) / len(rows)
    overall = np.bincount(weighed.indices, minlength=weighed.shape[1]) / weighed.shape[0]
    pull = np.asarray(inside.mean(axis=0)).ravel() * share * (share - overall) * (weighing.block < terms.BLOCKS - 1)
    best = np.argsort(-pull)[:200]
    best = best[pull[best] > 0]
    members = [texts.plain[row] for row in rows[:200]]
    said = terms.spellings(members, weighing.columns[best], pieces=False)
    spelled = {said.get(int(weighing.columns[at]), ""): float(pull[at]) for at in best}
    clean = {term: weight for term, weight in spelled.items() if all(sign.isalnum() or sign in " '" for sign in term)}
    words = titles.readable(clean, members)
    found = apart({term: weight * min(len(term), 4) ** 0.5 for term, weight in words.items()}, 3 * TITLE_TERMS)
    return _without_overlap(found)[:TITLE_TERMS]


def _without_overlap(found: list[str]) -> list[str]:
    """Leave out a term that shares two characters or a word with one before it."""
    kept: list[str] = []
    seen: set[str] = set()
    for term in found:
        parts = set(term.split()) if term.isascii() else {term[at : at + 2] for at in range(len(term) - 1)} or {term}
        if not parts & seen:
            kept.append(term)
            seen |= parts
    return kept
