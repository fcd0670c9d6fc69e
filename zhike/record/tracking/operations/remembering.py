"""Which messages came before: their digests of the last seven days, sorted in files that are mapped into memory."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from zhike.record.events.models import LakeFile
from zhike.record.events.queries import Numbers, halves
from zhike.record.events.rules import SEEN
from zhike.record.tracking.operations.decoding import Digests

REMEMBERED = timedelta(days=7)
Marks = np.ndarray[tuple[int], np.dtype[np.bool_]]

_mapped: dict[str, tuple[Numbers, Numbers]] = {}


def first_of_their_kind(digests: Digests) -> tuple[Digests, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return the digests sorted without repetition, and for each the place where it came first."""
    upper, lower = digests
    order = np.lexsort((lower, upper))  # Stable: of equal ones the first that came stays first.
    upper, lower = upper[order], lower[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (upper[1:] != upper[:-1]) | (lower[1:] != lower[:-1])
    return np.stack([upper[fresh], lower[fresh]]), order[fresh]


def came_before(digests: Digests, oldest: datetime) -> Marks:
    """Return which of these sorted digests were seen in the seven days before `oldest`, the first of them to come."""
    files = LakeFile.objects.filter(kind=SEEN, last_at__gte=oldest - REMEMBERED)
    paths = list(files.order_by("-rows").values_list("path", flat=True))
    for gone in set(_mapped) - set(paths):
        del _mapped[gone]
    found = np.zeros(digests.shape[1], np.bool_)
    for path in paths:
        if path not in _mapped:
            _mapped[path] = halves(path)
        found |= _among(digests, *_mapped[path])
    return found


def _among(digests: Digests, upper: Numbers, lower: Numbers) -> Marks:
    """Return which digests are among sorted ones."""
    place = np.searchsorted(upper, digests[0])
    found = np.zeros(len(place), np.bool_)
    asked = np.flatnonzero(place < len(upper))
    while len(asked):
        asked = asked[upper[place[asked]] == digests[0][asked]]
        hit = lower[place[asked]] == digests[1][asked]
        found[asked[hit]] = True
        # Two messages with the same upper half lie side by side; that happens once in a lifetime, yet it happens.
        asked = asked[~hit]
        place[asked] += 1
        asked = asked[place[asked] < len(upper)]
    return found
