"""Features to try next: used by customers alike, never tried by this one; judged against what is popular with all."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zhike.measure import lake
from zhike.measure.lake import Engine, filled
from zhike.measure.offers.peers import ALL, LONGEST, USUAL, Peers, scored
from zhike.measure.offers.reading import RECENT, YEARS, number
from zhike.measure.offers.together import FIRST, JUDGED, LEAST_JUDGED, Floats, Ids, Pairs, interval, placed
from zhike.measure.reading import Morning

LEAST_SPAN = 60  # Days of record from which on a forecast can be judged.
LEAST_PEERS = 8
ROWS_IN_RANGE = 12_000_000

FIRST_USED = """
SELECT customer, LIST_POSITION($names, event) - 1 AS item, MIN({day}) AS day FROM {usage}
WHERE customer >= $least AND customer < $below AND LIST_CONTAINS($names, event)
GROUP BY customer, event ORDER BY customer, item
"""


@dataclass(frozen=True)
class Features:
    """The feature to offer to each customer (`items[following]`, -1 for none), with the share of customers alike."""

    items: list[str]
    following: Ids
    share: Floats
    card: dict[str, Any]

    def key(self, row: int) -> str:
        return key_of(self.items[int(self.following[row])])


def key_of(name: str) -> str:
    """Return the key of the offer of a feature."""
    return f"feature:{name}"


def usual(shares: pa.Table) -> list[str]:
    """Return the features that may be offered: enough of all customers use them."""
    rows = (shares[name].to_pylist() for name in ("group", "item", "customers", "among"))
    return sorted(
        item
        for group, item, customers, among in zip(*rows, strict=True)
        if group == ALL and customers >= USUAL * among and len(item) <= LONGEST
    )


def following(
    engine: Engine, known: pa.Table, shares: pa.Table, sample: Ids, refused: list[tuple[int, str]], when: Morning
) -> Features:
    """Return what to try next, of those who used anything lately; `known` is ordered by `customer_id`.

    `shares` are those of features (offering.SHARES), `sample` the customers by whom a way of choosing is judged.
    """
    items = usual(shares)
    who = known["customer_id"].to_numpy()
    found, share = np.full(len(who), -1, dtype=np.int64), np.full(len(who), np.nan)
    if not items or not len(sample):
        return Features(items, found, share, {"use": "popular", "reason": "few_to_judge_by", "items": len(items)})
    peers = Peers.of(known, shares, items)
    card: dict[str, Any] = _judged(_used(engine, items, when, who, sample), peers, who, when)
    lately = _lately(known, when)
    barred = {(customer, key) for customer, key in refused if key.startswith("feature:")}
    for least, below in _ranges(when):
        used = _pairs(engine, items, when, least, below)
        rows = np.flatnonzero(lately & (who >= least) & (who < below))
        if not len(rows):
            continue
        scores = np.broadcast_to(peers.scores(rows, by=card["use"]), (len(rows), len(items))).copy()
        place = np.searchsorted(who[rows], used.customer)
        here = (place < len(rows)) & (who[rows][np.minimum(place, len(rows) - 1)] == used.customer)
        scores[place[here], used.item[here]] = 0
        for customer, key in barred:
            at = int(np.searchsorted(who[rows], customer))
            if at < len(rows) and who[rows][at] == customer and (name := key.partition(":")[2]) in items:
                scores[at, items.index(name)] = 0
        best = scores.argmax(axis=1)
        good = scores[np.arange(len(rows)), best] > 0
        found[rows[good]] = best[good]
        share[rows[good]] = peers.shares[peers.kind[rows[good]], best[good]]
    return Features(items, found, share, {**card, "items": len(items)})


def _lately(known: pa.Table, when: Morning) -> npt.NDArray[np.bool_]:
    since = np.datetime64(when.today - timedelta(days=RECENT))
    last = known["last_usage"].to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return np.asarray(last >= since)


def _files(when: Morning) -> lake.UsageFiles:
    return lake.usage_files(
        since=lake.midnight(when.today - timedelta(days=366 * YEARS), when.zone), until=when.cut_off
    )


def _ranges(when: Morning) -> list[tuple[int, int]]:
    """Return ranges of customers of about equally many rows of use."""
    files = _files(when)
    least, most = files.customers
    parts = max(1, min(-(-files.rows // ROWS_IN_RANGE), most - least + 1))
    edges = [least + (most + 1 - least) * place // parts for place in range(parts + 1)]
    return list(itertools.pairwise(edges))


def _pairs(engine: Engine, items: list[str], when: Morning, least: int, below: int, among: Ids | None = None) -> Pairs:
    """Return which customer of a range used which feature first on which day, within YEARS."""
    since = lake.midnight(when.today - timedelta(days=366 * YEARS), when.zone)
    usage = lake.usage_relation(_files(when), since=since, until=when.cut_off)
    if among is not None:
        usage = filled("(SELECT * FROM {usage} SEMI JOIN asked ON customer = customer_id)", usage=usage)
    table = engine.query(
        filled(FIRST_USED, day=when.day_of("us"), usage=usage),
        {"names": items, "least": least, "below": below},
        asked=pa.table({"customer_id": pa.array(among if among is not None else [], pa.int64())}),
    )
    return Pairs(*(table[name].to_numpy().astype(np.int64) for name in ("customer", "item", "day")))


def _used(engine: Engine, items: list[str], when: Morning, who: Ids, sample: Ids) -> Pairs:
    return _pairs(engine, items, when, int(who[0]), int(who[-1]) + 1, sample)


def _judged(used: Pairs, peers: Peers, who: Ids, when: Morning) -> dict[str, Any]:
    """Learn shares from before the last weeks and hold them to what was tried first in them."""
    span = number(when.today) - int(used.day.min()) if len(used.day) else 0
    if span < LEAST_SPAN:
        return {"use": "popular", "reason": "few_to_judge_by"}
    held = min(RECENT, span // 4)
    found = judge(used, peers.kind[np.searchsorted(who, used.customer)], number(when.today) - held, len(peers.items))
    return {**found, "held_days": held}


def judge(used: Pairs, kind: Ids, split: int, items: int) -> dict[str, Any]:
    """Return how "peers" (customers of one kind) did against "popular" (all) by what was first used from `split` on.

    `kind` is what each pair's customer is alike in. Hits among the FIRST offers, mean reciprocal ranks, the difference
    in hits with its 95 per cent interval, and which of the two is to be used; `taken` is the share of all customers
    who took the very first offer.
    """
    customers, row = np.unique(used.customer, return_inverse=True)
    kind_of = np.zeros(len(customers), dtype=np.int64)
    kind_of[row] = kind
    before = used.day < split
    own = np.zeros((len(customers), items), dtype=bool)
    own[row[before], used.item[before]] = True
    there: npt.NDArray[np.bool_] = np.asarray(own.any(axis=1))
    wanted = np.zeros_like(own)
    wanted[row[~before], used.item[~before]] = True
    wanted &= np.outer(there, own[there].any(axis=0))
    judged = np.flatnonzero(wanted.any(axis=1))
    said: dict[str, Any] = {"customers": len(judged), "first": FIRST}
    if len(judged) < LEAST_JUDGED:
        return {**said, "use": "popular", "reason": "few_to_judge_by"}
    popular = own[there].mean(axis=0)
    alike = np.stack(
        [
            own[there & (kind_of == one)].mean(axis=0) if (there & (kind_of == one)).sum() >= LEAST_PEERS else popular
            for one in range(int(kind_of.max()) + 1)
        ]
    )
    share = len(judged) / int(there.sum())
    if len(judged) > JUDGED:
        judged = np.sort(np.random.default_rng(len(judged)).choice(judged, JUDGED, replace=False))
    ranks = {}
    for name, shares in (("peers", alike[kind_of[judged]]), ("popular", np.tile(popular, (len(judged), 1)))):
        scores = scored(shares, popular)
        scores[own[judged]] = -np.inf
        ranks[name] = placed(scores, wanted[judged])
    hits = {name: (rank <= FIRST).astype(np.float64) for name, rank in ranks.items()}
    gain, low, high = interval(hits["peers"] - hits["popular"])
    _gain, rank_low, _high = interval(1 / ranks["peers"] - 1 / ranks["popular"])
    use = "peers" if low > 0 and rank_low > 0 else "popular"
    return {
        **said,
        "hit_rate": round(float(hits["peers"].mean()), 4),
        "mrr": round(float((1 / ranks["peers"]).mean()), 4),
        "popular_hit_rate": round(float(hits["popular"].mean()), 4),
        "popular_mrr": round(float((1 / ranks["popular"]).mean()), 4),
        "gain": round(gain, 4),
        "gain_low": round(low, 4),
        "gain_high": round(high, 4),
        "mrr_gain_low": round(rank_low, 4),
        "taken": round(float((ranks[use] < 2).mean()) * share, 6),
        "use": use,
    }
