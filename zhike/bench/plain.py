"""What `zhike bench ingest` is compared with: the least that takes events in, one INSERT with its commit for each.

An ASGI application without a framework, a pool of connections, and no more than the promise that both keep: the answer
leaves after the commit.
"""

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from psycopg_pool import AsyncConnectionPool

ADDRESS = "ZHIKE_BENCH_DATABASE"
TABLE = "CREATE TABLE IF NOT EXISTS bench_plain (id bigserial PRIMARY KEY, message text NOT NULL, body jsonb NOT NULL)"
INSERT = "INSERT INTO bench_plain (message, body) VALUES (%s, %s)"
CONNECTIONS = 8
Message = MutableMapping[str, Any]

_pools: list[AsyncConnectionPool[Any]] = []


async def application(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    given = json.loads(body)
    pool = await _pool()
    async with pool.connection() as connection:
        for event in given.get("batch", [given]):
            await connection.execute(INSERT, [event["messageId"], json.dumps(event)])
    answer = b'{"success":true}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def _pool() -> AsyncConnectionPool[Any]:
    if not _pools:
        found: AsyncConnectionPool[Any] = AsyncConnectionPool(
            os.environ[ADDRESS], min_size=CONNECTIONS, max_size=CONNECTIONS, open=False, kwargs={"autocommit": True}
        )
        _pools.append(found)
        await found.open()
    return _pools[0]
