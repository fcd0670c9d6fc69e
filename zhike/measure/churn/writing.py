"""How people write numbers and days in tables: currency and per cent signs, separators, decimal commas, words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, date

from zhike.record.imports.rules.dates import DAY_FIRST, MONTH_FIRST, Order, day

NOTHING = frozenset({
    "", "na", "n/a", "n.a.", "#n/a", "null", "none", "nan", "nat", "nil", "-", "--", "—", "?", "\\n", ".", "无", "空",
})  # fmt: skip
_CURRENCY = r"(?:[$€£¥￥₹₽₩]|US\$|HK\$|USD|EUR|GBP|CNY|RMB|JPY|HKD|TWD|SGD|INR|AUD|CAD|CHF|BRL|R\$|Rs\.?|元|人民币)"
_NUMBER = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-+])?\s*(?:{_CURRENCY})?\s*(?P<late>[-+])?\s*"
    r"(?P<digits>\d[\d.,' ]*|[.,]\d+)(?P<power>[eE][-+]?\d+)?\s*(?P<unit>%|‰|[kK]|[mM]|万|亿)?\s*"
    rf"(?:{_CURRENCY})?\s*(?P<close>\))?\s*(?P<after>-)?"
)
_UNITS = {"%": 1e-2, "‰": 1e-3, "k": 1e3, "m": 1e6, "万": 1e4, "亿": 1e8}
_GROUPED_DOTS = re.compile(r"\d{1,3}(\.\d{3})+(,\d+)?")
_GROUPED_COMMAS = re.compile(r"\d{1,3}([, ']\d{3})+(\.\d+)?")
_GROUPED_INDIAN = re.compile(r"\d{1,3}(,\d{2})*,\d{3}(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"\d+,\d+")
EPOCH = date(1970, 1, 1).toordinal()


def numbers(sample: Iterable[str]) -> Callable[[str], float]:
    """Return how the numbers of a column are read: its sample says whether a comma parts thousands or decimals."""
    commas = dots = 0
    for text in sample:
        found = _NUMBER.fullmatch(_plain(text))
        if not found:
            continue
        digits = found["digits"].strip()
        grouped = _GROUPED_DOTS.fullmatch(digits) and ("," in digits or digits.count(".") > 1)
        if grouped or (_DECIMAL_COMMA.fullmatch(digits) and not _GROUPED_COMMAS.fullmatch(digits)):
            commas += 1
        elif "." in digits:
            dots += 1
    decimal = "," if commas > dots else "."
    return lambda text: _number(text, decimal)


def days(sample: Iterable[str]) -> Callable[[str], float]:
    """Return how the days of a column are read; where nothing tells, 03/04 is the third of April."""
    order = Order()
    for text in sample:
        order.look(text)
    first = MONTH_FIRST if order.second_over_12 > order.first_over_12 else DAY_FIRST

    def read(text: str) -> float:
        if text.replace(".", "", 1).isdigit() and len(text) != 8:
            return float("nan")  # A bare number is a number.
        found = day(text, zone=UTC, format=first)
        return float(found.toordinal() - EPOCH) if isinstance(found, date) else float("nan")

    return read


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("−", "-").replace("’", "'").strip()


def _number(text: str, decimal: str) -> float:
    found = _NUMBER.fullmatch(_plain(text))
    if not found or bool(found["open"]) != bool(found["close"]):
        return float("nan")
    digits = found["digits"].strip()
    if decimal == ",":
        digits = digits.replace(".", "") if _GROUPED_DOTS.fullmatch(digits) else digits
        digits = digits.replace(",", ".")
    elif _GROUPED_COMMAS.fullmatch(digits) or _GROUPED_INDIAN.fullmatch(digits):
        digits = re.sub("[, ']", "", digits)
    try:
        value = float(digits + (found["power"] or ""))
    except ValueError:
        return float("nan")
    negative = found["open"] or found["after"] or "-" in {found["sign"], found["late"]}
    return (-value if negative else value) * _UNITS.get((found["unit"] or "").lower(), 1.0)
