"""Sorting of texts on data that others have figures for, beside a plain model on the same folds of the same run."""

from __future__ import annotations

import functools
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.management import call_command
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from tests.published.rows import DATA, published
from zhike.measure.lab import labelled
from zhike.measure.mining import folds, wording
from zhike.measure.mining.sorting import PARTS


@dataclass(frozen=True, slots=True)
class Trial:
    """A labelled file; `published` is accuracy and, where there is one, macro F1, and how they were found."""

    title: str
    file: str
    text: str
    label: str
    published: tuple[float, ...] = ()
    how: str = "none"
    characters: bool = True


TRIALS = {
    "hotel": Trial(
        "Hotel reviews, sentiment (P109)",
        "zh_reviews_hotel/ChnSentiCorp_htl_all.csv.gz",
        "review",
        "label",
        (0.900, 0.882),
        "characters TF-IDF + LR, 5-fold",
    ),
    "shopping": Trial(
        "Shop reviews, sentiment (P114)",
        "zh_reviews_shopping/online_shopping_5_cats.csv.gz",
        "review",
        "label",
        (0.938,),
        "characters TF-IDF + LR, 3-fold",
    ),
    "shopping_topic": Trial(
        "Shop reviews, category", "zh_reviews_shopping/online_shopping_5_cats.csv.gz", "review", "cat"
    ),
    "car_topic": Trial("Car owners, topic", "zh_car_feedback/car_feedback.csv.gz", "content", "subject"),
    "car": Trial("Car owners, sentiment", "zh_car_feedback/car_feedback.csv.gz", "content", "sentiment_value"),
    "banking": Trial(
        "BANKING77, intents (P116)",
        "support_intents_banking77/train.csv.gz",
        "text",
        "category",
        (0.89,),
        "words TF-IDF + SVM, on the test part, which is not here",
        characters=False,
    ),
    "complaints": Trial(
        "Complaints, product",
        "complaints_cfpb/complaints_1000.csv.gz",
        "narrative",
        "product",
        (0.824, 0.728),
        "TF-IDF + SVM, 5-fold, repeated texts on both sides",
        characters=False,
    ),
}


@functools.cache
def ours(name: str) -> dict[str, Any]:
    """Return what `zhike lab text --json` prints."""
    trial = TRIALS[name]
    out = io.StringIO()
    columns = ("--text", trial.text, "--label", trial.label)
    call_command("lab", "text", str(DATA / trial.file), *columns, "--language", "en", "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@functools.cache
def plain(name: str) -> tuple[float, float]:
    """Return accuracy and macro F1 of TF-IDF (characters 1–2, or words) and a linear SVM on the folds that ours has."""
    trial = TRIALS[name]
    given = labelled.read(DATA / trial.file, text=trial.text, label=trial.label)
    names = sorted(set(given.labels))
    truth = np.array(labelled.numbered(given.labels, names), dtype=np.int64)
    group = folds.groups([wording.same(wording.plain(text)) for text in given.texts])
    part = folds.dealt(truth, group, PARTS)
    answers = np.zeros_like(truth)
    for number in range(PARTS):
        learn, hold = np.flatnonzero(part != number), np.flatnonzero(part == number)
        cut = {"analyzer": "char", "ngram_range": (1, 2)} if trial.characters else {"analyzer": "word"}
        made = TfidfVectorizer(sublinear_tf=True, **cut)
        machine = LinearSVC(random_state=0).fit(made.fit_transform([given.texts[at] for at in learn]), truth[learn])
        answers[hold] = machine.predict(made.transform([given.texts[at] for at in hold]))
    f1 = [
        2 * int(((answers == place) & (truth == place)).sum()) / int((answers == place).sum() + (truth == place).sum())
        for place in range(len(names))
    ]
    return float((answers == truth).mean()), float(np.mean(f1))


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A published accuracy on other texts or another split than ours; `below` is how far ours may lie under it."""

    trial: str
    best: float
    below: float
    why: str


ELSEWHERE = {
    "P110": Elsewhere("hotel", 0.954, 0.06, "another split of other reviews"),
    "P111": Elsewhere("hotel", 0.95496, 0.06, "another split of other reviews"),
    "P112": Elsewhere("hotel", 0.954, 0.06, "another split of other reviews"),
    "P113": Elsewhere("hotel", 0.9062, 0.01, "another split, not described"),
    "P115": Elsewhere("shopping", 0.9224, -0.01, "ten categories, five of them here"),
    "P117": Elsewhere("banking", 0.9366, 0.04, "the test part, which is not here"),
}
"""Language models, for orientation: what a model of millions of weights reaches beside ours."""


def elsewhere() -> str:
    """Return the part of the page about language models on other splits."""
    lines = [
        "### Language models, on other splits",
        "",
        "For orientation: these figures are of texts, or of splits of them, that are not here, so nobody should",
        "subtract them. Ours are those above; the tests hold them to lie no farther under the best of theirs than",
        "`below` says (a minus: above).",
        "",
        "| | what | published | not comparable because | below | ours |",
        "|---|---|---|---|---|---|",
    ]
    for one in published(*(trial.file.partition("/")[0] for trial in TRIALS.values())):
        if one.id in ELSEWHERE:
            held = ELSEWHERE[one.id]
            cells = [
                one.id,
                one.quantity,
                one.value,
                held.why,
                f"{held.below:.2f}",
                f"{ours(held.trial)['accuracy']:.3f}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def part() -> str:
    """Return the part of the page about sorting texts."""
    lines = [
        "## What texts say",
        "",
        "`zhike lab text FILE --text … --label …`: five folds, the same text never on both sides. Plain is TF-IDF and",
        "a linear SVM of scikit-learn on the same folds. Answered are texts of which the model is sure enough that",
        "90 % are right; ECE is the calibration error of its confidence.",
        "",
        "| data | texts | published | plain | ours: accuracy / macro F1 | ECE | unsure | right when answered |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(row, TRIALS)]) + "\n"


def row(name: str) -> str:
    """Return the line of the page about one of the trials."""
    trial, found, base = TRIALS[name], ours(name), plain(name)
    said = " / ".join(f"{one:.3f}" for one in trial.published)
    shown = [
        trial.title,
        f"{found['judged']:,}",
        f"{said} ({trial.how})" if said else "—",
        " / ".join(f"{one:.3f}" for one in base),
        f"{found['accuracy']:.3f} / {found['macro_f1']:.3f}",
        f"{found['ece']:.3f}",
        f"{100 * found['unsure_share']:.0f} %",
        "—" if found["answered_accuracy"] is None else f"{100 * found['answered_accuracy']:.1f} %",
    ]
    return f"| {' | '.join(shown)} |"
