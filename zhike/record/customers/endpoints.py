"""Customers in the REST API: the same questions and operations as the pages."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.timezone import now
from ninja import Field, Query, Router, Schema
from ninja.responses import Status
from pydantic import ConfigDict, StringConstraints

from zhike.org.models import Staff
from zhike.record.customers import operations, rules
from zhike.record.customers.models import Customer, CustomerKind
from zhike.record.customers.queries import attribute_definitions, customer_for

router = Router(tags=["customers"])
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]


class CustomerIn(Schema):
    """What a customer may be created with. Unknown fields are refused; the owner is whoever creates."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    ref: Short = Field("", description="The customer's number; empty: one is given.")
    kind: CustomerKind = CustomerKind.ORGANISATION
    industry: Short = ""
    region: Short = ""
    size: Annotated[str, StringConstraints(max_length=50)] = ""
    joined: date | None = None
    attributes: dict[str, str] = Field({}, description="Values of the company's own attributes, by name.")


class CustomerChange(Schema):
    """Fields to change; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    kind: CustomerKind | None = None
    industry: Short | None = None
    region: Short | None = None
    size: Annotated[str, StringConstraints(max_length=50)] | None = None
    joined: date | None = None
    attributes: dict[str, str] | None = None


class CustomerOut(Schema):
    id: int
    ref: str
    name: str
    kind: str
    industry: str
    region: str
    size: str
    joined: date | None
    owner: str | None = Field(description="The owner's e-mail.")
    acquisition_cost: Decimal | None = Field(description="Null also for a role that does not see revenue.")
    attributes: dict[str, Any]


class CustomerPage(Schema):
    items: list[CustomerOut]
    after: int | None = Field(description="Give this as `after` for the next page; null on the last.")


class WrongAttribute(Schema):
    error: str
    field: str


def _staff(request: HttpRequest) -> Staff:
    staff: Staff = request.staff  # type: ignore[attr-defined]  # The doors let nobody else through.
    return staff


def _shown(customer: Customer, staff: Staff) -> dict[str, Any]:
    return {
        "id": customer.pk,
        "ref": customer.ref,
        "name": customer.name,
        "kind": customer.kind,
        "industry": customer.industry,
        "region": customer.region,
        "size": customer.size,
        "joined": customer.joined,
        "owner": customer.owner.email if customer.owner else None,
        "acquisition_cost": customer.acquisition_cost if staff.sees_revenue else None,
        "attributes": customer.attributes,
    }


@router.get("", response=CustomerPage, url_name="customers")
def customers(
    request: HttpRequest, after: int = 0, limit: Annotated[int, Query(ge=1, le=200)] = 50, ref: str = ""
) -> dict[str, Any]:
    """Return visible customers in order of id, `limit` at a time; with `ref`, the one of that number."""
    staff = _staff(request)
    wanted = Q(pk__gt=after) & (Q(ref=ref) if ref else Q())
    found = Customer.objects.visible_to(staff).filter(wanted).select_related("owner").order_by("pk")[: limit + 1]
    page = list(found)
    more = page[limit - 1].pk if len(page) > limit else None
    return {"items": [_shown(customer, staff) for customer in page[:limit]], "after": more}


@router.get("/{int:customer_id}", response=CustomerOut, url_name="customer")
def customer(request: HttpRequest, customer_id: int) -> dict[str, Any]:
    """Return one customer; 404 also for one that this person may not see."""
    staff = _staff(request)
    return _shown(customer_for(staff, customer_id), staff)


@router.post("/new", response={201: CustomerOut, 422: WrongAttribute}, url_name="customer-new")
def create(request: HttpRequest, given: CustomerIn) -> Status[dict[str, Any]]:
    """Create a customer and return it; 409 when the number is taken."""
    staff = _staff(request)
    fields = given.model_dump()
    try:
        fields["attributes"] = _attributes(given.attributes, {})
    except WrongValue as wrong:
        return Status(422, {"error": "not_what_the_field_holds", "field": f"attributes.{wrong}"})
    return Status(201, _shown(operations.add_customer(fields, by=staff, now=now()), staff))


@router.patch("/{int:customer_id}/change", response={200: CustomerOut, 422: WrongAttribute}, url_name="customer-change")
def change(request: HttpRequest, customer_id: int, given: CustomerChange) -> Status[dict[str, Any]]:
    """Change some fields of a customer and return it."""
    staff = _staff(request)
    found = customer_for(staff, customer_id)
    fields = given.model_dump(exclude_unset=True)
    if given.attributes is not None:
        try:
            fields["attributes"] = _attributes(given.attributes, found.attributes)
        except WrongValue as wrong:
            return Status(422, {"error": "not_what_the_field_holds", "field": f"attributes.{wrong}"})
    operations.change_customer(found, fields, by=staff, now=now())
    return Status(200, _shown(found, staff))


class WrongValue(ValueError):
    """An attribute that does not exist, or a value that it cannot hold; the argument is its name."""


def _attributes(given: dict[str, str], present: dict[str, Any]) -> dict[str, Any]:
    known = {definition.name: definition for definition in attribute_definitions()}
    result = dict(present)
    for name, text in given.items():
        if name not in known:
            raise WrongValue(name)
        try:
            value = rules.attribute_value(known[name].kind, text, known[name].choices)
        except rules.NotThatKind as error:
            raise WrongValue(name) from error
        result.pop(name, None)
        if value is not None:
            result[name] = value
    return result
