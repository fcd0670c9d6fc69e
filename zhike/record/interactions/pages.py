"""Logging in one line, from any page, and taking it back."""

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from zhike.kit.refusal import Refusal
from zhike.org.middleware import StaffRequest
from zhike.org.pages import refusals_shown_on, sentence
from zhike.record.customers.models import Customer
from zhike.record.customers.queries import customer_for
from zhike.record.interactions import operations, queries
from zhike.record.interactions.forms import LogForm
from zhike.record.interactions.models import Interaction


@require_safe
def interaction_new(request: StaffRequest) -> HttpResponse:
    """Show the dialog for logging: about the customer in the address, or about one to be named."""
    number = request.GET.get("customer", "")
    customer = customer_for(request.staff, int(number)) if number.isdigit() else None
    first = {"channel": request.GET.get("channel", ""), "contact": request.GET.get("contact", "")}
    form = LogForm(customer=customer, principal=request.staff, initial=first)
    return _show(request, form, customer)


@require_POST
def interaction_log(request: StaffRequest, customer_id: int | None = None) -> HttpResponse:
    """Log one line and answer with an empty one, or with what is wrong with it."""
    customer = customer_for(request.staff, customer_id) if customer_id is not None else None
    form = LogForm(request.POST, customer=customer, principal=request.staff)
    logged: Interaction | None = None
    if form.is_valid():
        with refusals_shown_on(form):
            moment = now()
            logged = operations.log(form.about, **form.said(), at=moment, by=request.staff, now=moment)
    if logged is None:
        return _show(request, form, customer)
    said = gettext("Logged: %(channel)s with %(customer)s") % {
        "channel": logged.get_channel_display(),
        "customer": logged.customer.name,
    }
    if not request.headers.get("HX-Request"):
        messages.success(request, said)
        return redirect("customer", customer_id=logged.customer_id)
    triggers = {
        "toast": {"text": said, "undo": reverse("interaction-undo", args=[logged.pk])},
        "interaction:logged": True,
        "queue:changed": True,
        "dialog:close": True,
    }
    response = HttpResponse()
    if request.POST.get("from") == "line":
        response = _line(request, LogForm(customer=customer, principal=request.staff), customer)
    response.headers["HX-Trigger"] = json.dumps(triggers)
    return response


@require_POST
def interaction_undo(request: StaffRequest, interaction_id: int) -> HttpResponse:
    found = queries.interaction_for(request.staff, interaction_id)
    status, said = 200, gettext("Taken back")
    try:
        operations.take_back(found, by=request.staff, now=now())
    except Refusal as refusal:
        status, said = 409, sentence(refusal)
    if not request.headers.get("HX-Request"):
        messages.info(request, said)
        return redirect("customer", customer_id=found.customer_id)
    triggers: dict[str, Any] = {"toast": {"text": said}, "interaction:logged": True, "queue:changed": True}
    return HttpResponse(status=status, headers={"HX-Trigger": json.dumps(triggers)})


def _show(request: StaffRequest, form: LogForm, customer: Customer | None) -> HttpResponse:
    """Show the dialog, the line on the customer's page, or without script a page of its own."""
    status = 422 if form.errors else 200
    if request.POST.get("from") == "line":
        return _line(request, form, customer, status)
    context = {
        "form": form,
        "customer": customer,
        "choices": [] if customer else queries.recent_customers(request.staff),
    }
    template = "interactions/log.html#dialog" if request.headers.get("HX-Request") else "interactions/log.html"
    return render(request, template, context, status=status)


def _line(request: StaffRequest, form: LogForm, customer: Customer | None, status: int = 200) -> HttpResponse:
    return render(request, "interactions/log.html#line", {"form": form, "customer": customer}, status=status)
