"""Rows to learn from: facts as they were kept on past days, and who had left within the horizon after.

Nothing but kept days is read: what a customer looked like on a day is what was known on that day, and who left is what
the days kept afterwards say. A day later than the one asked for is never opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zhike.kit.ruletrees import Kind
from zhike.measure import snapshots
from zhike.measure.churn import tables
from zhike.measure.churn.tables import Column, Flags, Floats
from zhike.measure.facts import FACTS, Source, Unit
from zhike.measure.models import FactsDay
from zhike.measure.specs import ChurnSpec

LEFT_OUT = {"frequency", "monetary", "rfm", "usage_prev_30d", "usage_prev_90d"}  # The change says what came before.
HEARD = ("negative_feedback_90d", "last_sentiment")
UNUSED = (Source.CUSTOMER, Source.SHARES, Source.NIGHTLY, Source.GIVEN, Source.HEALTH, Source.TIERS)
FEATURES = tuple(
    name
    for name, fact in FACTS.items()
    if (name in HEARD or fact.source not in UNUSED)
    and fact.kind is not Kind.DATE
    and fact.unit is not Unit.SCORE
    and name not in LEFT_OUT
)
"""What is learnt from: what customers do, have and say, not who they are; the same few stand in the rows of many days,
and would be known again by name, region or first day. Dates are there as days since. Places among others are not there,
nor health and tier: they are what the plan of that day made of the same facts, and change with it."""
WORTH = frozenset(
    {"tenure_days", "orders", "revenue", "revenue_12m", "returned", "fees", "mrr", "arr", "seats", "stage"}
)
"""What tells a customer's size and age rather than what it does. A few dozen who left can teach nothing about them:
they are learnt from where there are ten cases for each feature (Peduzzi et al. 1996), and always in a shop, where
purchases are the behaviour."""
CASES_A_FEATURE = 10
LESS = {"usage_30d", "usage_90d", "usage_change_30d", "usage_change_90d", "users_30d", "active_days_30d"}
LESS |= {"active_weeks_13w", "logins_per_week", "features_30d", "features_ever", "last_nps"}
MORE = {"days_since_usage", "recency_days", "negative_feedback_90d"}
SIGN_OF = {**dict.fromkeys(LESS, -1), **dict.fromkeys(MORE, 1)}
"""More use and better answers may only lower the score, more silence and complaints only raise it. Facts of use go
together; left free, one would be praised for what another is blamed for, and drivers would name the wrong cause."""
RENEWAL = "days_to_renewal"
SIGNS = {"orders": "last_order", "usage": "last_usage", "contract": "mrr"}
MONTHS = 24
STEPS = (28, 14, 7)
ENOUGH_DAYS = 8
NEAR = 7
LATE = 3
MOST_ROWS = 100_000
MIX = 2_654_435_761


@dataclass(frozen=True, slots=True)
class Past:
    """Customers on past days. `day` is the ordinal of the day, `after` days until leaving was seen (NaN: stayed)."""

    columns: dict[str, Column]
    customer: npt.NDArray[np.int64]
    day: Floats
    left: Flags
    after: Floats
    days: list[date]
    late: int = 0
    """How many of the days were computed long after they were over, so that what was entered later may be in them."""

    def __len__(self) -> int:
        return len(self.left)


def with_us(table: pa.Table, day: date, spec: ChurnSpec) -> Flags:
    """Return which rows are customers that can still leave: active within the days of the plan, or under contract."""
    return ~_gone(table[SIGNS[spec.by]], day, spec)


def features(table: pa.Table, spec: ChurnSpec) -> dict[str, Column]:
    """Return the columns of rows.

    Where leaving is a contract that ends, nobody leaves before it does: what counts is whether that comes up within the
    horizon, not the day, so the days until then are two classes, and none for contracts without an end.
    """
    texts = {name for name in FEATURES if FACTS[name].kind in (Kind.TEXT, Kind.CHOICE)}
    like = {name: tables.categories(name, [], []) for name in texts}
    found = {name: tables.column(name, table[name], like.get(name)) for name in FEATURES}
    if spec.by == "contract":
        until = found[RENEWAL].values
        codes = np.where(np.isnan(until), -1, np.where(until <= spec.horizon_days, 0, 1))
        found[RENEWAL] = tables.categories(RENEWAL, codes, (f"≤ {spec.horizon_days}", f"> {spec.horizon_days}"))
    return found


def learnt_from(past: Past, spec: ChurnSpec) -> dict[str, Column]:
    """Return the columns that so many cases can carry."""
    cases = len(np.unique(past.customer[past.left]))
    if spec.by == "orders" or cases >= CASES_A_FEATURE * len(past.columns):
        return past.columns
    return {name: column for name, column in past.columns.items() if name not in WORTH}


def past(spec: ChurnSpec, today: date) -> Past | None:
    """Return rows of kept days whose horizon is over by `today`; None where there is no such day."""
    kept = list(FactsDay.objects.filter(day__lte=today, day__gt=today - timedelta(days=31 * MONTHS)).order_by("day"))
    weekly = _apart(kept, NEAR)
    whole = [day for day in weekly if _complete(day.day, weekly, spec)]
    chosen = next((some for step in STEPS if len(some := _apart(whole, step)) >= ENOUGH_DAYS), whole)
    if not chosen:
        return None
    sign = SIGNS[spec.by]
    later = {day.day: snapshots.read(day, ["customer_id", sign]) for day in weekly if day.day > chosen[0].day}
    parts = [_rows(day, later, spec, len(chosen)) for day in chosen]
    table = pa.concat_tables([part[0] for part in parts])
    days = np.concatenate(
        [np.full(len(part[0]), _since_1970(day.day)) for part, day in zip(parts, chosen, strict=True)]
    )
    after = np.concatenate([part[1] for part in parts])
    customers = np.asarray(table["customer_id"].to_numpy(), dtype=np.int64)
    days_read = [day.day for day in chosen]
    late = sum((day.computed_at.date() - day.day).days > LATE for day in chosen)
    return Past(features(table, spec), customers, days.astype(np.float64), ~np.isnan(after), after, days_read, late)


def _apart(kept: Sequence[FactsDay], step: int) -> list[FactsDay]:
    """Return days at least so far apart, the last one among them, oldest first."""
    found: list[FactsDay] = []
    for day in reversed(kept):
        if not found or (found[-1].day - day.day).days >= step:
            found.append(day)
    return found[::-1]


def _complete(day: date, weekly: Sequence[FactsDay], spec: ChurnSpec) -> bool:
    """Say whether the horizon after a day is over, and a day near its end was kept."""
    end = day + timedelta(days=spec.horizon_days)
    return any(end - timedelta(days=NEAR) <= other.day <= end for other in weekly)


def _since_1970(day: date) -> int:
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _rows(day: FactsDay, later: dict[date, pa.Table], spec: ChurnSpec, of: int) -> tuple[pa.Table, Floats]:
    """Return a day's customers who were with us, and after how many days each was seen to have left, NaN for never."""
    table = snapshots.read(day, ["customer_id", *dict.fromkeys([*FEATURES, SIGNS[spec.by]])])
    table = table.filter(pa.array(with_us(table, day.day, spec)))
    customers = np.asarray(table["customer_id"].to_numpy(), dtype=np.int64)
    share = max(1, -(-len(customers) * of // MOST_ROWS))
    some = np.flatnonzero((customers * MIX % 2**32) % share == 0)
    table, customers = table.take(pa.array(some)), customers[some]
    after = np.full(len(customers), np.nan)
    end = day.day + timedelta(days=spec.horizon_days)
    still_gone = np.zeros(len(customers), dtype=bool)
    for other in sorted((other for other in later if day.day < other <= end), reverse=True):
        gone = _gone_of(customers, later[other], other, spec)
        if other == max(one for one in later if one <= end):
            still_gone = gone
        # A contract may lapse for a week and be renewed; who is back by the end of the horizon has not left.
        counted = gone & still_gone if spec.by == "contract" else gone
        after = np.where(counted, (other - day.day).days, after)
    return table, after


def _gone_of(customers: npt.NDArray[np.int64], table: pa.Table, day: date, spec: ChurnSpec) -> Flags:
    known = np.asarray(table["customer_id"].to_numpy(), dtype=np.int64)
    gone = _gone(table[SIGNS[spec.by]], day, spec)
    at = np.minimum(np.searchsorted(known, customers), max(0, len(known) - 1))
    there = known[at] == customers if len(known) else np.zeros(len(customers), dtype=bool)
    found: Flags = there & gone[at] if len(known) else there
    return found


def _gone(sign: pa.ChunkedArray, day: date, spec: ChurnSpec) -> Flags:
    if spec.by == "contract":
        running: Flags = pc.fill_null(pc.greater(sign.cast(pa.float64()), 0.0), False).to_numpy()
        return ~running
    last = pc.fill_null(sign.cast(pa.date32()).cast(pa.int32()), -(10**6)).to_numpy()
    found: Flags = _since_1970(day) - last >= spec.days
    return found
