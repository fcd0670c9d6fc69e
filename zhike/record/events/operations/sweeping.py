"""Removing what no row of the catalogue names."""

from __future__ import annotations

import time

from django.db import transaction

from zhike.record.events.models import LakeFile
from zhike.record.events.operations.files import LAKE_LOCK, lock
from zhike.record.events.queries import store
from zhike.record.events.rules import KINDS

GRACE_SECONDS = 3600  # A reader that listed the live files before a change must still find them while it reads.


@transaction.atomic(durable=True)
def sweep(*, grace: float = GRACE_SECONDS) -> int:
    """Remove files that no row names and that are older than `grace` seconds; returns how many."""
    lock(LAKE_LOCK)
    return remove_unnamed(grace=grace, places=(*KINDS, "staging"))


def remove_unnamed(*, grace: float, places: tuple[str, ...] = KINDS) -> int:
    """Remove files under these folders that no row names; a caller who gives no grace keeps every writer out."""
    before, removed = time.time() - grace, 0
    found = [each for place in places for each in store().kept(place) if each.written < before]
    # Read after the listing: a file that became live in between is among them.
    live = set(LakeFile.objects.values_list("path", flat=True))
    for each in found:
        if each.path not in live:
            store().remove(each.path)
            removed += 1
    return removed
