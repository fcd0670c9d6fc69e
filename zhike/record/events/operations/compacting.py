"""Bringing files of a month together: many small ones become few large ones with exactly the same rows."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Count

from zhike.kit.failpoints import failpoint, register
from zhike.record.events.models import LakeFile
from zhike.record.events.operations.files import REWRITE_LOCK, go_live, try_lock, write_seen
from zhike.record.events.operations.merging import ensure_all, merged, written
from zhike.record.events.queries import halves
from zhike.record.events.rules import EVENTS, ROWS_IN_SEEN, SEEN, TOGETHER, WAITING, Sized, to_compact

register("compact.chosen", "compact.written", "compact.live")

FORGOTTEN_AFTER = timedelta(days=8)  # A day more than messages are remembered, for an inbox that waits.


@transaction.atomic(durable=True)
def compact(now: datetime, *, least: int = TOGETHER) -> int:
    """Bring one group of at least so many files together, the kind with the most files first; returns how many.

    Safe at any time: who adds files does not mind, and who rewrites some waits or is waited for.
    """
    if not try_lock(REWRITE_LOCK):
        return 0
    counts = LakeFile.objects.filter(kind__in=[EVENTS, WAITING, SEEN]).values_list("kind").annotate(Count("pk"))
    for kind, _count in sorted(counts, key=lambda pair: -pair[1]):
        done = _compact_seen(now, least) if kind == SEEN else _compact_kind(kind, now, least)
        if done:
            return done
    return 0


def _compact_kind(kind: str, now: datetime, least: int) -> int:
    live = LakeFile.objects.filter(kind=kind)
    chosen = to_compact([Sized(*row) for row in live.values_list("pk", "month", "rows")], least=least)
    if not chosen:
        return 0
    files = list(live.filter(pk__in=chosen))
    failpoint("compact.chosen")
    drafts = written(merged(files, kind), kind)
    ensure_all(drafts, sum(each.rows for each in files))
    failpoint("compact.written")
    go_live(drafts, chosen, now=now)
    failpoint("compact.live")
    return len(chosen)


def _compact_seen(now: datetime, least: int) -> int:
    """Bring digests of one day together, and forget those that are too old to matter."""
    LakeFile.objects.filter(kind=SEEN, last_at__lt=now - FORGOTTEN_AFTER).delete()
    live = LakeFile.objects.filter(kind=SEEN)
    days = [Sized(pk, last.date(), rows) for pk, last, rows in live.values_list("pk", "last_at", "rows")]
    chosen = to_compact(days, full=ROWS_IN_SEEN, least=least)
    if not chosen:
        return 0
    files = list(live.filter(pk__in=chosen))
    failpoint("compact.chosen")
    upper, lower = (np.concatenate(column) for column in zip(*(halves(each.path) for each in files), strict=True))
    # Sorted runs one after the other: a stable sort only has to merge them.
    order = np.argsort(upper, kind="stable")
    draft = write_seen(
        np.stack([upper[order], lower[order]]),
        min(each.first_at for each in files),
        max(each.last_at for each in files),
    )
    ensure_all([draft], sum(each.rows for each in files))
    failpoint("compact.written")
    go_live([draft], chosen, now=now)
    failpoint("compact.live")
    return len(chosen)
