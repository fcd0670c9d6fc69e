"""Adding and changing customers and contacts. Reading them is the work of `zhike.web`."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods

from zhike.org.middleware import StaffRequest
from zhike.org.pages import refusals_shown_on
from zhike.org.roles import Permission
from zhike.record.customers import operations
from zhike.record.customers.forms import ContactForm, CustomerForm
from zhike.record.customers.models import Contact, Customer
from zhike.record.customers.queries import contact_for, customer_for


def _customer_form(request: StaffRequest, customer: Customer | None) -> CustomerForm:
    may_assign = request.staff.may(Permission.ASSIGN_CUSTOMERS)
    return CustomerForm(request.POST or None, instance=customer, principal=request.staff, may_assign=may_assign)


def _show(request: StaffRequest, template: str, form: CustomerForm | ContactForm, **context: Any) -> HttpResponse:
    """Show a form: its fragment to htmx, which asked for the form alone, or the whole page."""
    if request.headers.get("HX-Request"):
        template += "#form"
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def customer_new(request: StaffRequest) -> HttpResponse:
    form = _customer_form(request, None)
    if request.method == "POST" and form.is_valid():
        with refusals_shown_on(form):
            customer = operations.add_customer(form.cleaned_data, by=request.staff, now=now())
            return _to(request, customer)
    return _show(request, "customers/customer_form.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
def customer_edit(request: StaffRequest, customer_id: int) -> HttpResponse:
    customer = customer_for(request.staff, customer_id)
    form = _customer_form(request, customer)
    if request.method == "POST" and form.is_valid():
        with refusals_shown_on(form):
            operations.change_customer(customer, form.cleaned_data, by=request.staff, now=now())
            return _to(request, customer)
    return _show(request, "customers/customer_form.html", form, customer=customer)


@require_http_methods(["GET", "HEAD", "POST"])
def contact_new(request: StaffRequest, customer_id: int) -> HttpResponse:
    customer = customer_for(request.staff, customer_id)
    form = ContactForm(request.POST or None, sees_personal=request.staff.sees_personal)
    if request.method == "POST" and form.is_valid():
        operations.add_contact(customer, form.cleaned_data, by=request.staff, now=now())
        return _to(request, customer)
    return _show(request, "customers/contact_form.html", form, customer=customer)


@require_http_methods(["GET", "HEAD", "POST"])
def contact_edit(request: StaffRequest, contact_id: int) -> HttpResponse:
    contact: Contact = contact_for(request.staff, contact_id)
    form = ContactForm(request.POST or None, instance=contact, sees_personal=request.staff.sees_personal)
    if request.method == "POST" and form.is_valid():
        operations.change_contact(contact, form.cleaned_data, by=request.staff, now=now())
        return _to(request, contact.customer)
    return _show(request, "customers/contact_form.html", form, customer=contact.customer, contact=contact)


def _to(request: StaffRequest, customer: Customer) -> HttpResponse:
    address = reverse("customer", args=[customer.pk])
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
