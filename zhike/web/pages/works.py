"""Long work: its progress card, and the list under the bell."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from zhike.org import works
from zhike.org.middleware import StaffRequest
from zhike.org.models import Staff, Work, WorkState
from zhike.org.roles import Permission

LISTED = 30
SLOW_POLL_AFTER = 15  # Seconds; short work is watched closely, long work without haste.


@require_safe
def work(request: StaffRequest, work_id: int) -> HttpResponse:
    found = _own_work(request.staff, work_id)
    template = "web/work.html#card" if request.headers.get("HX-Request") else "web/work.html"
    return render(request, template, {"job": card(found, now())})


@require_POST
def cancel(request: StaffRequest, work_id: int) -> HttpResponse:
    found = _own_work(request.staff, work_id)
    works.ask_to_cancel(found)
    if not request.headers.get("HX-Request"):
        return redirect("work", work_id=work_id)
    found.refresh_from_db()
    return render(request, "web/work.html#card", {"job": card(found, now())})


@require_safe
def works_list(request: StaffRequest) -> HttpResponse:
    moment = now()
    mine = Work.objects.filter(by=request.staff).order_by("-created_at")[:LISTED]
    return render(request, "web/works.html", {"jobs": [card(one, moment) for one in mine]})


def _own_work(staff: Staff, work_id: int) -> Work:
    """Return work that this person started, or that nobody did and the person may start; otherwise 404."""
    found = Work.objects.filter(pk=work_id).first()
    if found is None:
        raise Http404
    if found.by_id != staff.pk and not staff.may(Permission.RUN_TURN):
        raise Http404
    return found


def card(found: Work, moment: datetime) -> dict[str, Any]:
    """Return what `parts/job.html` draws."""
    state = {WorkState.QUEUED: "waiting", WorkState.CANCELLED: "failed"}.get(WorkState(found.state), found.state)
    going = state in {"waiting", "running"}
    age = (moment - (found.started_at or found.created_at)).total_seconds()
    return {
        "id": found.pk,
        "title": found.title,
        "state": state,
        "step": found.step if state == "running" else gettext("Waiting for its turn") if going else "",
        "percent": min(100, round(100 * found.done / found.total)) if found.total else None,
        "left": _left(found.seconds_left(now=moment)) if state == "running" else "",
        "url": reverse("work", args=[found.pk]),
        "cancel_url": "" if found.cancel_asked else reverse("work-cancel", args=[found.pk]),
        "poll_seconds": 1 if age < SLOW_POLL_AFTER else 3,
        "error": found.error or gettext("It was cancelled; nothing was changed."),
        "result": _result(found),
        "link_url": found.result.get("url", ""),
        "link": found.result.get("link", "") or gettext("Open"),
    }


def _left(seconds: int | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return ngettext("about %(count)s second", "about %(count)s seconds", seconds) % {"count": seconds}
    minutes = round(seconds / 60)
    return ngettext("about %(count)s minute", "about %(count)s minutes", minutes) % {"count": minutes}


def _result(found: Work) -> str:
    said = found.result.get("text", "")
    if said or not found.finished_at or not found.started_at:
        return str(said) or gettext("Done.")
    seconds = round((found.finished_at - found.started_at).total_seconds(), 1)
    return gettext("Done in %(seconds)s seconds.") % {"seconds": seconds}
