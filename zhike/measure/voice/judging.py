"""Who judges texts: our own models, or what the company has configured instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from zhike.measure.mining import cues, words
from zhike.measure.mining.corpus import Corpus
from zhike.measure.mining.linear import Floats
from zhike.measure.mining.sorting import TextModel
from zhike.measure.voice.models import Aspect, FeedbackKind, JudgedBy, LearntModel, Sentiment

OTHER = "other"
TOPICS = (*words.TOPICS, OTHER)
OWN = {
    Aspect.SENTIMENT: tuple(Sentiment.values),
    Aspect.KIND: tuple(FeedbackKind.values),
    Aspect.TOPIC: TOPICS,
}
"""The answers there are before anybody has labelled anything."""

SURE_BY_CUES = {Aspect.SENTIMENT: 0.75, Aspect.KIND: 0.75, Aspect.TOPIC: 0.75}
UNKNOWN_BEFORE = 0.02  # What our lists grant an answer that they do not know.


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The best answer for each text, how likely it is right, and whether that is enough to say so."""

    values: Sequence[str]
    confidence: Floats
    sure: npt.NDArray[np.bool_]
    by: JudgedBy = JudgedBy.LOCAL


class Judge(Protocol):
    """What may take the place of our own models: a language model behind an address that the company configured.

    It gets the texts as they were said and the answers that are allowed, and must answer with these only. `at_once` is
    how many texts it is given before what it said is kept.
    """

    at_once: int

    def judge(self, texts: Sequence[str], aspect: Aspect, answers: Sequence[str]) -> Verdicts: ...


class LocalJudge:
    """Our own models: lists of cues until enough is labelled, then what was learnt. Needs no network."""

    at_once = 2_000

    def __init__(self) -> None:
        self.models: dict[str, TextModel] = {
            one.aspect: TextModel.from_bytes(bytes(one.data)) for one in LearntModel.objects.all()
        }

    def judge(self, texts: Sequence[str], aspect: Aspect, answers: Sequence[str]) -> Verdicts:
        """Judge by what was learnt of this aspect; `answers` are those of the model, or ours before there is one."""
        model = self.models.get(aspect)
        corpus = Corpus.of(texts, pieces=model.pieces if model else False)
        if model is None:
            logs = before(corpus, aspect, OWN[aspect])
            best = np.exp(logs.max(axis=1))
            values = [OWN[aspect][at] for at in logs.argmax(axis=1)]
            return Verdicts(values, best, best >= SURE_BY_CUES[aspect])
        probabilities = model.probabilities(corpus, before(corpus, aspect, model.labels))
        confidence = model.confidence(probabilities)
        values = [model.labels[at] for at in probabilities.argmax(axis=1)]
        return Verdicts(values, confidence, confidence >= model.threshold)


def before(corpus: Corpus, aspect: Aspect, answers: Sequence[str]) -> Floats:
    """Return the logarithms of what our lists of cues believe of each answer, without any label."""
    said = {Aspect.SENTIMENT: cues.sentiments, Aspect.KIND: cues.kinds, Aspect.TOPIC: cues.topics}[aspect]
    logs = said(corpus.plain)
    places = {name: place for place, name in enumerate(OWN[aspect])}
    found = np.full((len(corpus), len(answers)), np.log(UNKNOWN_BEFORE))
    for place, answer in enumerate(answers):
        if answer in places:
            found[:, place] = logs[:, places[answer]]
    return found
