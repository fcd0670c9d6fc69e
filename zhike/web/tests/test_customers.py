"""The customer list through its pages: whose customers, which columns, conditions, pages, hand-over, file, views."""

import csv
import io
import json
import re
from collections.abc import Callable
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from zhike.conftest import Person
from zhike.decide.segments.models import Segment
from zhike.measure.models import FactsSummary
from zhike.org.models import AuditLine, Company
from zhike.record.customers.models import AttributeDefinition, Customer
from zhike.record.events.models import Event

Make = Callable[..., Customer]
NAME = re.compile('<a class="name" [^>]*><b class="trunc" title="([^"]*)"')
FULL = {
    "health_band": "risk",
    "tier": "core",
    "stage": "maturity",
    "health_change_30d": Decimal(-13),
    "health_weeks": [71, 66, 58],
    "days_to_renewal": 74,
}


@pytest.fixture
def firm(db: None) -> Company:
    return Company.objects.create(id=1, name="云舟科技", currency="CNY", language="en")


@pytest.fixture
def lanting(firm: Company, customer: Make, mei: Person) -> Customer:
    FactsSummary.objects.create(
        owner_id=mei.staff.pk, customers=1, revenue=0, revenue_12m=0, mrr=1000, health_sum=58, health_known=1
    )
    return customer(
        "澜庭家居",
        mei.staff,
        industry="家居",
        region="杭州",
        health=Decimal(58),
        arr=Decimal(386_000),
        mrr=Decimal(32_167),
        revenue_12m=Decimal(386_000),
        **FULL,
    )


def shown(person: Client, url: str = "/customers") -> str:
    response = person.get(url)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def names(person: Client, url: str = "/customers") -> list[str]:
    return _names(shown(person, url))


def _names(page: str) -> list[str]:
    return [unescape(name) for name in NAME.findall(page)]


def test_everybody_sees_the_customers_of_the_own_scope(
    lanting: Customer, mei: Person, jun: Person, lead: Person, viewer: Person, stranger: Client
) -> None:
    assert names(mei) == ["澜庭家居"]
    assert names(jun) == []
    assert names(lead, "/customers?view=all") == ["澜庭家居"]
    assert names(viewer, "/customers?view=all") == ["澜庭家居"]
    assert stranger.get("/customers").status_code == 302


def test_who_may_not_see_revenue_sees_no_amount_nor_asks_nor_sorts_by_one(
    lanting: Customer, mei: Person, viewer: Person
) -> None:
    assert "CN¥386K" in shown(mei)
    page = shown(viewer, "/customers?view=all&sort=-worth&cols=tier,worth,revenue,mrr&f=revenue_12m:above:1")
    assert "386" not in page
    assert "cannot be read" in page
    assert [head["key"] for head in viewer.get("/customers?view=all&cols=tier,worth,mrr").context["heads"]] == [
        "customer",
        "tier",
    ]


def test_a_condition_in_the_address_narrows_the_list(lanting: Customer, customer: Make, mei: Person) -> None:
    customer("远帆物流", mei.staff, health=Decimal(84), health_band="healthy", tier="key")
    customer("没量过的", mei.staff)
    assert names(mei) == ["澜庭家居", "远帆物流", "没量过的"]
    assert names(mei, "/customers?f=health:below:60") == ["澜庭家居"]
    assert names(mei, "/customers?f=tier:in:core,key&f=health:at_least:80") == ["远帆物流"]
    chips = mei.get("/customers?f=tier:in:core,key&f=days_to_renewal:between:0,90").context["chips"]
    assert [(chip.label, chip.value) for chip in chips] == [("Tier", "Core, Key"), ("Renewal", "within 90 days")]


@pytest.mark.parametrize(
    "sort", ["health", "-health", "worth", "-worth", "customer", "renewal", "tier", "nonsense", "-"]
)
def test_any_order_shows_everybody(lanting: Customer, customer: Make, mei: Person, sort: str) -> None:
    customer("远帆物流", mei.staff, health=Decimal(84), health_band="healthy", contract_end=None)
    assert sorted(names(mei, f"/customers?sort={sort}")) == ["澜庭家居", "远帆物流"]


def test_the_search_finds_by_pinyin_and_initials_and_marks_what_it_found(
    lanting: Customer, customer: Make, mei: Person
) -> None:
    customer("远帆物流", mei.staff)
    for words in ("lt", "lanting", "澜庭", "庭"):
        assert names(mei, f"/customers?q={words}") == ["澜庭家居"], words
    assert "<mark>澜庭</mark>家居" in shown(mei, "/customers?q=lt")
    assert names(mei, "/customers?q=qqq") == []
    assert "Nothing here is called" in shown(mei, "/customers?q=qqq")


def test_an_empty_list_names_the_condition_to_take_away(lanting: Customer, mei: Person) -> None:
    page = mei.get("/customers?f=health:below:60&f=region:is:Mars")
    assert "Without “Region Mars”" in page.content.decode()
    assert names(mei, page.context["empty"]["url"]) == ["澜庭家居"]


def test_nonsense_in_the_address_is_named_and_left_out(lanting: Customer, mei: Person) -> None:
    page = shown(mei, "/customers?f=health:below:soon&f=x&f=rule:[&after=zzz&at=x&cols=,;&sort=%00&q=%00&view=9999")
    assert page.count("cannot be read and was left out") == 3
    assert "澜庭家居" in page


def test_pages_of_fifty_lead_on_and_back(firm: Company, customer: Make, mei: Person) -> None:
    for number in range(120):
        customer(f"客户{number:03}", mei.staff, health=Decimal(number % 7))
    first = mei.get("/customers")
    assert "1–50 of 120 customers" in first.content.decode()
    second = mei.get(first.context["older_url"])
    assert "51–100 of 120 customers" in second.content.decode()
    third = mei.get(second.context["older_url"])
    everybody = [name for page in (first, second, third) for name in _names(page.content.decode())]
    assert len(set(everybody)) == 120
    assert third.context["older_url"] == ""
    back = mei.get(second.context["newer_url"])
    assert _names(back.content.decode()) == everybody[:50]
    assert back.context["newer_url"] == ""


def test_a_later_page_has_the_totals_of_the_first(firm: Company, customer: Make, mei: Person) -> None:
    for number in range(60):
        customer(f"客户{number:03}", mei.staff, health=Decimal(50))
    asked = "/customers?f=health:below:60"
    first = mei.get(asked)
    assert "1–50 of 60 customers" in first.content.decode()
    mei.staff.customer_set.latest("id").delete()
    assert "51–59 of 60 customers" in shown(mei, first.context["older_url"])
    assert "1–50 of 59 customers" in shown(mei, asked)


def test_what_stands_in_a_customer_is_never_markup(firm: Company, customer: Make, mei: Person) -> None:
    name, trade = """<b onclick='x("1")'>Ann & Co</b>""", '<i>"a"</i>'
    customer(name, mei.staff, industry=trade, region="<u>'</u>", tier="<s>", stage='"<s>', revenue_12m=Decimal("12.50"))
    page = shown(mei, f"/customers?list=%22%3Cs%3E&q={quote('Ann')}&cols=tier,stage,industry,worth,last_touch")
    assert _names(page) == [name]
    assert 'data-worth="12.50"' in page
    assert "<mark>Ann</mark> &amp; Co&lt;/b&gt;" in page
    for markup in ("<b onclick", "<i>", "<u>", "<s>", """title="<i>"""):
        assert markup not in page
    assert (
        shown(mei, "/customers?sort=health").count(
            "&lt;b onclick=&#x27;x(&quot;1&quot;)&#x27;&gt;Ann &amp; Co&lt;/b&gt;"
        )
        == 3
    )


def test_the_number_of_queries_does_not_grow_with_the_rows(
    lanting: Customer, customer: Make, mei: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    customer("一家", mei.staff, health=Decimal(70), health_band="warning")  # Without worth: its stretch is read too.
    mei.get("/customers")
    with django_assert_num_queries(17):
        mei.get("/customers")
    for number in range(30):
        customer(f"客户{number}", mei.staff, health=Decimal(70), health_band="warning")
    with django_assert_num_queries(17):
        mei.get("/customers")


def test_the_form_of_a_condition_leads_to_the_address_that_says_it(lanting: Customer, mei: Person) -> None:
    changed = mei.get("/customers?view=mine&field=health&op=below&value=60&value=")
    assert changed.status_code == 302
    assert changed.headers["Location"] == "/customers?view=mine&f=health%3Abelow%3A60"
    again = mei.get("/customers?f=health:below:60&f=tier:in:core&field=tier&op=in&value=key&value=core&place=1")
    assert again.headers["Location"] == "/customers?f=health%3Abelow%3A60&f=tier%3Ain%3Akey%2Ccore"
    emptied = mei.get("/customers?f=tier:in:core&field=tier&op=in&place=0")
    assert emptied.headers["Location"] == "/customers?f=-"
    share = mei.get("/customers?field=usage_change_30d&op=at_most&value=-70")
    assert share.headers["Location"] == "/customers?f=usage_change_30d%3Aat_most%3A-0.7"
    day = mei.get("/customers?field=contract_end&op=at_most&value=90&counting=ahead")
    assert names(mei, day.headers["Location"]) == []
    assert mei.get("/customers?field=nothing&op=is&value=1").status_code == 404


def test_every_field_has_a_form(lanting: Customer, mei: Person, viewer: Person) -> None:
    AttributeDefinition.objects.create(name="stores", title="直营门店", kind="number")
    AttributeDefinition.objects.create(name="tags", title="标签", kind="multi", choices=["a", "b"])
    fields = shown(mei, "/customers/condition")
    assert "直营门店" in fields
    assert "Revenue" in fields
    for field in ("health", "tier", "owner_id", "region", "contract_end", "attributes.stores", "attributes.tags"):
        assert "Apply" in shown(mei, f"/customers/condition?field={field}"), field
    assert 'value="60"' in shown(mei, "/customers/condition?f=health:below:60&place=0")
    assert mei.get("/customers/condition?field=nothing").status_code == 404
    assert viewer.get("/customers/condition?field=revenue").status_code == 404


def test_the_columns_are_chosen_in_a_form(lanting: Customer, mei: Person, viewer: Person) -> None:
    page = shown(mei, "/customers/columns?cols=tier,orders")
    assert 'value="orders" checked' in page
    assert 'value="health">' in page
    assert 'value="revenue"' in page
    assert 'value="revenue"' not in shown(viewer, "/customers/columns?view=all")
    changed = mei.get("/customers?view=mine&col=tier&col=orders")
    assert changed.headers["Location"] == "/customers?view=mine&cols=tier%2Corders"


def test_own_fields_are_columns_and_conditions(firm: Company, customer: Make, mei: Person) -> None:
    AttributeDefinition.objects.create(name="stores", title="直营门店", kind="number")
    customer("澜庭家居", mei.staff, attributes={"stores": 46}, health=Decimal(50))
    customer("远帆物流", mei.staff, attributes={"stores": 3}, health=Decimal(60))
    page = shown(mei, "/customers?cols=attributes.stores&f=attributes.stores:above:10")
    assert "直营门店" in page
    assert "46" in page
    assert "远帆物流" not in page


def test_a_hand_over_moves_the_customers_in_view_and_can_be_taken_back(
    lanting: Customer, customer: Make, mei: Person, jun: Person, lead: Person, hire: Callable[..., Person]
) -> None:
    kai = hire("Kai", "csm", "East")
    foreign = customer("别人的", jun.staff)
    form = {"ids": [lanting.pk, foreign.pk], "owner": kai.staff.pk, "state": "view=all"}
    assert mei.post("/customers/hand-over", form).status_code == 403
    assert jun.post("/customers/hand-over", form).status_code == 403
    done = lead.post("/customers/hand-over", form, headers={"HX-Request": "true"})
    assert done.status_code == 200
    assert _owners() == {"澜庭家居": "Kai", "别人的": "Jun"}
    toast = json.loads(done.headers["HX-Trigger"])["toast"]
    assert toast["text"] == "1 customer handed over to Kai"
    assert AuditLine.objects.filter(action="customer.handed_over", actor_id=lead.staff.pk).count() == 1
    assert Event.objects.filter(kind="customer.handed_over", customer=lanting).count() == 1
    assert kai.post(toast["undo"]).status_code == 403
    assert hire("Ada", "admin").post(toast["undo"]).status_code == 404
    assert lead.post("/customers/take-back?token=forged").status_code == 404
    assert lead.post(toast["undo"]).status_code == 204
    assert _owners() == {"澜庭家居": "Mei", "别人的": "Jun"}


def test_nobody_hands_over_to_another_team(lanting: Customer, jun: Person, lead: Person) -> None:
    form = {"ids": [lanting.pk], "owner": jun.staff.pk, "state": ""}
    assert lead.post("/customers/hand-over", form).status_code == 404
    assert _owners() == {"澜庭家居": "Mei"}


def test_what_was_moved_on_since_is_not_taken_back(
    lanting: Customer, lead: Person, hire: Callable[..., Person]
) -> None:
    kai, lu = hire("Kai", "csm", "East"), hire("Lu", "csm", "East")
    htmx = {"HX-Request": "true"}
    first = lead.post("/customers/hand-over", {"ids": [lanting.pk], "owner": kai.staff.pk}, headers=htmx)
    lead.post("/customers/hand-over", {"ids": [lanting.pk], "owner": lu.staff.pk}, headers=htmx)
    lead.post(json.loads(first.headers["HX-Trigger"])["toast"]["undo"])
    assert _owners() == {"澜庭家居": "Lu"}


def _owners() -> dict[str, str]:
    return dict(Customer.objects.values_list("name", "owner__name"))


def test_the_file_holds_the_list_and_no_formula(lanting: Customer, customer: Make, mei: Person, jun: Person) -> None:
    customer("=cmd|' /C calc'!A0", mei.staff, ref="+1", region="＝1+1", health=Decimal(59), health_band="risk")
    customer("远帆物流", mei.staff, health=Decimal(84))
    customer("别人的", jun.staff, health=Decimal(10))
    rows = exported(mei, "/customers/export?f=health:below:60")
    assert rows[0][:4] == ["Customer number", "Customer", "Industry", "Region"]
    assert [row[1] for row in rows[1:]] == ["澜庭家居", "'=cmd|' /C calc'!A0"]
    assert rows[2][0] == "'+1"
    assert rows[2][3] == "'＝1+1"
    line = AuditLine.objects.get(action="customers.exported")
    assert line.detail["count"] == 2
    assert line.actor_id == mei.staff.pk


def test_the_file_of_the_ticked_customers_holds_them_alone(
    lanting: Customer, customer: Make, mei: Person, jun: Person
) -> None:
    foreign = customer("别人的", jun.staff, health=Decimal(10))
    customer("远帆物流", mei.staff, health=Decimal(84))
    answer = mei.post("/customers/export", {"ids": [lanting.pk, foreign.pk, "x"], "state": ""})
    assert [row[1] for row in _rows(answer)[1:]] == ["澜庭家居"]


def test_who_may_not_export_or_see_revenue_gets_neither(
    lanting: Customer, viewer: Person, hire: Callable[..., Person]
) -> None:
    assert viewer.get("/customers/export").status_code == 403
    role = hire("Kim", "marketer").staff.role
    role.sees_revenue = False
    role.save(update_fields=["sees_revenue"])
    rows = exported(hire("Ada", "marketer"), "/customers/export?view=all&cols=tier,worth,revenue_12m")
    assert rows[0] == ["Customer number", "Customer", "Industry", "Region", "Tier"]
    assert "386" not in str(rows)


def exported(person: Person, url: str) -> list[list[str]]:
    return _rows(person.get(url))


def _rows(response: Any) -> list[list[str]]:
    assert isinstance(response, StreamingHttpResponse)
    assert response.status_code == 200
    text = b"".join(response).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_a_view_is_saved_opened_changed_and_deleted_by_its_owner(lanting: Customer, mei: Person, jun: Person) -> None:
    saved = mei.post("/views/new", {"name": "Weak", "state": "view=mine&f=health%3Abelow%3A60&sort=-worth"})
    view = Segment.objects.get(name="Weak")
    assert saved.headers["Location"] == f"/customers?view={view.pk}"
    assert view.rule == {"health": {"below": 60}}
    assert view.sort == "-worth"
    page = mei.get(f"/customers?view={view.pk}")
    assert [tab["name"] for tab in page.context["tabs"]] == ["My customers", "Weak"]
    assert page.context["changed"] is False
    assert [tab["count"] for tab in page.context["tabs"]] == ["1", "1"]
    changed = mei.get(f"/customers?view={view.pk}&f=health:below:50")
    assert changed.context["changed"] is True
    assert [tab["name"] for tab in jun.get("/customers").context["tabs"]] == ["My customers"]
    state = f"view={view.pk}&f=health%3Abelow%3A50"
    assert jun.post(f"/views/{view.pk}/save", {"state": state}).status_code == 404
    assert jun.post(f"/views/{view.pk}/delete").status_code == 404
    mei.post(f"/views/{view.pk}/save", {"state": state})
    assert Segment.objects.get(pk=view.pk).rule == {"health": {"below": 50}}
    mei.post(f"/views/{view.pk}/delete")
    assert not Segment.objects.filter(pk=view.pk).exists()
    assert AuditLine.objects.filter(action__startswith="segment.").count() == 3


def test_a_view_needs_a_name_of_its_own(lanting: Customer, mei: Person) -> None:
    state = "f=health%3Abelow%3A60"
    for name in ("Weak", "Weak", " "):
        mei.post("/views/new", {"name": name, "state": state})
    assert Segment.objects.count() == 1
    page = shown(mei)
    assert "You have a view named Weak already." in page
    assert "A view needs a name." in page


def test_a_shared_view_over_revenue_is_not_shown_to_who_may_not_see_it(
    lanting: Customer, lead: Person, viewer: Person
) -> None:
    lead.post("/views/new", {"name": "Big", "state": "view=all&f=arr%3Aabove%3A1000", "is_shared": "yes"})
    lead.post("/views/new", {"name": "Weak", "state": "view=all&f=health%3Abelow%3A60", "is_shared": "yes"})
    assert [tab["name"] for tab in viewer.get("/customers").context["tabs"]] == ["My customers", "All", "Weak"]


def test_a_view_of_the_plan_cannot_be_changed_here(lanting: Customer, lead: Person) -> None:
    rule = {"health": {"below": 60}}
    view = Segment.objects.create(
        name="Plan",
        rule=rule,
        is_shared=True,
        plan_key="weak",
        names={"en": "Of the plan"},
        created_at="2026-01-01T00:00Z",
    )
    assert lead.get(f"/customers?view={view.pk}").context["may_save"] is False
    lead.post(f"/views/{view.pk}/save", {"state": f"view={view.pk}&f=health%3Abelow%3A50"})
    lead.post(f"/views/{view.pk}/delete")
    assert Segment.objects.get(pk=view.pk).rule == rule


def test_htmx_gets_the_part_that_changes(lanting: Customer, mei: Person) -> None:
    rows = mei.get("/customers?q=lt", headers={"HX-Request": "true", "HX-Target": "div#rows"}).content.decode()
    assert rows.startswith('<div id="rows">')
    assert "<html" not in rows
    assert mei.get("/customers", headers={"HX-Request": "true"}).content.decode().startswith('<div id="list">')
