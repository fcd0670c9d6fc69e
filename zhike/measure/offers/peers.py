"""How many of the customers alike have a thing: of the same industry, else size, tier, else all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zhike.measure.offers.together import Floats, Ids

GROUPS = ("industry", "size", "tier")
ALL = "all"
USUAL = 0.05  # The share of customers from which on a feature counts as one that could be tried.
LONGEST = 100  # Signs of a name that an offer can carry.
TIE = 1e-7  # Of equal shares, the one of the thing that more of all customers have comes first.


@dataclass(frozen=True)
class Peers:
    """Shares by the kind of customer: `shares` of shape (kinds, items), `kind` of each customer; NaN is unknown.

    `popular` are the shares among all customers.
    """

    items: list[str]
    kind: npt.NDArray[np.int64]
    shares: Floats
    popular: Floats

    @classmethod
    def of(cls, known: pa.Table, shares: pa.Table, items: Sequence[str]) -> Peers:
        """Read the rows of one kind of `shares` (kind, group, item, customers, among) for customers in `known`."""
        place = {item: at for at, item in enumerate(items)}
        found: dict[str, Floats] = {}
        rows = (shares[name].to_pylist() for name in ("group", "item", "customers", "among"))
        for group, item, customers, among in zip(*rows, strict=True):
            if item in place:
                found.setdefault(group, np.full(len(items), np.nan))[place[item]] = customers / among
        kinds, code = _kinds(known)
        table = np.full((len(kinds), len(items)), np.nan)
        for row, values in enumerate(kinds):
            for group in (*(f"{name}:{value}" for name, value in zip(GROUPS, values, strict=True) if value), ALL):
                if group in found:
                    table[row] = np.where(np.isnan(table[row]), found[group], table[row])
        return cls(list(items), code, table, found.get(ALL, np.full(len(items), np.nan)))

    def scores(self, rows: Ids, *, by: str) -> Floats:
        """Return what each thing is worth to these customers, by "peers" or by what is "popular"."""
        return scored(self.shares[self.kind[rows]] if by == "peers" else self.popular[None, :], self.popular)


def scored(shares: Floats, popular: Floats) -> Floats:
    """Return shares as an order without ties, nothing where unknown."""
    return np.nan_to_num(np.round(shares, 6)) + TIE * np.nan_to_num(popular)


def _kinds(known: pa.Table) -> tuple[list[tuple[str, ...]], npt.NDArray[np.int64]]:
    """Return the different values of GROUPS that customers have together, and which of them each has."""
    codes = np.zeros(known.num_rows, dtype=np.int64)
    words: list[list[str]] = []
    for name in GROUPS:
        column = known[name].combine_chunks().dictionary_encode()
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        listed = ["", *(value or "" for value in column.dictionary.to_pylist())]
        own = column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64) + 1
        codes = codes * len(listed) + own
        words.append(listed)
    different, code = np.unique(codes, return_inverse=True)
    kinds = []
    for one in different.tolist():
        values = []
        for listed in reversed(words):
            one, at = divmod(one, len(listed))  # The digits of a number, the last one first.
            values.append(listed[at])
        kinds.append(tuple(reversed(values)))
    return kinds, code.astype(np.int64)
