"""What was found in a text, in the reader's words; and the short line of it in the story of a customer."""

import json
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_lazy

from zhike.measure.voice.judging import OTHER
from zhike.measure.voice.models import Aspect, FeedbackKind, Origin, Sentiment, VoiceText
from zhike.org.principals import Principal
from zhike.org.roles import Permission
from zhike.ui.markup import format_html
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
LOOKS: dict[str, str] = {Sentiment.NEGATIVE: "risk", Sentiment.POSITIVE: "ok"}


def name_of(aspect: str, value: str) -> str:
    """Return an answer in the reader's words; a topic that a colleague named is called what it was called."""
    if aspect == Aspect.SENTIMENT and value in Sentiment.values:
        return str(Sentiment(value).label)
    if aspect == Aspect.KIND and value in FeedbackKind.values:
        return str(FeedbackKind(value).label)
    return str(TOPIC_NAMES.get(value, value))


def found(one: VoiceText, aspect: Aspect) -> dict[str, Any]:
    return _found(*_answer(one, aspect))


def _answer(one: VoiceText, aspect: Aspect) -> tuple[Aspect, str, str, str]:
    """Return an answer, where it comes from and how sure it is."""
    percent = f"{100 * getattr(one, f'{aspect}_confidence'):.0f}%"
    return aspect, getattr(one, aspect), getattr(one, f"{aspect}_origin"), percent


def _found(aspect: Aspect, value: str, origin: str, percent: str) -> dict[str, Any]:
    ways: dict[str, str] = {
        Origin.PERSON: gettext("said by a colleague"),
        Origin.UNSURE: gettext("unsure: %(guess)s %(share)s") % {"guess": name_of(aspect, value), "share": percent},
    }
    how = ways.get(origin, percent)
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
    language = get_language()
    may_correct = reader.may(Permission.LOG_INTERACTIONS)
    shown = [aspect for aspect in Aspect if not may_correct or aspect != Aspect.SENTIMENT]
    tags = SafeString(" ".join(tag for aspect in shown if (tag := _tag(*_answer(one, aspect), language))))
    if not may_correct:
        return format_html('<span class="voice-line">{}</span>', tags)
    page, target = f"{address('voice')}?text={one.pk}", address("voice-correct", one.pk)
    chosen = one.sentiment if one.sentiment_origin != Origin.UNSURE else ""
    choices = [
        format_html('<a class="chip" href="{}" hx-post="{}" {}</a>', page, target, rest)
        for rest in _choices(chosen, language)
    ]
    more = format_html('<a class="fs12" href="{}">{}</a>', page, gettext("Set right"))
    return format_html('<span class="voice-line">{} {} {}</span>', SafeString(" ".join(choices)), tags, more)


@lru_cache(maxsize=32)
def _choices(chosen: str, _language: str | None) -> tuple[SafeString, ...]:
    """Return the answers of the sentiment as they are drawn after their addresses; "" is chosen where none is sure."""
    html = 'hx-vals="{}" hx-target="closest .voice-line" hx-swap="outerHTML" aria-pressed="{}">{}'
    return tuple(
        format_html(
            html,
            json.dumps({"aspect": "sentiment", "value": value, "from": "story"}),
            "true" if value == chosen else "false",
            name_of("sentiment", value),
        )
        for value in Sentiment.values
    )


@lru_cache(maxsize=4096)
def _tag(aspect: Aspect, value: str, origin: str, percent: str, _language: str | None) -> str:
    """Return an answer as it stands in the story, "" for none."""
    if not value:
        return ""
    part = _found(aspect, value, origin, percent)
    name = f"{part['name']}?" if part["unsure"] else part["name"]
    return format_html(
        '<span class="tag {}" title="{}">{}</span>', part["look"], f"{part['title']}: {part['how']}", name
    )
