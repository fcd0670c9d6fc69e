"""The palette: everything by a few letters, within one's scope and rights."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from zhike.conftest import NOW, Person
from zhike.record.customers import operations
from zhike.record.customers.models import Customer
from zhike.record.interactions.operations import log
from zhike.web.pages.marking import marked

Make = Callable[..., Customer]


@pytest.fixture
def book(customer: Make, mei: Person, jun: Person) -> list[Customer]:
    lanting = customer("澜庭家居", mei.staff, ref="C-000123", health=Decimal(58), revenue=Decimal(900))
    fields = {"ref": "1", "name": "张三", "phone": "+86 138 0013 8001", "email": "zhangsan@lanting.example"}
    operations.add_contact(lanting, fields, by=None, now=NOW)
    big = customer("蓝天幼教", mei.staff, revenue=Decimal(5000))
    return [lanting, big, customer("李婷工作室", jun.staff)]


def found(person: Client, text: str) -> str:
    response = person.get("/search", {"q": text}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("text", ["澜庭", "澜", "lanting", "lt", "c-000123", "C000123"])
def test_a_customer_is_found_in_every_way_people_type(book: list[Customer], mei: Person, text: str) -> None:
    assert f"/customers/{book[0].pk}" in found(mei, text)


@pytest.mark.parametrize("text", ["张", "zhang", "zs", "张三", "8001", "zhangsan@lanting.example"])
def test_a_contact_is_found_and_leads_to_the_customer(book: list[Customer], mei: Person, text: str) -> None:
    page = found(mei, text)
    assert f"/customers/{book[0].pk}" in page
    assert "张" in page


def test_nobody_finds_customers_out_of_scope(book: list[Customer], mei: Person, jun: Person, lead: Person) -> None:
    assert "婷" not in found(mei, "liting")
    assert "婷" in found(jun, "liting")
    assert "澜" not in found(jun, "lanting")
    assert "澜" in found(lead, "lanting")


def test_who_may_not_see_personal_data_does_not_find_by_it(book: list[Customer], viewer: Person) -> None:
    assert "Contacts" not in found(viewer, "8001")
    assert "Contacts" not in found(viewer, "zhangsan@lanting.example")
    page = found(viewer, "zhangsan")
    assert "张三" not in page
    assert "张**" in page


def test_the_one_that_brings_more_stands_first(book: list[Customer], mei: Person) -> None:
    page = found(mei, "lt")
    assert page.index("幼教") < page.index("家居")


def test_without_words_the_last_dealt_with_and_the_pages(book: list[Customer], mei: Person, viewer: Person) -> None:
    log(book[1], channel="phone", text="x", at=NOW, by=mei.staff, now=NOW)
    page = found(mei, "")
    assert "Lately" in page
    assert page.index("幼教") < page.index("/today")
    assert "/today" not in found(viewer, "")
    assert "/settings/staff" not in found(mei, "")


def test_pages_are_found_by_name_and_nonsense_says_what_helps(book: list[Customer], mei: Person) -> None:
    assert 'href="/customers"' in found(mei, "cust")
    assert "Nothing is found for" in found(mei, "zzzzzz")
    for odd in ("'", "\\", ":*", "&|!", "%00", "张" * 300, "🙂", "<b>"):
        assert "<b>" not in found(mei, odd)


def test_without_script_there_is_a_page(book: list[Customer], mei: Person, stranger: Client) -> None:
    page = mei.get("/search?q=lt").content.decode()
    assert "<html" in page
    assert "澜庭" in page
    assert stranger.get("/search?q=lt").status_code == 302


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("澜庭家居", "lt", "<mark>澜庭</mark>家居"),
        ("澜庭家居", "lanting", "<mark>澜庭</mark>家居"),
        ("澜庭家居", "jia", "澜庭<mark>家</mark>居"),
        ("澜庭家居", "庭", "澜<mark>庭</mark>家居"),
        ("Northgate Retail", "gate", "North<mark>gate</mark> Retail"),
        ("澜庭家居", "zzz", "澜庭家居"),
        ("澜庭家居", "", "澜庭家居"),
        ("<b>", "b", "&lt;<mark>b</mark>&gt;"),
        ("İstanbul", "i", "İstanbul"),
    ],
)
def test_what_was_meant_is_marked(name: str, text: str, shown: str) -> None:
    assert marked(name, text) == shown
