"""The report of `zhike lab churn` for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from zhike.measure.churn.trying import Trial
from zhike.measure.lab import drawing
from zhike.measure.lab.reports import Section, Table

MODELS = {"logistic": gettext_lazy("Logistic regression"), "boosting": gettext_lazy("Gradient boosting")}
REASONS = {
    "leak": gettext_lazy("gives the answer away"),
    "scale": gettext_lazy("its scale is damaged"),
    "id": gettext_lazy("names the row"),
    "constant": gettext_lazy("is the same everywhere"),
    "empty": gettext_lazy("is empty"),
    "prose": gettext_lazy("holds sentences"),
}
MOST_DRIVERS = 12
STEPS = 50


def sections(trial: Trial, figures: Mapping[str, Any]) -> list[Section]:
    """Return the parts of the report: what was learnt from, columns left out, models, calibration, lift, drivers."""
    parts = [_basis(figures)]
    if figures["excluded"]:
        parts.append(_excluded(figures))
    if figures["models"]:
        parts += [_models(figures), _calibration(figures)]
        parts += [_leads(figures)] if figures["leads"] else []
        parts += [_lift(trial, figures), _drivers(figures)]
    return parts


def _basis(figures: Mapping[str, Any]) -> Section:
    said = _(
        "%(rows)s rows, %(learnt)s of them learnt from; %(positive)s of these left. %(columns)s columns were used."
    )
    words = [
        said
        % {
            "rows": f"{figures['rows']:,}",
            "learnt": f"{figures['learnt_rows']:,}",
            "positive": f"{figures['learnt_positive']:,}",
            "columns": len(figures["columns"]),
        }
    ]
    if not figures["published"]:
        words.append(_("No score is published; the warnings say why."))
    return Section(_("What was learnt from"), words)


def _excluded(figures: Mapping[str, Any]) -> Section:
    rows = [[name, str(REASONS[why])] for name, why in figures["excluded_because"].items()]
    return Section(_("Columns left out"), [], Table([_("Column"), _("Because it …")], rows))


def _models(figures: Mapping[str, Any]) -> Section:
    rows = []
    for kind, found in figures["models"].items():
        area = f"{found['auc']:.4f} ({found['auc_low']:.4f} – {found['auc_high']:.4f})"
        numbers = [f"{found[name]:.4f}" for name in ("brier", "log_loss", "ece", "average_precision")]
        rows.append([str(MODELS[kind]), area, *numbers])
    head = [_("Model"), _("AUC (95 %)"), "Brier", _("Log-loss"), "ECE", _("Average precision")]
    kept = _("Judged on %(rows)s rows that were not learnt from; %(rate)s of them left. Kept: %(model)s.") % {
        "rows": f"{figures['judged_rows']:,}",
        "rate": f"{100 * figures['base_rate']:.1f} %",
        "model": MODELS[figures["model"]],
    }
    return Section(_("Models"), [kept], Table(head, rows))


def _calibration(figures: Mapping[str, Any]) -> Section:
    groups = figures["calibration"]
    head = [_("Group"), _("Rows"), _("Said"), _("Happened"), _("95 %")]
    rows = [
        [
            str(number),
            f"{one['rows']:,}",
            _percent(one["said"]),
            _percent(one["happened"]),
            f"{_percent(one['low'])} – {_percent(one['high'])}",
        ]
        for number, one in enumerate(groups, start=1)
    ]
    said = [100 * one["said"] for one in groups]
    series = {_("Happened"): [100 * one["happened"] for one in groups], _("Said"): said}
    title = _("Calibration")
    below = _("Groups of rows by score, the lowest first; how many left, in per cent")
    picture = drawing.bars([str(number) for number in range(1, len(groups) + 1)], series, label=title, below=below)
    words = [_("Of customers with a score of 30 %, 30 in 100 should leave.")]
    return Section(title, words, Table(head, rows), picture)


def _leads(figures: Mapping[str, Any]) -> Section:
    found = figures["leads"]
    names = [f"{one['until']:.4g}" for one in found]
    title = _("Lead time")
    below = _("How long before the last row they had been among the highest scores; how many who left")
    middle = _("In the middle case %(time)s, in units of the time column.") % {"time": f"{figures['lead_time']:.4g}"}
    picture = drawing.bars(names, {_("Left"): [float(one["left"]) for one in found]}, label=title, below=below)
    rows = [[name, f"{one['left']:,}"] for name, one in zip(names, found, strict=True)]
    return Section(title, [middle], Table([_("Up to"), _("Left")], rows), picture)


def _lift(trial: Trial, figures: Mapping[str, Any]) -> Section:
    rows = [
        [f"{100 * one['share']:.0f} %", f"{one['rows']:,}", _percent(one["caught"]), f"{one['lift']:.2f}"]
        for one in figures["lift"]
    ]
    order = np.argsort(-trial.chance, kind="stable")
    hits = np.concatenate([[0], np.cumsum(trial.positive[order])]) / max(1, int(trial.positive.sum()))
    at = np.linspace(0, len(order), STEPS + 1).round().astype(int)
    x = [100 * float(place) / max(1, len(order)) for place in at]
    series = {_("By score"): [100 * float(hits[place]) for place in at], _("By lot"): x}
    title = _("Lift")
    below = _("Share of customers, highest score first; share of those who left, in per cent")
    head = [_("Highest"), _("Rows"), _("Of those who left"), _("Times the average")]
    return Section(title, [], Table(head, rows), drawing.lines(x, series, label=title, below=below))


def _drivers(figures: Mapping[str, Any]) -> Section:
    found = figures["drivers"][:MOST_DRIVERS]
    ways = {
        "more": _("more raises the risk"),
        "less": _("less raises the risk"),
        "mixed": _("up and down"),
        "values": _("by value"),
    }
    rows = [
        [one["column"], _percent(one["share"]), ways[one["direction"]], _step(one["raises"]), _step(one["lowers"])]
        for one in found
    ]
    head = [_("Column"), _("Share"), _("Effect"), _("Highest at"), _("Lowest at")]
    title = _("What drives the score")
    words = [_("In each row the columns add up to the score exactly; × is what a value does to the odds.")]
    names = [one["column"][:12] for one in found[:8]]
    below = _("Share of the movement of the score, in per cent")
    picture = drawing.bars(names, {_("Share"): [100 * one["share"] for one in found[:8]]}, label=title, below=below)
    return Section(title, words, Table(head, rows), picture)


def _step(step: Mapping[str, Any] | None) -> str:
    return f"{step['value'] or '—'} (× {np.exp(step['log_odds']):.2f})" if step else "—"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
