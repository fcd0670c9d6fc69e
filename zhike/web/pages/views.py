"""Saving, changing and deleting views of the customer list."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from zhike.decide.segments import operations
from zhike.decide.segments.models import Segment
from zhike.kit.refusal import Refusal
from zhike.org.middleware import StaffRequest
from zhike.org.pages import sentence
from zhike.org.roles import Permission
from zhike.web.pages.here import here
from zhike.web.pages.listing import CustomerList
from zhike.web.rules import filters

LONGEST_NAME = 60


@require_POST
def view_new(request: StaffRequest) -> HttpResponse:
    """Keep conditions and order of the open list under a name."""
    name = request.POST.get("name", "").replace("\0", "").strip()[:LONGEST_NAME]
    found = _shown(request)
    if not name:
        return _back(request, gettext("A view needs a name."))
    shared = request.POST.get("is_shared") == "yes" and request.staff.may(Permission.EDIT_PLAN)
    try:
        segment = operations.save_view(name, **_kept(found), by=request.staff, shared=shared, now=here(request).now)
    except Refusal as refusal:
        return _back(request, sentence(refusal))
    messages.success(request, gettext("View saved: %(name)s") % {"name": name})
    return HttpResponseRedirect(f"{reverse('customers')}?{urlencode({'view': segment.pk})}")


@require_POST
def view_save(request: StaffRequest, segment_id: int) -> HttpResponse:
    """Let a view hold the open list's conditions and order from now on."""
    segment = get_object_or_404(Segment.objects.visible_to(request.staff), pk=segment_id)
    try:
        operations.change_view(segment, by=request.staff, now=here(request).now, **_kept(_shown(request)))
    except Refusal as refusal:
        return _back(request, sentence(refusal))
    messages.success(request, gettext("View saved: %(name)s") % {"name": segment.name})
    return HttpResponseRedirect(f"{reverse('customers')}?{urlencode({'view': segment.pk})}")


@require_POST
def view_delete(request: StaffRequest, segment_id: int) -> HttpResponse:
    segment = get_object_or_404(Segment.objects.visible_to(request.staff), pk=segment_id)
    try:
        operations.delete_view(segment, by=request.staff, now=here(request).now)
    except Refusal as refusal:
        return _back(request, sentence(refusal))
    messages.success(request, gettext("View deleted: %(name)s") % {"name": segment.name})
    return redirect("customers")


def _shown(request: StaffRequest) -> CustomerList:
    state = QueryDict(request.POST.get("state", ""))
    place = here(request)
    return CustomerList(request.staff, place.firm, place.today, state)


def _kept(found: CustomerList) -> dict[str, Any]:
    column, down = found.sort
    return {"rule": filters.together(found.conditions) or {}, "sort": f"-{column}" if down else column}


def _back(request: StaffRequest, said: str) -> HttpResponse:
    messages.warning(request, said)
    query = request.POST.get("state", "")
    return HttpResponseRedirect(f"{reverse('customers')}?{query}" if query else reverse("customers"))
