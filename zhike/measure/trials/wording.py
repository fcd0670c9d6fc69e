"""The result of a trial in words and figures, the same for the page and the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext

from zhike.ui import words

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """A figure of both scores, each with its interval; `better` is which of the two the figure favours, if any."""

    name: str
    meaning: str
    force: str
    draft: str


def verdict(told: Told) -> tuple[str, str]:
    """Return the look and the sentence of the verdict."""
    difference = told["better"]
    said = {
        "lost": words.plain(told["lost"]),
        "points": _points(difference["value"]),
        "low": _points(difference["low"]),
        "high": _points(difference["high"]),
    }
    match told["verdict"]:
        case "too_few":
            text = gettext("Too few customers were lost to tell: %(lost)s. Any difference here may be chance.")
            return "warn", text % said
        case "no_signal":
            text = gettext("This score does not tell who is lost any better than chance. Do not put it in force.")
            return "risk", text
        case "better":
            text = gettext(
                "The draft tells better who is lost: AUC %(points)s, with 95%% certainty %(low)s to %(high)s."
            )
            return "ok", text % said
        case "worse":
            text = gettext(
                "The draft tells worse who is lost: AUC %(points)s, with 95%% certainty %(low)s to %(high)s."
            )
            return "risk", text % said
    text = gettext("No difference can be told: AUC %(points)s, the interval %(low)s to %(high)s holds 0.")
    return "", text % said


def basis(told: Told) -> str:
    """Return what the trial rests on."""
    said = gettext(
        "%(rows)s scores of %(customers)s customers on %(days)s days from %(first)s to %(last)s; %(lost)s customers "
        "were lost within %(horizon)s days of one."
    )
    counts = {name: words.plain(told[name]) for name in ("rows", "customers", "days", "lost", "horizon")}
    days = {name: words.date_text(date.fromisoformat(told[name]), None) for name in ("first", "last")}
    return said % {**counts, **days}


def meaning(told: Told) -> str:
    """Return what being lost meant."""
    days = {"days": words.plain(told["lost_days"])}
    match told["lost_by"]:
        case "renewal":
            return gettext("lost: a contract that ended and was not renewed")
        case "orders":
            return gettext("lost: no order for %(days)s days") % days
        case "usage":
            return gettext("lost: no use for %(days)s days") % days
        case "contract":
            return gettext("lost: no contract runs any more")
    return gettext("lost: the stage churned")


def notes(told: Told) -> list[str]:
    """Return what to bear in mind."""
    found = []
    if told["unscored"]:
        said = gettext("%(count)s scores are left out because no part of one of the two scores was known.")
        found.append(said % {"count": words.plain(told["unscored"])})
    if told["late"]:
        said = gettext("%(count)s of the days were computed afterwards; what was entered late may be in their facts.")
        found.append(said % {"count": words.plain(told["late"])})
    return found


def figures(told: Told) -> list[Line]:
    """Return the figures, each for the score in force and the draft."""
    named = [
        ("auc", gettext("AUC"), gettext("how often a lost customer scored below one who stayed; 0.5 is chance"), _auc),
        ("capture", gettext("Lost in the worst tenth"), gettext("share of the lost who stood there"), _share),
        ("false_alarms", gettext("False alarms"), gettext("share of alarms after which the customer stayed"), _share),
        ("alarms", gettext("In alarm"), gettext("share of customers below the limit of high risk"), _share),
        ("warning", gettext("Days of warning"), gettext("median days in alarm before the loss"), _days),
    ]
    return [
        Line(name, meaning, _with_interval(told["force"][key], write), _with_interval(told["draft"][key], write))
        for key, name, meaning, write in named
    ]


def lines(told: Told) -> list[str]:
    """Return the whole result as lines of text."""
    head = [verdict(told)[1], basis(told), meaning(told), *notes(told), ""]
    widest = max(len(line.name) for line in figures(told))
    in_force, draft = gettext("In force"), gettext("Draft")
    rows = [f"{line.name:{widest}}  {in_force} {line.force}   {draft} {line.draft}" for line in figures(told)]
    return [*head, *rows]


def chart(told: Told) -> dict[str, Any]:
    """Return the share of lost by tenths of both scores, the worst tenth first."""
    named = (("force", gettext("In force"), "ink"), ("draft", gettext("Draft"), "accent"))
    return {
        "kind": "line",
        "unit": "%",
        "x": [str(place) for place in range(1, 11)],
        "min": 0,
        "series": [
            {
                "name": name,
                "values": [None if share is None else round(100 * share, 1) for share in told["deciles"][key]],
                "color": color,
            }
            for key, name, color in named
        ],
    }


def finding(told: Told) -> str:
    said = gettext("Of the worst tenth by the draft %(draft)s were lost, by the score in force %(force)s")
    return said % {key: _share(told["deciles"][key][0]) for key in ("draft", "force")}


def _with_interval(figure: Mapping[str, float | None], write: Any) -> str:
    if figure["value"] is None:
        return "—"
    if figure["low"] is None:
        return str(write(figure["value"]))
    return f"{write(figure['value'])} ({write(figure['low'])}–{write(figure['high'])})"


def _auc(value: float) -> str:
    return f"{value:.3f}"


def _share(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f}%"


def _days(value: float) -> str:
    return words.plain(round(value))


def _points(value: float | None) -> str:
    return "—" if value is None else f"{value:+.3f}".replace("-", "−")
