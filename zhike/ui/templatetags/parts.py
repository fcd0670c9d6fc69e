"""The parts of ui.md §6 as template tags, built in to every template.

Tags draw what they are given: bands, ranks and names are decided by the caller, nothing here compares scores. They are
simple tags over format_html, because a list page calls several hundred of them.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField, Form
from django.http import HttpRequest
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from zhike.ui import drawing, fields, words
from zhike.ui.channels import CHANNELS, OTHER
from zhike.ui.charts import chart_html
from zhike.ui.markup import format_html

log = logging.getLogger(__name__)
register = template.Library()

BANDS = {"ok", "warn", "risk"}
DIRECTIONS = {"good", "bad"}
NOTHING = SafeString("")
DASH = SafeString('<span class="faint">—</span>')


class FigureError(ValueError):
    """A figure was shown without a unit or without anything to compare it with (ui.md §2, principle 3)."""


def _band(band: object) -> str:
    return str(band) if band in BANDS else ""


def _number(value: object) -> str:
    return f"{float(str(value)):g}"


@register.simple_tag
def health(score: float | Decimal | None, band: str = "", delta: float | Decimal | None = None) -> SafeString:
    """Draw a health score: shape, number and colour; `band` is ok, warn or risk as the server decided."""
    if score is None:
        return DASH
    return _health(f"{score:.0f}", _band(band), None if delta is None else round(delta))


@lru_cache(maxsize=2048)
def _health(shown: str, band: str, change: int | None) -> SafeString:
    if change is None:
        return format_html('<span class="health" data-b="{}">{}</span>', band, shown)
    meaning = "good" if change > 0 else "bad" if change < 0 else ""
    html = '<span class="health" data-b="{}">{} <span class="delta" data-d="{}">{}</span></span>'
    return format_html(html, band, shown, meaning, words.signed(change))


@register.simple_tag
def delta(value: float | Decimal | None, meaning: str = "", unit: str = "") -> SafeString:
    """Draw a change with its sign; `meaning` is good, bad or nothing, for fewer complaints are good."""
    if value is None:
        return NOTHING
    meaning = meaning if meaning in DIRECTIONS else ""
    return format_html('<span class="delta" data-d="{}">{}{}</span>', meaning, words.signed(value), unit)


@register.simple_tag
def tier(key: str, name: str, rank: int = 4) -> SafeString:
    """Draw a tier; `rank` 1 is the highest and 4 stands for every lower one."""
    return _ranked('<span class="tier" data-t="{}" data-key="{}">{}</span>', key, str(name), rank)


@register.simple_tag
def life(key: str, name: str, position: int = 1) -> SafeString:
    """Draw a lifecycle stage: how far along, from 1 to 4, then the word."""
    return _ranked('<span class="life" data-s="{}" data-stage="{}">{}</span>', key, str(name), position)


@lru_cache(maxsize=512)
def _ranked(html: str, key: str, name: str, rank: int) -> SafeString:
    return format_html(html, min(max(rank, 1), 4), key, name) if name else DASH


@register.simple_tag
def spark(
    series: Sequence[object] | None,
    band: str = "",
    target: float | None = None,
    width: int = 64,
    height: int = 20,
    label: str = "",
) -> SafeString:
    """Draw a sparkline; numbers that are missing leave a gap. With a `label` it is announced, otherwise silent."""
    look = band if band == "acc" else _band(band)
    return _spark(drawing.as_series(series or ()), look, target, width, height, label)


@lru_cache(maxsize=4096)
def _spark(series: drawing.Series, look: str, target: float | None, width: int, height: int, label: str) -> SafeString:
    path, x, y, line = drawing.spark_path(series, width, height, target)
    if not path:
        return format_html('<span class="spark sized" style="--w:{}px"></span>', width)
    goal = format_html('<path class="tgt" d="M0 {}H{}"/>', line, width) if line else NOTHING
    voice = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    size = NOTHING if width == 64 and height == 20 else format_html(' style="--w:{}px;--h:{}px"', width, height)
    html = '<svg class="spark {}" viewBox="0 0 {} {}"{} {}>{}<path d="{}"/><circle cx="{}" cy="{}" r="1.8"/></svg>'
    return format_html(html, look, width, height, size, voice, goal, path, x, y)


@register.simple_tag
def meter(value: float, target: float | None = None, band: str = "", label: str = "") -> SafeString:
    """Draw a value from 0 to 100 as a bar, with a black tick at the goal. With a `label` it is announced."""
    tick = NOTHING if target is None else format_html(";--t:{}", _number(min(max(target, 0), 100)))
    voice: SafeString = SafeString('aria-hidden="true"')
    if label:
        html = 'role="meter" aria-label="{}" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{}"'
        voice = format_html(html, label, _number(value))
    look = band if band == "grey" else _band(band)
    return format_html('<span class="meter {}" style="--v:{}{}" {}></span>', look, _number(value), tick, voice)


@register.simple_tag
def sla(text: str, band: str, share: float, label: str, deadline: str = "", warn: int = 0, risk: int = 0) -> SafeString:
    """Draw a clock: text, share of time left (0–100) and what it counts.

    With `deadline` (ISO time) ui.js counts down and changes the band at `warn` and `risk` seconds left.
    """
    clock = NOTHING
    if deadline:
        clock = format_html(' data-deadline="{}" data-warn="{}" data-risk="{}"', deadline, warn, risk)
    bar = '<span class="meter {0}" style="--v:{3}"></span>'
    html = '<span class="sla" data-b="{0}"{1}><b>{2}</b>' + bar + "<span>{4}</span></span>"
    return format_html(html, _band(band), clock, text, _number(share), label)


@register.simple_tag
def money(amount: Decimal | float | None, currency: str) -> SafeString:
    """Write an amount in its own currency, as the language of the page writes money."""
    if amount is None:
        return DASH
    return words.money(amount, currency)


@register.simple_tag(takes_context=True)
def ago(context: Context, day: date | None) -> SafeString:
    """Write a day or moment relative to the `today` that the page gives."""
    if day is None:
        return DASH
    return moment(day, context.get("today"))


def moment(day: date, today: date | None) -> SafeString:
    """Return a day or moment relative to the day that a page tells of."""
    return _ago(*words.told(day, today))


@lru_cache(maxsize=8192)
def _ago(machine: str, title: str, shown: str) -> SafeString:
    return format_html('<time class="nowrap" datetime="{}" title="{}">{}</time>', machine, title, shown)


@register.simple_tag(takes_context=True)
def who(context: Context, person: Any) -> SafeString:
    """Draw a colleague: initials and name, in celadon when it is the reader."""
    if not person:
        return format_html('<span class="faint">{}</span>', gettext("Nobody yet"))
    name = str(getattr(person, "name", "") or person)
    return _who(name, person == context.get("staff"))


@lru_cache(maxsize=1024)
def _who(name: str, me: bool) -> SafeString:
    html = '<span class="who"><span class="ava{}" aria-hidden="true">{}</span>{}</span>'
    return format_html(html, " me" if me else "", words.initials(name), name)


@register.simple_tag
def channel(key: str, style: str = "") -> SafeString:
    """Draw a channel as icon and word; `style` "icon" leaves the word to screen readers and the title."""
    return _channel(key, style, get_language())


@lru_cache(maxsize=256)
def _channel(key: str, style: str, language: str | None) -> SafeString:
    # The language is part of the key: the name reads differently in each.
    icon, name = CHANNELS.get(key, OTHER)
    if style == "icon":
        drawn = '<i class="i i-{1}" aria-hidden="true"></i><span class="sr">{0}</span>'
        return format_html('<span class="ch" title="{0}">' + drawn + "</span>", name, icon)
    return format_html('<span class="ch"><i class="i i-{} s" aria-hidden="true"></i>{}</span>', icon, name)


@register.simple_tag
def chg(old: object, new: object) -> SafeString:
    """Show that a draft differs from what is live."""
    arrow = format_html('<span class="faint" aria-hidden="true">→</span><span class="sr">{}</span>', gettext("becomes"))
    return format_html('<span class="chg"><s>{}</s>{}<b>{}</b></span>', old, arrow, new)


def _is_bare(value: object) -> bool:
    """Say whether a value is a mere number, which needs a unit beside it."""
    return (
        isinstance(value, int | float | Decimal) or str(value).replace(",", "").replace(".", "").strip("−-+").isdigit()
    )


def _missing(given: Mapping[str, Any]) -> str:
    if not given.get("comparison"):
        return "comparison"
    return "unit" if _is_bare(given.get("value")) and not given.get("unit") else ""


def _as_mapping(kpi: object, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(kpi, Mapping):
        return {**kpi, **given}
    names = ("label", "value", "unit", "comparison", "band")
    return {**{name: getattr(kpi, name, "") for name in names if kpi is not None}, **given}


@register.simple_tag
def figure(kpi: object = None, **given: Any) -> SafeString:
    """Draw one cell of `dl.cells`: label, value with unit, comparison.

    Takes a mapping or object with `label, value, unit, comparison, band`, or the same by keyword. A value without a
    unit, or without anything to compare it with, is refused in development and logged in production.
    """
    facts = _as_mapping(kpi, given)
    lacking = _missing(facts)
    if lacking:
        if settings.DEBUG:
            raise FigureError(f"Figure “{facts.get('label')}” has no {lacking}.")
        log.error("figure without %s: %s", lacking, facts.get("label"))
    value = facts.get("value")
    shown = words.plain(value) if isinstance(value, int | float | Decimal) else value
    unit = format_html('<span class="unit">{}</span>', facts["unit"]) if facts.get("unit") else NOTHING
    html = '<div><dt>{}</dt><dd class="v {}">{}{}</dd><dd class="c" title="{}">{}</dd></div>'
    band, comparison = _band(facts.get("band")), facts.get("comparison", "")
    return format_html(html, facts.get("label", ""), band, shown, unit, fields.bare_text(comparison), comparison)


@register.simple_tag(name="num")
def num_tag(number: float | Decimal | None) -> str:
    """Write a number; from 100,000 in 万 and 亿, or K and M."""
    return DASH if number is None else words.short(number)


@register.filter(name="num")
def num_filter(number: float | Decimal | None) -> str:
    """The same as the tag, for use inside other tags."""
    return DASH if number is None else words.short(number)


@register.filter
def initials(name: str) -> str:
    """Return the character or two that stand in for a face."""
    return words.initials(str(name))


@register.simple_tag
def field(bound: BoundField, help_text: str = "", width: str = "") -> SafeString:
    """Draw a form field: label, control, help and error, tied together for screen readers."""
    return fields.field_html(bound, help_text, width)


@register.simple_tag
def form_errors(form: Form) -> SafeString:
    """Draw what is wrong with a form as a whole."""
    return fields.form_errors_html(form)


@register.simple_tag
def chart(chart_id: str, data: Mapping[str, Any], label: str, height: int = 180) -> SafeString:
    """Draw a chart: a box for ECharts, its data as JSON and the same figures as a table (see zhike.ui.charts)."""
    return chart_html(chart_id, data, label, height)


def _request(context: Context) -> HttpRequest | None:
    request = getattr(context, "request", None) or context.get("request")
    return request if isinstance(request, HttpRequest) else None


@register.simple_tag(takes_context=True)
def trace(context: Context) -> str:
    """Return what the log calls this request, for the pages of errors."""
    return str(context.get("trace_id") or getattr(_request(context), "trace", ""))


@register.simple_tag(takes_context=True)
def theme_attribute(context: Context) -> SafeString:
    """Write `data-theme` when the reader has chosen light or dark; absent means as the system has it."""
    request, chosen = _request(context), getattr(context.get("staff"), "theme", "")
    if not chosen and request:
        chosen = request.COOKIES.get("zhike-theme", "")
    return format_html(' data-theme="{}"', chosen) if chosen in {"light", "dark"} else NOTHING


@register.simple_tag
def html_lang() -> str:
    """Return the page's language as browsers know it."""
    return "zh-CN" if words.language() == "zh" else (get_language() or "en")
