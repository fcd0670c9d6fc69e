"""The one way out: HTTP requests to addresses that a company configured, without a way back into its own network.

A name is resolved once, every address it has is checked, and the connection goes to the address that was checked, so
that a name that changes its mind leads nowhere. Redirects are not followed, proxies of the environment are not heeded,
certificates are verified, and neither time nor size is without bounds.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
AT_ONCE = 65_536
PORTS = {"https": 443, "http": 80}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class OutboundRefused(Refusal):
    """A request that is not made, or an answer that is not taken."""


class NotAnAddress(OutboundRefused):
    message = _("%(url)s is no address that can be asked: write https://host/path, without a name or password in it.")


class NotEncrypted(OutboundRefused):
    message = _("%(host)s is asked without encryption; only hosts in ZHIKE_OUTBOUND_ALLOWED may be.")


class PrivateAddress(OutboundRefused):
    message = _("%(host)s leads to %(address)s, which is inside a network; only hosts in ZHIKE_OUTBOUND_ALLOWED may.")


class UnknownHost(OutboundRefused):
    message = _("No address is known of %(host)s.")


class NotReached(OutboundRefused):
    message = _("%(host)s was not reached: %(reason)s.")


class TookTooLong(OutboundRefused):
    message = _("%(host)s did not answer within %(seconds)s seconds.")


class AnsweredTooMuch(OutboundRefused):
    message = _("The answer of %(host)s is larger than %(most)s bytes.")


class LeadsElsewhere(OutboundRefused):
    message = _("%(host)s answers %(status)s and leads elsewhere; write the address it leads to instead.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered; whether `status` is a good one is for the caller to say."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outbound:
    """Asks hosts.

    `allowed` are hosts, `host:port`s and networks that may lie inside a network and be asked in clear.
    """

    allowed: Sequence[str] = ()
    seconds: float = 30.0
    most_bytes: int = 1_000_000
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body and return the answer. Raises OutboundRefused, and nothing else of the network."""
        return self._ask("POST", url, body, headers)

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask and return the answer. Raises OutboundRefused, and nothing else of the network."""
        return self._ask("GET", url, None, headers)

    def _ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        until = time.monotonic() + self.seconds
        parts = _parts(url)
        host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
        address = self._checked(host, port)
        if parts.scheme == "http" and not self._is_allowed(host, port, address):
            raise NotEncrypted(host=host)
        wire = _Wire(host, port, address, self.context if parts.scheme == "https" else None, until)
        # A host that says a little every second never lets a step take too long; the whole has an end, too.
        end = threading.Timer(self.seconds, wire.cut)
        end.daemon = True
        end.start()
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            wire.request(method, path, body=body, headers={"Accept-Encoding": "identity", **headers})
            answer = wire.getresponse()
            if 300 <= answer.status < 400:
                raise LeadsElsewhere(host=host, status=answer.status)
            read = self._read(answer, wire, host, until)
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, read)
        except TimeoutError as error:
            raise TookTooLong(host=host, seconds=f"{self.seconds:g}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() >= until:
                raise TookTooLong(host=host, seconds=f"{self.seconds:g}") from error
            raise NotReached(host=host, reason=str(error) or type(error).__name__) from error
        finally:
            end.cancel()
            wire.close()

    def _read(self, answer: http.client.HTTPResponse, wire: _Wire, host: str, until: float) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            wire.hurry(until)
            part = answer.read1(AT_ONCE)
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > self.most_bytes:
                raise AnsweredTooMuch(host=host, most=self.most_bytes)

    def _checked(self, host: str, port: int) -> Address:
        """Return the first address of a host, all of which may be asked."""
        found = _places(host, port, self.seconds)
        addresses = [ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_rest, place in found]
        for address in addresses:
            if not is_public(address) and not self._is_allowed(host, port, address):
                raise PrivateAddress(host=host, address=str(address))
        return addresses[0]

    def _is_allowed(self, host: str, port: int, address: Address) -> bool:
        bare = host.casefold()
        named = {bare, f"{bare}:{port}", f"[{bare}]:{port}"}
        return any(each.strip().casefold() in named or _holds(each.strip(), address) for each in self.allowed)


def _places(host: str, port: int, seconds: float) -> list[Any]:
    """Return where a host may be found. A resolver has no time limit of its own, so it is asked by somebody else."""
    found: list[list[Any]] = []
    failed: list[Exception] = []

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    if failed:
        raise UnknownHost(host=host) from failed[0]
    if not found:
        raise TookTooLong(host=host, seconds=f"{seconds:g}")
    return found[0]


class _Wire(http.client.HTTPConnection):
    """A connection to the address that was checked, with the certificate of the host that was asked for."""

    def __init__(self, host: str, port: int, address: Address, context: ssl.SSLContext | None, until: float) -> None:
        super().__init__(host, port)
        self._address, self._context, self._until = address, context, until

    def connect(self) -> None:
        plain = socket.create_connection((str(self._address), self.port), timeout=_left(self._until))
        self.sock = plain
        if self._context is not None:
            self.sock = self._context.wrap_socket(plain, server_hostname=self.host)
        self.hurry(self._until)

    def cut(self) -> None:
        """End what is going on, from another thread."""
        with contextlib.suppress(OSError):
            if self.sock is not None:
                self.sock.shutdown(socket.SHUT_RDWR)

    def hurry(self, until: float) -> None:
        """Let the next step take no longer than what is left. Raises TimeoutError when nothing is."""
        left = _left(until)
        if self.sock is not None:
            self.sock.settimeout(left)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def is_public(address: Address) -> bool:
    """Say whether an address is one of the public internet; what is wrapped in it counts."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _holds(network: str, address: Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except (TypeError, ValueError):
        return False


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotAnAddress(url=url) from error
    is_odd = any(ord(sign) <= 32 or ord(sign) == 127 for sign in url)  # A line break would end the request.
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc or is_odd or port == 0:
        raise NotAnAddress(url=url)
    return parts
