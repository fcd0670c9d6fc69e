"""Parts of labelled texts to learn from and to be tried on: the same text is never in both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def groups(same_texts: Sequence[str]) -> Ints:
    """Return a number for each text, the same for texts that say the same."""
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(text, len(seen)) for text in same_texts], dtype=np.int64)


def dealt(labels: Ints, group: Ints, parts: int, *, seed: int = 0) -> Ints:
    """Return which part each text is in: every label spread evenly over the parts, a group always in one."""
    order = np.random.default_rng(seed).permutation(len(labels))
    _distinct, first = np.unique(group[order], return_index=True)
    heads = order[np.sort(first)]
    part = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.int64)
    turn = 0
    for label in np.unique(labels):
        members = heads[labels[heads] == label]
        part[group[members]] = (turn + np.arange(len(members))) % parts
        turn += len(members)  # Labels of one text each do not all land in the first part.
    return part[group]


def heads(group: Ints, labels: Ints) -> npt.NDArray[np.bool_]:
    """Say which texts are the first to say what they say with the label that they have."""
    found = np.zeros(len(group), dtype=np.bool_)
    _pairs, first = np.unique(np.stack([group, labels]), axis=1, return_index=True)
    found[first] = True
    return found
