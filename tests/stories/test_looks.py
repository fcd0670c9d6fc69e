"""How the pages look: both languages, both themes, desk and phone. The README's pictures are taken here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stories.conftest import ROOT, Company, Visit
from tests.stories.test_days import CSM, LEAD

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PICTURES = ROOT / "docs" / "pictures"
SIZES = {"desk": (1440, 900), "small": (1024, 768), "phone": (390, 844)}


def pages_of(one: Visit) -> dict[str, str]:
    """Return the five pages of the daily work, by name."""
    one.page.goto("/customers?view=all&q=澜庭")
    customer = one.page.locator("table tbody tr a").first.get_attribute("href")
    assert customer
    return {
        "today": "/today",
        "customers": "/customers?view=all",
        "customer": customer,
        "plan": "/plan",
    }


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_sticks_out_and_nothing_complains(
    language: str, theme: str, size: str, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    width, height = SIZES[size]
    one = visit(LEAD, language=language, theme=theme, width=width, height=height)
    for name, address in pages_of(one).items():
        answer = one.page.goto(address)
        assert answer
        assert answer.status == 200
        one.page.wait_for_load_state("networkidle")
        one.check_nothing_sticks_out()
        nameless = one.page.evaluate(NAMELESS)
        assert nameless == [], (name, nameless)
        one.page.screenshot(path=tmp_path / f"{name}.png")
    one.check_no_complaints()


NAMELESS = """[...document.querySelectorAll('button, a[href]')]
  .filter((e) => e.checkVisibility() && !(e.getAttribute('aria-label') || e.textContent.trim() || e.title))
  .map((e) => e.outerHTML.slice(0, 120))"""


def test_the_pictures_of_the_readme(
    visit: Callable[..., Visit], company: Company, request: pytest.FixtureRequest
) -> None:
    """Taken anew only when asked for (`make screenshots`), so that a test run leaves the checkout as it was."""
    wanted = ["today", "customers", "customer", "plan"]
    one = visit(CSM)
    places = pages_of(one)
    taken = {}
    for name in wanted:
        one.page.goto(places[name])
        one.page.wait_for_load_state("networkidle")
        taken[name] = one.page.screenshot()
    phone = visit(CSM, theme="dark", width=390, height=844)
    phone.page.goto("/today")
    phone.page.wait_for_load_state("networkidle")
    taken["today-phone-dark"] = phone.page.screenshot()
    assert all(len(picture) > 20_000 for picture in taken.values())
    if request.config.getoption("--pictures"):
        PICTURES.mkdir(exist_ok=True)
        for name, picture in taken.items():
            (PICTURES / f"{name}.png").write_bytes(picture)
