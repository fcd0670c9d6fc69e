"""A past day in the browser: it stays while one clicks through, nothing can be changed, and there is a way back."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from tests.stories.conftest import Visit
from tests.stories.test_days import LEAD

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}


@pytest.mark.parametrize(("language", "theme", "size"), [("zh-CN", "light", "desk"), ("en", "dark", "phone")])
def test_a_past_day_stays_while_one_clicks_through(
    language: str, theme: str, size: str, visit: Callable[..., Visit]
) -> None:
    width, height = SIZES[size]
    one = visit(LEAD, language=language, theme=theme, width=width, height=height)
    page = one.page
    page.goto("/customers?view=all")
    latest = page.locator("#as-of").get_attribute("max")
    assert latest
    day = (date.fromisoformat(latest) - timedelta(days=75)).isoformat()
    page.goto(f"/customers?view=all&as_of={day}")
    expect(page.locator(".as-of")).to_be_visible()
    one.check_nothing_sticks_out()
    name = page.locator("table tbody tr a.name").first
    called = name.inner_text()
    name.click()
    page.wait_for_load_state("networkidle")
    assert f"as_of={day}" in page.url
    assert page.locator("h1").inner_text() in called
    expect(page.locator(".as-of")).to_be_visible()
    # What is asked for after the page tells that day as well: value, usage, and what was set right since.
    expect(page.locator("#h-worth, #h-need").first).to_be_visible()
    expect(page.locator("#corrected h2, #corrected p").first).to_be_attached()
    assert page.locator("main form[method=post]").count() == 0
    one.check_nothing_sticks_out()
    page.locator(".as-of a.btn").click()
    page.wait_for_load_state("networkidle")
    assert "as_of" not in page.url
    expect(page.locator("#h-health")).to_be_visible()
    expect(page.locator("#changed .skel")).to_have_count(0)  # What changed has been told.
    one.check_nothing_sticks_out()
    one.check_no_complaints()


NOTE_WHAT_WAITS = """() => new MutationObserver(() => {
  if (!document.querySelector('#rows > [aria-busy] .skel')) return;
  sessionStorage.waited = `${location.search}, ${document.querySelectorAll('#rows table').length} tables`;
}).observe(document.body, {childList: true, subtree: true})"""


def test_a_day_that_takes_a_moment_says_so_at_once(visit: Callable[..., Visit]) -> None:
    one = visit(LEAD, language="en", theme="light", width=1440, height=900)
    page = one.page
    page.goto("/customers?view=all")
    latest = page.locator("#as-of").get_attribute("max")
    assert latest
    expect(page.locator("#rows table")).to_be_visible()
    # The browser is asked afterwards: nothing can be asked of a page that is being left.
    page.evaluate(NOTE_WHAT_WAITS)
    page.locator("#as-of").fill(latest)
    page.locator("form[data-as-of] button").click()
    expect(page.locator(".as-of")).to_be_visible()
    assert page.evaluate("sessionStorage.waited") == "?view=all, 0 tables"
    expect(page.locator("#rows table")).to_be_visible()
    page.go_back()
    expect(page.locator("#rows table")).to_be_visible()
    expect(page.locator("#rows .skel")).to_have_count(0)
    one.check_no_complaints()
