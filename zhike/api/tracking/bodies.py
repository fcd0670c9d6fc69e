"""Reading the body of a request: bounded in bytes, time and what it unpacks to."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from zhike.record.tracking.rules import BATCH_LIMIT

Receive = Callable[[], Awaitable[Mapping[str, Any]]]
READ_WITHIN = 20.0  # Seconds; whoever sends slower holds room that others need.


class TooLarge(Exception):
    """The body is larger than a batch may be, packed or unpacked."""


class BadPacking(Exception):
    """The body is not packed as its header says."""


class Gone(Exception):
    """The client hung up, or took too long."""


async def read(receive: Receive, headers: dict[bytes, bytes], grow: Callable[[int], None]) -> bytes:
    """Return the unpacked body; `grow` is told of every byte that is held."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > BATCH_LIMIT:
        raise TooLarge
    try:
        async with asyncio.timeout(READ_WITHIN):
            packed = await _all(receive, grow)
    except TimeoutError as error:
        raise Gone from error
    packing = headers.get(b"content-encoding", b"").strip().lower()
    if packing in {b"", b"identity"}:
        return packed
    if packing != b"gzip":
        raise BadPacking
    plain = unpacked(packed)
    grow(len(plain))
    return plain


async def _all(receive: Receive, grow: Callable[[int], None]) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size > BATCH_LIMIT:
            raise TooLarge
        if part:
            grow(len(part))
            parts.append(part)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def unpacked(packed: bytes) -> bytes:
    """Return what a gzip body holds, never unpacking more than the limit."""
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = stream.decompress(packed, BATCH_LIMIT + 1)
    except zlib.error as error:
        raise BadPacking from error
    if len(plain) > BATCH_LIMIT:
        raise TooLarge
    if not stream.eof or stream.unused_data:
        raise BadPacking
    return plain


def headers_of(pairs: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    return {bytes(name).lower(): bytes(value) for name, value in pairs}
