"""Write keys as a web process knows them: all that are in force, read anew every second."""

import asyncio
import hashlib
import time
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from zhike.api.tracking.links import Link

FRESH_FOR = 1.0  # Seconds after which a changed or ended key is known here.
DEEP = 1_000  # Rows of the inbox below which nobody needs to count whose they are.

IN_FORCE = """
    SELECT key.digest, key.id, key.source_id, key.ends_at, source.origins
    FROM tracking_writekey key JOIN tracking_source source ON source.id = key.source_id
    WHERE source.is_active AND (key.ends_at IS NULL OR key.ends_at > now())
"""
DEPTH = "SELECT coalesce((SELECT max(id) FROM tracking_inbox) - (SELECT min(id) FROM tracking_inbox), 0)"
WAITING = "SELECT source_id, sum(events) FROM tracking_inbox GROUP BY source_id HAVING sum(events) > %s"


@dataclass(frozen=True, slots=True)
class Key:
    """A write key in force: whose events it brings, and from which web origins."""

    id: int
    source: int
    ends_at: datetime | None
    origins: frozenset[str]

    def admits(self, origin: str) -> bool:
        return origin in self.origins or "*" in self.origins


@dataclass
class Keys:
    """The keys in force, and which sources have more events waiting than they may."""

    link: Link
    origins: frozenset[str] = frozenset()
    full: frozenset[int] = frozenset()
    _known: dict[str, Key] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self) -> None:
        """Read the keys when the last reading is a second old; raises Unavailable."""
        if time.monotonic() - self._read_at < FRESH_FOR:
            return
        async with self._lock:
            if time.monotonic() - self._read_at < FRESH_FOR:
                return
            async with self.link.held() as connection:
                rows = await (await connection.execute(IN_FORCE)).fetchall()
                depth = await (await connection.execute(DEPTH)).fetchone()
                crowd: list[tuple[int, int]] = []
                if depth and depth[0] > DEEP:
                    crowd = await (await connection.execute(WAITING, [settings.TRACKING_WAITING])).fetchall()
            self._known = {row[0]: Key(row[1], row[2], row[3], frozenset(row[4])) for row in rows}
            self.origins = frozenset().union(*(key.origins for key in self._known.values()))
            self.full = frozenset(source for source, _events in crowd)
            self._read_at = time.monotonic()

    def find(self, written: str, now: datetime) -> Key | None:
        """Return the key with this text, or None. Only digests are compared, so time tells nothing of a key."""
        found = self._known.get(hashlib.sha256(written.encode()).hexdigest()) if written else None
        return found if found and (found.ends_at is None or found.ends_at > now) else None

    def knows(self, origin: str) -> bool:
        """Say whether any source admits this origin; a browser's preliminary question names no key."""
        return origin in self.origins or "*" in self.origins
