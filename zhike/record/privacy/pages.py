"""Settings → Privacy: how long events are kept, forgetting a person, and the receipts."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from zhike.kit.refusal import Refusal
from zhike.org.middleware import StaffRequest
from zhike.org.pages import sentence, settings_page
from zhike.record.events.models import RetentionRule
from zhike.record.privacy import operations, queries
from zhike.record.privacy.forms import EraseForm, FindForm, RuleForm


@require_safe
def privacy(request: StaffRequest) -> HttpResponse:
    """Show the rules and receipts; with a name in the address, who is meant by it."""
    find = FindForm(request.GET if "name" in request.GET else None)
    meant = queries.meant_by(find.cleaned_data["name"]) if find.is_bound and find.is_valid() else None
    return _page(request, RuleForm(), find=find, meant=meant)


@require_POST
def privacy_rule(request: StaffRequest) -> HttpResponse:
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    operations.keep_for(form.cleaned_data["event"], form.cleaned_data["days"], by=request.staff, now=now())
    messages.success(request, gettext("Saved. Older events leave in the night."))
    return redirect("privacy")


@require_POST
def privacy_rule_drop(request: StaffRequest, rule_id: int) -> HttpResponse:
    rule = get_object_or_404(RetentionRule, pk=rule_id)
    operations.keep_without_end(rule, by=request.staff, now=now())
    messages.success(request, gettext("Taken back. What is still there stays."))
    return redirect("privacy")


@require_POST
def privacy_erase(request: StaffRequest) -> HttpResponse:
    form = EraseForm(request.POST)
    name = request.POST.get("name", "")
    meant = queries.meant_by(name)
    if not form.is_valid():
        return _page(request, RuleForm(), find=FindForm({"name": name}), meant=meant, erase=form, status=422)
    try:
        work = operations.ask_to_erase(
            [one.pk for one in meant.people],
            [one.pk for one in meant.contacts],
            reason=form.cleaned_data["reason"],
            by=request.staff,
            now=now(),
        )
    except Refusal as refusal:
        messages.error(request, sentence(refusal))
        return redirect("privacy")
    return redirect("work", work_id=work.pk)


def _page(
    request: StaffRequest,
    rule: RuleForm,
    *,
    find: FindForm | None = None,
    meant: queries.Meant | None = None,
    erase: EraseForm | None = None,
    status: int = 200,
) -> HttpResponse:
    name = (find.data.get("name", "") if find else "").strip()
    context = {
        "rule": rule,
        "rules": queries.rules(),
        "find": find or FindForm(),
        "name": name,
        "meant": meant,
        "erase": erase or EraseForm(initial={"name": name}),
        "receipts": queries.receipts(),
    }
    return settings_page(request, "privacy/privacy.html", context, status=status)
