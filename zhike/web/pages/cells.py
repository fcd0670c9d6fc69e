"""The cells of the customer table. A list page draws several hundred, so each is one call of a small function."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from html import escape
from types import MappingProxyType
from typing import Any, NamedTuple

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_lazy, gettext_noop

from zhike.kit.ruletrees import Kind
from zhike.measure.facts import FACTS
from zhike.ui import words
from zhike.ui.channels import CHANNELS, OTHER
from zhike.ui.markup import format_html
from zhike.ui.templatetags import parts
from zhike.web.pages.names import Names
from zhike.web.rules.filters import attribute_of

SOON_DAYS = 30  # A contract that ends within a month is marked.
DASH = parts.DASH
EMPTY = SafeString("")


class Row(NamedTuple):
    """One customer of the list: what stays the same all day (facts) and what may have changed since (the rest)."""

    id: int
    name: str
    industry: str
    region: str
    owner_id: int | None
    owner: str
    facts: Mapping[str, Any]
    attributes: Mapping[str, Any] = MappingProxyType({})
    touched: date | None = None
    channel: str = ""
    due: date | None = None
    trend: Sequence[float | None] = ()
    later: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Frame:
    """What every cell of a page shares."""

    today: date
    currency: str
    names: Names
    staff_id: int | None
    titles: Mapping[str, str]
    worth: str = "arr"
    marks: Callable[[str], SafeString] | None = None
    """What marks the part of a name that was searched for."""
    language: str | None = field(default_factory=get_language)
    comma: str = field(default_factory=lambda: gettext(", "))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the table stands: what opens a customer, `before` and `after` its number, and whether rows are ticked."""

    before: str
    after: str
    may_select: bool

    def url(self, customer: int) -> str:
        return f"{self.before}{customer}{self.after}"


def table_html(rows: Sequence[Row], columns: Sequence[str], frame: Frame, place: Place) -> SafeString:
    """Draw the rows of the table, the name first."""
    drawers = [(head_of(column), drawer_of(column)) for column in columns]
    select = escape(gettext("Select %(name)s"))
    drawn = []
    for row in rows:
        name = escape(row.name)
        drawn.append('<tr data-row tabindex="-1"><td>')
        if place.may_select:
            worth = row.facts.get(frame.worth)
            weight = f"{worth:f}" if worth else ""
            drawn.append(
                f'<input type="checkbox" class="check" name="ids" value="{row.id}" data-worth="{weight}" data-key="x"'
                f' aria-label="{select % {"name": name}}">'
            )
        drawn.append(f'</td><td data-col="customer">{name_cell(row, name, frame, place.url(row.id))}</td>')
        for head, draw in drawers:
            drawn.append(f"{head}{draw(row, frame)}</td>")
        drawn.append("</tr>\n  ")
    return SafeString("".join(drawn))


def head_of(column: str) -> str:
    """Return what a cell begins with. The column is the name of a fact or a checked one: a plain identifier."""
    return f'<td data-col="{column}" class="n">' if is_number(column) else f'<td data-col="{column}">'


def name_cell(row: Row, name: str, frame: Frame, url: str) -> str:
    """Draw the name, which is given once more as HTML."""
    where = escape(frame.comma.join([part for part in (row.industry, row.region) if part]))
    shown = frame.marks(row.name) if frame.marks else name
    drawn = (
        f'<a class="name" href="{url}"><b class="trunc" title="{name}">{shown}</b>'
        f'<small title="{where}">{where}</small></a>'
    )
    if not row.later:
        return drawn
    said = [f"{gettext(label)}: {row.later[key]}" for key, label in _OWN.items() if key in row.later]
    return f"{drawn}{later(frame.comma.join(said))}" if said else drawn


def later(now: str) -> SafeString:
    """Draw the mark of a value that is another one today, told by hovering, touching or a screen reader."""
    said = gettext("later corrected to %(value)s") % {"value": now or DASH}
    html = (
        '<span class="later" tabindex="0" title="{}"><i class="i i-edit s" aria-hidden="true"></i>'
        '<span class="sr">{}</span></span>'
    )
    return format_html(html, said, said)


_OWN = {"name": gettext_noop("Customer"), "industry": gettext_noop("Industry"), "region": gettext_noop("Region")}


# Most cells of a list repeat, on the page and from page to page; drawn once, they are looked up. Where the words depend
# on the language, it is part of the key.
_drawn_tier = lru_cache(maxsize=256)(parts.tier)
_drawn_life = lru_cache(maxsize=256)(parts.life)
_drawn_health = lru_cache(maxsize=4096)(parts.health)
_drawn_delta = lru_cache(maxsize=4096)(parts.delta)


def _tier(row: Row, frame: Frame) -> SafeString:
    key = row.facts.get("tier") or ""
    return _drawn_tier(key, *frame.names.tier(key))


def _stage(row: Row, frame: Frame) -> SafeString:
    key = row.facts.get("stage") or ""
    return _drawn_life(key, frame.names.stage(key), frame.names.position(key))


def _health(row: Row, frame: Frame) -> SafeString:
    score = row.facts.get("health")
    if score is None:
        return DASH
    band = frame.names.band(row.facts.get("health_band"))
    change = row.facts.get("health_change_30d")
    shown = EMPTY if change is None else _drawn_delta(round(change), _meaning(round(change)))
    drawn = parts.spark(row.trend if len(row.trend) > 1 else (), band)
    return SafeString(f'<span class="hs">{_drawn_health(score, band)}{drawn}{shown}</span>')


def _meaning(change: float) -> str:
    return "good" if change > 0 else "bad" if change < 0 else ""


def _last_touch(row: Row, frame: Frame) -> SafeString:
    if row.touched is None:
        return SafeString(f'<span class="faint">{gettext("Never")}</span>')
    icon, _name = CHANNELS.get(row.channel, OTHER)  # Of our own list, which needs no escaping.
    when = parts.moment(row.touched, frame.today)
    return SafeString(f'<span class="touch"><i class="i i-{icon} s" aria-hidden="true"></i>{when}</span>')


def _next_touch(row: Row, frame: Frame) -> SafeString:
    day = row.due or row.facts.get("next_touch")
    return DASH if day is None else _drawn_due(day, frame.today, frame.language)


@lru_cache(maxsize=4096)
def _drawn_due(day: date, today: date, _language: str | None) -> SafeString:
    late = (today - day).days
    if late > 0:
        return format_html('<span class="nowrap risk">{}</span>', gettext("%(days)s d overdue") % {"days": late})
    look = "warn" if late == 0 else ""
    return format_html('<span class="nowrap {}">{}</span>', look, words.relative(day, today))


def _worth(row: Row, frame: Frame) -> SafeString:
    amount = row.facts.get(frame.worth)
    # Cents say nothing here and make the column ragged.
    return SafeString(f"<b>{words.money(round(amount), frame.currency)}</b>") if amount else DASH


def _renewal(row: Row, frame: Frame) -> SafeString:
    end = row.facts.get("contract_end")
    # As the customer's page reckons, also between midnight and the turn.
    return DASH if end is None else _drawn_days((end - frame.today).days, frame.language)


@lru_cache(maxsize=4096)
def _drawn_days(days: int, _language: str | None) -> SafeString:
    return format_html('<span class="{}">{}</span>', *days_left(days))


def days_left(days: int) -> tuple[str, str]:
    """Return how the days until a contract ends are marked, and how they are said."""
    look = "risk" if days < 0 else "warn" if days <= SOON_DAYS else ""
    said = gettext("%(days)s d") if days >= 0 else gettext("%(days)s d over")
    return look, said % {"days": abs(days)}


def _owner(row: Row, frame: Frame) -> SafeString:
    mark = later(row.later["owner"]) if "owner" in row.later else EMPTY
    return SafeString(f"{_owner_then(row, frame)}{mark}")


def _owner_then(row: Row, frame: Frame) -> SafeString:
    if row.owner_id is None:
        return SafeString(f'<span class="faint">{gettext("Nobody yet")}</span>')
    return _drawn_owner(row.owner, row.owner_id == frame.staff_id)


@lru_cache(maxsize=1024)
def _drawn_owner(name: str, is_me: bool) -> SafeString:
    html = '<span class="who"><span class="ava{}" aria-hidden="true">{}</span>{}</span>'
    return format_html(html, " me" if is_me else "", words.initials(name), name)


def _change(row: Row, _frame: Frame, name: str) -> SafeString:
    share = row.facts.get(name)
    if share is None:
        return DASH
    return _drawn_delta(round(share * 100), _meaning(round(share * 100)), "%")


SPECIAL: dict[str, Callable[[Row, Frame], SafeString]] = {
    "tier": _tier,
    "stage": _stage,
    "health": _health,
    "last_touch": _last_touch,
    "next_touch": _next_touch,
    "worth": _worth,
    "renewal": _renewal,
    "owner": _owner,
}
TITLES = {
    "worth": gettext_lazy("ARR"),
    "renewal": gettext_lazy("Renewal"),
    "owner": gettext_lazy("Owner"),
    "last_touch": gettext_lazy("Last touch"),
    "next_touch": gettext_lazy("Next touch"),
    "health": gettext_lazy("Health, 30 days"),
    "usage_change_30d": gettext_lazy("Usage"),
    "tier": gettext_lazy("Tier"),
    "stage": gettext_lazy("Lifecycle"),
}
NUMERIC = {Kind.NUMBER, Kind.INTEGER, Kind.MONEY}
CHANGES = {"usage_change_30d", "usage_change_90d"}


def is_number(column: str) -> bool:
    """Say whether a column is set flush with its end."""
    fact = FACTS.get(column)
    return column in {"worth", "renewal"} or (column not in SPECIAL and fact is not None and fact.kind in NUMERIC)


def drawer_of(column: str) -> Callable[[Row, Frame], SafeString]:
    """Return what draws the cells of a column."""
    drawn = SPECIAL.get(column)
    if drawn is not None:
        return drawn
    if column in CHANGES:
        return partial(_change, name=column)
    attribute = attribute_of(column)
    if attribute is not None:
        return partial(_own, attribute=attribute)
    return partial(_fact, column=column)


def _own(row: Row, _frame: Frame, attribute: str) -> SafeString:
    return conditional_escape(own_value(row.attributes.get(attribute)) or DASH)


def _fact(row: Row, frame: Frame, column: str) -> SafeString:
    return value(column, row.facts.get(column), frame)


def value(column: str, given: Any, frame: Frame) -> SafeString:
    """Draw the value of a fact by its type."""
    if given is None or given == "":
        return DASH
    fact = FACTS[column]
    if fact.kind is Kind.MONEY:
        return parts.money(Decimal(given), frame.currency)
    if isinstance(given, bool):
        return SafeString(gettext("yes") if given else gettext("no"))
    if isinstance(given, date):
        return parts.moment(given, frame.today)
    if isinstance(given, int):
        return conditional_escape(words.short(given))
    if isinstance(given, float | Decimal):
        return conditional_escape(words.short(round(float(given), 2)))
    return conditional_escape(frame.names.value(column, str(given)))


def own_value(given: Any) -> str:
    """Write the value of a field that the company added; "" where it is unknown."""
    if given is None or given == "" or given == []:
        return ""
    if isinstance(given, bool):
        return gettext("yes") if given else gettext("no")
    if isinstance(given, int | float):
        return words.plain(given)
    return gettext(", ").join(map(str, given)) if isinstance(given, list) else str(given)
