"""Questions about facts: whom a rule finds, what is known of some customers, totals, and one customer's past.

Whoever asks about today's rows gets what the last turn wrote; the past of one customer comes from the lake.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, Count, F, Q, QuerySet, Sum
from django.db.models.expressions import Expression
from django.utils.functional import lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from sqlglot import exp

from zhike.kit import ruletrees
from zhike.kit.refusal import Refusal
from zhike.kit.ruletrees import ATTRIBUTES, Rule
from zhike.measure import lake, reading
from zhike.measure.dates import measured_for, told_by_dates
from zhike.measure.facts import BANDS, FACTS, STORED
from zhike.measure.models import CustomerFacts, FactsDay, FactsSummary
from zhike.org.models import Staff
from zhike.org.principals import SYSTEM, Principal
from zhike.org.roles import Scope
from zhike.org.scopes import in_book_of
from zhike.record.customers.models import Customer

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

EVENTS_SHOWN = 20


class RevenueIsHidden(Refusal):
    message = _("Your role does not see revenue, so %(fact)s cannot be asked about.")


class _Holds(Expression):
    """A rule as a condition of Django's: the only place where a rule meets the tables of PostgreSQL.

    The SQL is compiled by `ruletrees` from a parsed rule, values as literals escaped by sqlglot; here its columns only
    get the tables that Django joined, by the names Django gave them.
    """

    conditional = True

    def __init__(self, rule: Rule, today: date, path: Callable[[str], str]) -> None:
        super().__init__(output_field=BooleanField())
        self.asked = (rule, today)
        self.names = _columns(*self.asked)
        self.columns: list[Any] = [F(path(name)) for name in self.names]

    def get_source_expressions(self) -> list[Any]:
        return self.columns

    def set_source_expressions(self, expressions: Sequence[Any]) -> None:
        self.columns = list(expressions)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        places = tuple(
            # Names of tables are quoted, names that Django made up for a subquery are not.
            (place.alias, compiler.quote_name_unless_alias(place.alias).startswith('"'), place.target.column)
            for place in self.columns
        )
        return _written(*self.asked, places), ()


_compiled = lru_cache(maxsize=1024)(ruletrees.compile)


@lru_cache(maxsize=1024)
def _columns(rule: Rule, today: date) -> tuple[str, ...]:
    return tuple(sorted({column.name for column in _compiled(rule, today).find_all(exp.Column)}))


@lru_cache(maxsize=1024)
def _written(rule: Rule, today: date, places: tuple[tuple[str, bool, str], ...]) -> str:
    """Return the SQL of a rule; `places` are table, whether its name is quoted, and column of each of its columns."""
    found = dict(zip(_columns(rule, today), places, strict=True))
    tree = _compiled(rule, today).copy()
    for column in list(tree.find_all(exp.Column)):
        alias, quoted, name = found[column.name]
        table = exp.to_identifier(alias, quoted=quoted)
        column.replace(exp.Column(this=exp.to_identifier(name, quoted=True), table=table))
    return f"({tree.sql(dialect='postgres').replace('%', '%%')})"


def _path(name: str) -> str:
    """Return where a column of a rule stands, seen from the customer."""
    return f"facts__{name}" if name in FACTS and FACTS[name].stored else name


def matching(rule: Rule | None, principal: Principal, *, today: date) -> QuerySet[Customer]:
    """Return the customers whom this person may see and whom the rule finds, with `facts` to follow.

    A rule over facts leaves out customers whom no turn has measured yet. `today` is what relative days count from.
    Raises RevenueIsHidden for a rule over revenue asked by somebody who may not see it.
    """
    found = Customer.objects.visible_to(principal)
    if rule is None:
        return found
    refuse_hidden(ruletrees.fields_of(rule), principal)
    if any(name in FACTS and FACTS[name].stored for name in ruletrees.fields_of(rule)):
        found = found.filter(facts__isnull=False)
    return found.filter(_Holds(rule, today, _path))


@dataclass(frozen=True, slots=True)
class PartOfBook:
    """One colleague's customers whom a rule finds, where their facts alone can tell whom.

    `owner` is the colleague's number, or a Slot where a question is written for whoever is given later.
    """

    owner: Any
    rule: Rule | None
    today: date

    def facts(self) -> QuerySet[CustomerFacts]:
        found = CustomerFacts.objects.filter(book_id=self.owner)
        return found.filter(_Holds(self.rule, self.today, str)) if self.rule else found


def in_book(rule: Rule | None, principal: Principal, owner_id: int, *, today: date) -> PartOfBook | None:
    """Return one colleague's customers whom a rule finds; None where the customers must be asked as well.

    That is when the rule asks about something else than facts, or when this person may not see all of that colleague's
    customers. Facts alone answer many times faster. Raises RevenueIsHidden as `matching` does.
    """
    may_see = principal.scope == Scope.ALL or (principal.pk is not None and principal.pk == owner_id)
    if not _is_of_facts(rule, principal) or not may_see:
        return None
    return PartOfBook(owner_id, told_by_dates(rule, measured_for([rule])) if rule else None, today)


def _is_of_facts(rule: Rule | None, principal: Principal) -> bool:
    names = ruletrees.fields_of(rule) if rule else frozenset[str]()
    refuse_hidden(names, principal)
    return all(name in FACTS and FACTS[name].stored for name in names)


def counts_in_books(rules: Mapping[str, Rule], principal: Principal, *, today: date) -> dict[str, int]:
    """Return how many of the measured customers that a person may see each rule finds, by the rule's key.

    The books are read once for all of them. Rules that ask about something else than facts are left out.
    """
    asked = {key: rule for key, rule in rules.items() if _is_of_facts(rule, principal)}
    if not asked:
        return {}
    measured = measured_for(asked.values())
    numbers = {
        f"number{place}": Count("pk", filter=Q(_Holds(told_by_dates(rule, measured), today, str)))
        for place, rule in enumerate(asked.values())
    }
    found = CustomerFacts.objects.filter(in_book_of(principal)).aggregate(**numbers)
    return dict(zip(asked, (found[name] for name in numbers), strict=True))


def refuse_hidden(names: Iterable[str], principal: Principal) -> None:
    """Raise RevenueIsHidden when one of the facts may not be seen, and so neither asked about nor sorted by."""
    for name in sorted(names):
        if name in hidden_from(principal):
            raise RevenueIsHidden(fact=label(name))


def _label(name: str) -> str:
    return FACTS[name].label(get_language() or "en")


label = lazy(_label, str)  # In the language of whoever reads it.


def hidden_from(principal: Principal) -> frozenset[str]:
    """Return the names of the facts that this person may not see."""
    if principal.sees_revenue:
        return frozenset()
    return frozenset(name for name, fact in FACTS.items() if fact.is_revenue)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are; `is_capped` when there are more than that."""

    number: int
    is_capped: bool


def count(rule: Rule | None, principal: Principal, *, today: date, cap: int = 10_000) -> Counted:
    """Return how many customers a rule finds, counting no further than `cap`."""
    found = matching(rule, principal, today=today).order_by().values("pk")[: cap + 1].count()
    return Counted(min(found, cap), found > cap)


def facts_of(customer_ids: Collection[int], *, principal: Principal = SYSTEM) -> dict[int, dict[str, Any]]:
    """Return today's facts by customer number, as a mapping of all FACTS, `customer_id`, `attributes`, `health_weeks`.

    Facts that the person may not see are None. Scope is not asked: the caller has reached the customers already.
    """
    own = [name for name, fact in FACTS.items() if not fact.stored]
    names = {"customer_id": "customer_id", "health_weeks": "health_weeks", ATTRIBUTES: f"customer__{ATTRIBUTES}"}
    names |= {name: f"customer__{name}" for name in own} | {fact.name: fact.name for fact in STORED}
    hidden = hidden_from(principal)
    found: dict[int, dict[str, Any]] = {}
    for values in CustomerFacts.objects.filter(pk__in=customer_ids).values_list(*names.values()):
        row = dict(zip(names, values, strict=True))
        found[row["customer_id"]] = {name: None if name in hidden else value for name, value in row.items()}
    return found


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over customers; `health` is the mean of those whose health is known."""

    customers: int
    revenue: Decimal
    revenue_12m: Decimal
    mrr: Decimal
    health: Decimal | None

    @property
    def arr(self) -> Decimal:
        return 12 * self.mrr


def totals(
    principal: Principal, *, owner_id: int | None = None, tier: str = "", stage: str = "", band: str = ""
) -> tuple[Total, dict[str, Total]]:
    """Return the totals of the customers in view, and the same by health band ('' for unknown health).

    What is given narrows them. They are those of the last turn, without counting anything now.
    """
    given = {"owner_id": owner_id, "tier": tier, "stage": stage, "band": band}
    where = [Q((name, value)) for name, value in given.items() if value]
    rows = (
        _summaries(principal)
        .filter(*where)
        .values("band")
        .annotate(
            number=Sum("customers"),
            revenue_sum=Sum("revenue"),
            year_sum=Sum("revenue_12m"),
            mrr_sum=Sum("mrr"),
            points=Sum("health_sum"),
            known=Sum("health_known"),
        )
    )
    bands = {band: sums for band, *sums in rows.order_by("band").values_list("band", *_SUMS)}
    whole = [sum(column, type(column[0])()) for column in zip(*bands.values(), strict=True)] or [0] * len(_SUMS)
    shown = {band: _total(bands[band]) for band in (*BANDS, "") if band in bands}
    return _total(whole), shown


_SUMS = ("number", "revenue_sum", "year_sum", "mrr_sum", "points", "known")


def _total(sums: Sequence[Any]) -> Total:
    number, revenue, year, mrr, points, known = sums
    mean = (Decimal(points) / known).quantize(Decimal("0.1")) if known else None
    return Total(number, Decimal(revenue), Decimal(year), Decimal(mrr), mean)


def _summaries(principal: Principal) -> QuerySet[FactsSummary]:
    rows = FactsSummary.objects.all()
    if principal.scope == Scope.ALL:
        return rows
    if principal.scope == Scope.TEAM and principal.team_id is not None:
        return rows.filter(owner_id__in=Staff.objects.filter(team_id=principal.team_id).values("pk"))
    return rows.filter(owner_id=principal.pk)


def latest_day() -> FactsDay | None:
    """Return the last measured day."""
    return FactsDay.objects.order_by("-day").first()


def usage_weekly(customer_id: int, weeks: int, *, today: date) -> list[tuple[date, int]]:
    """Return usage per week of seven days, oldest first, each by its first day; the last one ends yesterday."""
    found = _usage(
        "SELECT CAST(($today - day - 1) // 7 AS INTEGER) AS week, CAST(SUM(count) AS BIGINT) AS number "
        "FROM {usage} GROUP BY week",
        customer_id,
        days=7 * weeks,
        today=today,
    )
    numbers = {row["week"]: row["number"] for row in found}
    return [(today - timedelta(weeks=week + 1), numbers.get(week, 0)) for week in range(weeks - 1, -1, -1)]


@dataclass(frozen=True, slots=True)
class EventUsage:
    """Use of one feature within 30 days and the 30 days before; `change` is a share, None without use before."""

    event: str
    now: int
    before: int
    last: date

    @property
    def change(self) -> float | None:
        return (self.now - self.before) / self.before if self.before else None


def usage_by_event(customer_id: int, *, today: date) -> list[EventUsage]:
    """Return what one customer used in the last 60 days, most used first, at most EVENTS_SHOWN features."""
    found = _usage(
        "SELECT event, CAST(COALESCE(SUM(count) FILTER (day >= $today - 30), 0) AS BIGINT) AS now, "
        "CAST(COALESCE(SUM(count) FILTER (day < $today - 30), 0) AS BIGINT) AS before, MAX(day) AS last "
        "FROM {usage} GROUP BY event ORDER BY GREATEST(now, before) DESC, event LIMIT $shown",
        customer_id,
        days=60,
        today=today,
    )
    return [EventUsage(**row) for row in found]


def usage_since(customer_id: int, *, days: int, today: date) -> list[EventUsage]:
    """Return everything that one customer used within so many days, with the use of the last 30 and the 30 before."""
    found = _usage(
        "SELECT event, CAST(COALESCE(SUM(count) FILTER (day >= $today - 30), 0) AS BIGINT) AS now, "
        "CAST(COALESCE(SUM(count) FILTER (day < $today - 30 AND day >= $today - 60), 0) AS BIGINT) AS before, "
        "MAX(day) AS last FROM {usage} GROUP BY event ORDER BY event",
        customer_id,
        days=days,
        today=today,
    )
    return [EventUsage(**row) for row in found]


def _usage(statement: str, customer_id: int, *, days: int, today: date) -> list[dict[str, Any]]:
    """Return the rows of a statement over one customer's usage of the days before today."""
    when = reading.morning(today)
    since = lake.midnight(today - timedelta(days=days), when.zone)
    files = lake.usage_files(since=since, until=when.cut_off, customer_id=customer_id)
    usage = lake.filled(
        "(SELECT *, {day} AS day FROM {files} WHERE customer = $customer)",
        day=lake.as_date(when.day_of("us")),
        files=lake.usage_relation(files, since=since, until=when.cut_off),
    )
    values: dict[str, lake.Value] = {
        "customer": customer_id,
        "today": today,
        "shown": EVENTS_SHOWN,
    }
    rows: list[dict[str, Any]] = lake.reader().query(lake.filled(statement, usage=usage), values).to_pylist()
    return rows
