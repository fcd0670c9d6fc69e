"""Learning from what colleagues said: a model per aspect, tried on what it had not seen, with a card."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from zhike.measure.mining import calibrating, sorting
from zhike.measure.mining.corpus import Corpus
from zhike.measure.mining.linear import Floats
from zhike.measure.mining.terms import Ints
from zhike.measure.voice.judging import OWN, before
from zhike.measure.voice.models import Aspect, LearntModel, TextLabel

LEAST_LABELS = 20
LEARN_AFTER = 10  # Corrections since the model in use was made.
MOST_LABELS = 50_000


def due(aspect: Aspect) -> bool:
    """Say whether enough was labelled since the model in use to learn anew."""
    last = LearntModel.objects.filter(aspect=aspect).values_list("made_at", "labels").first()
    labels = TextLabel.objects.filter(aspect=aspect)
    if last is None:
        return labels.count() >= LEAST_LABELS
    return labels.filter(at__gt=last[0]).count() >= LEARN_AFTER


def learn(aspect: Aspect, *, now: datetime) -> LearntModel | None:
    """Learn an aspect from all its labels and put the model into use.

    None while there are fewer than twenty labels or all of them say the same: our lists of cues go on judging. What
    they believe is heeded afterwards too, as far as the labels bear it out.
    """
    rows = TextLabel.objects.filter(aspect=aspect).select_related("voice__interaction", "voice__event")
    pairs = [(row.voice.text, row.value) for row in rows.order_by("-at", "-id")[:MOST_LABELS]]
    pairs = [(text, value) for text, value in pairs if text.strip()]
    said = {value for _text, value in pairs}
    if len(pairs) < LEAST_LABELS or len(said) < 2:
        return None
    names = [*OWN[aspect], *sorted(said - set(OWN[aspect]))]
    texts = Corpus.of([text for text, _value in pairs])
    labels = np.array([names.index(value) for _text, value in pairs], dtype=np.int64)
    believed = before(texts, aspect, names)
    trial = sorting.tried(texts, labels, len(names), before=believed)
    model = sorting.TextModel.learn(texts, labels, names, trial)
    values = {"made_at": now, "labels": len(pairs), "data": model.as_bytes(), "card": _card(trial, labels, believed)}
    return LearntModel.objects.update_or_create(aspect=aspect, defaults=values)[0]


def _card(trial: sorting.Trial, labels: Ints, believed: Floats) -> dict[str, Any]:
    right = trial.answers == labels
    answered = right[trial.sure]
    return {
        "accuracy": float(right.mean()),
        "by_cues_alone": float((believed.argmax(axis=1) == labels).mean()),
        "unsure_share": float(1 - trial.sure.mean()),
        "answered_accuracy": float(answered.mean()) if len(answered) else None,
        "ece": calibrating.calibration_error(trial.confidence, right),
        "threshold": trial.threshold if trial.threshold <= 1 else None,
        "trust_in_cues": trial.calibration.trust,
    }
