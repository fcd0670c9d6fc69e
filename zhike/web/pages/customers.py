"""The customer list: reading it, saving views of it, handing customers over, taking it away as a file."""

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from zhike.kit.refusal import Refusal
from zhike.org.middleware import StaffRequest
from zhike.org.pages import sentence
from zhike.org.roles import Permission
from zhike.record.customers import operations
from zhike.record.customers.models import Customer
from zhike.record.customers.queries import possible_owners
from zhike.web.pages import condition_forms, conditions, past
from zhike.web.pages.answers import toast
from zhike.web.pages.drawing import Drawing, column_choice
from zhike.web.pages.here import here
from zhike.web.pages.listing import CustomerList

UNDO_SALT = "customers.hand_over"
UNDO_SECONDS = 15 * 60


def _found(request: StaffRequest, given: QueryDict) -> CustomerList:
    place = here(request)
    return CustomerList(request.staff, place.firm, place.today, given)


@require_safe
def customers(request: StaffRequest) -> HttpResponse:
    found = _found(request, request.GET)
    if found.past is not None and found.kept is None:
        return past.too_early(request, found.past, reverse("customers"), {})
    changed = _changed_by_form(request, found)
    if changed is not None:
        return changed
    template = "web/customers.html"
    if request.headers.get("HX-Request"):
        template += "#rows" if request.headers.get("HX-Target", "").endswith("rows") else "#list"
    return render(request, template, _context(request, found))


def _context(request: StaffRequest, found: CustomerList) -> dict[str, Any]:
    staff, is_past = request.staff, found.kept is not None
    drawing, given = Drawing(found), QueryDict(found.query)
    return {
        **drawing.context(),
        **past.drawn(found.past, reverse("customers"), given, here(request).today),
        "may_add": staff.may(Permission.EDIT_CUSTOMERS) and not is_past,
        "may_export": staff.may(Permission.EXPORT),
        "may_assign": drawing.may_assign,
        "may_save": found.view.is_own and not is_past,
        "may_share": staff.may(Permission.EDIT_PLAN),
        "colleagues": list(possible_owners(staff)) if drawing.may_assign else [],
    }


def _changed_by_form(request: StaffRequest, found: CustomerList) -> HttpResponse | None:
    """Turn what a form of the page gave, a condition or columns, into the address that says the same."""
    if "field" in request.GET:
        return HttpResponseRedirect(_with_condition(request, found))
    if "col" in request.GET:
        query = found.state.query(columns=",".join(request.GET.getlist("col")))
        return HttpResponseRedirect(f"{reverse('customers')}?{query}")
    return None


def _with_condition(request: StaffRequest, found: CustomerList) -> str:
    field, own = request.GET["field"], list(found.conditions)
    if field not in found.fields:
        raise Http404
    text = conditions.entered(field, dict(request.GET.lists()), found.fields)
    place = request.GET.get("place", "")
    if place.isdigit() and int(place) < len(own):
        del own[int(place)]
    query = QueryDict(found.state.query(conditions=tuple(own)), mutable=True)
    if text:
        query.setlist("f", [*(each for each in query.getlist("f") if each != "-"), text])
    return f"{reverse('customers')}?{query.urlencode()}"


@require_safe
def condition(request: StaffRequest) -> HttpResponse:
    """Show the small form of one condition, or the fields to choose from."""
    found = _found(request, request.GET)
    return render(request, *condition_forms.form_of(found, request.GET))


@require_safe
def column_chooser(request: StaffRequest) -> HttpResponse:
    """Show the columns to choose from."""
    return render(request, "web/condition.html#columns", column_choice(Drawing(_found(request, request.GET))))


@require_POST
def hand_over(request: StaffRequest) -> HttpResponse:
    """Give the ticked customers, those in view, to a colleague."""
    ids = [int(key) for key in request.POST.getlist("ids") if key.isdigit()]
    chosen = request.POST.get("owner", "")
    to = get_object_or_404(possible_owners(request.staff), pk=int(chosen) if chosen.isdigit() else 0)
    moved = list(Customer.objects.visible_to(request.staff).filter(pk__in=ids))
    try:
        before = operations.hand_over(moved, to, by=request.staff, now=here(request).now)
    except Refusal as refusal:
        return _shown_again(request, sentence(refusal))
    said = ngettext(
        "%(count)s customer handed over to %(name)s", "%(count)s customers handed over to %(name)s", len(before)
    )
    undo = {"by": request.staff.pk, "to": to.pk, "before": {str(key): owner for key, owner in before.items()}}
    token = signing.dumps(undo, salt=UNDO_SALT, compress=True)
    undo_url = f"{reverse('customers-take-back')}?{urlencode({'token': token})}"
    return _shown_again(request, said % {"count": len(before), "name": to.name}, undo_url if before else "")


@require_POST
def take_back(request: StaffRequest) -> HttpResponse:
    """Undo a hand-over that this person has just made; whom somebody else has moved since stays there."""
    try:
        undo = signing.loads(request.GET.get("token", ""), salt=UNDO_SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature as error:
        raise Http404 from error
    if undo["by"] != request.staff.pk:
        raise Http404
    before = {int(key): owner for key, owner in undo["before"].items()}
    still = Customer.objects.filter(pk__in=before, owner_id=undo["to"]).values_list("pk", flat=True)
    count = operations.take_back({key: before[key] for key in still}, by=request.staff, now=here(request).now)
    said = ngettext("Taken back: %(count)s customer", "Taken back: %(count)s customers", count) % {"count": count}
    messages.success(request, said)
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})


def _shown_again(request: StaffRequest, said: str, undo: str = "") -> HttpResponse:
    """Answer a change of the list with the list as it is now, and what was done in a toast."""
    query = request.POST.get("state", "")
    if not request.headers.get("HX-Request"):
        messages.success(request, said)
        return HttpResponseRedirect(f"{reverse('customers')}?{query}" if query else reverse("customers"))
    found = _found(request, QueryDict(query))
    return toast(render(request, "web/customers.html#list", _context(request, found)), said, undo)
