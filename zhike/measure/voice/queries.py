"""Questions about what customers say, within what a person may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.shortcuts import get_object_or_404

from zhike.measure.reading import Morning
from zhike.measure.voice.judging import OWN
from zhike.measure.voice.models import Aspect, JudgedBy, Origin, Problem, ProblemText, Sentiment, TextLabel, VoiceText
from zhike.org.prepared import Prepared, Slots
from zhike.org.principals import Principal

PAGE = 50
SHOWN_PROBLEMS = 8
NEGATIVE_DAYS = 90


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which texts: of a sentiment, a kind, a topic, only unsure ones, of a problem, a single one."""

    sentiment: str = ""
    kind: str = ""
    topic: str = ""
    unsure: bool = False
    problem: int | None = None
    text: int | None = None

    def turned(self, aspect: str, value: str) -> Wanted:
        """Return the same with another answer wanted of an aspect, and no single text."""
        return Wanted(
            sentiment=value if aspect == Aspect.SENTIMENT else self.sentiment,
            kind=value if aspect == Aspect.KIND else self.kind,
            topic=value if aspect == Aspect.TOPIC else self.topic,
            unsure=self.unsure,
            problem=self.problem,
        )

    def condition(self) -> Q:
        found = Q()
        for aspect in Aspect.values:
            if value := getattr(self, aspect):
                found &= Q(**{aspect: value}) & ~Q(**{f"{aspect}_origin": Origin.UNSURE})
        if self.unsure:
            found &= Q(unsure=True)
        if self.problem is not None:
            found &= Q(pk__in=ProblemText.objects.filter(problem_id=self.problem).values("voice_id"))
        if self.text is not None:
            found &= Q(pk=self.text)
        return found


def texts(principal: Principal, wanted: Wanted, page: int) -> tuple[Sequence[VoiceText], bool]:
    """Return a page of texts, the newest first, and whether older ones follow."""
    rows: QuerySet[VoiceText] = VoiceText.objects.visible_to(principal).filter(wanted.condition())
    rows = rows.select_related("customer", "interaction", "event").order_by("-at", "-id")
    first = (page - 1) * PAGE
    found = list(rows[first : first + PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def text_for(principal: Principal, voice_id: int) -> VoiceText:
    """Return a text of a customer whom this person may see, or raise Http404."""
    rows = VoiceText.objects.visible_to(principal).select_related("customer", "interaction", "event")
    return get_object_or_404(rows, pk=voice_id)


def counts(principal: Principal) -> dict[str, Any]:
    """Return how many texts there are, how many wait for a person, and how many of each answer are sure."""
    sure = {f"sure_{aspect}": _sure(aspect) for aspect in Aspect.values}
    instead = Q(judged_by=JudgedBy.INSTEAD)
    groups = VoiceText.objects.visible_to(principal).annotate(**sure, instead=instead).order_by()
    found = dict.fromkeys(("all", "unsure", "instead"), 0)
    answers: dict[str, Counter[str]] = {aspect: Counter() for aspect in Aspect.values}
    # One look at all texts: there are only as many groups as ways of answering.
    for group in groups.values(*sure, "unsure", "instead").annotate(count=Count("id")):
        count = group["count"]
        found["all"] += count
        found["unsure"] += count * group["unsure"]
        found["instead"] += count * group["instead"]
        for aspect, known in answers.items():
            known[group[f"sure_{aspect}"]] += count
    return found | {aspect: _most_first(known) for aspect, known in answers.items()}


def _sure(aspect: str) -> Case:
    """Return the answer of an aspect where it is sure, else nothing."""
    return Case(When(~Q(**{f"{aspect}_origin": Origin.UNSURE}), then=F(aspect)), default=Value(""))


def _most_first(known: Counter[str]) -> dict[str, int]:
    return {value: known[value] for value in sorted(known, key=lambda one: (-known[one], one)) if value}


def topics() -> list[str]:
    """Return the topics there are: ours, and those that colleagues have named."""
    said = TextLabel.objects.filter(aspect=Aspect.TOPIC).exclude(value__in=OWN[Aspect.TOPIC])
    return [*OWN[Aspect.TOPIC], *said.order_by("value").values_list("value", flat=True).distinct()[:100]]


@dataclass(frozen=True, slots=True)
class Shared:
    """A problem as this person may see it: how many of the visible customers said so, with typical words."""

    problem: Problem
    customers: int
    texts: int
    examples: list[VoiceText] = field(default_factory=list)


def problems(principal: Principal, days: int) -> list[Shared]:
    """Return the problems of a period that at least two visible customers have, most customers first."""
    members = ProblemText.objects.filter(problem__days=days)
    visible = members.filter(voice__in=VoiceText.objects.visible_to(principal))
    counted = visible.values("problem").annotate(customers=Count("voice__customer", distinct=True), texts=Count("id"))
    best = list(counted.filter(customers__gt=1).order_by("-customers", "-texts", "problem")[:SHOWN_PROBLEMS])
    rows = Problem.objects.in_bulk([one["problem"] for one in best])
    typical: dict[int, list[VoiceText]] = {}
    chosen = visible.filter(problem__in=rows).select_related("voice__customer", "voice__interaction", "voice__event")
    for member in chosen.order_by("problem", "place"):
        examples = typical.setdefault(member.problem_id, [])
        if len(examples) < 2 and member.voice.customer_id not in {one.customer_id for one in examples}:
            examples.append(member.voice)
    return [
        Shared(rows[one["problem"]], one["customers"], one["texts"], typical.get(one["problem"], []))
        for one in best
        if one["problem"] in rows
    ]


def of_interactions(interaction_ids: Sequence[int]) -> dict[int, VoiceText]:
    """Return what is thought of these interactions, by interaction."""
    return {one.interaction_id or 0: one for one in _OF_INTERACTIONS.list(interactions=list(interaction_ids))}


_OF_INTERACTIONS: Prepared[VoiceText] = Prepared(
    lambda _viewer: VoiceText.objects.filter(interaction__in=Slots("interactions"))
)


def said_of(known: pa.Table, when: Morning) -> dict[str, pa.Array]:
    """Return the facts of feedback for the customers of a table: `negative_feedback_90d` and `last_sentiment`.

    Only what is sure or was said by a colleague counts, up to the morning.
    """
    ids = np.asarray(known["customer_id"].to_numpy())
    sure = VoiceText.objects.filter(at__lt=when.cut_off).exclude(sentiment_origin=Origin.UNSURE).exclude(sentiment="")
    since = when.cut_off - timedelta(days=NEGATIVE_DAYS)
    negative = dict(
        sure.filter(sentiment=Sentiment.NEGATIVE, at__gte=since)
        .values_list("customer_id")
        .annotate(count=Count("id"))
        .order_by()
    )
    last = dict(
        sure.order_by("customer_id", "-at", "-id").distinct("customer_id").values_list("customer_id", "sentiment")
    )
    return {
        "negative_feedback_90d": pa.array([negative.get(int(key), 0) for key in ids], pa.int64()),
        "last_sentiment": pa.array([last.get(int(key)) for key in ids], pa.string()),
    }


def is_begun() -> bool:
    """Say whether anything was ever read."""
    return VoiceText.objects.exists()
