"""The voice of customers: what many of them say, and every text with what was found in it, to be set right."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from zhike.kit.refusal import Refusal
from zhike.measure.voice import operations, queries
from zhike.measure.voice.models import Aspect, FeedbackKind, Sentiment, VoiceText
from zhike.measure.voice.problems import PERIODS
from zhike.measure.voice.queries import Shared, Wanted
from zhike.org.middleware import StaffRequest
from zhike.org.models import Staff
from zhike.org.pages import sentence
from zhike.org.roles import Permission
from zhike.ui import words
from zhike.ui.channels import CHANNELS
from zhike.ui.channels import OTHER as OTHER_CHANNEL
from zhike.web.pages import voice_marks
from zhike.web.pages.voice_marks import found, name_of

MOST_PAGE = 2_000


@require_safe
def voice(request: StaffRequest) -> HttpResponse:
    asked = _number(request.GET.get("days"))
    days = asked if asked in PERIODS else PERIODS[1]
    wanted, page = wanted_of(request.GET), _number(request.GET.get("page")) or 1
    page = min(max(page, 1), MOST_PAGE)
    shared = queries.problems(request.staff, days)
    rows, more = queries.texts(request.staff, wanted, page)
    counts = queries.counts(request.staff)
    listed = queries.topics()
    context = {
        "headline": _headline(counts),
        "counts": counts,
        "days": days,
        "periods": [(one, _address(wanted, days=one), one == days) for one in PERIODS],
        "problems": [_problem(one, wanted, days) for one in shared],
        "chips": _chips(wanted, counts, days),
        "rows": [row(one, request.staff, listed) for one in rows],
        "filtered": wanted != Wanted(),
        "newer_url": _address(wanted, days=days, page=page - 1) if page > 1 else "",
        "older_url": _address(wanted, days=days, page=page + 1) if more else "",
    }
    return render(request, "web/voice.html", context)


@require_POST
def correct(request: StaffRequest, voice_id: int) -> HttpResponse:
    """Set right what was found in a text, and show it again as it stands now."""
    meant = queries.text_for(request.staff, voice_id)
    aspect, value = request.POST.get("aspect", ""), request.POST.get("own") or request.POST.get("value", "")
    problem = ""
    try:
        if aspect in Aspect.values:
            operations.correct(meant, Aspect(aspect), value, by=request.staff, now=now())
    except Refusal as refusal:
        problem = sentence(refusal)
    if not request.headers.get("HX-Request"):
        return redirect(f"{reverse('voice')}?{urlencode({'text': voice_id})}")
    now_so = queries.text_for(request.staff, voice_id)
    if request.POST.get("from") == "story":
        return HttpResponse(voice_marks.line(now_so, request.staff))
    shown = row(now_so, request.staff, queries.topics())
    status = 422 if problem else 200
    return render(request, "web/voice.html#text", {"row": {**shown, "problem": problem}}, status=status)


def wanted_of(given: Mapping[str, Any]) -> Wanted:
    """Return which texts an address asks for; what makes no sense asks for nothing."""
    return Wanted(
        sentiment=given.get("sentiment", "") if given.get("sentiment") in Sentiment.values else "",
        kind=given.get("kind", "") if given.get("kind") in FeedbackKind.values else "",
        topic=given.get("topic", "")[: operations.LONGEST],
        unsure=given.get("unsure") == "1",
        problem=_number(given.get("problem")),
        text=_number(given.get("text")),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None


def _address(wanted: Wanted, *, days: int, page: int = 1) -> str:
    parts: dict[str, Any] = {
        "sentiment": wanted.sentiment,
        "kind": wanted.kind,
        "topic": wanted.topic,
        "unsure": "1" if wanted.unsure else "",
        "problem": wanted.problem or "",
        "text": wanted.text or "",
        "days": days if days != PERIODS[1] else "",
        "page": page if page > 1 else "",
    }
    query = urlencode({key: value for key, value in parts.items() if value})
    return f"{reverse('voice')}?{query}" if query else reverse("voice")


def _headline(counts: Mapping[str, Any]) -> str:
    if not counts["all"]:
        return ""
    said = ngettext("%(count)s text", "%(count)s texts", counts["all"]) % {"count": words.plain(counts["all"])}
    waiting = gettext("%(count)s unsure") % {"count": words.plain(counts["unsure"])}
    return f"{said} · {waiting}"


def _problem(one: Shared, wanted: Wanted, days: int) -> dict[str, Any]:
    said = ngettext("%(count)d customer mentions", "%(count)d customers mention", one.customers)
    half = max(1, len(one.problem.weeks) // 2)
    before, lately = sum(one.problem.weeks[:-half]), sum(one.problem.weeks[-half:])
    return {
        "title": " · ".join(one.problem.terms),
        "quoted": one.examples[0].text if one.examples else " · ".join(one.problem.terms),
        "said": said % {"count": one.customers},
        "texts": ngettext("%(count)d text", "%(count)d texts", one.texts) % {"count": one.texts},
        "trend": gettext("rising") if lately > before else gettext("falling") if lately < before else "",
        "bad": lately > before,
        "compare": gettext("%(lately)s lately, %(before)s before") % {"lately": lately, "before": before},
        "examples": [{"text": each.text, "customer": each.customer} for each in one.examples[1:]],
        "url": _address(replace(Wanted(), problem=one.problem.pk), days=days),
        "on": wanted.problem == one.problem.pk,
    }


def _chips(wanted: Wanted, counts: Mapping[str, Any], days: int) -> list[dict[str, Any]]:
    """Return the filters: all, unsure, and of each aspect the answers that occur."""
    everything = Wanted()
    chips = [
        {"name": gettext("All"), "count": counts["all"], "on": wanted == everything, "wanted": everything},
        {
            "name": gettext("Unsure first"),
            "count": counts["unsure"],
            "on": wanted.unsure,
            "wanted": replace(wanted, unsure=not wanted.unsure, text=None),
        },
    ]
    for aspect in Aspect.values:
        for value, count in list(counts[aspect].items())[:10]:
            on = getattr(wanted, aspect) == value
            changed = wanted.turned(aspect, "" if on else value)
            chips.append({"name": name_of(aspect, value), "count": count, "on": on, "wanted": changed})
    return [
        {
            **{key: chip[key] for key in ("name", "on")},
            "count": words.plain(chip["count"]),
            "url": _address(chip["wanted"], days=days),
        }
        for chip in chips
    ]


def row(one: VoiceText, staff: Staff, topics: Sequence[str]) -> dict[str, Any]:
    """Return a text as the template draws it: the words, and of each aspect what was found and what else there is."""
    channel = CHANNELS.get(one.interaction.channel, OTHER_CHANNEL) if one.interaction else ("survey", gettext("Survey"))
    return {
        "id": one.pk,
        "text": one.text,
        "customer": one.customer,
        "at": one.at,
        "icon": channel[0],
        "channel": channel[1],
        "unsure": one.unsure,
        "may": staff.may(Permission.LOG_INTERACTIONS),
        "marks": [
            _mark(one, Aspect.SENTIMENT, Sentiment.values, "123"),
            _mark(one, Aspect.KIND, FeedbackKind.values, "456"),
        ],
        "topic": {
            **found(one, Aspect.TOPIC),
            "choices": [(key, name_of("topic", key), key == one.topic) for key in topics],
        },
    }


def _mark(one: VoiceText, aspect: Aspect, values: Sequence[str], keys: str) -> dict[str, Any]:
    shown = found(one, aspect)
    choices = [
        {
            "value": value,
            "name": name_of(aspect, value),
            "on": value == shown["value"] and not shown["unsure"],
            "likely": value == shown["value"] and shown["unsure"],
            "key": key,
        }
        for value, key in zip(values, keys, strict=True)
    ]
    return {**shown, "choices": choices}
