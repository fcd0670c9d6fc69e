"""Things that customers have together: which goes with which, whether that forecasts better than popularity, and what
comes next for each customer. Plain arrays, without a record.

Item to item: two things are alike by the customers who have both, over the geometric mean of those who have either,
drawn towards nothing when few have both (Linden, Smith & York 2003; shrinkage after Bell & Koren 2007).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Matrix = Any  # A sparse matrix by rows; scipy does not tell its types.

LEAST_OWNERS = 5  # Of a thing that is ever offered.
MOST_ITEMS = 3000
LONGEST = 200  # Things of one customer that are looked at, the latest ones.
SHRINKAGE = 10.0
NEIGHBOURS = 20
AT_ONCE = 20_000
FIRST = 3  # A hit is a thing among so many first offers.
JUDGED = 5000  # Customers by whom a forecast is judged.
LEAST_JUDGED = 30
SURE = 1.96  # Standard errors: 95 per cent.


@dataclass(frozen=True)
class Pairs:
    """Who has what, and since which day: arrays side by side, each pair once."""

    customer: Ids
    item: Ids
    day: Ids

    def where(self, kept: npt.NDArray[np.bool_]) -> Pairs:
        return Pairs(self.customer[kept], self.item[kept], self.day[kept])


@dataclass(frozen=True)
class Kinds:
    """The category of each item ("" is none) and what one usually costs (NaN is unknown), by the item's id."""

    category: Mapping[int, str]
    price: Mapping[int, float]

    def of(self, item: int, own: Iterable[int]) -> str:
        """Return "up_sell" for a dearer thing of a category that a customer has, "cross_sell" for another category."""
        named = self.category.get(item, "")
        alike = [other for other in own if named and self.category.get(other, "") == named]
        if not alike:
            return "cross_sell"
        dearest = max((self.price.get(other, math.nan) for other in alike), default=math.nan)
        return "up_sell" if self.price.get(item, math.nan) > dearest else ""


@dataclass(frozen=True)
class Learnt:
    """What was learnt: `items` in order of their ids, `owners` of each, `recent` ones among them, how many customers
    have each two (`both`) and how alike they are (`weights`, the best NEIGHBOURS of each row).
    """

    items: Ids
    owners: Floats
    recent: Floats
    both: Matrix
    weights: Matrix

    @property
    def popular(self) -> Floats:
        """How much a thing is wanted by everybody: its recent owners, then all of them."""
        return np.asarray(self.recent + self.owners / (1 + self.owners.sum()))


def learn(pairs: Pairs, *, since: int) -> Learnt:
    """Learn from pairs; `since` is the day from which on a new owner is a recent one."""
    found, counts = np.unique(pairs.item, return_counts=True)
    kept = found[counts >= LEAST_OWNERS]
    if len(kept) > MOST_ITEMS:
        order = np.argsort(-counts[counts >= LEAST_OWNERS], kind="stable")
        kept = np.sort(kept[order[:MOST_ITEMS]])
    among = pairs.where(np.isin(pairs.item, kept))
    column = np.searchsorted(kept, among.item)
    size = len(kept)
    owners = np.bincount(column, minlength=size).astype(np.float64)
    recent = np.bincount(column[among.day >= since], minlength=size).astype(np.float64)
    have = matrix(_latest(among), kept)[1]
    both = (have.T @ have).tocsr()
    both.setdiag(0)
    both.eliminate_zeros()
    return Learnt(kept, owners, recent, both, _weights(both, owners))


def _latest(pairs: Pairs) -> Pairs:
    """Return at most the LONGEST latest pairs of each customer: a list of everything tells nothing."""
    order = np.lexsort((pairs.item, -pairs.day, pairs.customer))
    customer = pairs.customer[order]
    begins = np.r_[True, customer[1:] != customer[:-1]] if len(customer) else np.zeros(0, dtype=bool)
    place = np.arange(len(customer)) - np.maximum.accumulate(np.where(begins, np.arange(len(customer)), 0))
    kept = np.sort(order[place < LONGEST])
    return Pairs(pairs.customer[kept], pairs.item[kept], pairs.day[kept])


def matrix(pairs: Pairs, items: Ids) -> tuple[Ids, Matrix]:
    """Return the customers in order, and ones where a customer has one of the items, which are in order."""
    known = np.isin(pairs.item, items)
    customers, row = np.unique(pairs.customer[known], return_inverse=True)
    column = np.searchsorted(items, pairs.item[known])
    ones = np.ones(len(row), dtype=np.float32)
    return customers, sparse.csr_matrix((ones, (row, column)), shape=(len(customers), len(items)))


def _weights(both: Matrix, owners: Floats) -> Matrix:
    """Return how alike each thing is to its nearest ones."""
    rows, columns, values = [], [], []
    for item in range(both.shape[0]):
        part = slice(both.indptr[item], both.indptr[item + 1])
        others, count = both.indices[part], both.data[part].astype(np.float64)
        alike = count / (np.sqrt(owners[item] * owners[others]) + SHRINKAGE)
        # Equally alike things stand in the order of their ids, so that the same data give the same offers.
        best = np.lexsort((others, -alike))[:NEIGHBOURS]
        rows.append(np.full(len(best), item))
        columns.append(others[best])
        values.append(alike[best])
    if not rows:
        return sparse.csr_matrix(both.shape)
    made = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_matrix(made, shape=both.shape)


def judge(pairs: Pairs, *, split: int, since: int, kinds: Kinds | None = None) -> dict[str, Any]:
    """Learn from what was had before the day `split`, forecast what came after, and set it beside popularity.

    Popularity is that of the things newly had from `since` to `split`, or of all owners, whichever forecasts better.
    Returns hit rates among the FIRST offers and mean reciprocal ranks, the difference in hits with its 95 per cent
    interval, which of the two is to be used, and `taken`: the share of all customers who took the very first offer.
    With `kinds` also hits by what kind of sale it was.
    """
    learnt = learn(pairs.where(pairs.day < split), since=since)
    customers, have = matrix(pairs.where(pairs.day < split), learnt.items)
    later = pairs.where((pairs.day >= split) & np.isin(pairs.item, learnt.items) & np.isin(pairs.customer, customers))
    judged = np.unique(later.customer)
    share = len(judged) / max(1, len(customers))
    if len(judged) > JUDGED:
        judged = np.sort(np.random.default_rng(len(judged)).choice(judged, JUDGED, replace=False))
        later = later.where(np.isin(later.customer, judged))
    said: dict[str, Any] = {"customers": len(judged), "items": len(learnt.items), "first": FIRST}
    if len(judged) < LEAST_JUDGED or len(learnt.items) < 2:
        return {**said, "use": "popular", "reason": "few_to_judge_by"}
    own = have[np.searchsorted(customers, judged)]
    wanted = sparse.csr_matrix(
        (
            np.ones(len(later.customer), dtype=np.float32),
            (np.searchsorted(judged, later.customer), np.searchsorted(learnt.items, later.item)),
        ),
        shape=own.shape,
    )
    tried = {
        "together": _ranks(own, wanted, learnt.weights, learnt.popular),
        "recent": _ranks(own, wanted, None, learnt.popular),
        "ever": _ranks(own, wanted, None, learnt.owners),
    }
    bar = max(("recent", "ever"), key=lambda name: (1 / tried[name]).mean())
    hits = {name: (ranks <= FIRST).astype(np.float64) for name, ranks in tried.items()}
    gain, low, high = interval(hits["together"] - hits[bar])
    _rank_gain, rank_low, _rank_high = interval(1 / tried["together"] - 1 / tried[bar])
    # Everybody is offered the same popular things, so that hits of theirs come together by luck: the whole order
    # must be better, too.
    use = "together" if low > 0 and rank_low > 0 else "popular"
    popular = learnt.popular if bar == "recent" else learnt.owners
    ways = (("hit_rate", learnt.weights, learnt.popular), ("popular_hit_rate", None, popular))
    return {
        **said,
        "bar": bar,
        "hit_rate": round(float(hits["together"].mean()), 4),
        "mrr": round(float((1 / tried["together"]).mean()), 4),
        "popular_hit_rate": round(float(hits[bar].mean()), 4),
        "popular_mrr": round(float((1 / tried[bar]).mean()), 4),
        "gain": round(gain, 4),
        "gain_low": round(low, 4),
        "gain_high": round(high, 4),
        "mrr_gain_low": round(rank_low, 4),
        "taken": round(float((tried["together" if use == "together" else bar] < 2).mean()) * share, 6),
        "use": use,
        "kinds": _by_kind(own, wanted, learnt.items, kinds, ways) if kinds else {},
    }


def _by_kind(
    own: Matrix, wanted: Matrix, items: Ids, kinds: Kinds, ways: Iterable[tuple[str, Matrix | None, Floats]]
) -> dict[str, dict[str, Any]]:
    """Return, for each kind of sale, by how many customers it was judged and the hits of each way among them."""
    parts: dict[str, list[tuple[int, int]]] = {"cross_sell": [], "up_sell": []}
    names = items.tolist()
    for row in range(own.shape[0]):
        had = [names[at] for at in own.indices[own.indptr[row] : own.indptr[row + 1]]]
        for at in wanted.indices[wanted.indptr[row] : wanted.indptr[row + 1]]:
            if kind := kinds.of(names[at], had):
                parts[kind].append((row, at))
    found: dict[str, dict[str, Any]] = {}
    for kind, cells in parts.items():
        rows, columns = (np.array(each, dtype=np.int64) for each in zip(*cells, strict=True)) if cells else ((), ())
        here = np.unique(rows)
        found[kind] = {"customers": len(here)}
        if len(here) >= LEAST_JUDGED:
            asked = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=own.shape)[here]
            found[kind] |= {
                name: round(float((_ranks(own[here], asked, weights, popular) <= FIRST).mean()), 4)
                for name, weights, popular in ways
            }
    return found


def interval(apart: Floats) -> tuple[float, float, float]:
    """Return the mean of differences with the ends of its 95 per cent interval."""
    error = SURE * float(apart.std(ddof=1)) / float(np.sqrt(len(apart)))
    gain = float(apart.mean())
    return gain, gain - error, gain + error


def _ranks(own: Matrix, wanted: Matrix, weights: Matrix | None, popular: Floats) -> Floats:
    """Return the place of the best-placed wanted thing of each customer among the things it does not have yet."""
    found = np.empty(own.shape[0])
    tie = popular / (1 + popular.max()) * 1e-6 if weights is not None else popular
    for start in range(0, own.shape[0], 1000):
        part = slice(start, start + 1000)
        scores = np.tile(tie, (own[part].shape[0], 1))
        if weights is not None:
            scores += (own[part] @ weights).toarray()
        scores[own[part].nonzero()] = -np.inf
        found[part] = placed(scores, wanted[part].toarray() > 0)
    return found


def placed(scores: Floats, asked: npt.NDArray[np.bool_]) -> Floats:
    """Return the place of the best-placed thing asked for in each row of scores."""
    best = np.where(asked, scores, -np.inf).max(axis=1)
    # Of things with one score, half are taken to come before.
    ahead = (scores > best[:, None]).sum(axis=1) + 0.5 * ((scores == best[:, None]).sum(axis=1) - 1)
    return np.asarray(1 + ahead, dtype=np.float64)


def following(have: Matrix, learnt: Learnt, refused: Matrix, *, by: str) -> Ids:
    """Return the place of the next thing for each row of `have`, -1 for none.

    `refused` has ones where a thing must not be offered. With `by` "together" what goes with the things had; for who
    has nothing that goes with anything, and with "popular", the most popular thing not had yet.
    """
    found = np.full(have.shape[0], -1, dtype=np.int64)
    order = np.argsort(-learnt.popular, kind="stable")
    for start in range(0, have.shape[0], AT_ONCE):
        part = slice(start, start + AT_ONCE)
        barred = (have[part] + refused[part]).tocsr()
        if by == "together":
            found[part] = _best(have[part], learnt, barred)
        found[part] = _first(found[part], barred, order)
    return found


def _best(have: Matrix, learnt: Learnt, barred: Matrix) -> Ids:
    scores = (have @ learnt.weights).tocsr()
    # What must not be offered is taken below nothing; what is left above it may be the best of its row.
    scores = (scores - barred.multiply(1e9)).tocsr()
    found = np.full(have.shape[0], -1, dtype=np.int64)
    row = np.repeat(np.arange(scores.shape[0]), np.diff(scores.indptr))
    good = scores.data > 1e-12
    row, column, value = row[good], scores.indices[good], np.round(scores.data[good], 6)
    order = np.lexsort((column, -value, row))
    row, column = row[order], column[order]
    begins = np.r_[True, row[1:] != row[:-1]] if len(row) else np.zeros(0, dtype=bool)
    found[row[begins]] = column[begins]
    return found


def _first(found: Ids, barred: Matrix, order: Ids) -> Ids:
    """Fill in, for who has no offer yet, the first of an order of things that is not barred."""
    found = found.copy()
    open_rows = np.flatnonzero(found < 0)
    for item in order:
        if not len(open_rows):
            break
        free = (
            np.asarray(barred[open_rows, int(item)].todense()).ravel() == 0
            if barred.nnz
            else np.ones(len(open_rows), dtype=bool)
        )
        found[open_rows[free]] = item
        open_rows = open_rows[~free]
    return found
