"""Every URL has a row in the doors table, every row a URL, and every door keeps out whom it should."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from zhike.api.tracking.routes import ADDRESSES, SNIPPET
from zhike.api.tracking.tests.conftest import Talk
from zhike.asgi import application
from zhike.org.doors import DOORS
from zhike.org.roles import BUILT_IN_ROLES, Public

KEYS = ["", "guess", "\0", "a" * 5000]


def every_pattern(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from every_pattern(entry, inner)
        else:
            yield f"{namespace}{entry.name}", entry


def address(name: str, pattern: URLPattern) -> str:
    given: dict[str, Any] = {
        key: 999_999_999 if "Int" in type(converter).__name__ else "no-such-thing"
        for key, converter in pattern.pattern.converters.items()
    }
    return reverse(name, kwargs=given)


def test_every_url_has_a_row_and_every_row_a_url() -> None:
    assert {name for name, _pattern in every_pattern()} | set(ADDRESSES.values()) == set(DOORS)


@pytest.mark.django_db(transaction=True)
def test_doors_beside_the_pages_open_to_a_write_key_alone() -> None:
    """Every address that is not Django's is known, and without a key none but the snippet answers with anything."""
    assert {DOORS[name] for address, name in ADDRESSES.items() if address != SNIPPET} == {Public.WRITE_KEY}
    assert DOORS[ADDRESSES[SNIPPET]] == Public.OPEN
    assert [name for name, _pattern in every_pattern() if DOORS[name] == Public.WRITE_KEY] == []
    talk = Talk("", application)
    routes = [address.removeprefix("/v1/") for address in ADDRESSES if address != SNIPPET]

    async def knock() -> set[int]:
        content = {"userId": "u", "batch": [], "writeKey": "guess"}
        answers = [await talk.one(route, content, key=key) for route in routes for key in KEYS]
        return {answer.status for answer in answers}

    assert talk.run(knock()) == {401}


QUICK = {"nobody", "csm"}
ROLES = [pytest.param(role, marks=[] if role in QUICK else pytest.mark.slow) for role in ["nobody", *BUILT_IN_ROLES]]


@pytest.mark.parametrize("role", ROLES)
def test_every_door_keeps_out_whom_it_should(role: str, hire: Callable[..., Client], stranger: Client) -> None:
    visitor = stranger if role == "nobody" else hire("Somebody", role)
    permissions = [] if role == "nobody" else BUILT_IN_ROLES[role][1]
    wrong = []
    for name, pattern in every_pattern():
        needed = DOORS[name]
        for method in ("get", "post"):
            status = getattr(visitor, method)(address(name, pattern)).status_code
            if needed == Public.OPEN:
                closed = False
            elif role == "nobody":
                closed = True
            else:
                closed = needed != Public.SIGNED_IN and needed not in permissions
            expected = {302, 401} if closed and role == "nobody" else {403} if closed else None
            if (expected and status not in expected) or (not expected and status in {401, 403}) or status >= 500:
                wrong.append((name, method, status))
        if name == "sign-out" and role != "nobody":
            visitor.force_login(visitor.staff)  # type: ignore[attr-defined]  # Set where the visitor is made.
    assert wrong == []
