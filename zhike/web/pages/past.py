"""A page of a past day: which kept day tells it, and the line that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.timezone import localtime
from django.utils.translation import gettext

from zhike.measure import asof
from zhike.measure.models import FactsDay
from zhike.org.middleware import StaffRequest
from zhike.ui import words

NAME = "as_of"


@dataclass(frozen=True)
class Past:
    """The day that somebody asked to see, and the kept day that tells it; None when nothing was kept by then."""

    asked: date
    kept: FactsDay | None

    @property
    def today(self) -> date:
        """The day that relative days and ages of this page count from."""
        return self.kept.day if self.kept else self.asked


def past_of(text: str, today: date) -> Past | None:
    """Return the past day that an address names; None for none, for one that cannot be read, and from today on."""
    if not text:
        return None
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        return None
    return Past(asked, asof.kept_by(asked)) if asked < today else None


def drawn(past: Past | None, address: str, given: QueryDict, today: date) -> dict[str, Any]:
    """Return the field in which a day is chosen, and for a past one the banner with the way back."""
    first = asof.first_day() if past is not None else None
    carried = [(name, value) for name, values in given.lists() for value in values if name not in _PLACE]
    query = QueryDict(mutable=True)
    for name, value in carried:
        query.appendlist(name, _without_day(value) if name == "list" else value)
    field = {
        "as_of_value": past.asked.isoformat() if past else "",
        "as_of_most": (today - timedelta(days=1)).isoformat(),
        "as_of_least": first.isoformat() if first else "",
        "as_of_carried": carried,
        "as_of_address": address,
    }
    if past is None or past.kept is None:
        return {"past": None, **field}
    back = f"{address}?{query.urlencode()}" if query else address
    return {
        "past": past,
        "past_said": _said(past, past.kept),
        "past_why": _why(past, past.kept),
        "now_url": back,
        **field,
    }


_PLACE = {NAME, "after", "before", "at"}


def _said(past: Past, kept: FactsDay) -> str:
    return gettext("You see %(day)s as it was known that morning.") % {"day": words.date_text(kept.day, None)}


def _why(past: Past, kept: FactsDay) -> str:
    if past.asked != kept.day:
        said = gettext("On %(asked)s nothing was kept; this is the nearest day before. Nothing can be changed here.")
        return said % {"asked": words.date_text(past.asked, None)}
    at = localtime(kept.computed_at)
    said = gettext("Measured %(when)s. Nothing can be changed here.")
    return said % {"when": f"{at:%Y-%m-%d %H:%M}"}


def too_early(request: StaffRequest, past: Past, address: str, query: Mapping[str, str]) -> HttpResponse:
    """Say kindly that nothing was kept by that day, and which day is the first."""
    first = asof.first_day()
    context = {
        "asked": past.asked,
        "first": first,
        "first_url": f"{address}?{_with(query, first.isoformat())}" if first else "",
        "now_url": address,
    }
    return render(request, "web/too_early.html", context)


def _without_day(given: str) -> str:
    """Return the query of a list without its day."""
    query = QueryDict(given, mutable=True)
    query.pop(NAME, None)
    return query.urlencode()


def unknown_then(request: StaffRequest, name: str, past: Past, address: str) -> HttpResponse:
    """Say that a customer was not known on that day."""
    return render(request, "web/too_early.html", {"asked": past.asked, "unknown": name, "now_url": address})


def _with(query: Mapping[str, str], day: str) -> str:
    given = QueryDict(mutable=True)
    given.update({**query, NAME: day})
    return given.urlencode()
