"""`zhike lab effect`: what a treatment drawn by lot did, from any table with a column that says who had it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from zhike.kit.refusal import Place, Refusal
from zhike.measure import effects
from zhike.measure.churn import judging, leaks, learning
from zhike.measure.churn import tables as read_as
from zhike.measure.churn.names import is_id
from zhike.measure.churn.tables import Column, Flags, Floats
from zhike.measure.effects import Effect, differences, ranking
from zhike.measure.lab import effect_showing, tables
from zhike.measure.lab.churn import NO, YES, NoSuchValue
from zhike.measure.lab.reports import Report, Warned

HELP = "tell what a treatment drawn by lot did to rates and means"
UNFAIR = 0.001
"""The chance of counts so uneven below which the lot is called broken."""
TOLD_APART = 0.52
"""The area from which arms are told apart by what was known before; of fair lots it is 0.5."""
ENOUGH = 100
"""Rows of either answer in each of two arms, from which it is learnt who responds."""
MOST_ARMS = 20
SHARES = {"uplift_at_10": 0.1, "uplift_at_30": 0.3}


class ControlHasTwo(Refusal):
    message = gettext_lazy("%(column)s has fewer than two rows of %(value)s with a value in %(outcome)s.")


class TooManyArms(Refusal):
    message = gettext_lazy("%(column)s has %(count)s values: a treatment is one of at most %(most)s.")


class NoOutcome(Refusal):
    message = gettext_lazy("%(column)s holds neither numbers nor yes and no, so it is no outcome.")


class SameColumn(Refusal):
    message = gettext_lazy("%(column)s cannot be both the treatment and an outcome.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--arm", required=True, metavar="COLUMN", help="which treatment the lot gave")
    parser.add_argument("--control", required=True, metavar="VALUE", help="the value of the arm that means none")
    parser.add_argument(
        "--outcome", required=True, action="append", metavar="COLUMN", help="what came of it; may be given again"
    )
    parser.add_argument(
        "--responders", action="store_true", help="also learn from the other columns, known before, who responds"
    )


def run(options: Mapping[str, Any]) -> Report:
    path: Path = options["file"]
    table, warnings = tables.read(path)
    arm_name = tables.column_of(table, options["arm"], "--arm", path.name)
    names = [tables.column_of(table, one, "--outcome", path.name) for one in dict.fromkeys(options["outcome"])]
    if arm_name in names:
        raise SameColumn(place=Place(file=path.name, field="--outcome"), column=arm_name)
    arm = np.array([(text or "").strip() for text in table[arm_name].to_pylist()], dtype=np.str_)
    table, arm = table.filter(pa.array(arm != "")), arm[arm != ""]
    place = Place(file=path.name, field=arm_name)
    counts = _counts(arm, options["control"], place)
    outcomes = {name: _outcome(table, name, path.name) for name in names}
    found = {name: _effects(values, arm, options["control"], name, place) for name, values in outcomes.items()}
    before = read_as.columns(table.drop_columns([arm_name, *names]))
    lot = effects.lots(counts)
    responders, apart, late = [], {}, {}
    if options["responders"]:
        before = {name: column for name, column in before.items() if not is_id(column)}
        late = _late(before, outcomes)
        before = {name: column for name, column in before.items() if name not in late}
    if options["responders"] and before:
        responders = _responders(before, outcomes, arm, options["control"])
        apart = _apart(before, arm, options["control"])
    figures = {
        "rows": len(arm),
        "control": options["control"],
        "arms": counts,
        "lot": lot,
        "outcomes": [_said(name, outcomes[name], one) for name, one in found.items()],
        "left_out": late,
        "told_apart": apart,
        "responders": responders,
    }
    warnings += _doubts(figures, outcomes, arm_name)
    return Report(_("Effect of a treatment"), figures, effect_showing.sections(figures), warnings)


def _counts(arm: npt.NDArray[np.str_], control: str, place: Place) -> dict[str, int]:
    values, rows = np.unique(arm, return_counts=True)
    if len(values) > MOST_ARMS:
        raise TooManyArms(place=place, column=place.field, count=len(values), most=MOST_ARMS)
    if control not in values or len(values) == 1:
        raise NoSuchValue(place=place, column=place.field, value=control, values=", ".join(map(str, values)))
    return {str(name): int(count) for name, count in zip(values, rows, strict=True)}


def _outcome(table: pa.Table, name: str, file: str) -> Floats:
    """Return an outcome as numbers, yes and no as 1 and 0, NaN where there is none."""
    column = read_as.column(name, table[name])
    if column.kind == "number":
        return column.values
    words = [one.lower() for one in column.names]
    if column.kind != "category" or not words or not set(words) <= YES | NO:
        raise NoOutcome(place=Place(file=file, field=name), column=name)
    worth = np.array([*(float(one in YES) for one in words), np.nan])
    return np.asarray(worth[column.codes])


def _effects(values: Floats, arm: npt.NDArray[np.str_], control: str, name: str, place: Place) -> dict[str, Effect]:
    known = ~np.isnan(values)
    if int((known & (arm == control)).sum()) < differences.LEAST:
        raise ControlHasTwo(place=place, column=place.field, value=control, outcome=name)
    many = {one: int((known & (arm == one)).sum()) for one in np.unique(arm)}
    enough = np.isin(arm, [one for one, rows in many.items() if rows >= differences.LEAST])
    return effects.effects(values[enough], arm[enough], control)


def _said(name: str, values: Floats, found: Mapping[str, Effect]) -> dict[str, Any]:
    known = values[~np.isnan(values)]
    told = [
        {
            "arm": arm,
            "rows": one.treated,
            "mean": one.treated_mean,
            "difference": one.difference,
            "low": one.low,
            "high": one.high,
            "error": one.error,
            "z": one.z,
            "p": one.p,
            "relative": one.relative,
            "relative_low": one.relative_low,
            "relative_high": one.relative_high,
            "proven": one.proven,
        }
        for arm, one in found.items()
    ]
    control = next(iter(found.values()), None)
    return {
        "outcome": name,
        "kind": "rate" if differences.is_share(known) else "mean",
        "control_rows": control.control if control else 0,
        "control_mean": control.control_mean if control else None,
        "effects": told,
    }


def _late(before: Mapping[str, Column], outcomes: Mapping[str, Floats]) -> dict[str, str]:
    """Return columns that give an outcome away, and which: they came after the treatment."""
    found: dict[str, str] = {}
    for name, values in outcomes.items():
        rows = np.flatnonzero(~np.isnan(values))
        if differences.is_share(values[rows]):
            held = {key: column.taken(rows) for key, column in before.items()}
            found |= {one.column: name for one in leaks.find(held, values[rows] > 0, name)}
    return found


def _responders(
    before: Mapping[str, Column], outcomes: Mapping[str, Floats], arm: npt.NDArray[np.str_], control: str
) -> list[dict[str, Any]]:
    """Return how well who responds is told from what was known before, by arm and outcome of yes and no."""
    found = []
    for name, values in outcomes.items():
        for one in sorted(set(map(str, arm)) - {control}):
            rows = np.flatnonzero(np.isin(arm, (one, control)) & ~np.isnan(values))
            treated, answered = arm[rows] == one, values[rows]
            if not differences.is_share(answered) or _fewest(treated, answered > 0) < ENOUGH:
                continue
            columns = {key: column.taken(rows) for key, column in before.items()}
            sample, order = learning.sample(columns, answered > 0)
            said, treated, answered = effects.unseen(sample, treated[order]), treated[order], answered[order]
            how = effects.judge(answered, treated, said)
            best = {key: ranking.uplift_at(answered, treated, said, share) for key, share in SHARES.items()}
            at = {key: None if np.isnan(value) else value for key, value in best.items()}
            found.append({"outcome": name, "arm": one, "qini": how.qini, "uplift": how.uplift, "q": how.q, **at})
    return found


def _fewest(treated: Flags, answered: Flags) -> int:
    return min(int((side & said).sum()) for side in (treated, ~treated) for said in (answered, ~answered))


def _apart(before: Mapping[str, Column], arm: npt.NDArray[np.str_], control: str) -> dict[str, float]:
    """Return how well each arm is told from the control by what was known before: the lower end of the area."""
    found = {}
    for one in sorted(set(map(str, arm)) - {control}):
        rows = np.flatnonzero(np.isin(arm, (one, control)))
        if min(int((arm[rows] == one).sum()), int((arm[rows] == control).sum())) < ENOUGH:
            continue
        sample, _order = learning.sample({key: column.taken(rows) for key, column in before.items()}, arm[rows] == one)
        said = np.empty(len(sample))
        for learn, here in learning.folds(sample):
            held = sample.taken(here)
            said[here] = learning.fit(sample, learn, "logistic").chances(held.columns, len(here))
        found[one] = judging.auc(sample.positive, said).low
    return found


def _doubts(figures: Mapping[str, Any], outcomes: Mapping[str, Floats], arm: str) -> list[Warned]:
    found = []
    if figures["lot"] < UNFAIR:
        said = _("The arms are too uneven for a fair lot of equal chances: unless it was meant so, rows were lost.")
        found.append(Warned("uneven_lot", arm, said))
    for one, low in figures["told_apart"].items():
        if low > TOLD_APART:
            said = _(
                "%(arm)s is told from the control by the other columns: it was not drawn by lot, or they came after it."
            )
            found.append(Warned("not_by_lot", arm, said % {"arm": one}))
    for name, outcome in figures["left_out"].items():
        said = _("%(column)s gives %(outcome)s away: it came after the treatment and is left out.")
        found.append(Warned("leak", name, said % {"column": name, "outcome": outcome}))
    for name, values in outcomes.items():
        missing = int(np.isnan(values).sum())
        if missing:
            said = ngettext(
                "%(count)d row has nothing in %(column)s and is left out there.",
                "%(count)d rows have nothing in %(column)s and are left out there.",
                missing,
            )
            found.append(Warned("no_outcome", name, said % {"count": missing, "column": name}))
    compared = sum(len(one["effects"]) for one in figures["outcomes"])
    if compared > 5:
        said = _("%(count)d comparisons: of those that differ by chance alone, one in twenty looks proven.")
        found.append(Warned("many_comparisons", arm, said % {"count": compared}))
    return found
