"""Numbers, days and names as the two languages write them."""

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from zhike.kit.money import Language, format_money, short_number
from zhike.ui.markup import format_html

Number = int | float | Decimal
MINUS = "−"


def language() -> Language:
    return "zh" if (get_language() or "").startswith("zh") else "en"


def plain(value: Number) -> str:
    """Write a number with thousands separators, a real minus and no idle zeros: 1,204, −0.6."""
    text = f"{abs(value):,.2f}".rstrip("0").rstrip(".") if value != int(value) else f"{abs(value):,.0f}"
    return f"{MINUS}{text}" if value < 0 else text


def short(value: Number) -> str:
    """Write a number; from 100,000 on in 万 and 亿, or K and M."""
    return plain(value) if -100_000 < value < 100_000 else short_number(value, language())


@lru_cache(maxsize=8192)
def _money(amount: Number, currency: str, spoken: Language) -> SafeString:
    return format_html("{}", format_money(amount, currency, spoken))


def money(amount: Number, currency: str) -> SafeString:
    """Write an amount in its own currency, as the language of the page writes money."""
    return _money(amount, currency, language())


def signed(value: Number) -> str:
    """Write a change: +3, −13, ±0."""
    if value == 0:
        return "±0"
    return f"+{plain(value)}" if value > 0 else plain(value)


@lru_cache(maxsize=4096)
def _date_text(day: date, with_year: bool, language: str | None) -> str:
    # The language is part of the key: the same day reads differently in each.
    # Translators: date formats of Django's date filter; Chinese writes n 月 j 日.
    return format_date(day, gettext("j M Y") if with_year else gettext("j M"))


def date_text(day: date, today: date | None) -> str:
    """Write a day, with its year unless it is today's."""
    return _date_text(day, today is None or day.year != today.year, get_language())


def _day_and_clock(moment: date) -> tuple[date, str]:
    if not isinstance(moment, datetime):
        return moment, ""
    local, iso = _local(moment)
    return local.date(), iso[11:16]


def _local(moment: datetime) -> tuple[datetime, str]:
    """Return a moment in the time zone of the page, and how ISO 8601 writes it to the second."""
    local = moment if moment.tzinfo is None else moment.astimezone(timezone.get_current_timezone())
    return local, local.isoformat(timespec="seconds")


def relative(moment: date, today: date | None) -> str:
    """Write a day in words up to 30 days from today: Today 11:30, yesterday, 26 d ago; beyond that, the date."""
    day, clock = _day_and_clock(moment)
    if today is None:
        return date_text(day, None)
    return _relative(day, clock, today, get_language())


@lru_cache(maxsize=8192)
def _relative(day: date, clock: str, today: date, language: str | None) -> str:
    distance = (day - today).days
    if distance == 0:
        return gettext("Today %(clock)s") % {"clock": clock} if clock else gettext("Today")
    if abs(distance) > 30:
        return _date_text(day, day.year != today.year, language)
    if distance == -1:
        return gettext("Yesterday")
    if distance == 1:
        return gettext("Tomorrow")
    count = abs(distance)
    if distance < 0:
        return gettext("%(count)s d ago") % {"count": count}
    return gettext("in %(count)s d") % {"count": count}


def told(moment: date, today: date | None) -> tuple[str, str, str]:
    """Return a moment for `datetime=`, for `title` and in words, as `exact` and `relative` do one after the other."""
    if today is None or not isinstance(moment, datetime):
        return (*exact(moment), relative(moment, today))
    return _told(moment, today, timezone.get_current_timezone(), get_language())


@lru_cache(maxsize=16384)
def _told(moment: datetime, today: date, _zone: tzinfo, language: str | None) -> tuple[str, str, str]:
    # Zone and language are part of the key: the same moment reads differently in each.
    local, iso = _local(moment)
    title = f"{iso[:10]} {iso[11:16]}"
    return iso, title, _relative(local.date(), title[-5:], today, language)


def exact(moment: date) -> tuple[str, str]:
    """Return a moment for `datetime=` and for `title`."""
    if not isinstance(moment, datetime):
        return moment.isoformat(), moment.isoformat()
    iso = _local(moment)[1]
    return iso, f"{iso[:10]} {iso[11:16]}"


@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    """Return what stands in for a face: the last character of a Chinese name, the initials of another."""
    name = name.strip()
    if not name:
        return "?"
    if "\u3400" <= name[-1] <= "\u9fff":
        return name[-1]
    return _first_letters(name.split()).upper()


def _first_letters(words: Iterable[str]) -> str:
    return "".join(word[0] for word in words)[:2]
