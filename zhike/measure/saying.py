"""Numbers of facts in words, with their unit."""

from decimal import Decimal

from django.utils.translation import ngettext, pgettext

from zhike.measure.facts import FACTS, Unit
from zhike.ui import words


def number(field: str, value: float | Decimal) -> str:
    """Return a number that a rule asks a field for, exactly, with its unit; a share is told as per cent."""
    unit = FACTS[field].unit if field in FACTS else Unit.NONE
    exact = Decimal(str(value)) * (100 if unit is Unit.SHARE else 1)
    said = f"{words.MINUS if exact < 0 else ''}{abs(exact).normalize():,f}"
    return f"{said}%" if unit is Unit.SHARE else _pattern(unit, is_one=abs(exact) == 1) % {"number": said}


def _pattern(unit: Unit, *, is_one: bool) -> str:
    count = 1 if is_one else 2
    match unit:
        case Unit.DAYS:
            return ngettext("%(number)s day", "%(number)s days", count)
        case Unit.WEEKS:
            return ngettext("%(number)s week", "%(number)s weeks", count)
        case Unit.TIMES:
            return pgettext("times", "%(number)s")
        case Unit.PEOPLE:
            return ngettext("%(number)s person", "%(number)s people", count)
        case Unit.SEATS:
            return ngettext("%(number)s seat", "%(number)s seats", count)
        case _:
            return "%(number)s"
