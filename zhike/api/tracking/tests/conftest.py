"""A source with a key, the door in this process, and the same door as a served process."""

import asyncio
import base64
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
import pytest
from django.db import connection
from django.utils.timezone import now

from zhike import home
from zhike.api.tracking.application import Beside, Scope
from zhike.record.tracking.models import Inbox, Source
from zhike.record.tracking.operations.sources import add_source
from zhike.record.tracking.rules.packing import unpacked

R = TypeVar("R")
ORIGIN = "http://shop.example"


@dataclass
class Given:
    """A source and its write key."""

    source: Source
    key: str

    @property
    def header(self) -> bytes:
        return b"Basic " + base64.b64encode(self.key.encode() + b":")


@pytest.fixture
def given(transactional_db: None) -> Given:
    source, key = add_source(name="Shop", origins=[ORIGIN], by=None, now=now())
    return Given(source, key)


@dataclass
class Heard:
    """What the door answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


async def nobody(_scope: Scope, _receive: Any, _send: Any) -> None:
    raise AssertionError("the request reached the pages")


@dataclass
class Talk:
    """Calls to the door: `talk("track", {...})` by themselves, or `await talk.one(…)` in a story given to `run`."""

    key: str
    application: Beside = field(default_factory=lambda: Beside(nobody))

    async def one(
        self,
        route: str,
        content: Any = None,
        *,
        raw: bytes | None = None,
        method: str = "POST",
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Heard:
        body = raw if raw is not None else msgspec.json.encode(content)
        named = {k.lower().encode(): v.encode() for k, v in (headers or {}).items()}
        written = self.key if key is None else key
        if written:
            named.setdefault(b"authorization", b"Basic " + base64.b64encode(f"{written}:".encode()))
        scope = {"type": "http", "method": method, "path": f"/v1/{route}", "headers": list(named.items())}
        parts = [body[i : i + 65536] for i in range(0, len(body), 65536)] or [b""]
        heard: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            heard.append(message)

        await self.application(scope, receive, send)
        said = {k.decode(): v.decode() for k, v in heard[0]["headers"]}
        return Heard(heard[0]["status"], said, b"".join(part["body"] for part in heard[1:]))

    def __call__(self, route: str, content: Any = None, **more: Any) -> Heard:
        return self.run(self.one(route, content, **more))

    def run(self, story: Coroutine[Any, Any, R]) -> R:
        """Run a story in an event loop of its own and close the door behind it."""

        async def whole() -> R:
            try:
                return await story
            finally:
                await self.application.close()

        return asyncio.run(whole())


@pytest.fixture
def talk(given: Given) -> Talk:
    return Talk(given.key)


def in_inbox() -> list[dict[str, Any]]:
    """Return every event that the inbox holds, oldest row first."""
    found: list[dict[str, Any]] = []
    for row in Inbox.objects.order_by("id"):
        events = msgspec.json.decode(unpacked(bytes(row.body)))
        assert len(events) == row.events
        found += events
    return found


def wait_for(count: int, within: float = 20.0) -> list[dict[str, Any]]:
    """Wait until the inbox holds that many events."""
    end = time.monotonic() + within
    while len(found := in_inbox()) < count and time.monotonic() < end:
        time.sleep(0.1)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def served(given: Given, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Serve the application as `zhike run` does, against this test's database; returns its address."""
    running: list[subprocess.Popen[bytes]] = []

    def serve(**settings: str) -> str:
        port = free_port()
        name = connection.settings_dict["NAME"]
        address = f"postgresql://{home.APP}@/{name}?host={quote(str(home.socket_folder()))}"
        environment = {**os.environ, "DATABASE_URL": address, **settings}
        command = [sys.executable, "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--workers", "1", "--log-level", "warning", "zhike.asgi:application"]
        with open(tmp_path / "server.log", "ab") as log:
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        end = time.monotonic() + 120
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}"
            time.sleep(0.1)
        raise AssertionError((tmp_path / "server.log").read_text())

    yield serve
    for one in running:
        one.terminate()
        try:
            one.wait(30)
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()
