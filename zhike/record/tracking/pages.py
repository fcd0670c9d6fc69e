"""Settings → Data sources; and the event stream: live, refused events, features."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.timezone import now
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from zhike.kit.refusal import Refusal
from zhike.org import company
from zhike.org.middleware import StaffRequest
from zhike.org.pages import refusals_shown_on, sentence, settings_page
from zhike.org.roles import Permission
from zhike.record.tracking.forms import FeatureForm, RefusedFilter, ReplayForm, RotateForm, SourceForm
from zhike.record.tracking.models import Feature, RefusedEvent, Source, WriteKey
from zhike.record.tracking.operations import replaying
from zhike.record.tracking.operations import sources as source_operations
from zhike.record.tracking.queries import stream
from zhike.record.tracking.rules import REASONS

PAGE = 50


@require_safe
def sources(request: StaffRequest) -> HttpResponse:
    return settings_page(request, "tracking/sources.html", {"sources": stream.sources()})


@require_http_methods(["GET", "HEAD", "POST"])
def source_new(request: StaffRequest) -> HttpResponse:
    form = SourceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_shown_on(form):
            given = form.cleaned_data
            made, key = source_operations.add_source(
                name=given["name"], origins=given["origins"], by=request.staff, now=now()
            )
            return _with_key(request, made, key)
    return settings_page(request, "tracking/source_new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def source(request: StaffRequest, source_id: int) -> HttpResponse:
    """Show and change one source: name, origins, keys, and code to paste."""
    found = get_object_or_404(Source, pk=source_id)
    form = SourceForm(request.POST or None, instance=get_object_or_404(Source, pk=source_id))
    if request.method == "POST" and form.is_valid():
        with refusals_shown_on(form):
            source_operations.change_source(found, by=request.staff, now=now(), **form.cleaned_data)
            messages.success(request, gettext("Saved. It holds a second later."))
            return redirect("source", source_id=found.pk)
    return _source_page(request, found, form, status=422 if form.errors else 200)


@require_POST
def source_rotate(request: StaffRequest, source_id: int) -> HttpResponse:
    found = get_object_or_404(Source, pk=source_id)
    form = RotateForm(request.POST)
    if not form.is_valid():
        return _source_page(request, found, SourceForm(instance=found), rotate=form, status=422)
    return _with_key(
        request, found, source_operations.rotate_key(found, overlap=form.overlap, by=request.staff, now=now())
    )


@require_POST
def source_key_end(request: StaffRequest, key_id: int) -> HttpResponse:
    key = get_object_or_404(WriteKey.objects.select_related("source"), pk=key_id)
    try:
        source_operations.end_key(key, by=request.staff, now=now())
        messages.success(request, gettext("Ended. Nobody sends events with this key any more."))
    except Refusal as refusal:
        messages.info(request, sentence(refusal))
    return redirect("source", source_id=key.source_id)


def _with_key(request: StaffRequest, found: Source, key: str) -> HttpResponse:
    context = {"source": found, "key": key, "samples": _samples(key)}
    response = settings_page(request, "tracking/key_once.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _source_page(
    request: StaffRequest, found: Source, form: SourceForm, *, rotate: RotateForm | None = None, status: int = 200
) -> HttpResponse:
    moment = now()
    keys = list(found.keys.order_by("-id"))
    for key in keys:
        key.is_over = key.ends_at is not None and key.ends_at <= moment  # type: ignore[attr-defined]  # For the template only.
    context = {
        "source": found,
        "form": form,
        "rotate": rotate or RotateForm(),
        "keys": keys,
        "samples": _samples("WRITE_KEY"),
    }
    return settings_page(request, "tracking/source.html", context, status=status)


def _samples(key: str) -> list[dict[str, str]]:
    """Return code to paste, with the real address."""
    address = settings.BASE_URL
    browser = f"""<script>
window.zhike = window.zhike || []
zhike.push(["init", "{key}"], ["page"])
</script>
<script async src="{address}/v1/zhike.js"></script>

<!-- then, anywhere -->
<button data-zhike="Report opened">…</button>
<script>zhike.push(["identify", "user-1", {{ email: "someone@company.example" }}])</script>"""
    python = f"""import segment.analytics as analytics  # pip install segment-analytics-python

analytics.write_key = "{key}"
analytics.host = "{address}"
analytics.identify("user-1", {{"email": "someone@company.example"}})
analytics.track("user-1", "Report opened", {{"pages": 3}})
analytics.flush()"""
    node = f"""const {{ Analytics }} = require("@segment/analytics-node")  // npm install @segment/analytics-node

const analytics = new Analytics({{ writeKey: "{key}", host: "{address}" }})
analytics.identify({{ userId: "user-1", traits: {{ email: "someone@company.example" }} }})
analytics.track({{ userId: "user-1", event: "Report opened", properties: {{ pages: 3 }} }})
analytics.closeAndFlush()"""
    curl = f"""curl {address}/v1/track -u "{key}:" -H "Content-Type: application/json" \\
  -d '{{"userId": "user-1", "event": "Report opened", "properties": {{"pages": 3}}}}'"""
    named = [("browser", gettext("Browser"), browser), ("python", "Python", python), ("node", "Node", node)]
    return [{"id": id_, "name": name, "code": code} for id_, name, code in [*named, ("curl", "curl", curl)]]


@require_safe
def live(request: StaffRequest) -> HttpResponse:
    """Show how the stream runs; the inner part asks for itself anew every few seconds."""
    return render(request, "tracking/stream.html", _now(request))


@require_safe
def live_now(request: StaffRequest) -> HttpResponse:
    return render(request, "tracking/stream.html#now", _now(request))


def _now(request: StaffRequest) -> dict[str, Any]:
    beat = stream.pulse(now())
    personal = request.staff.sees_personal
    clocks = [f"{timezone.localtime(minute[0]):%H:%M}" for minute in beat.minutes]
    names = [(gettext("Accepted"), "accent"), (gettext("Duplicates"), "grey"), (pgettext("event", "Refused"), "risk")]
    series = [
        {"name": name, "values": [minute[place + 1] for minute in beat.minutes], "color": color}
        for place, (name, color) in enumerate(names)
    ]
    chart = {"kind": "bar", "stack": True, "whole": True, "unit": "", "x": clocks, "series": series}
    return {"pulse": beat, "chart_data": chart, "latest": stream.latest(sees_personal=personal), "tab": "stream"}


@require_safe
def refused(request: StaffRequest) -> HttpResponse:
    """List what was refused in the last seven days, of one source and for one reason if asked."""
    form = RefusedFilter(request.GET)
    form.is_valid()
    given = form.cleaned_data
    chosen = given.get("source")
    rows = stream.refused(source=chosen.pk if chosen else None, reason=given.get("reason") or "")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    kept = {key: request.GET.get(key, "") for key in ("source", "reason") if request.GET.get(key)}
    context = {
        "form": form,
        "page": page,
        "rows": [{"event": one, "why": gettext(REASONS.get(one.reason, one.reason))} for one in page],
        "reasons": [(key, gettext(REASONS.get(key, key)), times) for key, times in stream.reasons()],
        "query": urlencode(kept),
        "may_replay": request.staff.may(Permission.MANAGE_SOURCES),
        "tab": "refused",
    }
    return render(request, "tracking/refused.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def refused_one(request: StaffRequest, refused_id: int) -> HttpResponse:
    """Show what one refused event held, and send it again, mended or as it is."""
    found = get_object_or_404(RefusedEvent.objects.select_related("source"), pk=refused_id)
    may = request.staff.may(Permission.MANAGE_SOURCES) and request.staff.sees_personal
    form = ReplayForm(request.POST if may and request.method == "POST" else None, initial={"body": found.body})
    if form.is_valid():
        with refusals_shown_on(form):
            replaying.replay_one(found, form.cleaned_data["body"], by=request.staff, now=now())
            messages.success(request, gettext("Replayed: it waits in the inbox like any other event."))
            return redirect("stream-refused")
    context = {
        "event": found,
        "why": gettext(REASONS.get(found.reason, found.reason)),
        "form": form,
        "may_replay": may and found.replayed_at is None,
        "tab": "refused",
    }
    return render(request, "tracking/refused_one.html", context, status=422 if form.errors else 200)


@require_POST
def replay(request: StaffRequest) -> HttpResponse:
    """Send everything that was refused for one reason through the checks again."""
    form = RefusedFilter(request.POST)
    if not form.is_valid() or not form.cleaned_data["reason"]:
        return redirect("stream-refused")
    chosen, reason = form.cleaned_data["source"], form.cleaned_data["reason"]
    rows = stream.refused(source=chosen.pk if chosen else None, reason=reason)
    done = replaying.replay_all(rows, by=request.staff, now=now())
    said = gettext("%(accepted)s replayed, %(refused)s still refused, %(left)s not tried yet.")
    messages.info(request, said % {"accepted": done.accepted, "refused": done.refused, "left": done.left})
    return redirect("stream-refused")


@require_safe
def features(request: StaffRequest) -> HttpResponse:
    search = request.GET.get("q", "").replace("\0", "")[:100]
    page = Paginator(stream.features(search), PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    daily = stream.daily(shown, today=company.today(now()))
    context = {
        "rows": [(each, daily[each.pk]) for each in shown],
        "page": page,
        "search": search,
        "query": urlencode({"q": search} if search else {}),
        "tab": "features",
    }
    return render(request, "tracking/features.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def feature(request: StaffRequest, feature_id: int) -> HttpResponse:
    """Give a feature the title under which people know it."""
    found = get_object_or_404(Feature, pk=feature_id)
    form = FeatureForm(request.POST or None, instance=get_object_or_404(Feature, pk=feature_id))
    if request.method == "POST" and form.is_valid():
        source_operations.name_feature(found, form.cleaned_data["title"], by=request.staff, now=now())
        messages.success(request, gettext("Saved."))
        return redirect("stream-features")
    daily = stream.daily([found], today=company.today(now()))[found.pk]
    context = {"feature": found, "form": form, "daily": daily, "tab": "features"}
    return render(request, "tracking/feature.html", context, status=422 if form.errors else 200)
