"""Reading what was said: texts that nobody has looked at, and all of them anew when a model has learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q, QuerySet

from zhike.measure.voice.judging import OWN, Judge, judge
from zhike.measure.voice.models import Aspect, Origin, VoiceText
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import Direction, Interaction

AT_ONCE = 2_000
BACK = 20_000  # Rows before the newest one read that may have been committed after it.
JUDGED_ANEW = timedelta(days=400)
COLUMNS = [f"{aspect}{part}" for aspect in Aspect.values for part in ("", "_confidence", "_origin")]


def listen(*, everything: bool = False) -> int:
    """Judge what was said and not yet read; return how many texts. Running twice reads nothing twice.

    Texts are the words of interactions from customers and comments in answers to surveys. `everything` also finds what
    was committed long after its number was given.
    """
    mind = judge()
    count = 0
    for rows in _unread(everything):
        voices = [_voice(row) for row in rows]
        _judged(mind, voices)
        with transaction.atomic():
            VoiceText.objects.bulk_create(voices, ignore_conflicts=True)
        count += len(voices)
    return count


def judge_anew(aspect: Aspect, *, now: datetime) -> int:
    """Judge an aspect of the texts of the last 400 days by its new model; what a person has said stays said."""
    mind = judge()
    rows = VoiceText.objects.exclude(**{f"{aspect}_origin": Origin.PERSON}).filter(at__gte=now - JUDGED_ANEW)
    keys = list(rows.order_by("id").values_list("id", flat=True))
    for first in range(0, len(keys), AT_ONCE):
        some = rows.filter(pk__in=keys[first : first + AT_ONCE]).select_related("interaction", "event")
        voices = list(some)
        _judged(mind, voices, [aspect])
        with transaction.atomic():
            # A correction made meanwhile must not be written over.
            held = set(rows.select_for_update().filter(pk__in=[one.pk for one in voices]).values_list("id", flat=True))
            VoiceText.objects.bulk_update([one for one in voices if one.pk in held], [*COLUMNS, "unsure"])
    return len(keys)


def _unread(everything: bool) -> Iterator[Sequence[Interaction | Event]]:
    newest = VoiceText.objects.aggregate(interaction=Max("interaction_id"), event=Max("event_id"))
    said = Interaction.objects.filter(direction=Direction.IN).exclude(text__regex=r"^\s*$")
    answered = Event.objects.filter(kind=EventKind.SURVEY_ANSWERED).exclude(
        Q(payload__comment=None) | Q(payload__comment="")
    )
    yield from _pages(said, 0 if everything else (newest["interaction"] or 0) - BACK)
    yield from _pages(answered, 0 if everything else (newest["event"] or 0) - BACK)


def _pages(rows: QuerySet[Interaction] | QuerySet[Event], after: int) -> Iterator[Sequence[Interaction | Event]]:
    while True:
        page: Sequence[Interaction | Event] = list(rows.filter(voice=None, pk__gt=after).order_by("pk")[:AT_ONCE])
        if not page:
            return
        yield page
        after = page[-1].pk


def _voice(row: Interaction | Event) -> VoiceText:
    if isinstance(row, Interaction):
        return VoiceText(customer_id=row.customer_id, interaction=row, at=row.at)
    return VoiceText(customer_id=row.customer_id, event=row, at=row.at)


def _judged(mind: Judge, voices: Sequence[VoiceText], aspects: Sequence[Aspect] = tuple(Aspect)) -> None:
    if not voices:
        return
    texts = [one.text for one in voices]
    for aspect in aspects:
        found = mind.judge(texts, aspect, OWN[aspect])
        for one, value, confidence, sure in zip(voices, found.values, found.confidence, found.sure, strict=True):
            setattr(one, aspect, value)
            setattr(one, f"{aspect}_confidence", round(float(confidence), 4))
            setattr(one, f"{aspect}_origin", Origin.MODEL if sure else Origin.UNSURE)
    for one in voices:
        one.unsure = is_unsure(one)


def is_unsure(one: VoiceText) -> bool:
    """Say whether any aspect of a text waits for a person."""
    return Origin.UNSURE in (one.sentiment_origin, one.kind_origin, one.topic_origin)
