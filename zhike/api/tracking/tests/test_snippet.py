"""The browser snippet in a real browser, on a page of another origin."""

import http.server
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from zhike.api.tracking.application import SCRIPT, _without_comments
from zhike.api.tracking.tests.conftest import Given, Talk, in_inbox, wait_for
from zhike.record.tracking.models import Inbox, Source

SWITCHES = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PAGE = """<!doctype html><title>Prices</title><button data-zhike="Plan chosen">Choose</button>
<script>window.zhike = window.zhike || []
zhike.push(["init", "{key}"], ["page"])</script>
<script async src="{address}/v1/zhike.js"></script>"""


def test_the_snippet_is_small(talk: Talk) -> None:
    answer = talk("zhike.js", method="GET", key="")
    assert (answer.status, answer.body) == (200, _without_comments(SCRIPT.read_text()))
    assert len(answer.body) <= 3 * 1024
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    again = talk("zhike.js", method="GET", key="", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.fixture
def shop(given: Given, served: Callable[..., str], tmp_path: Path) -> Iterator[str]:
    """A site of another origin that has the snippet on its page; its origin is admitted by the source."""
    html = PAGE.replace("{key}", given.key).replace("{address}", served()).encode()

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, *_args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    origin = f"http://localhost:{server.server_address[1]}"
    Source.objects.update(origins=[origin])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield origin
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps an event loop in this thread.
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is missing: run make browser")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
        yield found
        found.close()


def visit(browser: Browser, address: str) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(15_000)
    page.goto(address)
    page.wait_for_function("!!window.zhike.init")
    return page


def names() -> list[str]:
    return [str(one.get("event") or one["type"]) for one in in_inbox()]


pytestmark = pytest.mark.xdist_group("browser")


@pytest.mark.browser
def test_what_a_visitor_did_is_stored_though_the_tab_closes(shop: str, browser: Browser) -> None:
    page = visit(browser, f"{shop}/prices?token=secret")
    page.evaluate("zhike.identify('u1', {plan: 'pro'})")
    wait_for(2)
    page.click("button")
    page.evaluate("zhike.group('C-1'); zhike.track('Report opened', {pages: 3})")
    page.close(run_before_unload=False)
    found = {str(one.get("event") or one["type"]): one for one in wait_for(5)}
    assert set(found) == {"page", "identify", "Plan chosen", "group", "Report opened"}
    first = found["page"]
    assert first["properties"] == {"path": "/prices", "url": f"{shop}/prices", "title": "Prices"}
    assert (found["identify"]["userId"], found["Report opened"]["context"]) == ("u1", {"groupId": "C-1"})
    assert {one["anonymousId"] for one in found.values()} == {first["anonymousId"]}
    # Hidden and left, a page sends a beacon each; the second may come at any time.
    assert not Inbox.objects.filter(sent_at=None).exists()


@pytest.mark.browser
def test_what_could_not_be_sent_is_sent_by_the_next_page(shop: str, browser: Browser) -> None:
    page = visit(browser, shop)
    wait_for(1)
    page.context.route("**/v1/batch", lambda route: route.abort())
    page.evaluate("navigator.sendBeacon = () => false")  # Routes do not see beacons; these get lost as well.
    page.evaluate("zhike.track('Offline')")
    page.wait_for_timeout(1500)
    page.goto("about:blank")
    assert names() == ["page"]
    page.context.unroute("**/v1/batch")
    page.goto(shop)
    assert sorted(set(names_of(wait_for(3)))) == ["Offline", "page"]


def names_of(events: list[dict[str, Any]]) -> list[str]:
    return [str(one.get("event") or one["type"]) for one in events]


@pytest.mark.browser
def test_a_full_house_is_asked_again_later(shop: str, browser: Browser) -> None:
    asked: list[float] = []

    def full(route: Route) -> None:
        asked.append(time.monotonic())
        headers = {"access-control-allow-origin": shop, "access-control-expose-headers": "Retry-After"}
        route.fulfill(status=429, headers=headers | {"retry-after": "1"})

    page = browser.new_context().new_page()
    page.set_default_timeout(15_000)
    page.context.route("**/v1/batch", full)
    page.goto(shop)
    end = time.monotonic() + 30
    while len(asked) < 2 and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert asked[1] - asked[0] > 0.9
    page.context.unroute("**/v1/batch")
    assert names_of(wait_for(1)) == ["page"]
    page.wait_for_timeout(300)
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('zhike_e_')).length") == 0


@pytest.mark.browser
def test_another_user_after_reset_is_somebody_else(shop: str, browser: Browser) -> None:
    page = visit(browser, shop)
    page.evaluate("zhike.identify('u1'); zhike.reset(); zhike.track('Later')")
    found = {str(one.get("event") or one["type"]): one for one in wait_for(3)}
    assert "userId" not in found["Later"]
    assert found["Later"]["anonymousId"] != found["page"]["anonymousId"]
