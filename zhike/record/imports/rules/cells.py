"""What one cell means: a reader per type of field, each returning a value, None for an empty cell, or `Bad`."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from zhike.kit.money import CURRENCIES, AmountMissing, AmountTooLarge, AmountUnreadable, parse_amount
from zhike.record.imports.rules import dates, words
from zhike.record.imports.rules.problems import Bad, Reason, shown

Reader = Callable[[object], object]
EMPTY = {"", "null", "nan", "n/a", "na", "none", "\\n", "-", "—", "nil", "<na>"}
_EMAIL = re.compile(r"[^\s@,;<>()\"]{1,64}@[^\s@,;<>()\"]+\.[^\s@,;<>()\"]{2,}")
_PHONE = re.compile(r"\+?[\d\s().\-–/]{3,30}(?:\s*(?:x|ext\.?|转|#|,)\s*\d{1,8})?", re.IGNORECASE)
_FORMULA = re.compile(r"\s*=\s*[\w(+\-@'\"]")
_QUOTED_TEXT = re.compile(r'="([^"]*)"')
LARGEST = Decimal(10) ** 12
FOUR_PLACES = Decimal("0.0001")


class Memo(dict[object, object]):
    """Reads each distinct cell once; `bad` says whether any was refused."""

    MOST = 500_000

    def __init__(self, name: str, read: Reader, default: object = None) -> None:
        super().__init__()
        self.name, self.read, self.default, self.bad = name, read, default, False

    def __missing__(self, cell: object) -> object:
        value = self.read(cell)
        if value is None:
            value = self.default
        elif type(value) is Bad:
            self.bad = True
            value = Bad(value.reason, self.name, value.found or shown(cell), value.more)
        if len(self) < self.MOST:
            self[cell] = value
        return value


def is_formula(cell: object) -> bool:
    """Say whether a text cell is a formula; `="00123"` is only how spreadsheets keep leading zeros."""
    return isinstance(cell, str) and bool(_FORMULA.match(cell)) and not _QUOTED_TEXT.fullmatch(cell.strip())


def plain_text(cell: object) -> str:
    """Return a cell as text: whole floats without their `.0`, days as ISO, surrounding blanks gone."""
    match cell:
        case None:
            return ""
        case str():
            text = cell.strip().strip("\ufeff\u200b")
            kept = _QUOTED_TEXT.fullmatch(text) if text.startswith("=") else None
            return kept[1].strip() if kept else text
        case bool():
            return "true" if cell else "false"
        case float():
            return "" if cell != cell else f"{cell:.0f}" if cell.is_integer() else repr(cell)
        case Decimal():
            return f"{cell:f}"
        case datetime():
            return cell.date().isoformat() if not (cell.hour or cell.minute or cell.second) else cell.isoformat(" ")
        case date():
            return cell.isoformat()
        case bytes():
            return cell.decode("utf-8", "replace")
        case _:
            return str(cell).strip()


def _text(cell: object, *, longest: int, prose: bool = False) -> object:
    text = plain_text(cell)
    if not text or text in {"\\N", "NULL"}:
        return None
    if len(text) > longest:
        return Bad(Reason.TOO_LONG, found=shown(text), more={"longest": str(longest)})
    if not text.isprintable():
        if not prose:
            text = " ".join(text.split())
        if (
            any(unicodedata.category(sign) in {"Cc", "Cs"} and sign not in "\n\r\t" for sign in text)
            or "\ufffd" in text
        ):
            return Bad(Reason.UNREADABLE, found=shown(text.encode("unicode_escape").decode()))
    elif "\ufffd" in text:
        return Bad(Reason.UNREADABLE, found=shown(text))
    return text


def _number(cell: object) -> object:
    if isinstance(cell, bool):
        return Bad(Reason.NOT_A_NUMBER)
    if isinstance(cell, int | float | Decimal):
        number = Decimal(repr(cell) if isinstance(cell, float) else cell)
        if number.is_nan():
            return None
    else:
        found = number_of(plain_text(cell))
        if not isinstance(found, Decimal):
            return found
        number = found
    if not number.is_finite() or abs(number) >= LARGEST:
        return Bad(Reason.TOO_LARGE)
    return number.quantize(FOUR_PLACES)


def number_of(text: str) -> Decimal | Bad | None:
    """Return the number that a text says, as people and spreadsheets write it; None for an empty cell."""
    if text.lower() in EMPTY:
        return None
    try:
        return parse_amount(text)
    except AmountTooLarge:
        return Bad(Reason.TOO_LARGE)
    except (AmountMissing, AmountUnreadable):
        return Bad(Reason.NOT_A_NUMBER)


def _amount(cell: object) -> object:
    number = _number(cell)
    return Bad(Reason.NEGATIVE) if isinstance(number, Decimal) and number < 0 else number


def _count(cell: object) -> object:
    if type(cell) is int:
        return cell if 0 <= cell < LARGEST else Bad(Reason.NEGATIVE if cell < 0 else Reason.TOO_LARGE)
    number = _amount(cell)
    if not isinstance(number, Decimal):
        return number
    return int(number) if number == number.to_integral_value() else Bad(Reason.NOT_WHOLE)


def _currency(cell: object) -> object:
    text = plain_text(cell).upper()
    if not text or text.lower() in EMPTY:
        return None
    code = words.CURRENCIES.get(text, text)
    return code if code in CURRENCIES else Bad(Reason.NOT_A_CURRENCY)


def _email(cell: object) -> object:
    text = plain_text(cell)
    if not text or text.lower() in EMPTY:
        return None
    return text if len(text) <= 254 and _EMAIL.fullmatch(text) else Bad(Reason.NOT_AN_EMAIL)


def _phone(cell: object) -> object:
    text = plain_text(cell)
    if not text or text.lower() in EMPTY:
        return None
    good = len(text) <= 40 and _PHONE.fullmatch(text) and sum(sign.isdigit() for sign in text) >= 3
    return text if good else Bad(Reason.NOT_A_PHONE)


def _choice(cell: object, *, choices: Mapping[str, str], fallback: str | None = None) -> object:
    text = plain_text(cell)
    if not text:
        return None
    key = choices.get(words.folded(text), fallback)
    return (
        key if key is not None else Bad(Reason.NOT_A_CHOICE, more={"choices": ", ".join(sorted(set(choices.values())))})
    )


def _birthday(cell: object, *, read: Reader) -> object:
    """Return (day, is lunar): 农历1986-05-05 is a lunar birthday."""
    text = cell.strip() if isinstance(cell, str) else cell
    lunar = isinstance(text, str) and text.startswith(("农历", "阴历"))
    found = read(text[2:].strip() if lunar and isinstance(text, str) else text)
    return found if found is None or isinstance(found, Bad) else (found, lunar)


def reader(type: str, longest: int, *, dates_in: Mapping[str, object]) -> Reader:
    """Return the reader for a field's type; `dates_in` are the keywords of `dates.day` and `dates.moment`."""
    days = partial(dates.day, **dates_in)  # type: ignore[arg-type]  # The caller gives zone and format.
    if type in {"ref", "text", "staff", "role"}:
        return partial(_text, longest=longest)
    readers: dict[str, Reader] = {
        "prose": partial(_text, longest=longest, prose=True),
        "number": _number,
        "amount": _amount,
        "count": _count,
        "currency": _currency,
        "email": _email,
        "phone": _phone,
        "day": days,
        "moment": partial(dates.moment, **dates_in),  # type: ignore[arg-type]  # As above.
        "birthday": partial(_birthday, read=days),
        "kind": partial(_choice, choices=words.CUSTOMER_KINDS),
        "channel": partial(_choice, choices=words.CHANNELS),
        "direction": partial(_choice, choices=words.DIRECTIONS),
    }
    return readers[type]
