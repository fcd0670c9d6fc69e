"""Pages as the server asks for them: each in one thread, several at once, nothing of one in the answer to another."""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any

import pytest
from django.conf import settings
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone, translation
from django.utils.translation import get_language

from zhike.conftest import Person
from zhike.record.customers.models import Customer
from zhike.web import contexts
from zhike.web.answering import AT_ONCE, LONG, Pages, Turns, left_of

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Heard:
    status: int
    headers: dict[str, str]
    body: str
    parts: int


@dataclass
class Awaited:
    """What a server gives that is not written in Python: it can be awaited, and that is all."""

    coming: Coroutine[Any, Any, Any]

    def __await__(self) -> Generator[Any, Any, Any]:
        return self.coming.__await__()


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    for module, name in contexts.PLACES:
        monkeypatch.setattr(module, name, getattr(module, name))  # To be put back.
    contexts.keep_in_context()
    found = Pages()
    yield found
    found.threads.shutdown()


async def _ask(
    pages: Pages, client: Client | None, address: str, *, leaves_after: int = 10_000, began: Event | None = None
) -> Heard:
    """Ask for an address as a server does; the reader leaves after so many messages."""
    place, _, query = address.partition("?")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value if client else ""
    headers = [(b"host", b"testserver"), (b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
    scope = {"type": "http", "method": "GET", "path": place, "query_string": query.encode(), "headers": headers}
    told: list[Any] = []
    asked, left = [True], asyncio.Event()

    async def next_message() -> Any:
        if asked:
            asked.clear()
            return {"type": "http.request", "body": b"", "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(message)
        if began is not None and message.get("body"):
            began.set()
        if len(told) >= leaves_after:
            left.set()
            await asyncio.sleep(0.01)

    await pages(scope, lambda: Awaited(next_message()), send)
    said = {name.decode(): value.decode() for name, value in told[0]["headers"]}
    body = b"".join(part.get("body", b"") for part in told[1:])
    return Heard(told[0]["status"], said, body.decode(), len(told))


def _all(pages: Pages, asked: Sequence[tuple[Client | None, str]]) -> list[Heard]:
    async def together() -> list[Heard]:
        return await asyncio.gather(*(_ask(pages, client, address) for client, address in asked))

    return asyncio.run(together())


def test_many_at_once_are_each_answered_as_who_they_are(pages: Pages, hire: Callable[..., Person]) -> None:
    mei, jun = hire("Mei", "csm", language="en"), hire("Jun", "csm", language="zh-hans")
    asked: list[tuple[Client | None, str]] = [(mei, "/account"), (jun, "/account"), (None, "/account")] * 8
    for (client, _address), heard in zip(asked, _all(pages, asked), strict=True):
        if client is None:
            assert (heard.status, heard.headers["Location"]) == (302, "/sign-in?next=%2Faccount")
            continue
        own, other = (mei, jun) if client is mei else (jun, mei)
        assert heard.status == 200
        assert heard.headers["Content-Language"] == ("en" if client is mei else "zh-hans")
        assert f'<html lang="{"en" if client is mei else "zh-CN"}"' in heard.body
        assert own.staff.email in heard.body
        assert other.staff.email not in heard.body


def test_language_and_zone_are_of_each_thread_and_of_what_it_hands_on(pages: Pages) -> None:
    assert get_language() == settings.LANGUAGE_CODE
    with translation.override("zh-hans"), timezone.override("Asia/Tokyo"), ThreadPoolExecutor(1) as others:
        handed_on = contextvars.copy_context()
        with translation.override("en"):
            assert get_language() == "en"
            assert others.submit(get_language).result() == settings.LANGUAGE_CODE
            assert others.submit(handed_on.run, get_language).result() == "zh-hans"
            assert others.submit(handed_on.run, timezone.get_current_timezone_name).result() == "Asia/Tokyo"
        assert get_language() == "zh-hans"
        with translation.override(None):
            assert get_language() is None
    assert get_language() == settings.LANGUAGE_CODE
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE


def test_a_django_that_keeps_them_otherwise_is_told_of(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "_active", object())
    with pytest.raises(TypeError, match=r"django\.utils\.timezone\._active"):
        contexts.keep_in_context()


def test_who_is_slow_holds_up_nobody_for_long(pages: Pages, mei: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, done = Event(), Event()
    answer = pages.get_response
    begun: list[str] = []

    def answered(request: Any) -> Any:
        begun.append(request.path)
        if request.path == "/account":
            slow.wait(20)
        response = answer(request)
        if request.path == "/customers":
            done.set()
        return response

    monkeypatch.setattr(pages, "get_response", answered)

    async def together() -> list[Heard]:
        asked = [asyncio.create_task(_ask(pages, mei, "/account")) for _ in range(AT_ONCE)]
        await asyncio.sleep(LONG / 3)
        asked.append(asyncio.create_task(_ask(pages, mei, "/customers")))
        await asyncio.sleep(LONG / 3)
        assert begun == ["/account"] * AT_ONCE
        is_answered = await asyncio.to_thread(done.wait, 20)
        slow.set()
        found = await asyncio.gather(*asked)
        assert is_answered
        return list(found)

    assert [heard.status for heard in asyncio.run(together())] == [200] * (AT_ONCE + 1)
    assert _all(pages, [(mei, "/customers")] * (2 * AT_ONCE))[-1].status == 200


def test_whose_page_is_due_soonest_is_next_and_who_left_takes_no_turn() -> None:
    async def together() -> list[str]:
        loop = asyncio.get_running_loop()
        turns = Turns(loop)
        order: list[str] = []

        async def wait(name: str, path: str, waited: float = 0.0) -> None:
            await turns.take(loop.time() - waited + left_of(path))
            order.append(name)

        for _ in range(AT_ONCE):
            await turns.take(loop.time())
        waiting = [
            asyncio.create_task(wait("search", "/search")),
            asyncio.create_task(wait("list", "/customers")),
            asyncio.create_task(wait("gone", "/customers/7")),
            asyncio.create_task(wait("customer", "/customers/7")),
            asyncio.create_task(wait("old search", "/search", waited=0.3)),
        ]
        await asyncio.sleep(0)
        waiting.pop(2).cancel()
        for _ in range(3):
            turns.give_back()
            await asyncio.sleep(0)
        # One who leaves in the moment it is called hands the turn on.
        late = asyncio.create_task(wait("late", "/customers/7"))
        await asyncio.sleep(0)
        turns.give_back()
        late.cancel()
        await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        assert (turns.free, turns.waiting) == (0, [])
        for _ in range(AT_ONCE):
            turns.give_back()
        assert turns.free == AT_ONCE
        return order

    assert asyncio.run(together()) == ["old search", "customer", "list", "search"]


def test_what_is_not_there_is_said_and_other_calls_are_refused(pages: Pages, mei: Person) -> None:
    missing, found = _all(pages, [(mei, "/customers/999999"), (mei, "/customers")])
    assert (missing.status, found.status) == (404, 200)
    with pytest.raises(ValueError, match="websocket"):
        asyncio.run(pages({"type": "websocket"}, None, None))


def test_a_file_is_sent_in_parts_and_to_somebody_who_leaves(
    pages: Pages, admin: Person, customer: Callable[..., Customer]
) -> None:
    customer(name="Ada")
    (heard,) = _all(pages, [(admin, "/customers/export?view=all")])
    assert (heard.status, "Ada" in heard.body) == (200, True)
    assert heard.parts > 2
    gone = asyncio.run(_ask(pages, admin, "/customers/export?view=all", leaves_after=2))
    assert gone.parts < heard.parts
    assert _all(pages, [(admin, "/customers")])[0].status == 200


def test_each_part_is_sent_as_it_is_made(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    began = Event()

    def parts() -> Iterator[bytes]:
        yield b"first"
        yield b", then more" if began.wait(5) else b", all at once"

    monkeypatch.setattr(pages, "get_response", lambda _request: StreamingHttpResponse(parts()))
    heard = asyncio.run(_ask(pages, None, "/", began=began))
    assert heard.body == "first, then more"
