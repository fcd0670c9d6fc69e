"""How the pages look: both languages, both themes, desk and phone. The README's pictures are taken here."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.stories.conftest import ROOT, WAIT, Company, Visit
from tests.stories.test_days import ADMIN, CSM, LEAD

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PICTURES = ROOT / "docs" / "pictures"
SIZES = {"desk": (1440, 900), "small": (1024, 768), "phone": (390, 844)}


LONGEST = "Keller & Ivering Instrumententechnik und Messgeräte Vertriebsgesellschaft mbH & Co. KG"


@pytest.fixture(scope="module")
def somebody_with_a_long_name(company: Company, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A customer as the world has them: a long name without a place to break it well, in another script than ours."""
    file = tmp_path_factory.mktemp("long") / "long.csv"
    file.write_text(f"id,name,industry,region\nLONG1,{LONGEST},Precision instruments,Heidelberg\n", encoding="utf-8")
    company.zhike("import", "customers", str(file))
    return LONGEST


def pages_of(one: Visit) -> dict[str, str]:
    """Return the pages of the daily work, by name."""
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


OTHER_PAGES = [
    "/voice?days=90",
    "/churn-score",
    "/review",
    "/stream",
    "/stream/refused",
    "/stream/features",
    "/imports",
    "/plan/edit",
    "/settings/staff",
    "/settings/sources",
    "/settings/audit",
    "/account",
]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_long_names_and_the_rarer_pages_fit(
    language: str, size: str, visit: Callable[..., Visit], somebody_with_a_long_name: str
) -> None:
    """A customer with a long name, now and on a past day, and every page that is not opened every day."""
    width, height = SIZES[size]
    one = visit(ADMIN, language=language, width=width, height=height)
    one.page.goto("/customers?view=all&q=Keller")
    one.check_nothing_sticks_out()
    row = one.page.locator("table tbody tr a", has_text=somebody_with_a_long_name[:20]).first
    customer = row.get_attribute("href")
    assert customer
    past = f"?as_of={datetime.now(UTC).date() - timedelta(days=7)}"
    places = pages_of(one)
    for address in [customer, f"{customer}{past}", f"{places['customer']}{past}", f"/customers{past}", *OTHER_PAGES]:
        one.page.goto(address)
        one.page.wait_for_load_state("networkidle")
        one.check_nothing_sticks_out()
        assert one.page.evaluate(HIDDEN_ACTIONS) == [], address
        assert one.page.evaluate(NAMELESS) == [], address


HIDDEN_ACTIONS = """[...document.querySelectorAll('header.top button, header.top a')]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((e) => e.outerHTML.slice(0, 120))"""

NAMELESS = """[...document.querySelectorAll('button, a[href]')]
  .filter((e) => e.checkVisibility() && !(e.getAttribute('aria-label') || e.textContent.trim() || e.title))
  .map((e) => e.outerHTML.slice(0, 120))"""


def picture(one: Visit, address: str) -> bytes:
    """Return a picture of a page once everything it asks for afterwards has come."""
    one.page.goto(address)
    expect(one.page.locator(".skel:visible")).to_have_count(0, timeout=WAIT)
    return one.page.screenshot()


def test_the_pictures_of_the_readme(
    visit: Callable[..., Visit], company: Company, request: pytest.FixtureRequest
) -> None:
    """Taken anew only when asked for (`make screenshots`), so that a test run leaves the checkout as it was."""
    csm, lead = visit(CSM), visit(LEAD)
    phone = visit(LEAD, theme="dark", width=390, height=844)
    places = pages_of(csm)
    taken = {name: picture(csm, places[name]) for name in ("customers", "customer", "plan")}
    taken |= {"today": picture(lead, "/today"), "today-phone-dark": picture(phone, "/today")}
    assert all(len(one) > 20_000 for one in taken.values())
    if request.config.getoption("--pictures"):
        PICTURES.mkdir(exist_ok=True)
        for name, one in taken.items():
            (PICTURES / f"{name}.png").write_bytes(one)
