"""What the customers of a file are worth: money expected within a horizon, discounted, per customer and altogether."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils.translation import gettext as _

from zhike.measure.clv.summaries import DAYS_A_WEEK
from zhike.measure.lab.reports import Section, Table
from zhike.measure.value.forecasting import discounted_for, expected_for

if TYPE_CHECKING:
    from zhike.measure.lab.clv import Fitted

TOP = 10
MARKS = (10, 25, 50, 75, 90, 95, 99)
WEEKS_A_YEAR = 365.25 / DAYS_A_WEEK


def value(fitted: Fitted, customers: Sequence[str], weeks: float, discount: float) -> dict[str, Any] | None:
    """Return the money expected of the customers within the weeks after the calibration, None without a model for it.

    By the best model and Gamma-Gamma; amounts as in the file, without a margin, discounted by `discount` a year.
    """
    if fitted.best is None or fitted.spend is None or fitted.spend.params["q"] <= 1:
        return None
    model, summary = fitted.models[fitted.best], fitted.summary
    each = fitted.spend.expected_spend(summary.x, summary.mean_spend)
    alive = model.p_alive(summary.x, summary.t_x, summary.T)
    weekly = (1 + discount) ** (1 / WEEKS_A_YEAR) - 1
    money = each * alive * discounted_for(model, weekly, weeks, summary.x, summary.T)
    orders = alive * expected_for(model, weeks, summary.x, summary.T)
    best = np.argsort(-money, kind="stable")[:TOP]
    return {
        "model": fitted.best,
        "horizon_weeks": weeks,
        "discount": discount,
        "customers": len(money),
        "total": float(money.sum()),
        "mean": float(money.mean()),
        "median": float(np.median(money)),
        "percentiles": {f"p{mark}": float(np.percentile(money, mark)) for mark in MARKS},
        "top_tenth_share": _top_tenth(money),
        "expected_purchases": float(orders.sum()),
        "top": [
            {
                "customer": customers[int(summary.who[at])],
                "value": float(money[at]),
                "p_alive": float(alive[at]),
                "expected_purchases": float(orders[at]),
                "spend": float(each[at]),
            }
            for at in best.tolist()
        ],
    }


def _top_tenth(money: np.typing.NDArray[np.float64]) -> float | None:
    """Return which share of all money the best tenth of the customers is expected to bring."""
    total = float(money.sum())
    size = max(1, len(money) // 10)
    return float(np.sort(money)[-size:].sum()) / total if total > 0 else None


def section(found: Mapping[str, Any], names: Mapping[str, str]) -> Section:
    """Return the part of the report that tells of it."""
    said = _(
        "By %(model)s and Gamma-Gamma, these customers will bring %(total)s within %(weeks)s weeks, discounted at "
        "%(rate)s a year: %(mean)s each on average, %(median)s for the one in the middle."
    ) % {
        "model": names[found["model"]],
        "total": f"{found['total']:,.0f}",
        "weeks": f"{found['horizon_weeks']:g}",
        "rate": f"{100 * found['discount']:g}%",
        "mean": f"{found['mean']:,.2f}",
        "median": f"{found['median']:,.2f}",
    }
    head = [_("Customer"), _("Value"), _("Probability of being alive"), _("Expected purchases")]
    rows = [
        [
            one["customer"],
            f"{one['value']:,.2f}",
            f"{100 * one['p_alive']:.0f} %",
            f"{one['expected_purchases']:,.1f}",
        ]
        for one in found["top"]
    ]
    return Section(_("What customers are worth"), [said], Table(head, rows))
