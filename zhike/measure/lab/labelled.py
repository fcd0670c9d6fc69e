"""Labelled texts from a file of any format that imports read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from zhike.kit.refusal import Place, Refusal
from zhike.measure.lab.reports import Warned
from zhike.record.imports.operations.files import Source
from zhike.record.imports.operations.preparing import UnknownColumn, open_file
from zhike.record.imports.rules.words import folded

MOST_LABELS = 300
MOST_ROWS = 100_000
LEAST_ROWS = 10
_MISSING = frozenset({"", "nan", "null", "#n/a"})


class NoText(Refusal):
    message = _("%(name)s holds no text to learn from: no row has both %(text)s and %(label)s.")


class TooFewTexts(Refusal):
    message = _("%(name)s has only %(found)s labelled texts in %(text)s; %(least)s are the least to learn from.")


class OneLabel(Refusal):
    message = _("All texts of %(name)s have the same label in %(label)s (%(found)s); there is nothing to tell apart.")


class TooManyLabels(Refusal):
    message = _(
        "%(label)s of %(name)s has %(found)s different values in %(rows)s rows; it is no column of labels. "
        "At most %(most)s are sorted."
    )


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts and their labels; `rows` counts all rows of the file, also those left out."""

    texts: list[str]
    labels: list[str]
    rows: int
    warnings: list[Warned]


def read(path: Path, *, text: str, label: str) -> Labelled:
    """Return the texts of a file that have a label.

    Rows without a text or label and rows with too few or many cells are left out and counted in the warnings. Raises
    UnknownColumn and NoText, and what the reading of files refuses.
    """
    texts: list[str] = []
    labels: list[str] = []
    out: Counter[str] = Counter()
    rows = 0
    with open_file(path, path.name) as source:
        columns = {"text": column_of(source, text, path.name), "label": column_of(source, label, path.name)}
        for batch in source.batches():  # All columns: cells are looked at for formulas where some are named.
            rows += len(batch)
            pairs = zip(batch.columns[columns["text"]], batch.columns[columns["label"]], strict=True)
            for at, (said, named) in enumerate(pairs):
                words, name = _text(said), label_of(named)
                missing = "cells" if at in batch.crooked else "text" if not words else "label" if not name else ""
                if missing:
                    out[missing] += 1
                else:
                    texts.append(words)
                    labels.append(name)
    if not texts:
        raise NoText(place=Place(file=path.name), name=path.name, **columns)
    warnings = [_left_out(kind, columns.get(kind, ""), count) for kind, count in sorted(out.items())]
    return Labelled(texts, labels, rows, warnings)


def column_of(source: Source, wanted: str, name: str) -> str:
    """Return the column as the file spells it; raises UnknownColumn, naming those there are."""
    alike = {folded(column): column for column in reversed(source.columns)}
    found = wanted if wanted in source.columns else alike.get(folded(wanted))
    if found is None:
        raise UnknownColumn(place=Place(file=name), name=name, column=wanted, columns=", ".join(source.columns))
    return found


def check(given: Labelled, *, name: str, text: str, label: str) -> None:
    """Refuse what nothing can be learnt from."""
    distinct = sorted(set(given.labels))
    rows = len(given.texts)
    where = Place(file=name, field=label)
    if rows < LEAST_ROWS:
        raise TooFewTexts(place=Place(file=name, field=text), name=name, text=text, found=rows, least=LEAST_ROWS)
    if len(distinct) == 1:
        raise OneLabel(place=where, name=name, label=label, found=distinct[0][:60])
    if len(distinct) > MOST_LABELS or len(distinct) > rows / 2:
        raise TooManyLabels(place=where, name=name, label=label, found=len(distinct), rows=rows, most=MOST_LABELS)


def sample(given: Labelled) -> Labelled:
    """Return at most MOST_ROWS of the texts, drawn at random, with a word about it."""
    rows = len(given.texts)
    if rows <= MOST_ROWS:
        return given
    kept = np.sort(np.random.default_rng(0).permutation(rows)[:MOST_ROWS])
    said = _("Of %(rows)s texts %(kept)s were drawn at random; more would take long and teach little.")
    warned = Warned("sampled", "", str(said) % {"rows": f"{rows:,}", "kept": f"{MOST_ROWS:,}"})
    texts, labels = [given.texts[at] for at in kept], [given.labels[at] for at in kept]
    return Labelled(texts, labels, given.rows, [*given.warnings, warned])


def label_of(cell: object) -> str:
    """Return a cell as a label: 1, 1.0 and "1" are one; "" when it says nothing."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = " ".join(str(cell).split())
    if text.endswith(".0") and text[:-2].lstrip("-").isdigit():
        text = text[:-2]
    return "" if text.casefold() in _MISSING else text


def _text(cell: object) -> str:
    text = "" if cell is None else str(cell).strip()
    return "" if text.casefold() in _MISSING or not any(sign.isprintable() and sign != " " for sign in text) else text


def _left_out(kind: str, column: str, count: int) -> Warned:
    if kind == "cells":
        said = ngettext(
            "%(count)d row has too few or too many cells and is left out.",
            "%(count)d rows have too few or too many cells and are left out.",
            count,
        )
    else:
        said = ngettext(
            "%(count)d row has no value in %(column)s and is left out.",
            "%(count)d rows have no value in %(column)s and are left out.",
            count,
        )
    return Warned(f"no_{kind}" if kind != "cells" else kind, column, said % {"count": count, "column": column})


def numbered(labels: Sequence[str], names: Sequence[str]) -> list[int]:
    """Return the place of each label among the names, −1 for one that is not there."""
    places = {name: place for place, name in enumerate(names)}
    return [places.get(label, -1) for label in labels]
