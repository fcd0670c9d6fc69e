"""Whether later or other rows are still like those that were learnt from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zhike.kit.refusal import gettext_noop as _
from zhike.measure.churn import design, judging
from zhike.measure.churn.findings import Finding
from zhike.measure.churn.learning import Sample
from zhike.measure.churn.models import Trees
from zhike.measure.churn.tables import Column, Flags, Floats

MOVED = 0.2
BINS = 10
MOST_CATEGORIES = 20
ROWS = 4_000

COLUMN = _("%(column)s is spread otherwise than in the rows learnt from (stability index %(psi)s).")
GAPS = _("%(column)s is empty in %(now)s of the rows, where it was in %(before)s.")
RATE = _("The share of those who left moved from %(before)s to %(now)s.")
TOGETHER = _("The rows can be told from those learnt from (AUC %(auc)s), though no column alone has moved.")
CALIBRATION = _("The score is no longer calibrated: it says %(said)s on average, %(happened)s left.")
ORDER = _("The score orders the new rows worse (AUC %(now)s) than those it was tried on (%(before)s).")
ABSENT = _("%(column)s is not there in the newer rows.")


def psi(old: Column, new: Column) -> tuple[float, float]:
    """Return the population stability index, and what chance alone makes of it (mean and four deviations)."""
    if old.kind == "category":
        counts = np.bincount(old.codes[old.codes >= 0], minlength=len(old.names))
        top = [old.names[at] for at in np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]]
        was, now = _by_name(old, top), _by_name(new, top)
    else:
        held = old.values[~np.isnan(old.values)]
        edges = np.unique(np.quantile(held, np.arange(1, BINS) / BINS)) if len(held) else np.zeros(0)
        was, now = _by_edge(old.values, edges), _by_edge(new.values, edges)
    used = (was + now) > 0
    was, now = was[used], now[used]
    n, m = was.sum(), now.sum()
    p, q = (was + 0.5) / (n + 0.5 * len(was)), (now + 0.5) / (m + 0.5 * len(now))
    spare = len(was) - 1
    noise = (spare + 4 * np.sqrt(2 * max(1, spare))) * (1 / n + 1 / m)
    return float(((q - p) * np.log(q / p)).sum()), float(noise)


def _by_name(column: Column, names: list[str]) -> Floats:
    place = {name: at for at, name in enumerate(names)}
    codes = np.array([*(place.get(name, len(names)) for name in column.names), len(names) + 1])
    return np.bincount(codes[column.codes], minlength=len(names) + 2).astype(np.float64)


def _by_edge(values: Floats, edges: Floats) -> Floats:
    at = np.searchsorted(edges, values, side="left")
    at[np.isnan(values)] = len(edges) + 1
    return np.bincount(at, minlength=len(edges) + 2).astype(np.float64)


def columns(old: Mapping[str, Column], new: Mapping[str, Column]) -> list[Finding]:
    """Return a finding of kind `drift` for each column that has moved. Days move by nature and are not looked at."""
    found = []
    for name, column in old.items():
        other = new.get(name)
        if other is None:
            found.append(Finding("drift", name, ABSENT, {"column": name}))
        elif column.kind != "day" and len(column) and len(other):
            before, now = float(column.missing.mean()), float(other.missing.mean())
            value, noise = psi(column, other)
            if value - noise <= MOVED:
                continue
            if now - before > 0.2:
                found.append(
                    Finding("drift", name, GAPS, {"column": name, "before": f"{before:.0%}", "now": f"{now:.0%}"})
                )
            else:
                found.append(Finding("drift", name, COLUMN, {"column": name, "psi": f"{value:.2f}"}))
    return found


def rate(label: str, old: Flags, new: Flags) -> Finding | None:
    """Return a finding when the share of those who left has moved far beyond chance."""
    before, now = float(old.mean()), float(new.mean())
    both = float(np.concatenate([old, new]).mean())
    error = np.sqrt(max(1e-12, both * (1 - both)) * (1 / len(old) + 1 / len(new)))
    odds = [np.log((share + 1e-4) / (1 - share + 1e-4)) for share in (before, now)]
    if abs(now - before) < 5 * error or abs(odds[1] - odds[0]) < np.log(1.4):
        return None
    return Finding("drift", label, RATE, {"before": f"{before:.1%}", "now": f"{now:.1%}"})


def told_apart(old: Sample, new: Sample) -> Finding | None:
    """Return a finding when trees tell old rows from new ones, on rows they have not seen."""
    names = [name for name, column in old.columns.items() if name in new.columns and column.kind != "day"]
    parts = [one.taken(np.arange(len(one))[:: max(1, len(one) // ROWS)]) for one in (old, new)]
    fresh = np.repeat([False, True], [len(part) for part in parts])
    if min(len(part) for part in parts) < 100 or not names:
        return None
    learn = np.arange(len(fresh)) % 2 == 0
    made = design.fit({name: parts[0].columns[name] for name in names}, parts[0].positive)
    matrix = np.concatenate([made.transform(part.columns, len(part)) for part in parts])
    said = Trees.fit(matrix[learn], fresh[learn], int(learn.sum()) // 2).log_odds(matrix[~learn])
    area = judging.auc(fresh[~learn], said)
    if area.value < 0.7 or area.low < 0.62:
        return None
    return Finding("drift", "", TOGETHER, {"auc": f"{area.value:.2f}"})


def score(label: str, positive: Flags, chance: Floats, before: judging.Auc) -> list[Finding]:
    """Return findings when a score says too much or too little on new rows, or orders them worse than it did."""
    found = []
    said, happened = float(chance.mean()), float(positive.mean())
    error = np.sqrt(float((chance * (1 - chance)).sum())) / len(chance)
    odds = [np.log((share + 1e-4) / (1 - share + 1e-4)) for share in (said, happened)]
    if abs(said - happened) > 5 * error and abs(odds[1] - odds[0]) > np.log(1.4):
        found.append(Finding("drift", label, CALIBRATION, {"said": f"{said:.1%}", "happened": f"{happened:.1%}"}))
    if positive.any() and not positive.all():
        area = judging.auc(positive, chance)
        if area.high < before.low - 0.02:
            details = {"now": f"{area.value:.3f}", "before": f"{before.value:.3f}"}
            found.append(Finding("drift", label, ORDER, details))
    return found
