"""Whether everything acknowledged is in the lake, once: sets of message ids, read without the product's own code.

The catalogue of live files is read by plain SQL, the files by Arrow, and digests are computed here from what the
generator sent, so that a mistake of the product cannot hide itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from zhike.bench.load import VARIANTS, Order, message_ids, sizes

LIVE = "SELECT path FROM events_lakefile WHERE kind IN ('events', 'waiting') ORDER BY id"
Digests = np.ndarray[tuple[int], np.dtype[np.void]]


@dataclass(frozen=True)
class Found:
    """lost: acknowledged but not there; duplicated: rows beyond the first of a message; unasked: nobody's answer told
    of them, though they were sent; strange: never sent."""

    acknowledged: int
    stored: int
    lost: int
    duplicated: int
    unasked: int = 0
    strange: int = 0

    @property
    def is_right(self) -> bool:
        return not (self.lost or self.duplicated or self.strange)


def digests_in_lake(address: str, lake: Path) -> Digests:
    """Return the message column of every live file, repetitions included."""
    with psycopg.connect(address) as connection:
        paths = [lake / path for (path,) in connection.execute(LIVE)]
    columns = [_messages(path) for path in paths]
    return np.concatenate(columns) if columns else np.empty(0, "V16")


def _messages(path: Path) -> Digests:
    column = pq.read_table(path, columns=["message"], partitioning=None)["message"].combine_chunks()
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    packed = column.buffers()[1].slice(16 * column.offset, 16 * len(column))
    return np.frombuffer(packed, "V16")


def journal(order: Order) -> list[int]:
    """Return the numbers of the requests that were acknowledged; a line that was cut short was not."""
    path = Path(order.journal)
    text = path.read_text(encoding="ascii") if path.exists() else ""
    return [int(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def digests_of(source: int, order: Order, numbers: Iterable[int]) -> Digests:
    """Return the digests of all events of these requests."""
    size_of, prefix = sizes(order), source.to_bytes(8, "big", signed=True)
    parts = [
        blake2b(prefix + text.encode(), digest_size=16).digest()
        for number in numbers
        for text in message_ids(number, size_of[number % VARIANTS])
    ]
    return np.frombuffer(b"".join(parts), "V16")


def compare(there: Digests, acknowledged: Sequence[Digests], sent: Sequence[Digests]) -> Found:
    """Compare by sets: `acknowledged` must be there, `sent` may be, nothing else, and nothing twice."""
    acked, might = _set(acknowledged), _set([*acknowledged, *sent])
    distinct = np.unique(there)
    return Found(
        acknowledged=len(acked),
        stored=len(there),
        lost=len(acked) - len(np.intersect1d(acked, distinct, assume_unique=True)),
        duplicated=len(there) - len(distinct),
        unasked=len(np.setdiff1d(np.intersect1d(distinct, might, assume_unique=True), acked, assume_unique=True)),
        strange=len(np.setdiff1d(distinct, might, assume_unique=True)),
    )


def _set(parts: Sequence[Digests]) -> Digests:
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, "V16")
