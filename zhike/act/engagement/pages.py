"""The queue's actions, each in one click. Today itself is drawn by `zhike.web` with `engagement/queue.html`."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from zhike.act.engagement import operations, queries
from zhike.act.engagement.forms import DoneForm, LaterForm, NotNeededForm
from zhike.act.engagement.models import Touch
from zhike.kit.refusal import Refusal
from zhike.org import company
from zhike.org.middleware import StaffRequest
from zhike.org.pages import sentence
from zhike.record.interactions.models import Outcome
from zhike.ui import words


@require_safe
def touch_open(request: StaffRequest, touch_id: int) -> HttpResponse:
    """Open a row in place, or close it again with `?close=1`; without script, Today with the row opened."""
    touch = queries.touch_for(request.staff, touch_id)
    opened = not request.GET.get("close")
    if not request.headers.get("HX-Request"):
        return redirect(reverse("today") + (f"?open={touch.pk}#q-{touch.pk}" if opened else ""))
    row = queries.row_of(request.staff, touch, company.today(now()), opened=opened)
    return render(request, "engagement/queue.html#row", {"row": row})


@require_POST
def touch_done(request: StaffRequest, touch_id: int) -> HttpResponse:
    touch = queries.touch_for(request.staff, touch_id)
    form = DoneForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    said = gettext("Tried %(customer)s; it comes back the next workday")
    if form.cleaned_data["outcome"] != Outcome.NO_ANSWER:
        said = gettext("Contact with %(customer)s logged")
    calendar = queries.calendar_in_force()
    return _answer(request, touch, said, operations.complete, calendar=calendar, **form.cleaned_data)


@require_POST
def touch_later(request: StaffRequest, touch_id: int) -> HttpResponse:
    touch = queries.touch_for(request.staff, touch_id)
    form = LaterForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    today = company.today(now())
    until = queries.calendar_in_force().add_workdays(today, form.cleaned_data["workdays"])
    day = words.relative(until, today)
    said = gettext("%(customer)s put off: %(day)s").replace("%(day)s", day)
    return _answer(request, touch, said, operations.postpone, until=until)


@require_POST
def touch_not_needed(request: StaffRequest, touch_id: int) -> HttpResponse:
    touch = queries.touch_for(request.staff, touch_id)
    form = NotNeededForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest()
    said = gettext("%(customer)s taken off the queue")
    return _answer(request, touch, said, operations.not_needed, **form.cleaned_data)


@require_POST
def touch_reopen(request: StaffRequest, touch_id: int) -> HttpResponse:
    touch = queries.touch_for(request.staff, touch_id)
    said = gettext("%(customer)s is back in the queue")
    return _answer(request, touch, said, operations.reopen, undo=False)


def _answer(
    request: StaffRequest, touch: Touch, said: str, act: Callable[..., Any], *, undo: bool = True, **given: Any
) -> HttpResponse:
    """Do it and say so: with a toast and a fresh queue for htmx, back to where the person was without."""
    status, toast = 200, {"text": said % {"customer": touch.customer.name}}
    try:
        act(touch, **given, now=now(), by=request.staff)
    except Refusal as refusal:
        status, toast = 409, {"text": sentence(refusal)}
    else:
        if undo:
            toast["undo"] = reverse("touch-reopen", args=[touch.pk])
    if not request.headers.get("HX-Request"):
        messages.info(request, toast["text"])
        return redirect(_back(request))
    triggers = {"toast": toast, "queue:changed": {}}
    # Headers are Latin-1; JSON with escapes carries any language.
    return HttpResponse(status=status, headers={"HX-Trigger": json.dumps(triggers)})


def _back(request: StaffRequest) -> str:
    target = request.POST.get("next", "")
    own = url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return target if target and own else reverse("today")
