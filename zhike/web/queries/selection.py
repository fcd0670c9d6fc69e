"""The customers that a list shows: those in view, whom a rule and the typed words find, and their totals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from django.core.cache import cache
from django.db.models import Avg, Count, F, QuerySet, Sum

from zhike.kit.ruletrees import AllOf, Comparison, Op, Rule, fields_of
from zhike.measure import queries as measured
from zhike.measure.facts import FACTS
from zhike.measure.models import CustomerFacts
from zhike.measure.queries import PartOfBook
from zhike.org.prepared import Prepared, Slot
from zhike.org.principals import Principal
from zhike.org.roles import Scope
from zhike.record.customers.models import Customer
from zhike.web.queries.budget import within
from zhike.web.queries.paging import Listing
from zhike.web.queries.searching import matching_terms
from zhike.web.queries.status import COUNTED_TO, company_status
from zhike.web.rules.paging import Order

COUNT_MS = 80
BOOK_MS = 400  # A book takes a tenth of that; it is worth waiting for while others keep the database busy.
FEW = 2_000  # Customers who are added up at once, without watching the time.
LONG_MEMORY, PAGES_MEMORY = 600, 300  # Seconds.


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals of a list. Past ten thousand customers only the count is given, as one more than that, unless the last
    turn has left totals for this very list. `count` is None when counting took too long for a page.
    """

    count: int | None
    worth: Decimal | None = None
    health: float | None = None
    bands: Mapping[str, int] = field(default_factory=dict)
    risk_worth: Decimal | None = None
    is_exact: bool = True

    @property
    def is_few(self) -> bool:
        """Whether every order of this list is quick, also one without an index."""
        return self.count is not None and self.count <= COUNTED_TO


@dataclass(frozen=True)
class Selection:
    """Whom a person asks for: by a rule, by words, perhaps only one owner's, perhaps only some that were ticked."""

    principal: Principal
    rule: Rule | None
    words: str
    owner: int | None
    today: date
    only: frozenset[int] | None = None

    @property
    def measured_only(self) -> bool:
        """Whether a condition over facts leaves out whom no turn has measured yet."""
        return self.rule is not None and any(name in FACTS and FACTS[name].stored for name in fields_of(self.rule))

    def customers(self) -> QuerySet[Customer]:
        found = measured.matching(self.rule, self.principal, today=self.today)
        if self.owner is not None:
            found = found.filter(owner_id=self.owner)
        if self.only is not None:
            found = found.filter(pk__in=self.only)
        condition = matching_terms(self.words, personal=self.principal.sees_personal) if self.words else None
        if self.words and condition is None:
            return found.none()
        return found.filter(condition) if condition is not None else found

    def facts(self) -> QuerySet[CustomerFacts] | None:
        """Return the facts of those asked for, where these alone can tell: one colleague's customers, by facts."""
        return None if self.rule is None or self.book is None else self.book.facts()

    @cached_property
    def book(self) -> PartOfBook | None:
        """Return those asked for, as far as they have been measured, where facts alone can tell."""
        owner = self.principal.pk if self.principal.scope == Scope.OWN and self.owner is None else self.owner
        if owner is None or self.words or self.only is not None:
            return None
        return measured.in_book(self.rule, self.principal, owner, today=self.today)

    def listing(self, order: Order, columns: Sequence[str]) -> Listing:
        """Return the list of them in an order, with these columns."""
        return Listing(self.customers, order, columns, self.measured_only, self.book, self.principal)

    def count(self) -> int | None:
        """Return how many there are, at most COUNTED_TO + 1; None when that takes too long."""
        return within(COUNT_MS, self._bounded().count)

    def totals(self, *, is_paged: bool = False) -> Totals:
        """Return the totals: counted now where that is quick, else as the last turn left them.

        That a list is long is remembered for a while: finding it out once more would cost as much again. A later page
        of a list tells what the first one found.
        """
        asked = f"{seen_by(self.principal)}:{self.owner}:{self.today}:{hash((self.rule, self.words, self.only))}"
        long, paged = f"totals:{asked}", f"totals-of-pages:{asked}"
        known: Totals | None = cache.get(long) or (cache.get(paged) if is_paged else None)
        if known is not None:
            return known
        found = self._totals()
        if found.is_few:
            cache.set(paged, found, PAGES_MEMORY)
        else:
            cache.set(long, found, LONG_MEMORY)
        return found

    def _totals(self) -> Totals:
        left = self._totals_of_turn()
        if left is not None and left.count is not None and left.count > COUNTED_TO:
            return left
        if left is not None and left.count is not None and left.count <= FEW:
            return _summed_up(self._by_band())
        if self.rule is not None and self.book is not None:
            return self._totals_of_book(left)
        counted: list[int] = []

        def ask() -> list[dict[str, Any]] | None:
            counted.append(self._bounded().count())
            return self._by_band() if counted[0] <= COUNTED_TO else None

        rows = within(COUNT_MS, ask)
        count = counted[0] if counted else None
        if rows is None:
            exact = count is not None and count <= COUNTED_TO
            return left or Totals(count, is_exact=exact)
        return _summed_up(rows)

    def _totals_of_book(self, left: Totals | None) -> Totals:
        """Return the totals of a list that a book's facts tell: summing up so few costs hardly more than counting."""
        rows = within(BOOK_MS, self._by_band)
        found = Totals(None, is_exact=False) if rows is None else _summed_up(rows)
        if found.is_few:
            return found
        return left or Totals(None if found.count is None else COUNTED_TO + 1, is_exact=False)

    def _bounded(self) -> QuerySet[Any, Any]:
        facts = self.facts()
        found = self.customers() if facts is None else facts
        return found.order_by().values("pk")[: COUNTED_TO + 1]

    def _by_band(self) -> list[dict[str, Any]]:
        """Return sums by health band; whom no turn has measured stands under None."""
        if self.rule is None or self.book is None:
            return list(_banded(self.customers(), "facts__", _worth()))
        rows = _by_band_of_book(self.book.rule, self.book.today, _worth()).list(owner=self.book.owner)
        return [dict(zip(SUMS, row, strict=True)) for row in rows]

    def _totals_of_turn(self) -> Totals | None:
        """Return the totals that the last turn left, when the list is one that it added up."""
        where = _summed(self.rule)
        if where is None or self.words or self.only is not None:
            return None
        owner = int(where["owner_id"]) if "owner_id" in where else None
        if self.owner is not None and owner not in {None, self.owner}:
            return None
        whole, bands = measured.totals(
            self.principal,
            owner_id=self.owner or owner,
            tier=where.get("tier", ""),
            stage=where.get("stage", ""),
            band=where.get("band", ""),
        )
        if not whole.customers:
            return None
        worth = _worth()
        risk = bands.get("risk")
        return Totals(
            count=whole.customers,
            worth=getattr(whole, worth),
            health=float(whole.health) if whole.health is not None else None,
            bands={band: total.customers for band, total in bands.items() if band},
            risk_worth=getattr(risk, worth) if risk else None,
        )


SUMS = ("band", "number", "worth", "mean", "known")


def _banded(found: QuerySet[Any], to: str, worth: str) -> QuerySet[Any, Any]:
    """Return SUMS by health band; `to` is the way to the facts, `worth` the one that is added up."""
    banded: QuerySet[Any, Any] = (
        found.order_by()
        .values(band=F(f"{to}health_band"))
        .annotate(
            number=Count("pk"),
            worth=Sum(f"{to}{worth}"),
            mean=Avg(f"{to}health"),
            known=Count(f"{to}health"),
        )
    )
    return banded


@lru_cache(maxsize=512)
def _by_band_of_book(rule: Rule | None, today: date, worth: str) -> Prepared[tuple[Any, ...]]:
    """Return the question for SUMS of a colleague's customers whom a rule finds; the plan depends on whose they are."""
    book = PartOfBook(Slot("owner"), rule, today)
    return Prepared(lambda _viewer: _banded(book.facts(), "", worth).values_list(*SUMS), is_kept=False)


def _summed_up(rows: list[dict[str, Any]]) -> Totals:
    known = sum(row["known"] for row in rows)
    points = sum(float(row["mean"]) * row["known"] for row in rows if row["mean"] is not None)
    return Totals(
        count=sum(row["number"] for row in rows),
        worth=sum((row["worth"] or Decimal(0) for row in rows), Decimal(0)),
        health=points / known if known else None,
        bands={row["band"]: row["number"] for row in rows if row["band"]},
        risk_worth=next((row["worth"] for row in rows if row["band"] == "risk"), None),
    )


def seen_by(principal: Principal) -> str:
    """Return what tells apart people who see different customers."""
    if principal.scope == Scope.ALL:
        return "all"
    return f"team{principal.team_id}" if principal.scope == Scope.TEAM else f"own{principal.pk}"


SUMMED = {"tier": "tier", "stage": "stage", "health_band": "band", "owner_id": "owner_id"}


def _summed(rule: Rule | None) -> dict[str, str] | None:
    """Return what narrows the turn's totals to this rule; None for a rule that they cannot answer."""
    if rule is None:
        return {}
    parts = rule.rules if isinstance(rule, AllOf) else (rule,)
    where: dict[str, str] = {}
    for part in parts:
        if not isinstance(part, Comparison) or part.field not in SUMMED or SUMMED[part.field] in where:
            return None
        value = (
            part.value[0] if part.op is Op.IN and isinstance(part.value, tuple) and len(part.value) == 1 else part.value
        )
        if part.op not in {Op.IS, Op.IN} or isinstance(value, tuple):
            return None
        where[SUMMED[part.field]] = str(int(value)) if isinstance(value, Decimal) else str(value)
    return where


def _worth() -> str:
    return "arr" if company_status().has_subscriptions else "revenue_12m"
