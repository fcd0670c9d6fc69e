"""Group commit: requests that arrive while one transaction is being committed are written by the next one."""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg

from zhike.api.tracking.keys import Key
from zhike.api.tracking.links import Link, Unavailable
from zhike.record.tracking.rules.checking import Checked, Row
from zhike.record.tracking.rules.packing import packed

MOST_REQUESTS = 256  # Of one transaction.
MOST_BYTES = 4 * 2**20
NOTED_AFTER = 1.0  # Seconds until figures for people are written; they may be lost, events never.
USED_EVERY = timedelta(minutes=1)

# A moment that nothing was ever sent at stands for none: an array of nothing but NULL has no type.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
INBOX = """
    INSERT INTO tracking_inbox (source_id, received_at, sent_at, events, body)
    SELECT source, received, nullif(sent, %b::timestamptz), events, body
    FROM unnest(%b::bigint[], %b::timestamptz[], %b::timestamptz[], %b::int[], %b::bytea[])
        AS given(source, received, sent, events, body)
"""
REFUSED = """
    INSERT INTO tracking_refusedevent (source_id, received_at, message_id, reason, detail, body)
    SELECT * FROM unnest(%b::bigint[], %b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::text[])
"""
COUNTED = """
    INSERT INTO tracking_streamminute (source_id, minute, accepted, duplicates, refused)
    SELECT source, minute, 0, 0, refused FROM unnest(%b::bigint[], %b::timestamptz[], %b::bigint[])
        AS given(source, minute, refused) ORDER BY 1, 2
    ON CONFLICT (source_id, minute) DO UPDATE SET refused = tracking_streamminute.refused + excluded.refused
"""
USED = "UPDATE tracking_writekey SET used_at = %s WHERE id = ANY(%s) AND (used_at IS NULL OR used_at < %s)"


@dataclass(slots=True)
class Pending:
    """A checked request that waits for its commit."""

    key: Key
    received: datetime
    checked: Checked
    done: asyncio.Future[None]

    @property
    def size(self) -> int:
        return sum(len(row.body) for row in self.checked.rows) + sum(len(one.body) for one in self.checked.refused)


@dataclass
class Writer:
    """Writes for one process, taking from the sources in turn, so that a crowd of one does not hold up another."""

    link: Link
    notes: Link
    waiting: dict[int, deque[Pending]] = field(default_factory=lambda: defaultdict(deque))
    _task: asyncio.Task[None] | None = None
    _noting: asyncio.Task[None] | None = None
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _used: dict[int, datetime] = field(default_factory=dict)
    _refused: dict[tuple[int, datetime], int] = field(default_factory=lambda: defaultdict(int))

    async def put(self, key: Key, received: datetime, checked: Checked) -> None:
        """Return when the request is committed; raises Unavailable when it is not, or nobody knows."""
        pending = Pending(key, received, checked, asyncio.get_running_loop().create_future())
        self.waiting[key.source].append(pending)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        await pending.done

    async def close(self) -> None:
        """Write the last figures and close the connections."""
        self._hurry.set()
        if self._noting is not None:
            await self._noting
        await self.link.close()
        await self.notes.close()

    async def _work(self) -> None:
        """Write until nobody waits. While one group is being committed the next one gathers."""
        await asyncio.sleep(0)  # Whoever is ready in this turn of the loop comes along.
        while group := self._next():
            try:
                await self._write(group)
            except Unavailable as failure:
                _settle(group, failure)
            except psycopg.Error:
                await self._write_each(group)
            else:
                _settle(group)
                self._note(group)

    def _next(self) -> list[Pending]:
        group: list[Pending] = []
        size = 0
        while self.waiting and len(group) < MOST_REQUESTS and size < MOST_BYTES:
            for source in list(self.waiting):
                group.append(self.waiting[source].popleft())
                size += group[-1].size
                if not self.waiting[source]:
                    del self.waiting[source]
        return group

    async def _write(self, group: list[Pending]) -> None:
        rows = [(one.key.source, one.received, row) for one in group for row in one.checked.rows]
        refused = [(one.key.source, one.received, bad) for one in group for bad in one.checked.refused]
        async with self.link.held() as connection:
            if not refused:
                if rows:
                    await connection.execute(INBOX, _columns(rows))
                return
            async with connection.transaction():
                if rows:
                    await connection.execute(INBOX, _columns(rows))
                bad = [one for _source, _received, one in refused]
                found = [[source for source, _, _ in refused], [received for _, received, _ in refused]]
                texts = [[one.message_id for one in bad], [one.reason for one in bad]]
                texts += [[one.detail for one in bad], [one.body for one in bad]]
                await connection.execute(REFUSED, [*found, *texts])

    async def _write_each(self, group: list[Pending]) -> None:
        """Write one by one what could not be written together, so that one request cannot hold up the others."""
        for one in group:
            try:
                await self._write([one])
            except (Unavailable, psycopg.Error):
                _settle([one], Unavailable())
            else:
                _settle([one])
                self._note([one])

    def _note(self, group: Iterable[Pending]) -> None:
        for one in group:
            self._used[one.key.id] = one.received
            if one.checked.refused:
                minute = one.received.replace(second=0, microsecond=0)
                self._refused[one.key.source, minute] += len(one.checked.refused)
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._write_notes())

    async def _write_notes(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), NOTED_AFTER)
        used, refused = self._used, self._refused
        self._used, self._refused = {}, defaultdict(int)
        try:
            async with self.notes.held() as connection:
                if used:
                    last = max(used.values())
                    await connection.execute(USED, [last, list(used), last - USED_EVERY])
                if refused:
                    columns = [[source for source, _ in refused], [minute for _, minute in refused]]
                    await connection.execute(COUNTED, [*columns, list(refused.values())])
        except (Unavailable, psycopg.Error):
            for place, count in refused.items():
                self._refused[place] += count


def _columns(rows: list[tuple[int, datetime, Row]]) -> list[object]:
    return [
        NEVER,
        [source for source, _, _ in rows],
        [received for _, received, _ in rows],
        [row.sent_at or NEVER for _, _, row in rows],
        [row.events for _, _, row in rows],
        [packed(row.body) for _, _, row in rows],
    ]


def _settle(group: Iterable[Pending], failure: Unavailable | None = None) -> None:
    for one in group:
        if one.done.done():  # Its client hung up.
            continue
        if failure is None:
            one.done.set_result(None)
        else:
            one.done.set_exception(failure)
