"""Dates and times as files write them, in both languages, with the order of day and month never guessed blindly."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

from zhike.record.imports.rules.problems import Bad, Reason, shown

DAY_FIRST, MONTH_FIRST = "day-first", "month-first"
EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)
EXCEL_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  Excel's days carry no time zone; the reader's zone is added.
EXCEL_DAYS = (20_000, 80_000)  # 1954 to 2119: what a bare number in a date column can mean.
EPOCH_SECONDS = (500_000_000, 5_000_000_000)

_CLOCK = (
    r"(?:[T\s]\s*(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s*(?P<ap>[AaPp]\.?[Mm]\.?)?)?"
)
_ZONE = r"\s*(?P<z>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}}){_CLOCK}{_ZONE}")
_CHINESE = re.compile(
    r"(?P<y>\d{4})年\s*(?P<m>\d{1,2})月\s*(?P<d>\d{1,2})[日号]?"
    r"(?:\s*(?:星期|周)[一二三四五六日天])?"
    r"(?:\s*(?P<ap>凌晨|早上|上午|中午|下午|晚上)?\s*(?P<h>\d{1,2})[:：点时](?P<mi>\d{1,2})?分?(?:[:：]?(?P<s>\d{1,2})秒?)?)?"
)
_COMPACT = re.compile(
    r"(?P<y>(?:19|20|21)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:[T ]?(?P<h>\d{2}):?(?P<mi>\d{2}):?(?P<s>\d{2})?)?"
)
_YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.](?P<y>\d{{4}}|\d{{2}}){_CLOCK}{_ZONE}")
_NAMED = re.compile(
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[-\s]+(?P<name>[A-Za-z]{{3,9}})\.?,?[-\s]+(?P<y>\d{{4}}){_CLOCK}{_ZONE}"
)
_NAMED_FIRST = re.compile(
    rf"(?P<name>[A-Za-z]{{3,9}})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}}){_CLOCK}{_ZONE}"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_AFTERNOON = {"下午", "晚上", "pm", "中午"}


@dataclass(slots=True)
class Order:
    """What the dates of a file say about the order of day and month, gathered over all of them."""

    first_over_12: int = 0
    second_over_12: int = 0
    undecided: int = 0
    example: str = ""

    def look(self, text: str) -> None:
        found = _YEAR_LAST.fullmatch(text.strip())
        if not found:
            return
        self.example = self.example or text.strip()
        if int(found["a"]) > 12:
            self.first_over_12 += 1
        elif int(found["b"]) > 12:
            self.second_over_12 += 1
        else:
            self.undecided += 1

    @property
    def answer(self) -> str:
        """Return day-first or month-first, or "" when the dates do not say or contradict each other."""
        if self.first_over_12 and not self.second_over_12:
            return DAY_FIRST
        if self.second_over_12 and not self.first_over_12:
            return MONTH_FIRST
        return ""

    @property
    def needed(self) -> bool:
        return bool(self.example)


def moment(value: object, *, zone: tzinfo, format: str = "") -> datetime | Bad | None:
    """Return a cell as a moment in UTC; a time without a zone is meant in `zone`, a bare day is its midnight."""
    found = _datetime(value, format)
    if not isinstance(found, datetime):
        return found
    aware = found if found.tzinfo else found.replace(tzinfo=zone)
    if not EARLIEST <= aware.date() < LATEST:
        return Bad(Reason.FAR_DATE, found=shown(value))
    return aware.astimezone(UTC)


def day(value: object, *, zone: tzinfo, format: str = "") -> date | Bad | None:
    """Return a cell as a day; a moment with a zone is the day it was in `zone`."""
    found = _datetime(value, format)
    if not isinstance(found, datetime):
        return found
    result = found.astimezone(zone).date() if found.tzinfo else found.date()
    return result if EARLIEST <= result < LATEST else Bad(Reason.FAR_DATE, found=shown(value))


def _datetime(value: object, format: str) -> datetime | Bad | None:
    match value:
        case None:
            return None
        case datetime():
            return value
        case date():
            return datetime(value.year, value.month, value.day)  # noqa: DTZ001  The caller adds the zone.
        case bool():
            return Bad(Reason.NOT_A_DATE, found=shown(value))
        case int() | float() | Decimal():
            return _from_number(float(value), value)
        case _:
            return _from_text(str(value).strip(), format)


def _from_number(number: float, value: object) -> datetime | Bad | None:
    if number != number:
        return None
    if EXCEL_DAYS[0] <= number <= EXCEL_DAYS[1]:
        return EXCEL_DAY_ZERO + timedelta(seconds=round(number * 86_400))
    for scale in (1, 1_000, 1_000_000):
        if EPOCH_SECONDS[0] <= number / scale <= EPOCH_SECONDS[1]:
            return datetime.fromtimestamp(number / scale, UTC)
    return _from_text(f"{number:.0f}", "") if number > 0 else Bad(Reason.NOT_A_DATE, found=shown(value))


def _from_text(text: str, format: str) -> datetime | Bad | None:
    if not text or text.lower() in {"null", "nan", "nat", "n/a", "none", "\\n", "-", "—", "0000-00-00"}:
        return None
    try:
        if "%" in format:
            return datetime.strptime(text, format)  # noqa: DTZ007  The caller adds the zone.
        return _parsed(text, format)
    except (ValueError, OverflowError):
        return Bad(Reason.NOT_A_DATE, found=shown(text))


def _parsed(text: str, format: str) -> datetime | Bad:
    for pattern in (_YEAR_FIRST, _COMPACT, _CHINESE, _NAMED, _NAMED_FIRST):
        if found := pattern.fullmatch(text):
            return _built(found.groupdict())
    if found := _YEAR_LAST.fullmatch(text):
        return _year_last(found.groupdict(), format, text)
    if re.fullmatch(r"\d+(\.\d+)?", text):
        number = float(text)
        plausible = EXCEL_DAYS[0] <= number <= EXCEL_DAYS[1] or len(text) in {10, 13}
        built = _from_number(number, text) if plausible else None
        return built if built is not None else Bad(Reason.NOT_A_DATE, found=shown(text))
    return Bad(Reason.NOT_A_DATE, found=shown(text))


def _year_last(parts: dict[str, str | None], format: str, text: str) -> datetime | Bad:
    if format not in {DAY_FIRST, MONTH_FIRST}:
        return Bad(Reason.AMBIGUOUS_DATE, found=shown(text))
    first, second = ("d", "m") if format == DAY_FIRST else ("m", "d")
    return _built({**parts, first: parts["a"], second: parts["b"]})


def _built(parts: dict[str, str | None]) -> datetime:
    year = int(parts["y"] or 0)
    if year < 100:
        year += 2000 if year < 70 else 1900
    name = parts.get("name")
    month = _MONTHS.index(name[:3].lower()) + 1 if name else int(parts["m"] or 0)
    fraction = (parts.get("f") or "")[:6].ljust(6, "0")
    return datetime(
        year,
        month,
        int(parts["d"] or 0),
        _hour(int(parts["h"] or 0), parts.get("ap")),
        int(parts["mi"] or 0),
        int(parts["s"] or 0),
        int(fraction),
        tzinfo=_offset(parts.get("z")),
    )


def _hour(hour: int, half: str | None) -> int:
    if not half:
        return hour
    afternoon = half.lower().replace(".", "") in _AFTERNOON
    if afternoon and hour < 12:
        return hour + 12 if half != "中午" or hour < 3 else hour
    return 0 if hour == 12 and not afternoon else hour


def _offset(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text in {"Z", "UTC", "GMT"}:
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
