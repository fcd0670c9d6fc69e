"""One way in to a customer and to a contact: missing and forbidden look the same."""

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from zhike.org.models import Staff
from zhike.org.once import once
from zhike.org.prepared import Prepared, Slot
from zhike.org.principals import Principal
from zhike.org.roles import Scope
from zhike.record.customers.models import AttributeDefinition, Contact, Customer


def customer_for(principal: Principal, customer_id: int) -> Customer:
    """Return a customer whom this person may see, with owner and parent, or raise Http404."""
    found = _CUSTOMER.first(principal, customer=customer_id)
    if found is None:
        raise Http404
    return found


_CUSTOMER: Prepared[Customer] = Prepared(
    lambda viewer: (
        Customer.objects.visible_to(viewer)
        .select_related("owner__role", "owner__team", "parent")
        .filter(pk=Slot("customer"))
    )
)


def contact_for(principal: Principal, contact_id: int) -> Contact:
    """Return a contact at a customer whom this person may see, or raise Http404."""
    return get_object_or_404(Contact.objects.visible_to(principal).select_related("customer"), pk=contact_id)


def attribute_definitions() -> list[AttributeDefinition]:
    """Return the fields that the company added, by title."""
    return once("attributes", _ATTRIBUTES.list)


_ATTRIBUTES: Prepared[AttributeDefinition] = Prepared(
    lambda _viewer: AttributeDefinition.objects.order_by("title", "id")
)


def possible_owners(principal: Principal) -> QuerySet[Staff]:
    """Return the colleagues to whom this person may hand customers: everybody, or the own team."""
    active = Staff.objects.filter(is_active=True).order_by("name", "id")
    if principal.scope == Scope.ALL or principal.team_id is None:
        return active
    return active.filter(team_id=principal.team_id)
