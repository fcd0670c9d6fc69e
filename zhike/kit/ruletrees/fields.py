"""What a rule may ask of a field: its kind, its operators and its allowed values."""

from dataclasses import dataclass
from enum import StrEnum

ATTRIBUTES = "attributes"
"""Name of the JSON column whose keys are addressed as `attributes.NAME`."""


class Kind(StrEnum):
    """The kinds of field. Columns are numeric, text, date, boolean or, for MULTI, an array of text."""

    NUMBER = "number"
    INTEGER = "integer"
    MONEY = "money"
    TEXT = "text"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    MULTI = "multi"


class Op(StrEnum):
    """The comparisons a leaf may make."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    ABOVE = "above"
    AT_LEAST = "at_least"
    BELOW = "below"
    AT_MOST = "at_most"
    BETWEEN = "between"
    CONTAINS = "contains"
    KNOWN = "known"


_EQUAL = (Op.IS, Op.IS_NOT)
_LISTED = (Op.IN, Op.NOT_IN)
_ORDERED = (Op.ABOVE, Op.AT_LEAST, Op.BELOW, Op.AT_MOST, Op.BETWEEN)

OPERATORS: dict[Kind, tuple[Op, ...]] = {
    Kind.NUMBER: (*_EQUAL, *_LISTED, *_ORDERED, Op.KNOWN),
    Kind.INTEGER: (*_EQUAL, *_LISTED, *_ORDERED, Op.KNOWN),
    Kind.MONEY: (*_EQUAL, *_LISTED, *_ORDERED, Op.KNOWN),
    Kind.TEXT: (*_EQUAL, *_LISTED, Op.CONTAINS, Op.KNOWN),
    Kind.DATE: (*_EQUAL, *_ORDERED, Op.KNOWN),
    Kind.BOOLEAN: (*_EQUAL, Op.KNOWN),
    Kind.CHOICE: (*_EQUAL, *_LISTED, Op.KNOWN),
    Kind.MULTI: (Op.CONTAINS, *_LISTED, Op.KNOWN),
}

NUMERIC = frozenset({Kind.NUMBER, Kind.INTEGER, Kind.MONEY})


@dataclass(frozen=True, slots=True)
class FieldType:
    """The type of one field. `choices` is required for CHOICE; an empty one for MULTI allows any text."""

    kind: Kind
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind is Kind.CHOICE and not self.choices:
            raise ValueError("A choice field needs its choices.")

    @property
    def operators(self) -> tuple[Op, ...]:
        """The operators that fit this field, in the order to show them."""
        return OPERATORS[self.kind]


NUMBER = FieldType(Kind.NUMBER)
INTEGER = FieldType(Kind.INTEGER)
MONEY = FieldType(Kind.MONEY)
TEXT = FieldType(Kind.TEXT)
DATE = FieldType(Kind.DATE)
BOOLEAN = FieldType(Kind.BOOLEAN)


def choice(*values: str) -> FieldType:
    """Return the type of a text field that holds one of `values`."""
    return FieldType(Kind.CHOICE, tuple(values))


def multi(*values: str) -> FieldType:
    """Return the type of a field that holds several texts, each one of `values` (none given: any)."""
    return FieldType(Kind.MULTI, tuple(values))
