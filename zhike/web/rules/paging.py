"""Pages of a list that is ordered by one value and then by number: where the reader stands, in the address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal

PAGE = 50

Key = str | int | float | Decimal | date | None
Phase = Literal["known", "unknown", "unmeasured"]
PHASES: tuple[Phase, ...] = ("known", "unknown", "unmeasured")
"""The list in three stretches: customers with a value, those without one, those that no turn has measured yet."""

_MARKS: Mapping[str, Phase] = {"k": "known", "u": "unknown", "m": "unmeasured"}


@dataclass(frozen=True, slots=True)
class Place:
    """A row of the list: its stretch, its value there and the customer's id."""

    phase: Phase
    value: Key
    id: int

    @property
    def stretch(self) -> int:
        return PHASES.index(self.phase)

    def text(self) -> str:
        """Return the place as the address writes it."""
        mark = self.phase[0] if self.phase != "unmeasured" else "m"
        value = self.value.isoformat() if isinstance(self.value, date) else self.value
        return f"{mark}{self.id}" if value is None else f"{mark}{self.id}~{value}"


@dataclass(frozen=True, slots=True)
class Order:
    """By what a list is ordered: the column's path, the Python type of its values, and the direction.

    A fact of the turn is unknown for whom no turn has measured; `is_fact` is False for a column of the customer.
    """

    path: str
    kind: type
    down: bool = False
    is_nullable: bool = True
    is_fact: bool = True
    among_facts: bool = False

    @property
    def tie(self) -> str:
        """The number that orders equal values; that of the table in which the value stands, for the index's sake."""
        if self.among_facts:
            return "customer_id"
        return "facts__customer_id" if self.is_fact else "id"

    def of_facts(self) -> "Order":
        """Return the same order as seen from the table of facts."""
        path = self.path.removeprefix("facts__") if self.is_fact else f"customer__{self.path}"
        return replace(self, path=path, is_fact=False, among_facts=True)


def place_from(text: str, kind: type) -> Place | None:
    """Read a place; None when the text is none, so that a mistyped address shows the first page."""
    head, tilde, value = text.partition("~")
    if head[:1] not in _MARKS or not head[1:].isdigit() or len(head) > 20:
        return None
    phase = _MARKS[head[0]]
    if phase != "known":
        return Place(phase, None, int(head[1:]))
    if not tilde:
        return None
    try:
        return Place(phase, _typed(value, kind), int(head[1:]))
    except (ValueError, InvalidOperation):
        return None


def _typed(text: str, kind: type) -> Key:
    if kind is date:
        return date.fromisoformat(text)
    if kind in (int, float, Decimal):
        number = kind(text)
        if number != number or number in (float("inf"), float("-inf")):  # NaN is nowhere in an order.
            raise ValueError(text)
        return number
    return text[:300]
