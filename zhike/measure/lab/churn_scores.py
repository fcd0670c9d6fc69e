"""What drives a score, over all rows and in each, and the file of scores."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from zhike.kit.refusal import Place, Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.measure.churn import judging, words
from zhike.measure.churn.tables import Rows
from zhike.measure.churn.trying import Given, Trial

MOST_EXPLAINED = 20_000
TOP = 3


class NothingToWrite(Refusal):
    message = _("There is no score to write to %(name)s: see the warnings of the report.")


class NoFolder(Refusal):
    message = _("There is no folder %(name)s.")


def drivers(trial: Trial) -> list[dict[str, Any]]:
    """Return the columns by how much they move the score: share, direction, and the values that raise and lower it."""
    if trial.learned is None:
        return []
    sample = trial.sample.taken(np.arange(len(trial.sample))[:: max(1, len(trial.sample) // MOST_EXPLAINED)])
    scorer = trial.learned.scorer
    _base, added = scorer.explain(sample.columns, len(sample))
    weight = np.abs(added - added.mean(axis=0)).mean(axis=0)
    total = float(weight.sum()) or 1.0
    found = []
    for at in np.argsort(-weight, kind="stable"):
        column = sample.columns[scorer.design.names[at]]
        found.append({"column": column.name, "share": float(weight[at] / total), **words.effect(column, added[:, at])})
    return found


def write(
    out: Path, trial: Trial, rows: Given, ids: tuple[pa.Table, str | None, Rows], *, test: bool
) -> dict[str, Any]:
    """Write the probability of each row with its drivers; `ids` are the table, the column of ids, and kept rows."""
    if not out.absolute().parent.is_dir():
        raise NoFolder(place=Place(file=out.name), name=out.absolute().parent)
    if trial.learned is None or not trial.published:
        raise NothingToWrite(place=Place(file=out.name), name=out.name)
    table, name, kept = ids
    size = len(table) if test else len(rows.positive)
    scorer = trial.learned.scorer
    columns = {one: rows.columns[one] for one in trial.sample.columns if one in rows.columns}
    base, added = scorer.explain(columns, size)
    chance = judging.probability(base + added.sum(axis=1))
    place = np.arange(size) if test else np.asarray(kept, dtype=np.intp)
    called = table[name].to_pylist() if name and name in table.column_names else None
    names = scorer.design.names
    with out.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        drivers_of = [head for number in range(1, TOP + 1) for head in (f"driver_{number}", f"log_odds_{number}")]
        lines.writerow(["row", name or "", "probability", "log_odds", "base", *drivers_of, "others"])
        for at in range(size):
            top = np.argsort(-np.abs(added[at]), kind="stable")[:TOP]
            cells: list[object] = []
            for one in top:
                column = columns.get(names[one])
                cells += [f"{names[one]} = {column.shown(at) if column else ''}", f"{added[at, one]:.6f}"]
            cells += ["", ""] * (TOP - len(top))
            rest = added[at].sum() - added[at, top].sum()
            who = _guarded(called[int(place[at])]) if called else ""
            total = base + added[at].sum()
            lines.writerow(
                [int(place[at]) + 1, who, f"{chance[at]:.6f}", f"{total:.6f}", f"{base:.6f}", *cells, f"{rest:.6f}"]
            )
    return {"rows": size, "mean": float(chance.mean())}


def _guarded(text: str | None) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text and text.lstrip().startswith(("=", "+", "-", "@")) else text or ""


def shares(figures: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return names and shares of the drivers, for a drawing."""
    return [(one["column"], one["share"]) for one in figures["drivers"]]
