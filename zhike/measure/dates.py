"""Rules over days that pass, told as rules over dates.

How many days away something is changes every night for every customer, so no index of a book holds it. The dates they
are counted from stand there, and comparing those needs no reckoning for each row.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from zhike.kit import ruletrees
from zhike.kit.ruletrees import DATE, AllOf, AnyOf, Comparison, Not, Op, Rule
from zhike.measure.facts import FACTS
from zhike.measure.models import FactsDay
from zhike.org.once import once

MIRRORED = {Op.ABOVE: Op.BELOW, Op.AT_LEAST: Op.AT_MOST, Op.BELOW: Op.ABOVE, Op.AT_MOST: Op.AT_LEAST}
"""What a comparison of days since a date says of the date itself: more days are an earlier date."""


def measured_for(rules: Iterable[Rule]) -> date | None:
    """Return the day whose facts stand in the table, where one of the rules asks how many days something is away."""
    names = {name for rule in rules for name in ruletrees.fields_of(rule)}
    if not any(name in FACTS and FACTS[name].counts_days for name in names):
        return None
    return once("measured", FactsDay.objects.order_by("-computed_at").values_list("day", flat=True).first)


@lru_cache(maxsize=1024)
def told_by_dates(rule: Rule, measured: date | None) -> Rule:
    """Return a rule that finds the same customers among those measured on that day, by dates as far as it can."""
    match rule:
        case Comparison():
            return rule if measured is None else _told(rule, measured)
        case AllOf(rules):
            return AllOf(tuple(told_by_dates(inner, measured) for inner in rules))
        case AnyOf(rules):
            return AnyOf(tuple(told_by_dates(inner, measured) for inner in rules))
        case Not(inner):
            return Not(told_by_dates(inner, measured))


def _told(test: Comparison, measured: date) -> Comparison:
    counted = FACTS[test.field].counts_days if test.field in FACTS else None
    if counted is None:
        return test
    name, is_ahead = counted
    if test.op is Op.KNOWN:
        return replace(test, field=name, type=DATE)
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    numbers = [int(one) for one in values if isinstance(one, Decimal)]
    if len(numbers) < len(values):
        return test
    try:
        days = [measured + timedelta(one if is_ahead else -one) for one in numbers]
    except OverflowError:  # No date is that far away.
        return test
    if not is_ahead:
        days.reverse()  # The first of two is the earlier date.
    value = tuple(days) if isinstance(test.value, tuple) else days[0]
    return Comparison(name, DATE, test.op if is_ahead else MIRRORED.get(test.op, test.op), value)
