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
from zhike.measure.offers import features, reading, upselling
from zhike.measure.offers.features import LEAST_PEERS, LEAST_SPAN, Features
from zhike.measure.offers.peers import GROUPS, Peers
from zhike.measure.offers.together import Floats, Ids, Learnt, Matrix, following, judge, learn, matrix
from zhike.measure.reading import Morning
from zhike.measure.specs import MeasureSpec

SEATS = "seats"
SHOWN_ITEMS = 100

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
        kinds = reading.kinds(had, listed)
        card.update(judge(pairs, split=split, since=split - reading.RECENT, kinds=kinds), held_days=held)
    else:
        card.update(use="popular", reason="few_to_judge_by")
    who = known["customer_id"].to_numpy()
    refs = dict(zip(listed["id"].to_pylist(), listed["ref"].to_pylist(), strict=True))
    turned_down = reading.dismissed(when)
    have = _rows(who, *matrix(pairs, learnt.items))
    named = _named(who, learnt, have, refs, turned_down, by=card["use"])
    bought = engine.query(BOUGHT, had=had, listed=listed)
    used, users = reading.features(engine, known, when)
    ours = pa.table({"customer_id": used["customer"], "item": used["event"]})
    shares = [
        _shares(engine, known, bought, who, "product", []),
        _shares(engine, known, ours, users, "feature", spec.login_events),
    ]
    tried = features.following(engine, known, shares[1], users, turned_down, when)
    card |= {"feature": tried.card, "seats": upselling.judge(known, when)}
    keys = _likelier(known, named, shares[0], tried, card)
    keys = _seats_first(known, keys, {customer for customer, key in turned_down if key == SEATS})
    return Offers(pa.array(keys, pa.string()), _pairs(learnt), pa.concat_tables(shares), card)


def _likelier(
    known: pa.Table, named: list[str | None], shares: pa.Table, tried: Features, card: dict[str, Any]
) -> list[str | None]:
    """Return the product or the feature, whichever is likelier to be taken; means of shares go onto the card."""
    items = sorted({key.partition(":")[2] for key in named if key})
    place = {item: at for at, item in enumerate(items)}
    at = np.array([place[key.partition(":")[2]] if key else -1 for key in named], dtype=np.int64)
    share = np.full(len(named), np.nan)
    if items:
        peers = Peers.of(known, shares, items)
        share = np.where(at >= 0, peers.shares[peers.kind, at], np.nan)
    offered = tried.following >= 0
    card["mean_share"], card["feature"]["mean_share"] = (_mean(each) for each in (share, tried.share))
    keys = list(named)
    for row in np.flatnonzero(offered).tolist():
        if keys[row] is None or is_feature_first(card, float(share[row]), float(tried.share[row])):
            keys[row] = tried.key(row)
    return keys


def _mean(shares: Floats) -> float | None:
    known = shares[~np.isnan(shares)]
    return round(float(known.mean()), 6) if len(known) else None


def is_feature_first(card: Mapping[str, Any], product: float, feature: float) -> bool:
    """Say whether a feature is likelier to be taken than a product; shares of customers alike, NaN where unknown.

    How often first offers of each kind were taken, when it was judged, times how much more usual than others of its
    kind this one is among customers alike.
    """
    both = card.get("taken"), card.get("feature", {}).get("taken")
    taken = (1.0, 1.0) if None in both else both
    usual = (card.get("mean_share"), card.get("feature", {}).get("mean_share"))
    chance = [
        often * (share / mean if mean and not np.isnan(share) else 1.0)
        for often, share, mean in zip(taken, (product, feature), usual, strict=True)
    ]
    return bool(chance[1] > chance[0])


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
    customers = known["customer_id"].to_numpy()
    for at in np.flatnonzero(upselling.short(known)).tolist():
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
