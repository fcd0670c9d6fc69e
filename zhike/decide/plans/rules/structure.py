"""From plain values to the typed document; pydantic's complaints become sentences with a place."""

from __future__ import annotations

import difflib
import json
import reprlib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from zhike.decide.plans.rules.problems import PlanErrors, Problem
from zhike.decide.plans.rules.schema import Document
from zhike.decide.plans.rules.shape import model_at, normalised
from zhike.decide.plans.rules.source import MOST_PROBLEMS, Loc, Source, path_of
from zhike.kit.refusal import gettext_noop as _


def typed(source: Source) -> Document:
    """Return the document. Raises PlanErrors with every place that does not fit the schema."""
    plain = json.dumps(normalised(source.data, Document))
    try:
        # As JSON in strict mode: no text is taken for a number, and days may still be written as texts.
        return Document.model_validate_json(plain, strict=True)
    except ValidationError as error:
        complaints = error.errors(include_url=False)[:MOST_PROBLEMS]
    problems = [_problem(complaint, source) for complaint in complaints]
    raise PlanErrors(list({(each.line, each.path, each.message): each for each in problems}.values()))


def _problem(complaint: Mapping[str, Any], source: Source) -> Problem:
    loc: Loc = tuple(step for step in complaint["loc"] if step != "[key]")
    about_name = complaint["loc"][-1:] == ("[key]",)
    kind = str(complaint["type"])
    message, details = _sentence(kind, complaint, loc)
    if kind == "missing" or kind == "extra_forbidden" or about_name:
        place = source.key_place(loc if kind != "missing" else loc[:-1])
    else:
        loc = _as_written(loc, source)
        place = source.place(loc)
    return Problem(*place, path_of(loc), message, {"path": path_of(loc) or "plan", **details})


def _as_written(loc: Loc, source: Source) -> Loc:
    """Return the place without the step into words that were written in short form."""
    return loc[:-1] if loc[-1:] in (("zh",), ("en",)) and isinstance(source.at(loc[:-1]), str) else loc


def _sentence(kind: str, complaint: Mapping[str, Any], loc: Loc) -> tuple[str, dict[str, object]]:
    """Return the sentence and its details for one complaint of pydantic."""
    context: Mapping[str, Any] = complaint.get("ctx", {})
    value = shown(complaint.get("input"))
    if kind == "missing":
        return MISSING, {"key": loc[-1]}
    if kind == "extra_forbidden":
        return _unknown_key(loc)
    if kind == "literal_error":
        return NOT_ONE_OF, {"value": value, "allowed": _listed(context["expected"])}
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(str(context["pattern"]), OTHER_VALUE), {"value": value}
    if kind == "value_error":
        return _said(str(context["error"])), {"value": value}
    if kind in LIMITS:
        message, name = LIMITS[kind]
        return message, {"limit": context[name], "value": value}
    return next((message for start, message in TYPES.items() if kind.startswith(start)), OTHER_VALUE), {"value": value}


def _unknown_key(loc: Loc) -> tuple[str, dict[str, object]]:
    model = model_at(Document, loc[:-1])
    allowed = list(model.model_fields) if model else []
    near = difflib.get_close_matches(str(loc[-1]), allowed, n=1)
    if near:
        return MISSPELT_KEY, {"key": loc[-1], "suggestion": near[0]}
    return UNKNOWN_KEY, {"key": loc[-1], "allowed": ", ".join(allowed)}


def _said(reason: str) -> str:
    """Return the sentence for a reason that a model of the schema gives."""
    return next((message for part, message in REASONS.items() if part in reason), OTHER_VALUE)


def _listed(expected: str) -> str:
    return expected.replace("'", "").replace(" or ", ", ")


class _Short(reprlib.Repr):
    maxstring = maxother = 60
    maxdict = maxlist = 3


def shown(value: object) -> str:
    """Return a value short enough for a sentence, as YAML would write it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if len(value) <= 60 else f"{value[:57]}…"
    return _Short().repr(value)


MISSING = _("%(path)s: %(key)s is missing.")
UNKNOWN_KEY = _("%(path)s: there is no %(key)s here; allowed: %(allowed)s.")
MISSPELT_KEY = _("%(path)s: there is no %(key)s here; did you mean %(suggestion)s?")
NOT_ONE_OF = _("%(path)s: %(value)s is not allowed; choose one of %(allowed)s.")
OTHER_VALUE = _("%(path)s: %(value)s does not fit here.")
NOT_EMPTY = _("%(path)s: this may not be empty.")

PATTERNS = {
    r"^[a-z][a-z0-9_]{0,39}$": _(
        "%(path)s: a key has 1 to 40 lower-case letters, digits and _ and begins with a letter, unlike %(value)s."
    ),
    r"^[A-Z]{3}$": _("%(path)s: a currency code like CNY is needed, not %(value)s."),
    r"\S": NOT_EMPTY,
    r"^-?[a-z][a-z0-9_]*$": _("%(path)s: the name of a fact is needed, with - in front for descending, not %(value)s."),
}

TYPES = {
    "int": _("%(path)s: a whole number is needed, not %(value)s."),
    "float": _("%(path)s: a number is needed, not %(value)s."),
    "decimal": _("%(path)s: a number is needed, not %(value)s."),
    "finite": _("%(path)s: a number is needed, not %(value)s."),
    "bool": _("%(path)s: true or false is needed, not %(value)s."),
    "string": _("%(path)s: a text is needed, not %(value)s; put numbers in quotes."),
    "list": _("%(path)s: a list is needed, not %(value)s."),
    "model": _("%(path)s: a section of names and values is needed, not %(value)s."),
    "dict": _("%(path)s: a section of names and values is needed, not %(value)s."),
    "date": _("%(path)s: a date like 2026-03-31 is needed, not %(value)s."),
}

LIMITS = {
    "greater_than_equal": (_("%(path)s: at least %(limit)s is needed, not %(value)s."), "ge"),
    "greater_than": (_("%(path)s: more than %(limit)s is needed, not %(value)s."), "gt"),
    "less_than_equal": (_("%(path)s: at most %(limit)s is allowed, not %(value)s."), "le"),
    "less_than": (_("%(path)s: less than %(limit)s is needed, not %(value)s."), "lt"),
    "too_short": (_("%(path)s: at least %(limit)s entries are needed."), "min_length"),
    "too_long": (_("%(path)s: at most %(limit)s entries are allowed."), "max_length"),
    "string_too_short": (_("%(path)s: at least %(limit)s characters are needed."), "min_length"),
    "string_too_long": (_("%(path)s: at most %(limit)s characters are allowed."), "max_length"),
}

# What the models of the schema raise, here and in measure.specs, and how a person is told.
REASONS = {
    "words in zh or en": _("%(path)s: words are needed, in zh, in en, or as one plain text."),
    "either every_days, or times with per": _("%(path)s: write either every_days, or times together with per."),
    "exactly one sign": _(
        "%(path)s: exactly one of health_drop, silence, usage_drop, logins_drop, renewal_due, churn_likely and rule "
        "is needed."
    ),
    "either after_days or after_workdays": _("%(path)s: write either after_days or after_workdays."),
    "needs four rising numbers": _(
        "%(path)s: with scores: bounds, recency_bounds, frequency_bounds and monetary_bounds each need "
        "four rising numbers, for the scores 1 to 5."
    ),
    "zero_at and full_at must differ": _("%(path)s: zero_at and full_at must differ."),
    "warning_from must lie below": _("%(path)s: warning_from must lie below healthy_from."),
    "at least one part": _("%(path)s: at least one part is needed."),
}
