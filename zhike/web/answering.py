"""How a web process answers pages: each request in one thread from beginning to end, of a few that are kept.

Django's own handler walks between the event loop and a new thread several times a request, and each walk waits for the
interpreter's lock while other requests hold it.
"""

import asyncio
import contextlib
import contextvars
import gc
import heapq
import itertools
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import close_old_connections
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import get_resolver, set_script_prefix

AT_ONCE = 2  # Requests in work: more would wait for the interpreter's lock, one would leave it to the database's pace.
LONG = 0.25  # Seconds after which a request counts as waiting for the database, and the next one begins beside it.
LEFT = 0.27  # Seconds in which a page is to begin: what its aim leaves when the time of its own work is taken off.
LEFT_OF = (("/customers/", 0.23), ("/customers", 0.24), ("/search", 0.49))
"""The same for pages with an aim of their own or longer work, by how their addresses begin."""
THREADS = 8  # For those in work and those that gave their turn away.
GARBAGE_AFTER = 20_000  # A page makes thousands of objects that live as long as itself; looking for cycles can wait.


def left_of(path: str) -> float:
    """Return the seconds in which a page is to begin."""
    return next((left for start, left in LEFT_OF if path.startswith(start)), LEFT)


class Turns:
    """Who is next: of those that wait, the one whose page is due soonest. Two that came together for the same page
    keep their order, and nobody waits for ever, for whoever comes later is due later.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop, self.free = loop, AT_ONCE
        self.came = itertools.count()
        self.waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    async def take(self, due: float) -> None:
        """Wait for a turn, of which there are AT_ONCE; `due` is in seconds of the loop's clock."""
        if self.free:
            self.free -= 1
            return
        called = self.loop.create_future()
        heapq.heappush(self.waiting, (due, next(self.came), called))
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Let the next one begin."""
        while self.waiting:
            called = heapq.heappop(self.waiting)[2]
            if not called.done():
                called.set_result(None)
                return
        self.free += 1


class Pages(ASGIHandler):
    """Django's ASGI application with everything that is not asynchronous in one thread."""

    def __init__(self) -> None:
        super(ASGIHandler, self).__init__()
        self.load_middleware(is_async=False)
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pages")
        self.loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"pages are asked for by HTTP, not by {scope['type']}")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            # A copy of the context: what a request leaves behind in its thread is not there for the next one.
            run = contextvars.copy_context().run
            loop = asyncio.get_running_loop()
            async with self._turn(loop, scope["path"]):
                response = await loop.run_in_executor(self.threads, run, self._answer, scope, body)
            if isinstance(response, StreamingHttpResponse):
                await self._stream(response, receive, send)
            else:
                await self.send_response(response, send)

    @contextlib.asynccontextmanager
    async def _turn(self, loop: asyncio.AbstractEventLoop, path: str) -> AsyncIterator[None]:
        """Wait until it is this request's turn; whoever is slow holds up nobody."""
        if self.loop is not loop:
            self.loop, self.turns = loop, Turns(loop)
        await self.turns.take(loop.time() + left_of(path))
        held = [self.turns]
        early = loop.call_later(LONG, lambda: held.pop().give_back())
        try:
            yield
        finally:
            early.cancel()
            if held:
                held.pop().give_back()

    def _answer(self, scope: dict[str, Any], body: Any) -> HttpResponse | StreamingHttpResponse:
        """Return the response, complete and with its connection given back unless it is a stream."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refused = self.create_request(scope, body)
        response: Any = self.get_response(request) if request is not None else refused
        response._handler_class = self.__class__  # As Django's own handler does.
        if response.streaming:
            close_old_connections()  # The stream is read in a thread of its own.
        else:
            response.close()
        return response  # type: ignore[no-any-return]  # Django's handlers have no types.

    async def _stream(self, response: StreamingHttpResponse, receive: Any, send: Any) -> None:
        """Send a stream until it or the patience of its reader ends."""
        async with ThreadSensitiveContext():
            if not response.is_async:
                made: Any = response.streaming_content
                response.streaming_content = _one_by_one(made)
            sending = asyncio.create_task(self.send_response(response, send))
            leaving = asyncio.ensure_future(receive())  # The server gives an awaitable of its own kind.
            try:
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sending, leaving):
                    task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await sending
                await sync_to_async(response.close)()


async def _one_by_one(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield each part as it is made, all of them in one thread: Django makes the last before it sends one."""
    following = sync_to_async(lambda: next(parts, None))
    while (part := await following()) is not None:
        yield part


def settle() -> None:
    """Load what every request needs, and let the collector of garbage look past it from now on."""
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER, 20, 20)
