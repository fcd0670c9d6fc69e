"""Who stands before and after a customer in a list."""

from dataclasses import dataclass

from django.db.models import Q

from zhike.web.queries.budget import within
from zhike.web.queries.paging import place_of
from zhike.web.queries.selection import Selection
from zhike.web.queries.status import COUNTED_TO
from zhike.web.rules.paging import Order, Phase

PLACE_MS = 60


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The customers before and after, and the place in the list; None where there is none or it is far down."""

    previous: int | None = None
    next: int | None = None
    place: int | None = None


def neighbours_of(customer_id: int, selection: Selection, order: Order) -> Neighbours:
    """Return the neighbours; a customer who is not in the list has none."""
    rows = selection.customers().filter(pk=customer_id).values("id", "facts__customer_id", order.path)
    row = rows.first()
    if row is None:
        return Neighbours()
    place = place_of({**row, "phase": _phase(row, order)}, order)
    listing = selection.listing(order, ())
    before = listing.page(before=place, size=1).rows
    after = listing.page(after=place, size=1).rows
    number = _number(selection, order, row) if place.phase == "known" else None
    return Neighbours(before[0]["id"] if before else None, after[0]["id"] if after else None, number)


def _phase(row: dict[str, object], order: Order) -> Phase:
    if not order.is_nullable or row[order.path] is not None:
        return "known"
    return "unmeasured" if order.is_fact and row["facts__customer_id"] is None else "unknown"


def _number(selection: Selection, order: Order, row: dict[str, object]) -> int | None:
    """Return how many stand before, and this one; None when that takes too long or there are too many."""
    step, value = ("gt" if order.down else "lt"), row[order.path]
    tie = Q(**{order.path: value, f"id__{step}": row["id"]})
    before = selection.customers().filter(Q(**{f"{order.path}__{step}": value}) | tie).order_by()
    count = within(PLACE_MS, before.values("pk")[: COUNTED_TO + 1].count)
    return None if count is None or count > COUNTED_TO else count + 1
