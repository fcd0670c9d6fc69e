"""The report of `zhike lab clv` for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils.translation import gettext as _

from zhike.measure.lab import drawing, worth
from zhike.measure.lab.reports import Section, Table

if TYPE_CHECKING:
    from zhike.measure.lab.clv import Buying, Fitted

NAMES = {"bgnbd": "BG/NBD", "mbgnbd": "MBG/NBD", "pareto_nbd": "Pareto/NBD", "gamma_gamma": "Gamma-Gamma"}
HEAT_ROWS, HEAT_COLUMNS = 7, 9


def sections(fitted: Fitted, figures: Mapping[str, Any]) -> list[Section]:
    """Return the parts of the report: what was learnt from, parameters, holdout, tracking, probability alive."""
    parts = [_basis(figures), _models(figures)]
    if figures["holdout"]:
        parts.append(_holdout(figures["holdout"]))
    if len(figures["tracking"]) > 2:
        parts.append(_tracking(figures))
    if figures["value"]:
        parts.append(worth.section(figures["value"], NAMES))
    if fitted.best:
        parts.append(_alive(fitted, fitted.models[fitted.best]))
    return parts


def _basis(figures: Mapping[str, Any]) -> Section:
    said = _(
        "%(rows)s rows; %(customers)s customers from %(first)s to %(last)s, of whom %(repeaters)s bought again, "
        "%(purchases)s times."
    )
    words = said % {
        "rows": f"{figures['rows']:,}",
        "customers": f"{figures['customers']:,}",
        "first": figures["calibration"]["from"],
        "last": figures["calibration"]["until"],
        "repeaters": f"{figures['repeaters']:,}",
        "purchases": f"{figures['repeat_purchases']:,}",
    }
    return Section(_("What was learnt from"), [words, _("Purchases of one day count as one. Times are in weeks.")])


def _models(figures: Mapping[str, Any]) -> Section:
    rows = []
    for key, name in NAMES.items():
        found = figures[key]
        if found is None:
            rows.append([name, _("not carried by the data"), ""])
            continue
        sure = found["standard_errors"]
        params = " · ".join(f"{letter} {found[letter]:.4g} ± {_error(sure[letter])}" for letter in sure)
        rows.append([name, params, f"{found['log_likelihood']:,.2f}"])
    head = [_("Model"), _("Parameters ± standard error"), _("Log-likelihood")]
    best = figures["best"]
    said = [_("%(model)s fits best.") % {"model": NAMES[best]}] if best else []
    return Section(_("Models"), said, Table(head, rows))


def _holdout(held: Mapping[str, Any]) -> Section:
    names = {key: NAMES.get(key, _("As before (x / T)")) for key in held["models"]}
    words = [
        _("After %(day)s these customers bought %(actual)s times in %(weeks)s weeks; %(model)s forecast %(predicted)s.")
        % {
            "day": held["after"],
            "actual": f"{held['actual']:,}",
            "weeks": f"{held['weeks']:.4g}",
            "model": names[held["model"]],
            "predicted": f"{held['predicted']:,.1f}",
        }
    ]
    rows = [
        [
            names[key],
            f"{one['predicted']:,.1f}",
            _share(one["error"]),
            f"{one['mae']:.4f}",
            f"{one['rmse']:.4f}",
            _number(one["correlation"]),
        ]
        for key, one in held["models"].items()
    ]
    head = [_("Model"), _("Forecast"), _("Error of the total"), "MAE", "RMSE", _("Correlation")]
    groups = held["by_frequency"]
    keys = ["actual", *(key for key in held["models"] if key != "constant_rate")]
    names["actual"] = _("Actual")
    series = {names[key]: [float(group[key] or 0) for group in groups] for key in keys}
    below = _("Repeat purchases during the calibration; mean purchases per customer after it")
    picture = drawing.bars([group["frequency"] for group in groups], series, label=words[0], below=below)
    return Section(_("Held to what happened"), words, Table(head, rows), picture)


def _tracking(figures: Mapping[str, Any]) -> Section:
    track = dict(figures["tracking"])
    weeks = track.pop("week")
    series = {NAMES.get(key, _("Actual")): values for key, values in track.items()}
    held = figures["holdout"]
    mark = weeks[-1] - held["weeks"] if held else None
    below = _("Weeks since the first purchase; repeat purchases so far. The dashed line ends the calibration.")
    title = _("Repeat purchases over time")
    return Section(title, [], None, drawing.lines(weeks, series, label=title, below=below, mark=mark))


def _alive(fitted: Fitted, model: Buying) -> Section:
    longest = float(fitted.summary.T.max())
    most = float(np.quantile(fitted.summary.x, 0.99))
    counts = sorted({int(value) for value in np.linspace(0, max(HEAT_ROWS - 1, most), HEAT_ROWS)})
    silent = np.linspace(0, longest, HEAT_COLUMNS)
    values = [[_chance(model, count, longest - gap, longest) for gap in silent] for count in counts]
    title = _("Probability of being alive")
    words = _("For a customer watched for %(weeks)s weeks, in per cent, by %(model)s.") % {
        "weeks": f"{longest:.3g}",
        "model": model.NAME,
    }
    below = _("Weeks since the last purchase; upwards: repeat purchases")
    rows, columns = [str(count) for count in counts], [f"{gap:.0f}" for gap in silent]
    return Section(title, [words], None, drawing.shades(rows, columns, values, label=title, below=below))


def _chance(model: Buying, count: int, last: float, longest: float) -> float:
    # Who never came back bought last at the beginning; the row of 0 is the same everywhere.
    return float(model.p_alive(count, max(last, longest / 1000) if count else 0.0, longest))


def _error(value: float | None) -> str:
    return "?" if value is None else f"{value:.2g}"


def _share(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:+.1f} %"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.4f}"
