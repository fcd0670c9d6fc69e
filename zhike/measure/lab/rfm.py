"""`zhike lab rfm`: the product's own RFM scores of a file of purchases, their spread, and segments of customers."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from zhike.kit.refusal import Place, Refusal
from zhike.measure import rfm
from zhike.measure.lab import drawing, purchases
from zhike.measure.lab.reports import Report, Section, Table, Warned
from zhike.measure.lake import Engine
from zhike.measure.reading import Morning
from zhike.measure.specs import RfmSpec

HELP = "score customers by recency, frequency and money, as the product does"
HIGH = 4
SCORES = {"recency": "r_score", "frequency": "f_score", "monetary": "m_score"}
VALUES = {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary"}
# High money or not, then: recent and often, recent, often, neither.
SEGMENTS = {
    (True, True, True): ("core", gettext_lazy("important, keep")),
    (True, False, True): ("develop", gettext_lazy("important, develop")),
    (False, True, True): ("revive", gettext_lazy("important, bring back")),
    (False, False, True): ("rescue", gettext_lazy("important, rescue")),
    (True, True, False): ("frequent", gettext_lazy("ordinary, raise the spend")),
    (True, False, False): ("new", gettext_lazy("ordinary, new or occasional")),
    (False, True, False): ("fading", gettext_lazy("ordinary, fading")),
    (False, False, False): ("lost", gettext_lazy("ordinary, gone")),
}


class DayBeforePurchases(Refusal):
    message = gettext_lazy("The day %(day)s is before the first purchase, on %(first)s.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    purchases.add_arguments(parser)
    parser.add_argument(
        "--today", type=purchases.day, metavar="DATE", help="the morning of this day (after the file's last)"
    )


def run(options: Mapping[str, Any]) -> Report:
    bought = purchases.read(options)
    today = options["today"] or bought.last_day + timedelta(days=1)
    first = date.fromordinal(int(bought.day.min()))
    if today <= first:
        raise DayBeforePurchases(place=Place(file=options["file"].name), day=today, first=first)
    rows = scored(wide(bought, today), today)
    if not rows.num_rows:
        name = options["file"].name
        raise purchases.OnlyReturns(place=Place(file=name), name=name, end=today, amount=options["amount"])
    segments = _segments(rows)
    figures = {
        "rows": bought.rows,
        "today": today.isoformat(),
        "customers": rows.num_rows,
        "scores": {name: _spread(rows, name) for name in SCORES},
        "rfm": _cells(rows),
        "segments": segments,
    }
    return Report(_("RFM"), figures, _sections(figures), [*bought.warnings, *_doubts(rows, options)])


def wide(bought: purchases.Purchases, today: date) -> pa.Table:
    """Return what the product's scores are computed from: last day, purchases (days with one) and money by customer.

    Rows of a negative amount are returns: they lessen the money and are no purchases. Rows of `today` and later and
    customers without a purchase are left out.
    """
    seen = bought.day < today.toordinal()
    who, day, amount = bought.who[seen], bought.day[seen], bought.amount[seen]
    size = len(bought.customers)
    paid = amount >= 0
    last = np.full(size, -1, dtype=np.int64)
    np.maximum.at(last, who[paid], day[paid])
    # A customer's day as one number: one sort of those finds the different ones.
    begin = int(day.min()) if len(day) else 0
    span = int(day.max()) - begin + 1 if len(day) else 1
    days = np.sort(who[paid] * span + (day[paid] - begin))
    new = np.ones(len(days), dtype=bool)
    new[1:] = days[1:] != days[:-1]
    times = np.bincount(days[new] // span, minlength=size)
    money = np.round(np.bincount(who, weights=amount, minlength=size), 2)
    known = np.flatnonzero(last >= 0)
    epoch = date(1970, 1, 1).toordinal()
    return pa.table(
        {
            "customer_id": pa.array(known, pa.int64()),
            "seen_last": pa.array((last[known] - epoch).astype(np.int32), pa.int32()).cast(pa.date32()),
            "seen_times": pa.array(times[known], pa.int64()),
            "money_window": pa.array(money[known], pa.float64()).cast(pa.decimal128(18, 2), safe=False),
        }
    )


def scored(table: pa.Table, today: date) -> pa.Table:
    """Return the scores of `zhike.measure.rfm`, by fifths."""
    with tempfile.TemporaryDirectory(prefix="zhike-lab-") as folder:
        place = Path(folder)
        with Engine(lake=place / "lake", temporary=place / "temporary", memory_mb=1024, threads=2) as engine:
            return rfm.score(engine, table, RfmSpec(), Morning(today, ZoneInfo(str(UTC))))


def _column(rows: pa.Table, name: str) -> Any:
    return rows[name].cast(pa.float64()).to_numpy()


def _spread(rows: pa.Table, name: str) -> list[dict[str, float]]:
    score, value = _column(rows, SCORES[name]), _column(rows, VALUES[name])
    found = []
    for step in range(1, 6):
        here = value[score == step]
        bounds = {"from": float(here.min()), "to": float(here.max())} if len(here) else {}
        found.append({"score": step, "customers": len(here), **bounds})
    return found


def _cells(rows: pa.Table) -> dict[str, int]:
    names, counts = np.unique(rows["rfm"].to_numpy(zero_copy_only=False).astype(str), return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}


def _segments(rows: pa.Table) -> list[dict[str, Any]]:
    high = [_column(rows, score) >= HIGH for score in SCORES.values()]
    days, times, money = (_column(rows, value) for value in VALUES.values())
    total = money.sum()
    found = []
    for wanted, (key, _name) in SEGMENTS.items():
        here = (high[0] == wanted[0]) & (high[1] == wanted[1]) & (high[2] == wanted[2])
        size = int(here.sum())
        found.append(
            {
                "segment": key,
                "customers": size,
                "share": size / max(1, len(here)),
                "monetary": float(money[here].sum()),
                "monetary_share": float(money[here].sum() / total) if total else None,
                "recency_days": float(days[here].mean()) if size else None,
                "frequency": float(times[here].mean()) if size else None,
            }
        )
    return found


def _doubts(rows: pa.Table, options: Mapping[str, Any]) -> list[Warned]:
    columns = {"recency": options["date"], "frequency": options["customer"], "monetary": options["amount"]}
    said = _("All customers have the same score for %(what)s: it tells nobody apart.")
    words = {"recency": _("recency"), "frequency": _("frequency"), "monetary": _("money")}
    return [
        Warned("no_difference", columns[name], said % {"what": words[name]})
        for name, score in SCORES.items()
        if rows.num_rows and np.ptp(_column(rows, score)) == 0
    ]


def _sections(figures: Mapping[str, Any]) -> list[Section]:
    words = {"recency": _("Recency (days)"), "frequency": _("Frequency (purchases)"), "monetary": _("Money")}
    said = _("%(customers)s customers as of the morning of %(day)s; 5 is best. Customers alike have the same score.")
    head = [_("Score"), *(title for name in SCORES for title in (words[name], _("Customers")))]
    spreads = [figures["scores"][name] for name in SCORES]
    rows = []
    for step in range(5, 0, -1):
        here = [spread[step - 1] for spread in spreads]
        rows.append([str(step), *(cell for one in here for cell in (_range(one), f"{one['customers']:,}"))])
    spread = Section(
        _("Scores"),
        [said % {"customers": f"{figures['customers']:,}", "day": figures["today"]}],
        Table(head, rows),
        drawing.bars(
            [str(step) for step in range(1, 6)],
            {words[name]: [one["customers"] for one in figures["scores"][name]] for name in SCORES},
            label=_("Scores"),
            below=_("Customers by score"),
        ),
    )
    return [spread, _segment_section(figures["segments"])]


def _segment_section(segments: list[dict[str, Any]]) -> Section:
    names = {key: str(name) for key, name in SEGMENTS.values()}
    head = [_("Segment"), _("Customers"), _("Share"), _("Money"), _("Share of money")]
    rows = [
        [
            names[one["segment"]],
            f"{one['customers']:,}",
            f"{100 * one['share']:.1f} %",
            f"{one['monetary']:,.0f}",
            "—" if one["monetary_share"] is None else f"{100 * one['monetary_share']:.1f} %",
        ]
        for one in segments
    ]
    said = _("A score of 4 or 5 is high. Important are customers with high money.")
    return Section(_("Segments"), [said], Table(head, rows))


def _range(spread: Mapping[str, float]) -> str:
    if "from" not in spread:
        return "—"
    low, high = f"{spread['from']:,.0f}", f"{spread['to']:,.0f}"
    return low if low == high else f"{low} – {high}"
