"""Reading what was said: texts that nobody has looked at, and all of them anew when a model has learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from zhike.measure.voice import chat
from zhike.measure.voice.judging import OWN, Judge, LocalJudge
from zhike.measure.voice.models import Aspect, JudgedBy, Origin, VoiceText
from zhike.measure.voice.queries import topics
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import Direction, Interaction

ASKED_AGAIN = 600  # Texts at a time that a language model did not answer when they came in.
BACK = 20_000  # Rows before the newest one read that may have been committed after it.
STRETCH = 20_000  # Numbers that are compared at a time.
JUDGED_ANEW = timedelta(days=400)
LOOKED_AT = "voice:looked-at:"
MARKS = ["unsure", "judged_by"]
COLUMNS = [f"{aspect}{part}" for aspect in Aspect.values for part in ("", "_confidence", "_origin")]


def judge() -> Judge:
    """Return the judge that the settings name; our own models stand in where a language model does not answer."""
    local = LocalJudge()
    return chat.configured(local) if settings.TEXT_JUDGE == "chat" else local


def listen(*, everything: bool = False) -> int:
    """Judge what was said and not yet read; return how many texts. Running twice reads nothing twice.

    Texts are the words of interactions from customers and comments in answers to surveys. `everything` also finds what
    was committed long after its number was given.
    """
    mind = judge()
    count = 0
    for rows in _unread(everything, mind.at_once):
        voices = [_voice(row) for row in rows]
        _judged(mind, voices)
        with transaction.atomic():
            VoiceText.objects.bulk_create(voices, ignore_conflicts=True)
        count += len(voices)
    _ask_again(mind)
    return count


def _ask_again(mind: Judge) -> None:
    """Give the language model what it did not answer, until it fails again."""
    if isinstance(mind, LocalJudge):
        return
    rows = VoiceText.objects.filter(judged_by=JudgedBy.INSTEAD).order_by("id")
    keys = list(rows.values_list("id", flat=True)[:ASKED_AGAIN])
    for first in range(0, len(keys), mind.at_once):
        voices = _anew(mind, VoiceText.objects.filter(pk__in=keys[first : first + mind.at_once]), tuple(Aspect))
        if any(one.judged_by == JudgedBy.INSTEAD for one in voices):
            return


def judge_anew(aspect: Aspect, *, now: datetime) -> int:
    """Judge an aspect of the texts of the last 400 days by its new model; what a person has said stays said."""
    mind = LocalJudge()
    rows = VoiceText.objects.exclude(**{f"{aspect}_origin": Origin.PERSON}).filter(at__gte=now - JUDGED_ANEW)
    if settings.TEXT_JUDGE != "local":
        rows = rows.exclude(judged_by=JudgedBy.LANGUAGE_MODEL)
    keys = list(rows.order_by("id").values_list("id", flat=True))
    for first in range(0, len(keys), mind.at_once):
        _anew(mind, rows.filter(pk__in=keys[first : first + mind.at_once]), (aspect,))
    return len(keys)


def _anew(mind: Judge, rows: QuerySet[VoiceText], aspects: Sequence[Aspect]) -> list[VoiceText]:
    """Judge aspects of texts anew, except what a person has said; return the texts."""
    voices = list(rows.select_related("interaction", "event"))
    _judged(mind, voices, aspects)
    with transaction.atomic():
        # A correction made meanwhile must not be written over.
        now = {one.pk: one for one in VoiceText.objects.select_for_update().filter(pk__in=[one.pk for one in voices])}
        for one in voices:
            for aspect in Aspect:
                held = now.get(one.pk)
                if held is not None and getattr(held, f"{aspect}_origin") == Origin.PERSON:
                    for part in ("", "_confidence", "_origin"):
                        setattr(one, f"{aspect}{part}", getattr(held, f"{aspect}{part}"))
            one.unsure = is_unsure(one)
        VoiceText.objects.bulk_update([one for one in voices if one.pk in now], [*COLUMNS, *MARKS])
    return voices


def _unread(everything: bool, at_once: int) -> Iterator[Sequence[Interaction | Event]]:
    newest = VoiceText.objects.aggregate(interaction_id=Max("interaction_id"), event_id=Max("event_id"))
    said = Interaction.objects.filter(direction=Direction.IN).exclude(text__regex=r"^\s*$")
    answered = Event.objects.filter(kind=EventKind.SURVEY_ANSWERED).exclude(
        Q(payload__comment=None) | Q(payload__comment="")
    )
    rows: QuerySet[Interaction] | QuerySet[Event]
    for read, rows in (("interaction_id", said), ("event_id", answered)):
        # Where few leave a comment, the last comment lies far behind what was looked at.
        looked_at = max(newest[read] or 0, cache.get(f"{LOOKED_AT}{read}", 0))
        last = rows.model.objects.aggregate(last=Max("pk"))["last"] or 0
        yield from _pages(rows, read, 0 if everything else looked_at - BACK, at_once)
        cache.set(f"{LOOKED_AT}{read}", last, None)


def _pages(
    rows: QuerySet[Interaction] | QuerySet[Event], read: str, after: int, at_once: int
) -> Iterator[Sequence[Interaction | Event]]:
    """Yield the rows that are not among those read, which stand in VoiceText under the name `read`.

    Numbers are compared stretch by stretch: a join would look through everything ever read for each few texts.
    """
    while True:
        keys = list(rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:STRETCH])
        if not keys:
            return
        known = VoiceText.objects.filter(**{f"{read}__gt": after, f"{read}__lte": keys[-1]})
        held = set(known.values_list(read, flat=True))
        unread = [key for key in keys if key not in held]
        for first in range(0, len(unread), at_once):
            page: Sequence[Interaction | Event] = list(
                rows.filter(pk__in=unread[first : first + at_once]).order_by("pk")
            )
            if page:
                yield page
        after = keys[-1]


def _voice(row: Interaction | Event) -> VoiceText:
    if isinstance(row, Interaction):
        return VoiceText(customer_id=row.customer_id, interaction=row, at=row.at)
    return VoiceText(customer_id=row.customer_id, event=row, at=row.at)


def _judged(mind: Judge, voices: Sequence[VoiceText], aspects: Sequence[Aspect] = tuple(Aspect)) -> None:
    if not voices:
        return
    texts = [one.text for one in voices]
    by: set[JudgedBy] = set()
    for aspect in aspects:
        found = mind.judge(texts, aspect, topics() if aspect is Aspect.TOPIC else OWN[aspect])
        by.add(found.by)
        for one, value, confidence, sure in zip(voices, found.values, found.confidence, found.sure, strict=True):
            setattr(one, aspect, value)
            setattr(one, f"{aspect}_confidence", round(float(confidence), 4))
            setattr(one, f"{aspect}_origin", Origin.MODEL if sure else Origin.UNSURE)
    worst = next(one for one in (JudgedBy.INSTEAD, JudgedBy.LANGUAGE_MODEL, JudgedBy.LOCAL) if one in by)
    for one in voices:
        one.unsure = is_unsure(one)
        if len(aspects) == len(Aspect):
            one.judged_by = worst


def is_unsure(one: VoiceText) -> bool:
    """Say whether any aspect of a text waits for a person."""
    return Origin.UNSURE in (one.sentiment_origin, one.kind_origin, one.topic_origin)
