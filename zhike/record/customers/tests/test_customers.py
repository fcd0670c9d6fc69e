"""Customers and contacts: who may change them, what that leaves behind, and how they are found."""

import json

import pytest
from django.test import Client

from zhike.conftest import NOW, Person
from zhike.kit.searchterms import query_of
from zhike.org.models import AuditLine
from zhike.record.customers import operations
from zhike.record.customers.models import AttributeDefinition, Contact, Customer
from zhike.record.events.models import Event

FORM = {"name": "张三丰武馆", "kind": "organisation", "industry": "教育", "region": "杭州"}


@pytest.fixture
def customer(mei: Person) -> Customer:
    return operations.add_customer({"name": "澜庭家居", "ref": "C-1"}, by=mei.staff, now=NOW)


def test_a_customer_is_added_by_who_may_and_is_theirs(mei: Person, viewer: Person, stranger: Client) -> None:
    assert stranger.post("/customers/new", FORM).status_code == 302
    assert viewer.post("/customers/new", FORM).status_code == 403
    assert not Customer.objects.exists()
    assert mei.post("/customers/new", FORM).status_code == 302
    added = Customer.objects.get()
    assert (added.name, added.owner, added.ref) == (FORM["name"], mei.staff, "K000001")
    assert Event.objects.get().kind == "customer.created"
    assert AuditLine.objects.get().action == "customer.added"


def test_a_foreign_customer_looks_like_a_missing_one(
    mei: Person, jun: Person, lead: Person, customer: Customer
) -> None:
    change = {**FORM, "ref": "C-1", "name": "新名字"}
    assert jun.post(f"/customers/{customer.pk}/edit", change).status_code == 404
    assert jun.get("/customers/999999/edit").status_code == 404
    assert lead.post(f"/customers/{customer.pk}/edit", change).status_code == 302
    customer.refresh_from_db()
    assert customer.name == "新名字"
    assert AuditLine.objects.filter(action="customer.changed").count() == 1


def test_a_change_that_changes_nothing_leaves_no_trace(mei: Person, customer: Customer) -> None:
    lines = AuditLine.objects.count()
    operations.change_customer(customer, {"name": customer.name}, by=mei.staff, now=NOW)
    assert AuditLine.objects.count() == lines


def test_a_taken_number_is_refused_and_nothing_changes(mei: Person, customer: Customer) -> None:
    response = mei.post("/customers/new", {**FORM, "ref": "C-1"})
    assert response.status_code == 422
    assert Customer.objects.count() == 1


def test_own_attributes_are_typed(mei: Person, customer: Customer) -> None:
    AttributeDefinition.objects.create(name="seats", title="席位", kind="number")
    form = {**FORM, "ref": "C-1", "attributes.seats": "一百"}
    assert mei.post(f"/customers/{customer.pk}/edit", form).status_code == 422
    assert mei.post(f"/customers/{customer.pk}/edit", {**form, "attributes.seats": "1,200"}).status_code == 302
    customer.refresh_from_db()
    assert customer.attributes == {"seats": 1200.0}


def found(text: str) -> list[str]:
    customers = Customer.objects.extra(where=["terms @@ %s::tsquery"], params=[query_of(text)])
    contacts = Contact.objects.extra(where=["terms @@ %s::tsquery"], params=[query_of(text)])
    return sorted([*customers.values_list("name", flat=True), *contacts.values_list("name", flat=True)])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("张", "张三丰"),
        ("zhang", "张三丰"),
        ("zs", "张三丰"),
        ("三丰", "张三丰"),
        ("5678", "张三丰"),
        ("feng@wu.example", "张三丰"),
        ("澜庭", "澜庭家居"),
        ("lt", "澜庭家居"),
        ("C-1", "澜庭家居"),
    ],
)
def test_search_terms_find(text: str, name: str, mei: Person, customer: Customer) -> None:
    fields = {"name": "张三丰", "phone": "+86 138 1234 5678", "email": "feng@wu.example"}
    operations.add_contact(customer, fields, by=mei.staff, now=NOW)
    assert name in found(text)


def test_customers_are_handed_over_and_taken_back(mei: Person, jun: Person, customer: Customer) -> None:
    before = operations.hand_over([customer], jun.staff, by=mei.staff, now=NOW)
    customer.refresh_from_db()
    assert customer.owner == jun.staff
    assert operations.take_back(before, by=mei.staff, now=NOW) == 1
    customer.refresh_from_db()
    assert customer.owner == mei.staff
    assert Event.objects.filter(kind="customer.handed_over").count() == 2


def test_the_api_asks_the_same_questions_and_follows_the_same_scope(
    mei: Person, jun: Person, customer: Customer
) -> None:
    assert mei.get(f"/api/customers/{customer.pk}").json()["ref"] == "C-1"
    assert jun.get(f"/api/customers/{customer.pk}").status_code == 404
    assert [item["ref"] for item in mei.get("/api/customers").json()["items"]] == ["C-1"]
    assert jun.get("/api/customers").json() == {"items": [], "after": None}
    taken = mei.post("/api/customers/new", json.dumps({"name": "甲", "ref": "C-1"}), content_type="application/json")
    assert (taken.status_code, taken.json()["error"]) == (409, "NumberTaken")
    unknown = mei.post("/api/customers/new", json.dumps({"name": "甲", "owner": 1}), content_type="application/json")
    assert unknown.status_code == 422
    change = mei.patch(
        f"/api/customers/{customer.pk}/change", json.dumps({"region": "宁波"}), content_type="application/json"
    )
    assert change.json()["region"] == "宁波"
