"""Columns that give the answer away: they could not have been known before, or are the answer itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from zhike.kit.refusal import gettext_noop as _
from zhike.measure.churn import judging, names
from zhike.measure.churn.findings import Finding
from zhike.measure.churn.tables import Column, Flags, Floats

PERFECT = 0.95
SUSPECT = 0.8
"""Area of a column alone from which a name that speaks of leaving is enough."""
PURE, COVERED = 0.95, 0.3
FILLED_PURE, FILLED_COVERED = 0.9, 0.03
FEWEST = 8
BINS = 32
PAIR_ROWS = 4_000
MOST_PAIRED = 60

SEPARATES = _("%(column)s alone tells almost surely who left (AUC %(auc)s): it holds the answer. It is left out.")
FILLED = _(
    "%(column)s is filled almost only for those who left (%(share)s of %(rows)s rows): known later. It is left out."
)
SURE = _("Values of %(column)s occur almost only with those who left (%(share)s of %(rows)s rows). It is left out.")
NAMED = _("%(column)s speaks of leaving and tells who left (AUC %(auc)s): known only afterwards. It is left out.")
FOLLOWED = _("%(column)s is how long somebody was watched; it ends with leaving (AUC %(auc)s). It is left out.")
BESIDE = _("%(column)s belongs to %(other)s, which gives the answer away. It is left out.")
PAIRED = _("%(column)s compared with %(other)s tells who left: one of them holds the answer. It is left out.")
NUMBERED = _("The numbers in %(column)s tell who left (AUC %(auc)s): they follow the answer. It is left out.")


@dataclass(frozen=True, slots=True)
class Alone:
    """What a column tells by itself, judged on the other half of the rows."""

    area: float
    sure_rows: int
    sure_hits: int


def find(
    columns: Mapping[str, Column], positive: Flags, label: str, group: npt.NDArray[np.uint64] | None = None
) -> list[Finding]:
    """Return a finding of kind `leak` for each column that gives the answer away; one finding a column.

    Rows of one group are on the same side when a column is judged on rows whose answers it has not seen.
    """
    hits = int(positive.sum())
    if min(hits, len(positive) - hits) < FEWEST:
        return []
    found: dict[str, Finding] = {}
    half = None if group is None else np.unique(group, return_inverse=True)[1] % 2 == 0
    for column in columns.values():
        said = _alone(column, positive, label, half)
        if said:
            found[column.name] = said
    left = {name: column for name, column in columns.items() if name not in found}
    for said in _pairs(left, positive):
        found.setdefault(said.column, said)
    for name in left:
        other = next((one for one in found if _belongs(name, one)), None)
        if other is not None and name not in found:
            found[name] = Finding("leak", name, BESIDE, {"column": name, "other": other})
    return [found[name] for name in columns if name in found]


def of_ids(column: Column, positive: Flags) -> Finding | None:
    """Return a finding when ids are in an order that follows the answer."""
    order = column.codes.astype(float) if column.kind == "category" else np.nan_to_num(column.values)
    area = _sided(positive, order)
    hits = int(positive.sum())
    if min(hits, len(positive) - hits) < FEWEST or area < PERFECT:
        return None
    return Finding("leak", column.name, NUMBERED, {"column": column.name, "auc": f"{area:.3f}"})


def _alone(column: Column, positive: Flags, label: str, half: Flags | None) -> Finding | None:
    name, hits = column.name, int(positive.sum())
    base = hits / len(positive)
    filled = ~column.missing
    rows, caught = int(filled.sum()), int(positive[filled].sum())
    low = judging.wilson(caught, rows)[0] if rows >= FEWEST else 0.0
    if (
        rows < 0.9 * len(positive)
        and low >= max(FILLED_PURE, base + 0.3 * (1 - base))
        and caught >= FILLED_COVERED * hits
    ):
        return _said(FILLED, column, share=f"{caught / rows:.0%}", rows=rows)
    told = tell(column, positive, half)
    if told.area >= PERFECT:
        return _said(SEPARATES, column, auc=f"{told.area:.3f}")
    sure = judging.wilson(told.sure_hits, told.sure_rows)[0] if told.sure_rows >= 2 * FEWEST else 0.0
    if sure >= max(PURE, base + 0.7 * (1 - base)) and told.sure_hits >= COVERED * hits and told.area >= SUSPECT:
        return _said(SURE, column, share=f"{told.sure_hits / told.sure_rows:.0%}", rows=told.sure_rows)
    if names.of_the_answer(name, label) and told.area >= SUSPECT:
        return _said(NAMED, column, auc=f"{told.area:.3f}")
    if names.followed_up(name) and column.kind == "number" and _shorter(column, positive) >= 0.6:
        return _said(FOLLOWED, column, auc=f"{told.area:.3f}")
    return None


def _said(message: str, column: Column, **details: object) -> Finding:
    return Finding("leak", column.name, message, {"column": column.name, **details})


def _shorter(column: Column, positive: Flags) -> float:
    held = ~column.missing
    return judging.plain_auc(positive[held], -column.values[held])


def tell(column: Column, positive: Flags, half: Flags | None = None) -> Alone:
    """Return how well a column alone orders rows whose answers it has not seen, and how sure its surest values are."""
    at = _binned(column)
    if half is None:
        half = np.arange(len(positive)) % 2 == 0
    score = np.zeros(len(positive))
    rows = hits = 0
    for learn, see in ((half, ~half), (~half, half)):
        size = np.bincount(at[learn], minlength=at.max() + 1)
        seen = np.bincount(at[learn], weights=positive[learn], minlength=at.max() + 1)
        base = float(positive[learn].mean())
        rate = (seen + 2 * base) / (size + 2)
        score[see] = rate[at[see]]
        sure = ((seen >= 0.97 * size) & (size >= FEWEST))[at[see]]
        rows, hits = rows + int(sure.sum()), hits + int(positive[see][sure].sum())
    return Alone(judging.plain_auc(positive, score), rows, hits)


def _binned(column: Column) -> npt.NDArray[np.intp]:
    """Return the bin of each row: by quantiles, by value where there are few, 0 for missing."""
    if column.kind == "category":
        return column.codes.astype(np.intp) + 1
    held = column.values[~column.missing]
    if not len(held):
        return np.zeros(len(column), dtype=np.intp)
    values = np.unique(held)
    edges = values if len(values) <= BINS else np.unique(np.quantile(held, np.arange(BINS) / BINS, method="lower"))
    found = np.searchsorted(edges, column.values, side="right")
    found[column.missing] = 0
    return found


def _sided(positive: Flags, score: Floats) -> float:
    area = judging.plain_auc(positive, score)
    return max(area, 1 - area)


def _pairs(columns: Mapping[str, Column], positive: Flags) -> Iterator[Finding]:
    """Two numbers, or two days, of which equality or order is the answer."""
    step = max(1, len(positive) // PAIR_ROWS)
    answer = positive[::step]
    if min(int(answer.sum()), int((~answer).sum())) < FEWEST:
        return
    for kind in ("number", "day"):
        held = [column for column in columns.values() if column.kind == kind and column.distinct() > 2][:MOST_PAIRED]
        few = {column.name: column.values[::step] for column in held}
        for one, other in combinations(few, 2):
            difference = few[one] - few[other]
            known = ~np.isnan(difference)
            if known.sum() < 0.5 * len(answer):
                continue
            equal = (difference == 0) & known
            if not 0.02 <= equal.mean() <= 0.98:
                continue
            if _sided(answer, np.where(known, equal, 0.5).astype(float)) >= PERFECT:
                later = other if list(columns).index(other) > list(columns).index(one) else one
                first = one if later == other else other
                yield Finding("leak", later, PAIRED, {"column": later, "other": first})


def _belongs(name: str, other: str) -> bool:
    plain, root = names.split(name).lower().replace(" ", "_"), names.split(other).lower().replace(" ", "_")
    return len(root) >= 5 and plain != root and plain.startswith(root + "_")
