"""Why a row is refused, by name; the sentences for people stand in `operations.sentences`."""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Names are stored in the counts of an import and printed as JSON: add, never rename."""

    NO_CUSTOMER = "no customer"
    UNKNOWN_CUSTOMER = "unknown customer"
    MISSING = "missing value"
    CELLS = "wrong number of cells"
    TOO_LONG = "too long"
    UNREADABLE = "unreadable characters"
    NOT_A_NUMBER = "not a number"
    NEGATIVE = "negative number"
    NOT_WHOLE = "not a whole number"
    TOO_LARGE = "number too large"
    NOT_A_DATE = "not a date"
    AMBIGUOUS_DATE = "ambiguous date"
    FAR_DATE = "date out of range"
    NOT_A_CURRENCY = "not a currency"
    OTHER_CURRENCY = "other currency than its order"
    NOT_AN_EMAIL = "not an e-mail address"
    NOT_A_PHONE = "not a phone number"
    NOT_A_CHOICE = "not one of the choices"
    UNKNOWN_STAFF = "unknown colleague"
    SEVERAL_STAFF = "several colleagues of that name"
    NOT_THAT_KIND = "not of the attribute's kind"
    ENDS_BEFORE_START = "ends before it starts"
    EXISTS = "exists with other values"
    CONFLICT = "contradicts an earlier row"
    FORMULA = "formula"


@dataclass(frozen=True, slots=True)
class Bad:
    """A cell or row that cannot be taken, with the reason, the field and the text as it was found."""

    reason: Reason
    field: str = ""
    found: str = ""
    more: dict[str, str] = dataclasses.field(default_factory=dict, hash=False)


def shown(value: object, longest: int = 60) -> str:
    """Return a value as a message quotes it."""
    text = str(value).strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"
