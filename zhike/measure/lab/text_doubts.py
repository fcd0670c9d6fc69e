"""What a person should know before believing the figures of `zhike lab text`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils.translation import gettext as _

from zhike.measure.lab.reports import Warned
from zhike.measure.lab.text_figures import losses
from zhike.measure.mining import terms, wording

if TYPE_CHECKING:
    from zhike.measure.lab.text import Learnt, Tried

FEW_ROWS, FEW_OF_LABEL = 200, 10
GIVEN_AWAY, GIVEN_AWAY_ROWS = 0.98, 20
CONVINCING = 2.0  # Standard errors by which probabilities must beat the bare shares of the labels.
MANY_ALIKE = 0.05
UNBALANCED = 0.9


def shared_texts(apart: int, options: Mapping[str, Any]) -> list[Warned]:
    """Say that texts to learn from stand in the test too."""
    if not apart:
        return []
    said = _("%(count)s texts also stand in the test file; they were not learnt from, so that they prove nothing.")
    return [Warned("duplicates", options["text"], said % {"count": f"{apart:,}"})]


def doubts(tried: Tried, learnt: Learnt, figures: Mapping[str, Any], options: Mapping[str, Any]) -> list[Warned]:
    """Return the warnings, the gravest first."""
    return [
        *_no_signal(tried, learnt, options["label"]),
        *_given_away(learnt, tried.names, options),
        *_never_learnt(tried, options["label"]),
        *_few(learnt, tried.names, options["label"]),
        *_unbalanced(figures, options["label"]),
        *_never_sure(learnt, figures),
        *_alike(learnt, options),
        *_long(tried, options["text"]),
    ]


def _no_signal(tried: Tried, learnt: Learnt, column: str) -> list[Warned]:
    shares = (np.bincount(learnt.labels, minlength=len(tried.names)) + 0.5) / (len(learnt.labels) + 1)
    known = tried.truth >= 0
    won = -np.log(shares[tried.truth[known]]) - losses(tried)[known]
    spread = won.std() / np.sqrt(max(1, len(won)))
    if len(won) and won.mean() > CONVINCING * spread:
        return []
    said = _("The texts do not tell the labels of %(column)s: the answers are no better than the shares of the labels.")
    return [Warned("no_signal", column, said % {"column": column})]


def _given_away(learnt: Learnt, names: list[str], options: Mapping[str, Any]) -> list[Warned]:
    """Find terms that stand in nearly all texts of one label and hardly in another: somebody wrote the answer down."""
    counts = learnt.corpus.counts.tocsc()
    having = np.diff(counts.indptr)
    found = []
    for place, name in enumerate(names):
        here = learnt.labels == place
        size = int(here.sum())
        if size < GIVEN_AWAY_ROWS or size > 0.9 * len(here):
            continue
        likely = np.flatnonzero((having >= GIVEN_AWAY * size) & (having <= size / GIVEN_AWAY))
        both = np.asarray((counts[:, likely] > 0).T @ here.astype(np.int64)).ravel()
        at = np.flatnonzero(2 * both >= GIVEN_AWAY * (having[likely] + size))
        if not len(at):
            continue
        said = terms.spellings(learnt.corpus.plain, likely[at], pieces=learnt.corpus.pieces)
        term = max(said.values(), key=len, default="")
        words = _("“%(term)s” alone gives away %(label)s: is the answer written in the text?")
        found.append(Warned("leak", options["text"], words % {"term": term, "label": name}))
    return found


def _never_learnt(tried: Tried, column: str) -> list[Warned]:
    unknown = sorted(set(tried.truth_names) - set(tried.names))
    if not unknown:
        return []
    rows = int((tried.truth < 0).sum())
    said = _("%(rows)s texts of the test have a label that was never learnt (%(labels)s); they count as wrong.")
    return [Warned("unseen_label", column, said % {"rows": f"{rows:,}", "labels": _some(unknown)})]


def _few(learnt: Learnt, names: list[str], column: str) -> list[Warned]:
    found = []
    rows = len(learnt.labels)
    if rows < FEW_ROWS:
        said = _("Learnt from %(rows)s texts only: the figures may be some way off. Each label more helps most now.")
        found.append(Warned("few_rows", "", said % {"rows": rows}))
    sizes = np.bincount(learnt.labels, minlength=len(names))
    rare = [names[place] for place in np.flatnonzero(sizes < FEW_OF_LABEL)]
    if rare and rows >= FEW_ROWS:
        said = _("Fewer than %(least)s texts to learn from: %(labels)s.")
        found.append(Warned("few_of_label", column, said % {"least": FEW_OF_LABEL, "labels": _some(rare)}))
    return found


def _unbalanced(figures: Mapping[str, Any], column: str) -> list[Warned]:
    commonest = figures["majority"]
    if commonest["accuracy"] < UNBALANCED:
        return []
    said = _("%(share)s of the texts are %(label)s: look at F1 and the rows of each label rather than at the accuracy.")
    words = said % {"share": f"{100 * commonest['accuracy']:.0f} %", "label": commonest["label"]}
    return [Warned("unbalanced", column, words)]


def _never_sure(learnt: Learnt, figures: Mapping[str, Any]) -> list[Warned]:
    if learnt.model.threshold <= 1:
        return []
    said = _("No answer is sure enough: at no confidence %(sure)s of the answers are right. All texts are left unsure.")
    return [Warned("never_sure", "", said % {"sure": f"{100 * figures['sure']:.0f} %"})]


def _alike(learnt: Learnt, options: Mapping[str, Any]) -> list[Warned]:
    group, labels = learnt.corpus.group, learnt.labels
    distinct = len(np.unique(group))
    found = []
    if len(group) - distinct > MANY_ALIKE * len(group):
        said = _("%(count)s of %(rows)s texts repeat another; they stay on one side of every trial.")
        words = said % {"count": f"{len(group) - distinct:,}", "rows": f"{len(group):,}"}
        found.append(Warned("duplicates", options["text"], words))
    pairs = np.unique(np.stack([group, labels]), axis=1)
    several = int((np.bincount(pairs[0]) > 1).sum())
    if several > max(3, 0.01 * distinct):
        said = _("%(count)s texts have more than one label; of each only one can be answered.")
        found.append(Warned("conflict", options["label"], said % {"count": f"{several:,}"}))
    return found


def _long(tried: Tried, column: str) -> list[Warned]:
    most = wording.HEAD + wording.TAIL
    count = sum(len(text) > most for text in tried.texts)
    if not count:
        return []
    said = _("%(count)s texts are longer than %(most)s characters; their beginning and end were read.")
    return [Warned("long_text", column, said % {"count": f"{count:,}", "most": f"{most:,}"})]


def _some(names: list[str], most: int = 8) -> str:
    shown = ", ".join(name[:40] for name in names[:most])
    return f"{shown} …" if len(names) > most else shown
