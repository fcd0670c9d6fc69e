"""One page of the customer list, forwards or backwards from a place, without counting what lies before it.

The list has three stretches: customers with a known value of the ordering column, those without one, and those whom no
turn has measured yet. Each is read through an index; a page that crosses a border is put together from two of them,
read in one state of the record: a customer who is measured meanwhile stands on one side of it, and only there.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.db.models import F, Func, Q, QuerySet
from django.db.models.expressions import OrderBy

from zhike.kit.ruletrees import Rule
from zhike.measure.models import CustomerFacts
from zhike.measure.queries import PartOfBook
from zhike.org.prepared import Prepared, Slot, Slots
from zhike.org.principals import Principal
from zhike.org.states import one_state
from zhike.record.customers.models import Customer
from zhike.web.rules.paging import PAGE, PHASES, Order, Phase, Place

Rows = list[dict[str, Any]]
IN_ORDER_OF_BOOK = frozenset({"arr", "health"})
"""Facts in whose order each book has an index of its own."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: Rows
    has_newer: bool
    has_older: bool

    def first(self, order: Order) -> Place | None:
        return place_of(self.rows[0], order) if self.rows else None

    def last(self, order: Order) -> Place | None:
        return place_of(self.rows[-1], order) if self.rows else None


def place_of(row: dict[str, Any], order: Order) -> Place:
    phase: Phase = row["phase"]
    return Place(phase, row[order.path] if phase == "known" else None, row["id"])


@dataclass(frozen=True, slots=True)
class Listing:
    """A filtered list in an order. `measured_only` is set by a condition over facts: the unmeasured never meet it.

    `book` are the same customers, when they are a colleague's and facts alone can tell whose are on the list: then a
    page is found there, and only its rows are read beside it, as far as the `reader` sees them.
    """

    base: Callable[[], QuerySet[Any]]
    order: Order
    columns: Sequence[str]
    measured_only: bool
    book: PartOfBook | None = None
    reader: Principal | None = None

    def page(self, *, after: Place | None = None, before: Place | None = None, size: int = PAGE) -> Page:
        """Return the page that begins after a place, ends before one, or is the first."""
        if before is not None:
            found = self._read(before, size + 1, back=True)
            rows = found[:size][::-1]
            return Page(rows, has_newer=len(found) > size, has_older=True)
        found = self._read(after, size + 1, back=False)
        return Page(found[:size], has_newer=after is not None, has_older=len(found) > size)

    def _read(self, place: Place | None, wanted: int, *, back: bool) -> Rows:
        phases = self._phases(place, back)
        # One stretch is found by one statement, which sees one state anyway.
        with one_state() if len(phases) > 1 else nullcontext():
            return self._stretches(phases, place, wanted, back=back)

    def _phases(self, place: Place | None, back: bool) -> list[Phase]:
        """Return the stretches of this list in the order of reading, from that of a place on."""
        there = {
            "known": True,
            "unknown": self.order.is_nullable,
            "unmeasured": self.order.is_fact and not self.measured_only,
        }
        phases = PHASES[::-1] if back else PHASES
        begins = phases.index(place.phase) if place else 0
        return [phase for phase in phases[begins:] if there[phase]]

    def _stretches(self, phases: Sequence[Phase], place: Place | None, wanted: int, *, back: bool) -> Rows:
        rows: Rows = []
        for phase in phases:
            start = place if place and place.phase == phase else None
            rows += self._stretch(phase, start, back, wanted - len(rows))
            if len(rows) >= wanted:
                break
        return rows

    def _stretch(self, phase: Phase, start: Place | None, back: bool, wanted: int) -> Rows:
        names = ["id", *self.columns, *([self.order.path] if phase == "known" else [])]
        # Whom no turn has measured yet stands among the customers alone, in whatever order.
        is_whole = self.order.is_fact or self.measured_only
        if self.book is None or not is_whole or phase == "unmeasured":
            found = list(_STRETCHES[phase](self, start, back).values(*names)[:wanted])
            return [{**row, "phase": phase} for row in found]
        ask = _numbers_in_book(self.book.rule, self.book.today, self.order, phase, back, start is not None, wanted)
        value, number = (start.value, start.id) if start else (None, None)
        ids = [key for (key,) in ask.list(owner=self.book.owner, value=value, number=number)]
        if not ids:
            return []
        rows = {row[0]: row for row in _rows(tuple(names)).list(self.reader, ids=ids)}
        return [{**dict(zip(names, rows[key], strict=True)), "phase": phase} for key in ids if key in rows]

    def _known(self, start: Place | None, back: bool) -> QuerySet[Any]:
        order, down = self.order, self.order.down != back
        rows = self.base()
        if order.is_nullable:
            rows = rows.filter(**{f"{order.path}__isnull": False})
        if start is not None:
            rows = rows.filter(_beyond(order.path, order.tie, start, down=down))
        if order.among_facts and order.path not in IN_ORDER_OF_BOOK:
            return rows.order_by(OrderBy(_computed(order), descending=down), OrderBy(F(order.tie), descending=down))
        return rows.order_by(*(f"-{name}" if down else name for name in (order.path, order.tie)))

    def _unknown(self, start: Place | None, back: bool) -> QuerySet[Any]:
        rows = self.base().filter(**{f"{self.order.path}__isnull": True})
        if self.order.is_fact:
            rows = rows.filter(facts__isnull=False)
        return _by_number(rows, self.order.tie, start, back=back)

    def _unmeasured(self, start: Place | None, back: bool) -> QuerySet[Any]:
        # A turn measures everybody, so whoever it has not seen was added later and has a higher number.
        last = CustomerFacts.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        return _by_number(self.base().filter(id__gt=last), "id", start, back=back)


def _computed(order: Order) -> Func:
    """Return the value of an order as if it were computed, so that its order is in no index.

    An index of everybody in that order looks cheap for the first page of a book, and is read nearly to its end where
    somebody keeps none of the largest customers. A book is read whole from its own index, and put in order.
    """
    return Func(F(order.path), template="(%(expressions)s || '')" if order.kind is str else "(%(expressions)s + 0)")


@lru_cache(maxsize=512)
def _numbers_in_book(
    rule: Rule | None, today: date, order: Order, phase: Phase, back: bool, is_begun: bool, wanted: int
) -> Prepared[tuple[int]]:
    """Return the question for the numbers of a stretch of a book; which index leads there depends on whose it is."""
    value: Any = Slot("value")
    number: Any = Slot("number")
    facts = PartOfBook(Slot("owner"), rule, today).facts()
    # Said of the customers as well, the owner leads to their names by an index.
    facts = facts if order.is_fact else facts.filter(customer__owner_id=F("book_id"))
    listing = Listing(lambda: facts, order.of_facts(), (), measured_only=True)

    def make(_viewer: Any) -> QuerySet[Any, Any]:
        found = _STRETCHES[phase](listing, Place(phase, value, number) if is_begun else None, back)
        return found.values_list("pk")[:wanted]

    return Prepared(make, is_kept=False)


@lru_cache(maxsize=256)
def _rows(names: tuple[str, ...]) -> Prepared[tuple[Any, ...]]:
    """Return the question for some columns of customers in view."""
    return Prepared(lambda viewer: Customer.objects.visible_to(viewer).filter(pk__in=Slots("ids")).values_list(*names))


_STRETCHES: dict[Phase, Callable[[Listing, Place | None, bool], QuerySet[Any]]] = {
    "known": Listing._known,
    "unknown": Listing._unknown,
    "unmeasured": Listing._unmeasured,
}


def _beyond(path: str, tie: str, start: Place, *, down: bool) -> Q:
    """Return the rows after a place; the outer bound lets an index begin there."""
    step, edge = ("lt", "lte") if down else ("gt", "gte")
    nearer = Q(**{f"{path}__{step}": start.value}) | Q(**{path: start.value, f"{tie}__{step}": start.id})
    return Q(**{f"{path}__{edge}": start.value}) & nearer


def _by_number(rows: QuerySet[Any], number: str, start: Place | None, *, back: bool) -> QuerySet[Any]:
    if start is not None:
        rows = rows.filter(**{f"{number}__{'lt' if back else 'gt'}": start.id})
    return rows.order_by(f"-{number}" if back else number)
