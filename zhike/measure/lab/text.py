"""`zhike lab text`: the product's own sorting of texts, tried on any labelled file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from zhike.measure.lab import labelled, text_doubts, text_figures, text_showing
from zhike.measure.lab.labelled import Labelled, OneLabel
from zhike.measure.lab.reports import Report
from zhike.measure.mining import sorting
from zhike.measure.mining.calibrating import SURE
from zhike.measure.mining.corpus import Corpus
from zhike.measure.mining.linear import Floats
from zhike.measure.mining.terms import Ints

HELP = "sort texts into labels: sentiment, topic, intent"


@dataclass(frozen=True, slots=True)
class Tried:
    """Texts that were judged without their label having been seen: truth is −1 for a label never learnt."""

    texts: list[str]
    truth: Ints
    truth_names: list[str]
    names: list[str]
    probabilities: Floats
    confidence: Floats
    sure: npt.NDArray[np.bool_]
    group: Ints

    @property
    def answers(self) -> Ints:
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.answers == self.truth)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What was learnt from, and the model; `held` are rows kept back for the learning curve."""

    corpus: Corpus
    labels: Ints
    model: sorting.TextModel
    trial: sorting.Trial


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--text", required=True, metavar="COLUMN", help="what was said")
    parser.add_argument("--label", required=True, metavar="COLUMN", help="what it was found to be")
    parser.add_argument(
        "--test", type=Path, metavar="FILE", help="judge these texts; without it the file's own, in turn"
    )
    parser.add_argument(
        "--sure", type=share, default=SURE, metavar="SHARE", help="of the answers this share must be right (0.9)"
    )


def share(text: str) -> float:
    """Return a share given as an option; argparse shows the complaint."""
    try:
        found = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no share; write it like 0.9") from error
    if not 0.5 <= found < 1:
        raise argparse.ArgumentTypeError("a share from 0.5 to below 1 is meant, such as 0.9")
    return found


def run(options: Mapping[str, Any]) -> Report:
    path: Path = options["file"]
    columns = {"text": options["text"], "label": options["label"]}
    given = labelled.read(path, **columns)
    labelled.check(given, name=path.name, **columns)
    given = labelled.sample(given)
    warnings = list(given.warnings)
    test: Labelled | None = None
    if options["test"] is not None:
        test = labelled.read(options["test"], **columns)
        warnings += test.warnings
    names = sorted(set(given.labels))
    if test is None:
        tried, learnt, held = _in_turn(given, names, options["sure"])
    else:
        tried, learnt, held, apart = _on_test(given, test, names, options)
        warnings += text_doubts.shared_texts(apart, options)
    figures = text_figures.figures(given, test, tried, learnt, sure=options["sure"])
    figures["learning_curve"] = text_figures.curve(learnt, held, tried, len(names))
    warnings += text_doubts.doubts(tried, learnt, figures, options)
    return Report(_("Sorting texts"), figures, text_showing.sections(figures), warnings)


def _in_turn(given: Labelled, names: list[str], sure: float) -> tuple[Tried, Learnt, Ints]:
    """Judge every text by what was learnt from the others."""
    corpus = Corpus.of(given.texts)
    labels = np.array(labelled.numbered(given.labels, names), dtype=np.int64)
    trial = sorting.tried(corpus, labels, len(names), sure=sure)
    model = sorting.TextModel.learn(corpus, labels, names, trial)
    tried = Tried(
        given.texts, labels, given.labels, names, trial.probabilities, trial.confidence, trial.sure, corpus.group
    )
    return tried, Learnt(corpus, labels, model, trial), np.flatnonzero(trial.part == 0)


def _on_test(
    given: Labelled, test: Labelled, names: list[str], options: Mapping[str, Any]
) -> tuple[Tried, Learnt, Ints, int]:
    """Judge the texts of another file; what says the same as one of them is not learnt from."""
    corpus = Corpus.of([*given.texts, *test.texts])
    size = len(given.texts)
    labels = np.array(labelled.numbered([*given.labels, *test.labels], names), dtype=np.int64)
    in_test = np.isin(corpus.group[:size], corpus.group[size:])
    learn = np.flatnonzero(~in_test)
    if len(np.unique(labels[learn])) < 2:
        found = names[labels[learn][0]] if len(learn) else "—"
        raise OneLabel(name=options["file"].name, label=options["label"], found=found)
    basis = corpus.only(learn)
    trial = sorting.tried(basis, labels[learn], len(names), sure=options["sure"])
    model = sorting.TextModel.learn(basis, labels[learn], names, trial)
    judged = corpus.only(np.arange(size, len(corpus)))
    probabilities = model.probabilities(judged)
    confidence = model.confidence(probabilities)
    sure = confidence >= model.threshold
    tried = Tried(test.texts, labels[size:], test.labels, names, probabilities, confidence, sure, judged.group)
    return tried, Learnt(basis, labels[learn], model, trial), np.flatnonzero(trial.part == 0), int(in_test.sum())
