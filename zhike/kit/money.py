"""Amounts of money and large numbers: shown as people say them, read as people write them."""

import re
import unicodedata
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from zhike.kit.refusal import Refusal
from zhike.kit.refusal import gettext_noop as _

Language = Literal["zh", "en"]

_ISO_4217 = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD "
    "HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD "
    "MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN "
    "PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY "
    "TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_ISO_4217.split())
"""Codes of ISO 4217, with two that ended lately: ANG and BGN stand in the orders of years past."""
_NO_CENTS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
)
_THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
_SYMBOLS = {
    "AUD": "A$",
    "CAD": "C$",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "INR": "₹",
    "JPY": "JP¥",
    "KRW": "₩",
    "SGD": "S$",
    "TWD": "NT$",
    "USD": "$",
}

_Step = tuple[Decimal, str]
_STEPS: dict[Language, Sequence[_Step]] = {
    "zh": ((Decimal(10**8), " 亿"), (Decimal(10**4), " 万")),
    "en": ((Decimal(10**9), "B"), (Decimal(10**6), "M"), (Decimal(10**3), "K")),
}
_SHORT_FROM = Decimal(10_000)
_WHOLE_FROM = Decimal(1_000)
_FOREIGN_SHORT_FROM = Decimal(100_000)  # Foreign contracts are shown in full as long as that is readable.
_MINUS = "−"
_UNKNOWN = "—"

_LONGEST = 80
_MOST_DIGITS = 15
_GAPS = re.compile(r"(?<=[^\d ]) +| +(?=[^\d ])| (?=\d{3}(?!\d))")  # Also 1 234.50.
_UNITS = {"": Decimal(1), "万": Decimal(10**4), "亿": Decimal(10**8)}
_SIGN = rf"(?:CN¥|HK\$|NT\$|US\$|RMB|{'|'.join(sorted(CURRENCIES))}|[¥$€£₩₹])"
_AMOUNT = re.compile(
    rf"(?P<open>\()?(?P<minus>[-−+])?{_SIGN}?(?P<late>[-−])?"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)"
    rf"(?P<power>[eE][-+]?\d{{1,2}})?(?P<unit>[万亿])?元?{_SIGN}?(?P<close>\))?",
    re.ASCII,
)


class UnknownCurrency(Refusal):
    message = _("%(code)s is not a currency code such as CNY, USD or EUR.")


class AmountMissing(Refusal):
    message = _("An amount is needed.")


class AmountUnreadable(Refusal):
    message = _("%(text)s is not an amount such as 1,234.50.")


class AmountTooLarge(Refusal):
    message = _("%(text)s has more than %(limit)d digits before the point.")


def check_currency(code: str) -> str:
    """Return the ISO 4217 code in capitals; raises UnknownCurrency."""
    plain = code.strip().upper()
    if plain not in CURRENCIES:
        raise UnknownCurrency(code=code[:20])
    return plain


def minor_digits(currency: str) -> int:
    """Return how many decimals the currency has: 2, but 0 for yen and 3 for dinars."""
    return 0 if currency in _NO_CENTS else 3 if currency in _THOUSANDTHS else 2


def symbol(currency: str, language: Language) -> str:
    """Return what stands before an amount: `¥` in Chinese and `CN¥` in English for CNY, else the code and a space."""
    if currency == "CNY":
        return "¥" if language == "zh" else "CN¥"
    return _SYMBOLS.get(currency, f"{currency} ")


def format_money(amount: Decimal | float, currency: str, language: Language) -> str:
    """Return an amount as lists and headings show it: `¥38.6 万`, `CN¥386K`, `€41,000`.

    CNY is shortened from 10,000 on and other currencies from 100,000 on, to three digits or all whole ones; from 1,000
    on there are no decimals, smaller amounts are exact. NaN and infinity give a dash.
    """
    number = Decimal(str(amount))
    if not number.is_finite():
        return _UNKNOWN
    short_from = _SHORT_FROM if currency == "CNY" else _FOREIGN_SHORT_FROM
    if abs(number) < short_from:
        return full_money(_rounded(number, 0) if abs(number) >= _WHOLE_FROM else number, currency, language)
    return _signed(number, symbol(currency, language) + _shortened(abs(number), language))


def full_money(amount: Decimal | float, currency: str, language: Language) -> str:
    """Return an exact amount with grouped digits, such as `¥386,000`; decimals only when it has any."""
    number = Decimal(str(amount))
    if not number.is_finite():
        return _UNKNOWN
    rounded = _rounded(abs(number), minor_digits(currency))
    places = 0 if rounded == rounded.to_integral_value() else minor_digits(currency)
    return _signed(number if rounded else Decimal(0), symbol(currency, language) + format(rounded, f",.{places}f"))


def short_number(number: Decimal | float, language: Language) -> str:
    """Return a number in a few digits: `1,204`, `38.6 万` / `386K`, `1.2 亿` / `120M`.

    Below 10,000 it is shown with at most one decimal, from there on with three digits or all whole ones.
    """
    value = Decimal(str(number))
    if not value.is_finite():
        return _UNKNOWN
    rounded = _rounded(abs(value), 1)
    if rounded < _SHORT_FROM:
        return _signed(value if rounded else Decimal(0), _trimmed(rounded, 1))
    return _signed(value, _shortened(abs(value), language))


def parse_amount(text: str) -> Decimal:
    """Read an amount as people write it.

    Understands grouped digits (1,234.50), full-width forms, currency signs and codes before or after, 元, 万 and 亿,
    a minus sign or brackets for negative ones, and powers as spreadsheets write them (1.2E+05). Raises AmountMissing,
    AmountUnreadable or AmountTooLarge.
    """
    plain = _GAPS.sub("", unicodedata.normalize("NFKC", text).strip())
    if not plain:
        raise AmountMissing
    found = _AMOUNT.fullmatch(plain) if len(plain) <= _LONGEST else None
    if found is None or bool(found["open"]) is not bool(found["close"]):
        raise AmountUnreadable(text=text[:40])
    signs = [mark for mark in (found["open"], found["minus"], found["late"]) if mark]
    if len(signs) > 1:
        raise AmountUnreadable(text=text[:40])
    number = Decimal(found["number"].replace(",", "") + (found["power"] or "")) * _UNITS[found["unit"] or ""]
    if number >= 10**_MOST_DIGITS:
        raise AmountTooLarge(text=text[:40], limit=_MOST_DIGITS)
    return number if signs in ([], ["+"]) else -number


def _signed(number: Decimal, text: str) -> str:
    return _MINUS + text if number < 0 else text


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _trimmed(number: Decimal, places: int) -> str:
    text = format(number, f",.{places}f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shortened(number: Decimal, language: Language) -> str:
    """Three digits or all whole ones, with the largest unit that leaves at least 1."""
    steps = _STEPS[language]
    for at, (size, unit) in enumerate(steps):
        if number < size and at < len(steps) - 1:
            continue
        value = _three_digits(number / size)
        if at and value * size >= steps[at - 1][0]:  # 9,999.99 万 is 1 亿 once rounded.
            size, unit = steps[at - 1]
            value = _three_digits(number / size)
        return _trimmed(value, 2) + unit
    raise AssertionError("the smallest step takes what is left")


def _three_digits(value: Decimal) -> Decimal:
    return _rounded(value, 2 if value < 10 else 1 if value < 100 else 0)
