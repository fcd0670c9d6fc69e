"""The same problem of several customers: texts of a period put together, counted by customer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Q

from zhike.measure.mining import clusters
from zhike.measure.mining.corpus import Corpus
from zhike.measure.mining.linear import Floats
from zhike.measure.voice.models import FeedbackKind, Problem, ProblemText, Sentiment, VoiceText

PERIODS = (7, 30, 90)
MOST_SHOWN = 40


def find(*, now: datetime) -> dict[int, int]:
    """Put together what customers complain of and ask for, for each period; return how many problems each has."""
    return {days: _find(days, now=now) for days in PERIODS}


def _find(days: int, *, now: datetime) -> int:
    since = now - timedelta(days=days)
    rows = VoiceText.objects.filter(at__gte=since, at__lte=now).exclude(sentiment=Sentiment.POSITIVE)
    about = Q(sentiment=Sentiment.NEGATIVE) | Q(kind__in=[FeedbackKind.PROBLEM, FeedbackKind.REQUEST])
    latest = rows.filter(about).select_related("interaction", "event").order_by("-at", "-id")
    voices = [one for one in latest[: clusters.MOST] if one.text.strip()]
    corpus = Corpus.of([one.text for one in voices])
    found = clusters.clusters(corpus, _leanings(voices))
    found = [one for one in found if len({voices[row].customer_id for row in one.rows}) > 1]
    found.sort(key=lambda one: -len({voices[row].customer_id for row in one.rows}))
    with transaction.atomic():
        Problem.objects.filter(days=days).delete()
        for one in found[:MOST_SHOWN]:
            _keep(one, [voices[row] for row in one.rows], days, since, now)
    return len(found[:MOST_SHOWN])


def _leanings(voices: Sequence[VoiceText]) -> Floats:
    """Return what each text is about as a direction: texts of another topic or kind lie further off."""
    marks = sorted({value for one in voices for value in (f"t:{one.topic}", f"k:{one.kind}")})
    places = {mark: place for place, mark in enumerate(marks)}
    found = np.full((len(voices), len(marks) + 1), 0.0)
    found[:, -1] = 1.0
    for row, one in enumerate(voices):
        found[row, places[f"t:{one.topic}"]] = one.topic_confidence
        found[row, places[f"k:{one.kind}"]] = one.kind_confidence
    return found


def _keep(one: clusters.Cluster, voices: list[VoiceText], days: int, since: datetime, now: datetime) -> None:
    steps = min(13, max(1, -(-days // 7)) if days > 7 else 7)
    length = (now - since) / steps
    weeks = [0] * steps
    for voice in voices:
        weeks[min(steps - 1, int((voice.at - since) / length))] += 1
    kept = Problem.objects.create(
        days=days,
        terms=[term[:60] for term in one.terms] or [voices[0].text[:20]],
        texts=len(voices),
        customers=len({voice.customer_id for voice in voices}),
        weeks=weeks,
        found_at=now,
    )
    ProblemText.objects.bulk_create(
        ProblemText(problem=kept, voice=voice, place=place) for place, voice in enumerate(voices)
    )
