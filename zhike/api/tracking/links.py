"""Connections of the tracking API to PostgreSQL, opened when needed and anew after a failure."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from django.db import connections
from psycopg.conninfo import make_conninfo

CONNECT_WITHIN = 3.0  # Seconds.
STATEMENT_WITHIN = 20_000  # Milliseconds; a stalled disk is told to clients instead of waited for.


class Unavailable(Exception):
    """The database does not answer now; nothing was stored, or it is not known to be."""


def address() -> str:
    """Return the database's address as Django has it, so that tests and pages speak with the same one."""
    given = connections["default"].settings_dict
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    parts: dict[str, Any] = {key: given[name] for key, name in named.items() if given.get(name)}
    parts |= {key: value for key, value in given.get("OPTIONS", {}).items() if key != "pool"}
    own = f"-c statement_timeout={STATEMENT_WITHIN}"
    options = f"{parts.pop('options', '')} {own}".strip()
    return make_conninfo(
        **parts, options=options, connect_timeout=int(CONNECT_WITHIN), application_name="zhike-tracking"
    )


class Link:
    """One connection, used by one task at a time."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection | None = None
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[psycopg.AsyncConnection]:
        """Give the connection for the block; whatever fails in it closes the connection and is Unavailable."""
        async with self._lock:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = await psycopg.AsyncConnection.connect(address(), autocommit=True)
                yield self._connection
            except (psycopg.OperationalError, psycopg.InterfaceError, OSError) as error:
                await self.close()
                raise Unavailable from error

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
