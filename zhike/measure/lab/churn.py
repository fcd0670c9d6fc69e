"""`zhike lab churn`: who will leave, learnt from any table, with what is wrong with it said first."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from zhike.kit.refusal import Place, Refusal
from zhike.measure.churn import judging, leading, trying, writing
from zhike.measure.churn import tables as read_as
from zhike.measure.churn.findings import Finding
from zhike.measure.churn.tables import Column, Flags, Floats, Rows
from zhike.measure.churn.trying import Given, Trial
from zhike.measure.lab import churn_scores, churn_showing, tables
from zhike.measure.lab.reports import Report, Warned

HELP = "learn who will leave from a table with a column that says who did"
YES = {
    "1",
    "1.0",
    "yes",
    "y",
    "true",
    "t",
    "churn",
    "churned",
    "exited",
    "left",
    "lost",
    "cancelled",
    "canceled",
    "gone",
}
YES |= {
    "inactive",
    "closed",
    "attrited",
    "attrited customer",
    "是",
    "流失",
    "已流失",
    "离网",
    "退订",
    "取消",
    "已取消",
    "离开",
}
NO = {
    "0",
    "0.0",
    "no",
    "n",
    "false",
    "f",
    "stayed",
    "retained",
    "active",
    "existing",
    "existing customer",
    "open",
    "current",
}
NO |= {"否", "留存", "在网", "未流失", "正常", "活跃", "没有", "未取消"}


class WhichIsPositive(Refusal):
    message = gettext_lazy("%(column)s has %(count)s values (%(values)s): say with --positive which one means leaving.")


class NoSuchValue(Refusal):
    message = gettext_lazy("%(column)s never has the value %(value)s. Its values are: %(values)s.")


class OneAnswer(Refusal):
    message = gettext_lazy("All rows have the same answer in %(column)s (%(values)s): there is nothing to learn.")


class NoAnswers(Refusal):
    message = gettext_lazy("%(column)s is empty in every row: there is nothing to learn.")


class NoDay(Refusal):
    message = gettext_lazy("%(column)s does not hold days or numbers, so it cannot be the time of rows.")


class TwiceTheSame(Refusal):
    message = gettext_lazy("%(column)s cannot be both the label and the id or the time.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--label", required=True, metavar="COLUMN", help="who left")
    parser.add_argument("--positive", metavar="VALUE", help="the value of the label that means leaving")
    parser.add_argument("--id", metavar="COLUMN", help="whose row it is; rows of one customer stay together")
    parser.add_argument("--time", metavar="COLUMN", help="when the row was known: later rows judge earlier ones")
    parser.add_argument("--test", type=Path, metavar="FILE", help="learn from FILE, judge on the rows of this one")
    parser.add_argument("--scores", type=Path, metavar="OUT.csv", help="write the probability of each row with drivers")


def run(options: Mapping[str, Any]) -> Report:
    path: Path = options["file"]
    table, warnings = tables.read(path)
    names = _roles(options, table, path.name)
    given, kept = _given(table, names, options["positive"], path.name)
    warnings += _unanswered(len(table) - len(given.positive), names["label"])
    test, test_table = None, None
    if options["test"] is not None:
        test_table, more = tables.read(options["test"])
        test = _test(test_table, given, names, options)
        warnings += more
    trial = trying.attempt(given, test)
    warnings += [_told(one) for one in trial.findings]
    figures = _figures(trial, given, len(table), tested=test is not None)
    if options["scores"] is not None:
        judged = test if test is not None else given
        ids = (test_table if test is not None and test_table is not None else table, names.get("id"), kept)
        figures["scores_file"] = churn_scores.write(options["scores"], trial, judged, ids, test=test is not None)
    return Report(_("Who will leave"), figures, churn_showing.sections(trial, figures), warnings)


def _roles(options: Mapping[str, Any], table: pa.Table, file: str) -> dict[str, str]:
    found = {
        role: tables.column_of(table, options[role], f"--{role}", file)
        for role in ("label", "id", "time")
        if options[role]
    }
    for role in ("id", "time"):
        if found.get(role) == found["label"]:
            raise TwiceTheSame(place=Place(file=file, field=f"--{role}"), column=found["label"])
    return found


def _given(table: pa.Table, names: Mapping[str, str], wanted: str | None, file: str) -> tuple[Given, Rows]:
    """Return the rows that have an answer (and a time), and where they stand."""
    texts = [text.strip() if text else "" for text in table[names["label"]].to_pylist()]
    answered = np.array([text.lower() not in writing.NOTHING for text in texts], dtype=bool)
    place = Place(file=file, field=names["label"])
    if not answered.any():
        raise NoAnswers(place=place, column=names["label"])
    positive_text = _positive([text for text, there in zip(texts, answered, strict=True) if there], wanted, place)
    positive = np.array([text == positive_text for text in texts], dtype=bool)
    columns = read_as.columns(table.drop_columns([names["label"]]))
    moment = None
    if "time" in names:
        column = columns.pop(names["time"])
        if column.kind == "category":
            raise NoDay(place=Place(file=file, field=names["time"]), column=names["time"])
        moment = column.values
        answered &= ~np.isnan(moment)
        # A day says how long before its row it was; a calendar day alone would be later knowledge.
        if column.kind == "day":
            columns = {name: _back_from(one, moment) for name, one in columns.items()}
    kept = np.flatnonzero(answered)
    taken = {name: column.taken(kept) for name, column in columns.items()}
    who = taken.pop(names["id"]) if "id" in names else None
    if len(set(positive[kept])) < 2:
        raise OneAnswer(place=place, column=names["label"], values=positive_text)
    return Given(taken, positive[kept], names["label"], who, None if moment is None else moment[kept]), kept


def _back_from(column: Column, moment: Floats) -> Column:
    return read_as.numbers(column.name, moment - column.values) if column.kind == "day" else column


def _positive(texts: list[str], wanted: str | None, place: Place) -> str:
    """Return the value that means leaving: the one asked for, the one that says so, or the higher or rarer of two."""
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    values = sorted(counts, key=lambda one: (-counts[one], one))
    shown = ", ".join(values[:8]) + ("…" if len(values) > 8 else "")
    details = {"column": place.field, "values": shown}
    if wanted is not None:
        match = [one for one in values if one == wanted] or [one for one in values if _same(one, wanted)]
        if not match:
            raise NoSuchValue(place=place, value=wanted, **details)
        return match[0]
    if len(values) == 1:
        raise OneAnswer(place=place, **details)
    if len(values) > 2:
        raise WhichIsPositive(place=place, count=len(values), **details)
    for one, other in (values, values[::-1]):
        if one.lower() in YES or (other.lower() in NO and other.lower() not in YES):
            return one
    return values[1]


def _same(one: str, other: str) -> bool:
    read = writing.numbers([one, other])
    same = read(one) == read(other)
    return same or one.strip().casefold() == other.strip().casefold()


def _test(table: pa.Table, given: Given, names: Mapping[str, str], options: Mapping[str, Any]) -> Given:
    """Return the rows of the test file, read as the columns of the other were; those without answer say nothing."""
    like = dict(given.columns)
    columns = read_as.columns(table, like)
    moment = None
    if names.get("time") in columns:
        column = columns.pop(names["time"])
        moment = column.values if column.kind != "category" else None
        if moment is not None and column.kind == "day":
            back = {name: one for name, one in read_as.columns(table).items() if one.kind == "day"}
            columns.update({name: _back_from(one, moment) for name, one in back.items() if name in given.columns})
    columns = {name: column for name, column in columns.items() if name in given.columns}
    positive: Flags = np.zeros(0, dtype=bool)
    if names["label"] in table.column_names:
        texts = [text.strip() if text else "" for text in table[names["label"]].to_pylist()]
        place = Place(file=options["file"].name, field=names["label"])
        known = [text for text in texts if text.lower() not in writing.NOTHING]
        if known and len(known) == len(texts):
            named = _positive_of_test(known, options["positive"], place)
            positive = np.array([_same(text, named) for text in texts], dtype=bool)
    if not columns:
        columns = {"": read_as.numbers("", np.full(len(table), np.nan))}
    return Given(columns, positive, given.label, None, moment)


def _positive_of_test(known: list[str], wanted: str | None, place: Place) -> str:
    if wanted is not None:
        return wanted
    if len(set(known)) == 1:
        return known[0] if known[0].lower() in YES else "\0"
    return _positive(known, None, place)


def _unanswered(count: int, label: str) -> list[Warned]:
    if not count:
        return []
    said = ngettext(
        "%(count)d row has no answer in %(column)s, or no time, and is left out.",
        "%(count)d rows have no answer in %(column)s, or no time, and are left out.",
        count,
    )
    return [Warned("no_label", label, said % {"count": count, "column": label})]


def _told(finding: Finding) -> Warned:
    said = _(finding.message)
    return Warned(finding.kind, finding.column, said % finding.details if finding.details else said)


def _leads(trial: Trial, *, tested: bool) -> dict[str, Any]:
    """Return how long before their last row those who left had been named; where rows of one follow each other."""
    sample, learned = trial.sample, trial.learned
    if learned is None or sample.moment is None or not sample.named or tested:
        return {"lead_time": None, "leads": []}
    rows = learned.judged.rows
    found = leading.unbroken(trial.positive, trial.chance, sample.moment[rows], sample.group[rows])
    several = len(np.unique(sample.group[rows])) < len(rows)
    return {"lead_time": leading.middle(found) if several else None, "leads": leading.bars(found) if several else []}


def _figures(trial: Trial, given: Given, rows: int, *, tested: bool) -> dict[str, Any]:
    learned = trial.learned
    chosen = dict(trial.tried.get(learned.kind, {})) if learned else {}
    blank = ("auc", "auc_low", "auc_high", "brier", "log_loss", "ece", "average_precision")
    judged = trial.positive if len(trial.positive) else given.positive
    return {
        **dict.fromkeys(blank),
        **chosen,
        "base_rate": float(judged.mean()),
        "model": learned.kind if learned else None,
        "published": trial.published,
        "excluded": list(trial.excluded),
        "excluded_because": dict(trial.excluded),
        "label": given.label,
        "rows": rows,
        "learnt_rows": len(trial.sample),
        "learnt_positive": int(trial.sample.positive.sum()),
        "judged_rows": len(trial.positive),
        "columns": list(trial.sample.columns),
        "models": {kind: dict(found) for kind, found in trial.tried.items()},
        "calibration": [
            {"rows": one.rows, "said": one.said, "happened": one.happened, "low": one.low, "high": one.high}
            for one in (judging.groups(trial.positive, trial.chance) if chosen else [])
        ],
        "lift": judging.lift(trial.positive, trial.chance) if chosen else [],
        "drivers": churn_scores.drivers(trial) if learned else [],
        **_leads(trial, tested=tested),
    }
