"""What was found in a text, in the reader's words; and the short line of it in the story of a customer."""

import json
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy

from zhike.measure.voice.judging import OTHER
from zhike.measure.voice.models import Aspect, FeedbackKind, Origin, Sentiment, VoiceText
from zhike.org.principals import Principal
from zhike.org.roles import Permission
from zhike.ui.templatetags.quick import address

TOPIC_NAMES: dict[str, Any] = {
    "price": gettext_lazy("Price"),
    "billing": gettext_lazy("Billing and contract"),
    "delivery": gettext_lazy("Delivery"),
    "service": gettext_lazy("Service"),
    "quality": gettext_lazy("Quality"),
    "function": gettext_lazy("Functions"),
    "stability": gettext_lazy("Speed and stability"),
    "usability": gettext_lazy("Ease of use"),
    OTHER: gettext_lazy("Something else"),
}
LOOKS = {Sentiment.NEGATIVE: "risk", Sentiment.POSITIVE: "ok"}


def name_of(aspect: str, value: str) -> str:
    """Return an answer in the reader's words; a topic that a colleague named is called what it was called."""
    if aspect == Aspect.SENTIMENT and value in Sentiment.values:
        return str(Sentiment(value).label)
    if aspect == Aspect.KIND and value in FeedbackKind.values:
        return str(FeedbackKind(value).label)
    return str(TOPIC_NAMES.get(value, value))


def found(one: VoiceText, aspect: Aspect) -> dict[str, Any]:
    value, origin = getattr(one, aspect), getattr(one, f"{aspect}_origin")
    percent = f"{100 * getattr(one, f'{aspect}_confidence'):.0f}%"
    how = {
        Origin.PERSON: gettext("said by a colleague"),
        Origin.UNSURE: gettext("unsure: %(guess)s %(share)s") % {"guess": name_of(aspect, value), "share": percent},
    }.get(origin, percent)
    look = LOOKS.get(value, "") if origin != Origin.UNSURE and aspect == Aspect.SENTIMENT else ""
    return {
        "aspect": str(aspect),
        "title": str(aspect.label),
        "value": value,
        "name": name_of(aspect, value) if value else gettext("Unknown"),
        "unsure": origin == Origin.UNSURE,
        "how": how,
        "brief": gettext("unsure %(share)s") % {"share": percent} if origin == Origin.UNSURE else how,
        "look": look,
    }


def line(one: VoiceText, reader: Principal) -> SafeString:
    """Return what was found, for the story: each answer of the sentiment sets it right with one click."""
    parts = [found(one, aspect) for aspect in Aspect]
    page = f"{address('voice')}?text={one.pk}"
    if not reader.may(Permission.LOG_INTERACTIONS):
        told = format_html_join(" ", '<span class="tag {}" title="{}">{}</span>', _tags(parts))
        return format_html('<span class="voice-line">{}</span>', told)
    target = address("voice-correct", one.pk)
    choices = format_html_join(
        " ",
        '<a class="chip" href="{}" hx-post="{}" hx-vals="{}" hx-target="closest .voice-line" hx-swap="outerHTML" '
        'aria-pressed="{}">{}</a>',
        (
            (
                page,
                target,
                json.dumps({"aspect": "sentiment", "value": value, "from": "story"}),
                "true" if value == one.sentiment and one.sentiment_origin != Origin.UNSURE else "false",
                name_of("sentiment", value),
            )
            for value in Sentiment.values
        ),
    )
    rest = format_html_join(" ", '<span class="tag {}" title="{}">{}</span>', _tags(parts[1:]))
    more = format_html('<a class="fs12" href="{}">{}</a>', page, gettext("Set right"))
    return format_html('<span class="voice-line">{} {} {}</span>', choices, rest, more)


def _tags(parts: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [
        (part["look"], f"{part['title']}: {part['how']}", f"{part['name']}?" if part["unsure"] else part["name"])
        for part in parts
        if part["value"]
    ]
