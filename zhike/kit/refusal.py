"""A refusal: something a person asked for that will not be done, with a sentence saying why."""

from dataclasses import dataclass
from typing import ClassVar


def gettext_noop(message: str) -> str:
    """Mark an English sentence for the catalogue and return it unchanged.

    Plain Python cannot translate; the door that shows the sentence does. Import it as `_`.
    """
    return message


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the material of the person the refused thing stands; every part is optional.

    `line` and `row` count from 1; `row` is the data row without the header.
    """

    file: str | None = None
    line: int | None = None
    row: int | None = None
    field: str | None = None


class Refusal(Exception):
    """Base of all refusals. A subclass gives `message`, an English msgid with %(name)s details.

    `message` may be a lazy translation: it is only read when the refusal is shown.
    """

    message: ClassVar[object] = gettext_noop("This cannot be done.")

    def __init__(self, *, place: Place | None = None, **details: object) -> None:
        super().__init__()
        self.place = place
        self.details: dict[str, object] = details

    def __str__(self) -> str:
        """Return the sentence with its details filled in, in the language of `message`."""
        sentence = str(self.message)
        return sentence % self.details if self.details else sentence
