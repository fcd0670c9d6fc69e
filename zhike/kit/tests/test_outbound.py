"""The one way out: what is asked, what is not, and that neither time nor size is without bounds."""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from zhike.kit import outbound
from zhike.kit.outbound import Outbound


class House(BaseHTTPRequestHandler):
    """Answers by its path."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        match self.path:
            case "/echo":
                self._say(200, body + self.headers["X-Key"].encode())
            case "/elsewhere":
                self.send_response(307)
                self.send_header("Location", "/echo")
                self.end_headers()
            case "/much":
                self._say(200, b"x" * 200_000)
            case "/slow-head":
                for sign in b"HTTP/1.1 200 OK\r\nX-Long: " + b"y" * 60:
                    self.wfile.write(bytes([sign]))
                    self.wfile.flush()
                    time.sleep(0.1)
            case "/drip":
                self.send_response(200)
                self.end_headers()
                for _step in range(50):
                    self.wfile.write(b".")
                    self.wfile.flush()
                    time.sleep(0.1)
            case _:
                self._say(503, b"no")

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def house() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), House)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


HERE = Outbound(allowed=["127.0.0.0/8"], seconds=1.0, most_bytes=100_000)


def test_what_is_allowed_is_asked_and_its_answer_comes_back_whatever_its_status(house: str) -> None:
    answer = HERE.post(f"{house}/echo", b"hello ", {"X-Key": "there"})
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"hello there", "11")
    assert HERE.post(f"{house}/other", b"", {}).status == 503
    port = house.rpartition(":")[2]
    assert Outbound(allowed=[f"127.0.0.1:{port}"]).post(f"{house}/other", b"", {}).status == 503


@pytest.mark.parametrize("allowed", [(), ("10.0.0.0/8",), ("127.0.0.1:1",), ("example.com",)])
def test_nothing_inside_a_network_is_asked_unless_it_is_allowed(house: str, allowed: tuple[str, ...]) -> None:
    House.asked.clear()
    with pytest.raises(outbound.PrivateAddress, match=r"127\.0\.0\.1"):
        Outbound(allowed=allowed).post(f"{house}/echo", b"", {})
    assert House.asked == []


INSIDE = """
10.0.0.1 192.168.1.4 169.254.169.254 127.0.0.1 0.0.0.0 100.64.0.1 224.0.0.1 240.0.0.1 ::1 fe80::1 fc00::1
::ffff:10.0.0.1 64:ff9b::7f00:1 2002:0a00:0001::1 2001:0:4136::1
"""
NO_ADDRESSES = """
ftp://a.example/x file:///etc/passwd https:// https://me:pass@a.example/ https://a.example:99999/ //a.example
https://a.example:0/
"""


@pytest.mark.parametrize("text", INSIDE.split())
def test_addresses_of_networks_are_known_however_they_are_written(text: str) -> None:
    assert not outbound.is_public(ipaddress.ip_address(text))


def test_public_addresses_are_public() -> None:
    for text in ("8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"):
        assert outbound.is_public(ipaddress.ip_address(text))


def test_every_address_of_a_name_is_checked_and_the_checked_one_is_asked(
    house: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(house.rpartition(":")[2])
    calls = []

    def resolve(*addresses: str) -> None:
        def answer(host: str, *_rest: object, **_more: object) -> list[tuple[object, ...]]:
            calls.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", answer)

    resolve("8.8.8.8", "10.1.1.1")
    with pytest.raises(outbound.PrivateAddress, match=r"10\.1\.1\.1"):
        Outbound().post("https://mixed.example/x", b"", {})
    resolve("127.0.0.1")
    answer = Outbound(allowed=["named.example"]).post(f"http://named.example:{port}/echo", b"", {"X-Key": "k"})
    assert answer.body == b"k"
    assert calls == ["mixed.example", "named.example", "127.0.0.1"]  # The name itself was asked for once.


def test_a_redirect_is_not_followed(house: str) -> None:
    House.asked.clear()
    with pytest.raises(outbound.LeadsElsewhere, match="307"):
        HERE.post(f"{house}/elsewhere", b"", {})
    assert House.asked == ["/elsewhere"]


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_asked, **_how: over.wait(20))
    began = time.monotonic()
    with pytest.raises(outbound.TookTooLong):
        Outbound(seconds=0.3).get("https://example.com/", {})
    assert time.monotonic() - began < 5
    over.set()


def test_size_and_time_have_bounds_even_for_an_answer_that_drips(house: str) -> None:
    with pytest.raises(outbound.AnsweredTooMuch, match="100000"):
        HERE.post(f"{house}/much", b"", {})
    for path in ("drip", "slow-head"):
        began = time.monotonic()
        with pytest.raises(outbound.TookTooLong, match="within 1 seconds"):
            HERE.post(f"{house}/{path}", b"", {})
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("url", [*NO_ADDRESSES.split(), "", "https://a.example/\r\nX: y"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(outbound.NotAnAddress):
        Outbound().post(url, b"", {})


def test_certificates_are_verified_and_nobody_unknown_is_asked_in_clear(house: str) -> None:
    port = house.rpartition(":")[2]
    with pytest.raises(outbound.NotReached):
        HERE.post(f"https://127.0.0.1:{port}/echo", b"", {})  # Speaks no TLS.
    with pytest.raises(outbound.NotEncrypted):
        Outbound().post("http://8.8.8.8/", b"", {})
    assert Outbound().context.check_hostname
    with pytest.raises(outbound.UnknownHost):
        Outbound().post("https://nowhere.invalid/", b"", {})
    with pytest.raises(outbound.NotReached):
        HERE.post("http://127.0.0.1:1/", b"", {})
