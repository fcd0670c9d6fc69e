"""What models say once a night, when everything else about the day is known, and stands until the next one.

During the day facts are freshened without it: a model is not fitted anew for one order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from zhike.kit.ruletrees import ATTRIBUTES
from zhike.measure import orienting
from zhike.measure.facts import FACTS, Source, of_source
from zhike.measure.lake import Engine
from zhike.measure.leaving import saying as leaving
from zhike.measure.offers import reading
from zhike.measure.offers.offering import Offers, offers
from zhike.measure.reading import Morning, Record
from zhike.measure.specs import MeasureSpec
from zhike.measure.value import valued
from zhike.measure.voice import queries as voice

KNOWN = tuple(name for name, fact in FACTS.items() if fact.source is not Source.NIGHTLY)
TYPES: dict[str, pa.DataType] = {
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "DECIMAL(18, 2)": pa.decimal128(18, 2),
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "BOOLEAN": pa.bool_(),
}


@dataclass(frozen=True)
class Said:
    """What models gave: facts, one column each beside the customers they were computed of, cards, and what goes with
    what for pages (`offers`)."""

    columns: dict[str, pa.ChunkedArray | pa.Array]
    offers: Offers
    cards: dict[str, Any] = field(default_factory=dict)
    churn: leaving.Fitted | None = None
    """A churn model learnt this night, to be kept."""


def said(engine: Engine, record: Record, known: pa.Table, spec: MeasureSpec, when: Morning) -> Said:
    """Ask every model; `known` are the facts of that morning without those of models, ordered by `customer_id`."""
    value, card = valued(engine, record, known, spec, when)
    columns = {name: value[name] for name in value.column_names if name != "customer_id"}
    had, listed = reading.had(when), reading.products()
    offered = offers(engine, had, listed, known, spec, when)
    need, reason, counts = orienting.needs(engine, had, listed, known, when)
    columns |= {"next_offer": offered.following, "need_orientation": need, "need_reason": reason}
    heard = voice.said_of(known, when)
    columns |= heard
    both = pa.table({**{name: known[name] for name in known.column_names}, **heard})
    columns["churn_probability"], churn = leaving.said(both, spec.churn, when.today)
    return Said(columns, offered, {"value": card, "offers": offered.card, "needs": counts}, churn)


def filled(known: pa.Table, given: Said | None = None) -> pa.Table:
    """Return the facts in their order with what models said; unknown for everybody where nothing was asked."""
    columns = given.columns if given else {}
    nothing = {
        fact.name: pa.nulls(known.num_rows, TYPES[fact.duckdb_type])
        for fact in of_source(Source.NIGHTLY)
        if fact.name not in columns
    }
    both = {**{name: known[name] for name in known.column_names}, **nothing, **columns}
    return pa.table({name: both[name] for name in ("customer_id", *FACTS, ATTRIBUTES)})
