"""The report of `zhike lab effect` for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from zhike.measure.lab.reports import Section, Table


def sections(figures: Mapping[str, Any]) -> list[Section]:
    """Return the parts of the report: a table of effects for each outcome, and who responds."""
    parts = [_outcome(one, figures["control"]) for one in figures["outcomes"]]
    return [*parts, _responders(figures)] if figures["responders"] else parts


def _outcome(found: Mapping[str, Any], control: str) -> Section:
    rate = found["kind"] == "rate"
    words = _("%(rows)s rows of %(control)s have %(mean)s. Effects are differences from it, with 95 %% intervals.") % {
        "rows": f"{found['control_rows']:,}",
        "control": control,
        "mean": _level(found["control_mean"], rate=rate),
    }
    rows = [
        [
            one["arm"],
            f"{one['rows']:,}",
            _level(one["mean"], rate=rate),
            _change(one["difference"], one["low"], one["high"], rate=rate),
            _relative(one),
            "—" if one["z"] is None else f"{one['z']:.2f}",
            _("yes") if one["proven"] else _("no"),
        ]
        for one in found["effects"]
    ]
    level = _("Rate") if rate else _("Mean")
    head = [_("Treatment"), _("Rows"), level, _("Effect"), _("Relative effect"), "z", _("Proven")]
    return Section(found["outcome"], [words], Table(head, rows))


def _responders(figures: Mapping[str, Any]) -> Section:
    rows = [
        [
            f"{one['outcome']}: {one['arm']}",
            f"{one['qini']:.4f}",
            *("—" if one[key] is None else f"{100 * one[key]:+.2f}" for key in ("uplift_at_10", "uplift_at_30")),
        ]
        for one in figures["responders"]
    ]
    said = _(
        "Rows ranked by models that have not seen them. Qini is 0 for any order; effects are in percentage points."
    )
    head = [_("Treatment"), "Qini", _("Effect, first tenth"), _("Effect, first three tenths")]
    return Section(_("Who responds"), [said], Table(head, rows))


def _level(value: float | None, *, rate: bool) -> str:
    if value is None:
        return "—"
    return f"{100 * value:.2f} %" if rate else f"{value:,.4g}"


def _change(value: float, low: float, high: float, *, rate: bool) -> str:
    if rate:
        return f"{100 * value:+.2f} ({100 * low:+.2f} … {100 * high:+.2f})"
    return f"{value:+,.4g} ({low:+,.4g} … {high:+,.4g})"


def _relative(one: Mapping[str, Any]) -> str:
    if one["relative"] is None:
        return "—"
    low, high = one["relative_low"], one["relative_high"]
    return f"{100 * one['relative']:+.1f} % ({100 * low:+.1f} … {100 * high:+.1f} %)"
