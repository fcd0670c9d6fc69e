"""The usage report of one customer (B8): what falls, what was never tried, and what customers alike use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from zhike.measure.models import CustomerFacts, PeerShare
from zhike.measure.offers.peers import USUAL
from zhike.measure.offers.queries import Share, peers_of
from zhike.measure.queries import usage_since
from zhike.record.customers.models import Customer

YEARS = 3
LEAST_BEFORE = 5  # Times within the window before, from which on a fall says something.
FALLEN = -0.3
SHOWN = 6


@dataclass(frozen=True)
class Falling:
    """A feature used less than before: times within 30 days and within the 30 days before."""

    event: str
    now: int
    before: int

    @property
    def change(self) -> float:
        return (self.now - self.before) / self.before


@dataclass(frozen=True)
class Untried:
    """A feature that customers alike use and this one does not; `was_tried` if it once did, longer ago than 90 days."""

    event: str
    share: Share
    was_tried: bool


@dataclass(frozen=True)
class UsageReport:
    falling: list[Falling]
    untried: list[Untried]


def report(customer: Customer, facts: CustomerFacts | None, *, today: date) -> UsageReport:
    """Return the report; one customer's own rows are read, and the small table of what customers alike use."""
    used = usage_since(customer.pk, days=366 * YEARS, today=today)
    falling = [
        Falling(one.event, one.now, one.before)
        for one in used
        if one.before >= LEAST_BEFORE and (one.now - one.before) / one.before <= FALLEN
    ]
    falling.sort(key=lambda one: (one.now - one.before, one.event))
    usual = PeerShare.objects.filter(kind="feature", group="all").order_by("-customers", "item")
    lately = {one.event for one in used if (today - one.last).days <= 90}
    ever = {one.event for one in used}
    wanted = [
        item
        for item, customers, among in usual.values_list("item", "customers", "among")
        if customers >= USUAL * among and item not in lately
    ]
    shares = peers_of(customer, facts, "feature", wanted)
    untried = [Untried(item, shares[item], item in ever) for item in wanted if item in shares]
    untried.sort(key=lambda one: (-one.share.share, one.event))
    return UsageReport(falling[:SHOWN], untried[:SHOWN])
