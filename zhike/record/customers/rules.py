"""What holds for customers and contacts whatever the database: attribute values, masks, numbers."""

import re
from collections.abc import Sequence
from datetime import date
from urllib.parse import urlsplit

from zhike.kit.money import AmountMissing, AmountTooLarge, AmountUnreadable, parse_amount

ATTRIBUTE_NAME = re.compile(r"^[a-z][a-z0-9_]{0,49}$")
TRUE_WORDS = {"true", "yes", "y", "1", "是", "有", "对"}
FALSE_WORDS = {"false", "no", "n", "0", "否", "无", "没有", "不"}
Plain = str | float | bool | list[str] | None


class NotThatKind(ValueError):
    """A value cannot be one of an attribute's kind; `args` are the kind and the value."""


def attribute_value(kind: str, text: str, choices: Sequence[str] = ()) -> Plain:
    """Return what a text means for an attribute of this kind, as JSON keeps it; an empty text means unknown.

    Dates become ISO text, money and numbers floats, several choices a sorted list. Raises `NotThatKind`.
    """
    text = text.strip()
    if not text:
        return None
    if kind in {"number", "money"}:
        return _number(kind, text)
    if kind == "date":
        return _date(text)
    if kind == "boolean":
        return _boolean(text)
    if kind == "choice":
        return _choice(text, choices)
    if kind == "multi":
        return sorted({_choice(part.strip(), choices) for part in re.split(r"[,;，；、|]", text) if part.strip()})
    if kind == "link" and (urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).netloc):
        raise NotThatKind(kind, text)
    return text[:2000]


def _number(kind: str, text: str) -> float:
    try:
        return float(parse_amount(text))
    except (AmountMissing, AmountUnreadable, AmountTooLarge) as error:
        raise NotThatKind(kind, text) from error


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text.replace("/", "-")).isoformat()
    except ValueError as error:
        raise NotThatKind("date", text) from error


def _boolean(text: str) -> bool:
    word = text.lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise NotThatKind("boolean", text)
    return word in TRUE_WORDS


def _choice(text: str, choices: Sequence[str]) -> str:
    if choices and text not in choices:
        raise NotThatKind("choice", text)
    return text


def guessed_kind(values: Sequence[str]) -> str:
    """Return the narrowest attribute kind that all these texts fit; without a value, text."""
    given = [value for value in values if value.strip()]
    for kind in ("number", "date", "boolean", "link"):
        if given and all(_fits(kind, value) for value in given):
            return kind
    return "text"


def _fits(kind: str, value: str) -> bool:
    try:
        attribute_value(kind, value)
    except NotThatKind:
        return False
    # A leading zero is a number's enemy: 0571 is a dialling code and 007 a customer.
    return not (kind == "number" and re.match(r"^[-+]?0\d", value.strip()))


def masked_phone(phone: str) -> str:
    """Return a telephone number of which only the ends can be read: 138****1234."""
    digits = [place for place, sign in enumerate(phone) if sign.isdigit()]
    hidden = set(digits[max(3, len(digits) - 8) : len(digits) - 4]) or set(digits[:-2])
    return "".join("*" if place in hidden else sign for place, sign in enumerate(phone))


def masked_email(email: str) -> str:
    """Return an address of which the first letter and the domain can be read: z***@example.com."""
    local, at, domain = email.partition("@")
    return f"{local[:1]}***{at}{domain}" if email else ""
