"""The night's work on offers: learn, judge, choose everybody's next offer, and keep what pages need for reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from zhike.measure.lake import Engine, filled
from zhike.measure.offers import reading
from zhike.measure.offers.together import Ids, Learnt, Matrix, following, judge, learn, matrix
from zhike.measure.reading import Morning
from zhike.measure.specs import MeasureSpec

SEATS = "seats"
NEAR_LIMIT = 0.9  # People seen in 30 days, over the seats paid for.
GROWING, FILLED = 0.3, 0.7
SHOWN_ITEMS = 100
LEAST_PEERS = 8
LEAST_SPAN = 60  # Days of record from which on a forecast can be judged.
GROUPS = ("industry", "size", "tier")

PAIRS = pa.schema(
    [
        ("item_id", pa.int64()),
        ("other_id", pa.int64()),
        ("both", pa.int64()),
        ("owners", pa.int64()),
        ("weight", pa.float64()),
    ]
)
SHARES = pa.schema(
    [
        ("kind", pa.string()),
        ("group", pa.string()),
        ("item", pa.string()),
        ("customers", pa.int64()),
        ("among", pa.int64()),
    ]
)

# How many customers of a group have each of the most usual things, of the groups that are large enough.
SHARED = """
WITH member AS ({members}
                UNION ALL SELECT customer_id, 'all' FROM known SEMI JOIN asked USING (customer_id)),
     sizes AS (SELECT "group", COUNT(*) AS among FROM member GROUP BY "group" HAVING COUNT(*) >= $least),
     usual AS (SELECT item FROM has SEMI JOIN member USING (customer_id) GROUP BY item
               ORDER BY COUNT(DISTINCT customer_id) DESC, item LIMIT $shown)
SELECT $kind AS kind, "group", item, COUNT(DISTINCT customer_id) AS customers, ANY_VALUE(among) AS among
FROM has SEMI JOIN usual USING (item) JOIN member USING (customer_id) JOIN sizes USING ("group")
GROUP BY "group", item ORDER BY "group", item
"""


BOUGHT = "SELECT DISTINCT customer AS customer_id, ref AS item FROM had JOIN listed ON listed.id = had.item"
MEMBERS = """
SELECT customer_id, '{name}:' || {name} AS "group" FROM known SEMI JOIN asked USING (customer_id) WHERE {name} <> ''
"""


@dataclass(frozen=True)
class Offers:
    """The next offer of each customer, what pages give as reasons (PAIRS, SHARES), and how it was all made."""

    following: pa.Array
    pairs: pa.Table
    shares: pa.Table
    card: dict[str, Any]


def offers(
    engine: Engine, had: pa.Table, listed: pa.Table, known: pa.Table, spec: MeasureSpec, when: Morning
) -> Offers:
    """Return what to offer, by everything up to a morning; `known` are the facts, ordered by `customer_id`.

    `had` is who had which product (`reading.had`), `listed` are all products.
    """
    pairs = reading.pairs_of(engine, had)
    span = reading.number(when.today) - int(pairs.day.min()) if len(pairs.day) else 0
    recent = reading.number(when.today - timedelta(days=reading.RECENT))
    learnt = learn(pairs, since=recent)
    card: dict[str, Any] = {"items": len(learnt.items), "pairs": len(pairs.item)}
    if span >= LEAST_SPAN and len(learnt.items) > 1:
        held = min(reading.RECENT, span // 4)
        split = reading.number(when.today) - held
        card.update(judge(pairs, split=split, since=split - reading.RECENT), held_days=held)
    else:
        card.update(use="popular", reason="few_to_judge_by")
    who = known["customer_id"].to_numpy()
    refs = dict(zip(listed["id"].to_pylist(), listed["ref"].to_pylist(), strict=True))
    turned_down = reading.dismissed(when)
    have = _rows(who, *matrix(pairs, learnt.items))
    named = _named(who, learnt, have, refs, turned_down, by=card["use"])
    keys = _seats_first(known, named, {customer for customer, key in turned_down if key == SEATS})
    bought = engine.query(BOUGHT, had=had, listed=listed)
    used, users = reading.features(engine, known, when)
    ours = pa.table({"customer_id": used["customer"], "item": used["event"]})
    shares = [
        _shares(engine, known, bought, who, "product", []),
        _shares(engine, known, ours, users, "feature", spec.login_events),
    ]
    return Offers(pa.array(keys, pa.string()), _pairs(learnt), pa.concat_tables(shares), card)


def _rows(who: Ids, customers: Ids, have: Matrix) -> Matrix:
    """Return the rows of `have` for everybody in `who`; a customer without any is a row of nothing."""
    place = np.searchsorted(who, customers)
    here = (place < len(who)) & (who[np.minimum(place, max(0, len(who) - 1))] == customers) if len(who) else place < 0
    chosen = sparse.csr_matrix(
        (np.ones(int(here.sum()), dtype=np.float32), (place[here], np.flatnonzero(here))),
        shape=(len(who), len(customers)),
    )
    return (chosen @ have).tocsr()


def _named(
    who: Ids, learnt: Learnt, have: Matrix, refs: Mapping[int, str], turned_down: list[tuple[int, str]], *, by: str
) -> list[str | None]:
    """Return the key of the product to offer next to each customer."""
    if not len(learnt.items):
        return [None] * len(who)
    keys = [key_of(refs.get(item, "")) for item in learnt.items.tolist()]
    place_of = {key: place for place, key in enumerate(keys)}
    row_of = {customer: row for row, customer in enumerate(who.tolist())} if turned_down else {}
    cells = [
        (row_of[customer], place_of[key]) for customer, key in turned_down if key in place_of and customer in row_of
    ]
    rows, columns = zip(*cells, strict=True) if cells else ((), ())
    refused = sparse.csr_matrix((np.ones(len(cells), dtype=np.float32), (rows, columns)), shape=have.shape)
    found = following(have, learnt, refused, by=by)
    names = np.array([*keys, None], dtype=object)
    chosen: list[str | None] = names[found].tolist()
    return chosen


def key_of(ref: str) -> str:
    """Return the key of the offer of a product."""
    return f"product:{ref}"


def _seats_first(known: pa.Table, keys: list[str | None], refused: set[int]) -> list[str | None]:
    """Put more seats first where people fill them, or use grows towards it."""
    seats, users, change = (
        np.nan_to_num(np.asarray(known[name].cast(pa.float64()).to_numpy(), dtype=np.float64))
        for name in ("seats", "users_30d", "usage_change_90d")
    )
    short = (seats > 0) & ((users >= NEAR_LIMIT * seats) | ((users >= FILLED * seats) & (change >= GROWING)))
    customers = known["customer_id"].to_numpy()
    for at in np.flatnonzero(short).tolist():
        if int(customers[at]) not in refused:
            keys[at] = SEATS
    return keys


def _pairs(learnt: Learnt) -> pa.Table:
    """Return what goes with what, and, with itself, how many have a thing and how much it is wanted by everybody."""
    rows = np.repeat(np.arange(len(learnt.items)), np.diff(learnt.weights.indptr))
    columns = learnt.weights.indices
    both = np.asarray(learnt.both[rows, columns]).ravel() if len(rows) else np.zeros(0)
    own = np.arange(len(learnt.items))
    item, other = np.r_[rows, own], np.r_[columns, own]
    return pa.table(
        {
            "item_id": learnt.items[item],
            "other_id": learnt.items[other],
            "both": np.r_[both, learnt.owners].astype(np.int64),
            "owners": learnt.owners[item].astype(np.int64),
            "weight": np.round(np.r_[learnt.weights.data, learnt.popular], 6),
        },
        PAIRS,
    )


def _shares(engine: Engine, known: pa.Table, has: pa.Table, among: Ids, kind: str, without: list[str]) -> pa.Table:
    members = " UNION ALL ".join(filled(MEMBERS, name=name) for name in GROUPS)
    found = engine.query(
        filled(SHARED, members=members),
        {"kind": kind, "least": LEAST_PEERS, "shown": SHOWN_ITEMS},
        known=known.select(["customer_id", *GROUPS]),
        has=has.filter(pa.compute.invert(pa.compute.is_in(has["item"], pa.array(without, pa.string())))),
        asked=pa.table({"customer_id": pa.array(among, pa.int64())}),
    )
    return found.select(SHARES.names).cast(SHARES)
