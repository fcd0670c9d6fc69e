"""What people do in a day, in a real browser: named by what happens to a customer, not by a module."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.stories.conftest import Company, Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CSM, LEAD, ADMIN = "lin.zhixia@yunzhou.example", "shen.ruolan@yunzhou.example", "admin@yunzhou.example"
Open = Callable[..., Visit]
LANGUAGES = ["zh-CN", "en"]


def open_a_queue(page: Page) -> None:
    """Show the queue of the first colleague who has something in it: what is due differs from day to day."""
    colleagues = [option.get_attribute("value") for option in page.locator("#of option").all()]
    for colleague in colleagues:
        page.goto(f"/today?of={colleague}")
        if page.locator("#queue article.q").count():
            return
    pytest.fail("Nobody has anything to do")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_top_customer_is_called_and_leaves_the_queue(language: str, visit: Open) -> None:
    """Open the top row, log the call from it; the row goes, and what was said stands in the customer's story."""
    one = visit(ADMIN, language=language)
    page = one.page
    open_a_queue(page)
    row = page.locator("#queue article.q").first
    identity = row.get_attribute("id")
    customer = row.locator(".l1 b a")
    address, name = customer.get_attribute("href"), customer.inner_text()
    row.locator("a.why").click()
    opened = page.locator(f"#{identity}[aria-expanded=true]")
    said = f"通了电话，下周发方案（{language}）"
    opened.locator("input[name=text]").fill(said)
    opened.locator("button[value=reached]").click()
    expect(page.locator(f"#{identity}")).to_have_count(0)
    assert address
    page.goto(address)
    expect(page.locator("h1")).to_contain_text(name)
    expect(page.locator("ul.tl").first).to_contain_text(said)
    one.check_no_complaints()


def test_a_touch_that_was_ticked_by_mistake_comes_back(visit: Open) -> None:
    one = visit(ADMIN, language="en")
    page = one.page
    open_a_queue(page)
    row = page.locator("#queue article.q").first
    identity = row.get_attribute("id")
    row.locator("form").first.locator("button").click()
    expect(page.locator(f"#{identity}")).to_have_count(0)
    page.locator("#toasts button, #toasts a").first.click()
    expect(page.locator(f"#{identity}")).to_have_count(1)
    one.check_no_complaints()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_from_an_old_excel_comes_in_and_its_bad_rows_are_named(
    language: str, visit: Open, tmp_path: Path
) -> None:
    """Twenty customers in GB18030, five of them unusable: look, try, import, and fetch the five."""
    mark = "甲" if language == "en" else "乙"
    good = [f"{mark}{number:03},{mark}城贸易第{number}公司,贸易,宁波,2024-03-{number:02}" for number in range(1, 16)]
    bad = [f",无号公司{mark},贸易,宁波,2024-01-01", f"{mark}901,日期错{mark},贸易,宁波,明年吧"]
    bad += [f"{mark}902,又错{mark},贸易,宁波,2024-13-45", f"{mark}903,,贸易,宁波,后天"]
    bad += [f",还是无号{mark},贸易,宁波,2024-01-01"]
    file = tmp_path / "老客户.csv"
    file.write_bytes("\r\n".join(["客户编号,客户名称,行业,地区,加入日期", *good, *bad, ""]).encode("gb18030"))
    one = visit(ADMIN, language=language)
    page = one.page
    page.goto("/imports")
    page.select_option("select[name=kind]", "customers")
    page.set_input_files("input[type=file]", file)
    page.click("#upload button.primary")
    page.wait_for_url(re.compile(r"/imports/\d+"))
    page.click("#mapping button.primary")
    see_the_result(page)
    page.locator("form[action$='/run'] button.primary").click()
    see_the_result(page)
    fetch = page.locator("a[href$='/refused.csv']")
    expect(page.locator("form[action$='/undo'] button")).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        fetch.click()
    refused = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert len(refused.strip().splitlines()) == 1 + len(bad)
    assert f"日期错{mark}" in refused
    page.goto(f"/customers?view=all&q={mark}城贸易")
    expect(page.locator("table tbody tr")).to_have_count(len(good))
    one.check_no_complaints()


def test_a_moved_limit_moves_customers_to_other_tiers(visit: Open, company: Company) -> None:
    """Core from 50 % of revenue to 10 %: published on the web, and after the turn fewer customers are core."""
    one = visit(ADMIN, language="en")
    page = one.page
    before = core_customers(page)
    page.goto("/plan/edit")
    text = page.locator("#plan-text").input_value()
    broken = text.replace("revenue_up_to: 0.5", "revenue_up_to: half", 1)
    page.locator("#plan-text").fill(broken)
    page.click("button[formaction$='/plan/check']")
    expect(page.locator("body")).to_contain_text("revenue_up_to")
    assert core_customers(page) == before
    page.goto("/plan/edit")
    page.locator("#plan-text").fill(text.replace("revenue_up_to: 0.5", "revenue_up_to: 0.1", 1))
    page.click("#plan-publish")
    page.wait_for_url(re.compile(r"/plan(/versions/\d+)?$"))
    for _attempt in range(60):
        if core_customers(page) < before:
            break
        page.wait_for_timeout(1000)
    assert 0 < core_customers(page) < before
    one.check_no_complaints()


def see_the_result(page: Page) -> None:
    """Wait for the progress card to end and follow its link."""
    page.locator("main a[href^='/imports/']", has_text=re.compile("看结果|See the result")).click(timeout=60_000)


def core_customers(page: Page) -> int:
    """Return how many core customers the plan page counts."""
    page.goto("/plan")
    row = page.locator("tr", has=page.locator(".tier[data-key=core]")).first
    return int(row.locator("td.n").first.inner_text().replace(",", ""))


def test_a_customer_is_found_by_pinyin_from_anywhere(visit: Open) -> None:
    one = visit(ADMIN, language="zh-CN")
    page = one.page
    page.goto("/plan")
    page.keyboard.press("Control+k")
    page.locator("dialog[open] input").fill("lanting")
    expect(page.locator("dialog[open] .res")).to_contain_text("澜庭")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/customers/\d+"))
    expect(page.locator("h1")).to_contain_text("澜庭")
    one.check_no_complaints()


def test_a_day_without_a_mouse(visit: Open) -> None:
    """J and K walk the queue, Enter opens, G C goes to the customers."""
    one = visit(ADMIN, language="en")
    page = one.page
    open_a_queue(page)
    page.keyboard.press("j")
    focused = page.evaluate("document.activeElement.closest('article.q')?.id")
    assert focused
    page.keyboard.press("Enter")
    expect(page.locator(f"#{focused}[aria-expanded=true]")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url(re.compile(r"/customers"))
    one.check_no_complaints()
