"""The ASGI application of the tracking API: from a request's bytes to the answer after its commit."""

import asyncio
import base64
import binascii
import uuid
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from django.utils.timezone import now

from zhike.api.tracking.bodies import BadPacking, Gone, Receive, TooLarge, headers_of, read
from zhike.api.tracking.keys import Key, Keys
from zhike.api.tracking.limits import Full, House
from zhike.api.tracking.links import Link, Unavailable
from zhike.api.tracking.routes import ADDRESSES, SNIPPET
from zhike.api.tracking.writing import Writer
from zhike.record.tracking.rules.checking import Checked, Unreadable, check

Scope = dict[str, Any]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

DONE = b'{"success":true}'
SCRIPT = Path(__file__).parent / "zhike.js"
PREFLIGHT_FOR = b"600"  # Seconds a browser remembers that it may send.


@dataclass
class Answer:
    """What goes back: a status, a body, and headers beyond the usual ones."""

    status: int
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    kind: bytes = b"application/json"


class Turned(Exception):
    """The request is answered without being written."""

    def __init__(self, status: int, error: str, sentence: str, *, wait: int = 0) -> None:
        super().__init__(error)
        self.answer = Answer(status, msgspec.json.encode({"success": False, "error": error, "message": sentence}))
        if wait:
            self.answer.headers.append((b"retry-after", str(wait).encode()))


@dataclass
class Visit:
    """One request: what it holds of the room, and for which source."""

    house: House
    held: int = 0
    source: int | None = None

    def grow(self, size: int) -> None:
        self.house.grow(size)
        self.held += size
        if self.source is not None:
            self.house.of(self.source).bytes += size

    def belongs_to(self, source: int) -> None:
        """Count the request to its source; raises Full when that has its share already."""
        self.house.ensure_share(source)
        holding = self.house.of(source)
        holding.requests += 1
        holding.bytes += self.held
        self.source = source

    def leave(self) -> None:
        self.house.leave(self.held)
        if self.source is not None:
            holding = self.house.of(self.source)
            holding.requests -= 1
            holding.bytes -= self.held


class Door:
    """The tracking API of one process and one event loop."""

    def __init__(self) -> None:
        self.house = House()
        self.keys = Keys(Link())
        self.writer = Writer(Link(), Link())
        self.script: bytes | None = None

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """Answer one request; raises Gone when nobody waits for an answer any more."""
        headers = headers_of(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        if scope["path"] == SNIPPET:
            return self._snippet(scope["method"], headers)
        try:
            if scope["method"] == "OPTIONS":
                found = await self._preflight(origin)
            elif scope["method"] != "POST":
                found = Turned(405, "method", "Send events with POST.").answer
                found.headers.append((b"allow", b"POST, OPTIONS"))
            else:
                found = await self._take(scope["path"].rsplit("/", 1)[1], headers, origin, receive)
        except Turned as turned:
            found = turned.answer
        except Unavailable:
            found = Turned(503, "unavailable", "Events cannot be stored now. Send them again.", wait=2).answer
        except Full as full:
            found = _full(full).answer
        if origin and self.keys.knows(origin):
            found.headers += [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
            found.headers.append((b"access-control-expose-headers", b"Retry-After"))
        return found

    async def _preflight(self, origin: str) -> Answer:
        await self.keys.refresh()
        if not self.keys.knows(origin):
            raise Turned(403, "origin", "No source admits this web origin.")
        allowed = [(b"access-control-allow-methods", b"POST"), (b"access-control-max-age", PREFLIGHT_FOR)]
        allowed.append((b"access-control-allow-headers", b"authorization, content-type, content-encoding"))
        return Answer(204, b"", allowed)

    async def _take(self, route: str, headers: dict[bytes, bytes], origin: str, receive: Receive) -> Answer:
        self.house.enter()
        visit = Visit(self.house)
        try:
            return await self._take_in(visit, route, headers, origin, receive)
        finally:
            visit.leave()

    async def _take_in(
        self, visit: Visit, route: str, headers: dict[bytes, bytes], origin: str, receive: Receive
    ) -> Answer:
        received = now()
        await self.keys.refresh()
        given = headers.get(b"authorization")
        key = None if given is None else self._admit(visit, _user_of(given), origin, received)
        try:
            body = await read(receive, headers, visit.grow)
        except TooLarge:
            raise Turned(413, "too_large", "A request may hold 500 KB, unpacked.") from None
        except BadPacking:
            raise Turned(
                400, "bad_packing", "The body is not packed as Content-Encoding says; gzip is known."
            ) from None
        try:
            checked = check(body, route, received, _new_id)
        except Unreadable as unreadable:
            raise Turned(400, "bad_json", str(unreadable)) from None
        if key is None:
            key = self._admit(visit, checked.write_key, origin, received)
        events = sum(row.events for row in checked.rows) + len(checked.refused)
        self.house.of(key.source).bucket.events -= events
        if events:
            await self.writer.put(key, received, checked)
        return _told(checked)

    def _admit(self, visit: Visit, written: str, origin: str, received: datetime) -> Key:
        """Return the key, or raise Turned or Full when it opens nothing, not from here, or not now."""
        key = self.keys.find(written, received)
        if key is None:
            raise Turned(401, "write_key", "This write key is not known, or has ended.")
        if origin and not key.admits(origin):
            raise Turned(403, "origin", "The source of this key does not admit this web origin.")
        if key.source in self.keys.full:
            raise Full(one_source=True, seconds=10)
        visit.belongs_to(key.source)
        return key

    def _snippet(self, method: str, headers: dict[bytes, bytes]) -> Answer:
        if method not in {"GET", "HEAD"}:
            return Answer(405, headers=[(b"allow", b"GET, HEAD")])
        if self.script is None:
            self.script = _without_comments(SCRIPT.read_text(encoding="utf-8"))
        mark = b'"%x"' % (zlib.crc32(self.script))
        shared = [(b"etag", mark), (b"cache-control", b"public, max-age=3600"), (b"x-content-type-options", b"nosniff")]
        shared += [(b"cross-origin-resource-policy", b"cross-origin"), (b"access-control-allow-origin", b"*")]
        if headers.get(b"if-none-match") == mark:
            return Answer(304, headers=shared)
        return Answer(200, self.script, shared, b"text/javascript; charset=utf-8")


def _without_comments(script: str) -> bytes:
    """Return the snippet as browsers get it: at most 3 KB, so without indentation and lines of comment."""
    lines = [line.strip() for line in script.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith(("//", "/*"))).encode()


def _user_of(authorization: bytes) -> str:
    """Return the user of a Basic authorization, which is the write key; its password means nothing."""
    scheme, _, rest = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).partition(b":")[0].decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _new_id() -> str:
    return f"zhike-{uuid.uuid4().hex}"


def _full(full: Full) -> Turned:
    if full.one_source:
        return Turned(429, "too_many", "This source sends more than its share. Send again later.", wait=full.seconds)
    return Turned(503, "full", "Too many requests at once. Send again.", wait=full.seconds)


def _told(checked: Checked) -> Answer:
    if not checked.refused:
        return Answer(200, DONE)
    refused = [{"index": one.place, "messageId": one.message_id, "reason": one.reason} for one in checked.refused]
    said = {"success": bool(checked.rows), "refused": refused}
    return Answer(200 if checked.rows else 400, msgspec.json.encode(said))


async def _send(send: Send, answer: Answer, *, with_body: bool) -> None:
    length = str(len(answer.body)).encode()
    headers = [(b"content-type", answer.kind), (b"content-length", length), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})


class Beside:
    """An application that answers tracking calls itself and leaves every other request to `pages`."""

    def __init__(self, pages: Application) -> None:
        self.pages = pages
        # One for each event loop; a server process has one, tests have many.
        self.doors: WeakKeyDictionary[asyncio.AbstractEventLoop, Door] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in ADDRESSES:
            await self.pages(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        door = self.doors.get(loop)
        if door is None:
            door = self.doors[loop] = Door()
        try:
            answer = await door.answer(scope, receive)
        except Gone:
            return
        await _send(send, answer, with_body=scope["method"] != "HEAD")

    async def close(self) -> None:
        """Close the connections of this event loop."""
        door = self.doors.pop(asyncio.get_running_loop(), None)
        if door is not None:
            await door.writer.close()
            await door.keys.link.close()
