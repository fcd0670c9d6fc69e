"""The report of `zhike lab text` for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from zhike.measure.lab import drawing
from zhike.measure.lab.reports import Section, Table

MOST_OF_GRID = 10


def sections(figures: Mapping[str, Any]) -> list[Section]:
    """Return the parts of the report: the answer, confidence, labels, confusions, learning."""
    return [
        _basis(figures),
        _confidence(figures),
        _labels(figures),
        _confusions(figures),
        _learning(figures),
    ]


def percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:.1f} %"


def _basis(figures: Mapping[str, Any]) -> Section:
    learnt = _("%(rows)s rows; learnt from %(learnt)s texts, %(distinct)s of them different.") % {
        "rows": f"{figures['rows']:,}",
        "learnt": f"{figures['learnt_from']:,}",
        "distinct": f"{figures['texts']:,}",
    }
    judged = (
        _("Judged on the %(count)s texts of the test file.")
        if figures["test"]
        else _("Each of %(count)s texts judged by what was learnt from others, the same text never on both sides.")
    )
    head = [_("Figure"), _("Value"), _("Compare")]
    commonest = _("%(share)s by always answering %(label)s") % {
        "share": percent(figures["majority"]["accuracy"]),
        "label": figures["majority"]["label"],
    }
    between = f"{percent(figures['accuracy_low'])} – {percent(figures['accuracy_high'])}"
    rows = [
        [_("Accuracy"), percent(figures["accuracy"]), f"{between}; {commonest}"],
        [_("Macro F1"), percent(figures["macro_f1"]), _("mean over the labels, each counting the same")],
        [_("Left unsure"), percent(figures["unsure_share"]), _below(figures["threshold"])],
        [
            _("Right when answered"),
            percent(figures["answered_accuracy"]),
            _("%(share)s wanted") % {"share": percent(figures["sure"])},
        ],
        [_("Calibration error"), percent(figures["ece"]), _("mean gap between stated and true confidence")],
    ]
    if figures["accuracy_any_label"] > figures["accuracy"]:
        several = [
            _("Accuracy, any label of the same text"),
            percent(figures["accuracy_any_label"]),
            _("where a text has several labels"),
        ]
        rows.insert(1, several)
    return Section(_("How well"), [learnt, judged % {"count": f"{figures['judged']:,}"}], Table(head, rows))


def _below(threshold: float | None) -> str:
    return _("no confidence is enough") if threshold is None else _("below %(share)s") % {"share": percent(threshold)}


def _confidence(figures: Mapping[str, Any]) -> Section:
    bins = figures["reliability"]
    rows = [[percent(one["stated"]), percent(one["true"]), percent(one["share"])] for one in bins]
    plot = drawing.bars(
        [f"{100 * one['stated']:.0f}" for one in bins],
        {_("Right"): [100 * one["true"] for one in bins], _("Stated"): [100 * one["stated"] for one in bins]},
        label=_("Stated confidence and share right"),
        below=_("Stated confidence, per cent"),
    )
    said = _("Of answers with a stated confidence of 0.8, eight in ten should be right.")
    return Section(_("Confidence"), [said], Table([_("Stated"), _("Right"), _("Share of texts")], rows), plot)


def _labels(figures: Mapping[str, Any]) -> Section:
    head = [_("Label"), _("Texts"), _("Precision"), _("Recall"), "F1", _("Speaks for it")]
    rows = [
        [
            one["label"],
            f"{one['rows']:,}",
            percent(one["precision"]),
            percent(one["recall"]),
            percent(one["f1"]),
            " · ".join(one["terms"]),
        ]
        for one in figures["labels"]
    ]
    return Section(_("Labels"), [], Table(head, rows))


def _confusions(figures: Mapping[str, Any]) -> Section:
    head = [_("Meant"), _("Answered"), _("Texts")]
    rows = [[one["truth"], one["answer"], f"{one['rows']:,}"] for one in figures["confusions"]]
    examples = [
        f"{one['truth']} → {one['answer']}: {text}" for one in figures["confusions"] for text in one["examples"]
    ]
    names, counts = figures["confusion"]["labels"], figures["confusion"]["counts"]
    plot = ""
    if len(names) <= MOST_OF_GRID:
        shares = [[count / max(1, sum(line)) for count in line] for line in counts]
        short = [name if len(name) <= 8 else f"{name[:7]}…" for name in names]
        plot = drawing.shades(
            short, short, shares, label=_("Meant and answered"), below=_("Answered, per cent of each line")
        )
    return Section(_("Largest confusions"), examples, Table(head, rows) if rows else None, plot)


def _learning(figures: Mapping[str, Any]) -> Section:
    curve = figures["learning_curve"]
    rows = [[f"{one['labels']:,}", percent(one["accuracy"]), percent(one["macro_f1"])] for one in curve]
    plot = drawing.bars(
        [f"{one['labels']:,}" for one in curve],
        {
            _("Accuracy"): [100 * one["accuracy"] for one in curve],
            _("Macro F1"): [100 * one["macro_f1"] for one in curve],
        },
        label=_("What more labels bring"),
        below=_("Labelled texts"),
    )
    said = _("On a fifth of the texts kept back; what the last step brought tells whether more labels are worth it.")
    return Section(
        _("What more labels bring"), [said], Table([_("Labelled texts"), _("Accuracy"), _("Macro F1")], rows), plot
    )
