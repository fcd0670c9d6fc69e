"""`zhike lab clv`: what models of customer value find in a file of purchases, and how well they would have forecast."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from zhike.kit.refusal import Place, Refusal
from zhike.measure.clv import BetaGeo, Caution, GammaGamma, ModifiedBetaGeo, ParetoNBD
from zhike.measure.clv.histories import Floats
from zhike.measure.clv.holdouts import by_frequency as mean_by_frequency
from zhike.measure.clv.holdouts import constant_rate, errors, expected_track, sizes_by_frequency, tracked
from zhike.measure.clv.summaries import DAYS_A_WEEK, Summary, summarise
from zhike.measure.lab import purchases, showing, worth
from zhike.measure.lab.reports import Report, Warned

HELP = "fit models of customer value, and hold them to what happened after --calibration-end"
Buying = BetaGeo | ParetoNBD
KEYS: dict[str, type[Buying]] = {"bgnbd": BetaGeo, "mbgnbd": ModifiedBetaGeo, "pareto_nbd": ParetoNBD}
YOUNG = 4.0  # Weeks.
MOST_WEEKS = 520


class NoHoldout(Refusal):
    message = gettext_lazy("The calibration ends on %(end)s, but the purchases go from %(first)s to %(last)s.")


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of the fits: the models that hold, and what is to be said of them and of the others."""

    summary: Summary
    models: dict[str, Buying]
    spend: GammaGamma | None
    weeks: float
    """How long the holdout is; 0 without one."""

    @property
    def best(self) -> str | None:
        """The key of the model with the highest likelihood; all have four parameters."""
        return max(self.models, key=lambda key: self.models[key].log_likelihood, default=None)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    purchases.add_arguments(parser)
    parser.add_argument(
        "--calibration-end", type=purchases.day, metavar="DATE", help="fit up to this day, hold to what comes after"
    )
    parser.add_argument("--until", type=purchases.day, metavar="DATE", help="last day observed (that of the file)")
    parser.add_argument(
        "--horizon-weeks", type=_weeks, default=156.0, metavar="WEEKS", help="how far ahead money is counted (156)"
    )
    parser.add_argument(
        "--discount", type=_rate, default=0.1, metavar="RATE", help="a year, such as 0.1 for 10%% (0.1)"
    )


def _weeks(text: str) -> float:
    return _number_within(text, 1, 5200)


def _rate(text: str) -> float:
    return _number_within(text, 0, 10)


def _number_within(text: str, least: float, most: float) -> float:
    """Return a number given as an option; argparse shows the complaint."""
    try:
        found = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from error
    if not least <= found <= most:
        raise argparse.ArgumentTypeError(f"{text} is not from {least:g} to {most:g}")
    return found


def run(options: Mapping[str, Any]) -> Report:
    bought = purchases.read(options)
    until = options["until"] or bought.last_day
    end = options["calibration_end"] or until
    first = date.fromordinal(int(bought.day.min()))
    if not first <= end <= until:
        raise NoHoldout(place=Place(file=options["file"].name), end=end, first=first, last=until)
    given = bought.amount >= 0
    warnings = [*bought.warnings, *_returns(int((~given).sum()), options["amount"])]
    summary = summarise(
        bought.who[given],
        bought.day[given],
        bought.amount[given],
        until=until.toordinal(),
        calibration_end=end.toordinal(),
    )
    if not len(summary.who):
        raise purchases.OnlyReturns(
            place=Place(file=options["file"].name), name=options["file"].name, end=end, amount=options["amount"]
        )
    fitted, said = fit(summary, (until - end).days / DAYS_A_WEEK, options["amount"])
    warnings += [*said, *_doubts(summary, options["date"])]
    figures = _figures(bought.rows, fitted, first, end, until)
    figures["value"] = worth.value(fitted, bought.customers, options["horizon_weeks"], options["discount"])
    return Report(_("Customer value"), figures, showing.sections(fitted, figures), list(dict.fromkeys(warnings)))


def fit(summary: Summary, weeks: float, amount: str) -> tuple[Fitted, list[Warned]]:
    """Fit every model; one that the data do not carry becomes a warning with its sentence."""
    models: dict[str, Buying] = {}
    warnings: list[Warned] = []
    for key, kind in KEYS.items():
        try:
            models[key] = kind().fit(summary.x, summary.t_x, summary.T, limits=True)
        except Refusal as refusal:
            warnings.append(_refused(refusal, ""))
        else:
            warnings += [_told(caution, amount) for caution in models[key].cautions]
    spend = None
    paid = (summary.x > 0) & (summary.mean_spend > 0)
    try:
        spend = GammaGamma().fit(summary.x[paid], summary.mean_spend[paid], limits=True)
    except Refusal as refusal:
        warnings.append(_refused(refusal, amount))
    else:
        warnings += [_told(caution, amount) for caution in spend.cautions]
    return Fitted(summary, models, spend, weeks), warnings


def _refused(refusal: Refusal, column: str) -> Warned:
    kinds = {"FewRepeatBuyers": "few_repeat_buyers", "RunsAway": "parameter_at_bound", "NoHistories": "no_spend"}
    said = _(str(refusal.message)) % refusal.details
    return Warned(kinds.get(type(refusal).__name__, "not_fitted"), column, said)


def _told(caution: Caution, amount: str) -> Warned:
    return Warned(caution.kind, amount if caution.column else "", _(caution.message) % caution.details)


def _returns(count: int, column: str) -> list[Warned]:
    if not count:
        return []
    said = ngettext(
        "%(count)d row with a negative amount is taken as a return and is no purchase.",
        "%(count)d rows with a negative amount are taken as returns and are no purchases.",
        count,
    )
    return [Warned("returns", column, said % {"count": count})]


def _doubts(summary: Summary, column: str) -> list[Warned]:
    found = []
    if len(summary.T) and np.ptp(summary.T) == 0:
        said = _("All customers began on the same day: whether later ones are alike cannot be told.")
        found.append(Warned("same_age", column, said))
    if len(summary.T) and float(summary.T.max()) < YOUNG:
        said = _("Nobody was watched for four weeks: a forecast from so little rests on the model alone.")
        found.append(Warned("short", column, said))
    return found


def _figures(rows: int, fitted: Fitted, first: date, end: date, until: date) -> dict[str, Any]:
    summary = fitted.summary
    return {
        "unit": "week",
        "rows": rows,
        "customers": len(summary.x),
        "repeaters": int((summary.x > 0).sum()),
        "repeat_purchases": int(summary.x.sum()),
        "calibration": {"from": first.isoformat(), "until": end.isoformat()},
        **{key: _parameters(fitted.models.get(key)) for key in KEYS},
        "gamma_gamma": _parameters(fitted.spend),
        "best": fitted.best,
        "holdout": _holdout(fitted, end, until) if fitted.weeks > 0 else None,
        "tracking": _tracking(fitted, first, until),
    }


def _parameters(model: Buying | GammaGamma | None) -> dict[str, Any] | None:
    if model is None:
        return None
    errors_of = {name: value if math.isfinite(value) else None for name, value in model.standard_errors.items()}
    return {**model.params, "log_likelihood": model.log_likelihood, "standard_errors": errors_of}


def _holdout(fitted: Fitted, end: date, until: date) -> dict[str, Any]:
    summary, weeks = fitted.summary, fitted.weeks
    forecasts: dict[str, Floats] = {
        key: model.expected_purchases(weeks, summary.x, summary.t_x, summary.T) for key, model in fitted.models.items()
    }
    forecasts["constant_rate"] = constant_rate(summary, weeks)
    best = fitted.best or "constant_rate"
    held = {key: errors(summary.later, forecast) for key, forecast in forecasts.items()}
    means = {key: mean_by_frequency(summary, values) for key, values in {"actual": summary.later, **forecasts}.items()}
    sizes = sizes_by_frequency(summary)
    names = [*map(str, range(len(sizes) - 1)), f"{len(sizes) - 1}+"]
    return {
        "after": end.isoformat(),
        "until": until.isoformat(),
        "weeks": weeks,
        "customers": len(summary.x),
        "actual": int(summary.later.sum()),
        "model": best,
        **held[best],
        "models": held,
        "by_frequency": [
            {"frequency": name, "customers": size, **{key: values[place] for key, values in means.items()}}
            for place, (name, size) in enumerate(zip(names, sizes, strict=True))
        ],
    }


def _tracking(fitted: Fitted, first: date, until: date) -> dict[str, Sequence[float]]:
    weeks = min(MOST_WEEKS, (until - first).days // DAYS_A_WEEK)
    if weeks < 1:
        return {}
    tracks = {key: expected_track(model, fitted.summary, weeks) for key, model in fitted.models.items()}
    return {"week": list(range(1, weeks + 1)), "actual": tracked(fitted.summary, weeks), **tracks}
