"""Health 0 to 100: a weighted mean of scaled facts whose contributions add up to it exactly.

A part is scaled linearly from `zero_at` to `full_at` and held within 0 and 1. The known parts share all 100 points in
the ratio of their weights. Points have one decimal; what rounding leaves over goes to the parts with the largest
remainders (Hare's method), so that the parts add up to the health as it is shown. A plan may weigh segments of
customers in ways of their own; the first whose rule holds counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pyarrow as pa

from zhike.kit import ruletrees
from zhike.kit.ruletrees import ATTRIBUTES, FieldType, Rule
from zhike.measure.facts import HEALTH_RULE_INPUTS
from zhike.measure.lake import Engine, filled
from zhike.measure.specs import HEALTH_PARTS, HealthPart, HealthSpec, PartKey

# t_… are tenths of points with a fraction, f_… whole tenths, r_… the fraction that is lost by cutting it off.
STATEMENT = """
WITH scaled AS (SELECT customer_id, {scaled} FROM known),
weighed AS (SELECT *, {weights} AS weight FROM scaled),
tenths AS (SELECT customer_id, {tenths} FROM weighed WHERE weight > 0),
cut AS (SELECT *, {floors}, {rests} FROM tenths),
summed AS (SELECT *, CAST(ROUND({sum}) AS BIGINT) AS total FROM cut),
added AS (SELECT *, total - ({whole}) AS left_over FROM summed),
points AS (SELECT customer_id, total, {points} FROM added)
SELECT known.customer_id, CAST(total / 10.0 AS DECIMAL(5, 1)) AS health,
       CASE WHEN total >= 10 * $healthy THEN 'healthy' WHEN total >= 10 * $warning THEN 'warning'
            WHEN total IS NOT NULL THEN 'risk' END AS health_band,
       {columns}, past.health AS health_30d_ago,
       CAST(total / 10.0 AS DECIMAL(5, 1)) - past.health AS health_change_30d
FROM known LEFT JOIN points USING (customer_id) LEFT JOIN past USING (customer_id)
"""


def scores(
    engine: Engine,
    known: pa.Table,
    spec: HealthSpec,
    past: pa.Table,
    *,
    fields: Mapping[str, FieldType] | None = None,
    today: date | None = None,
) -> pa.Table:
    """Return the facts of the source `health` with `customer_id`, one row per row of `known`.

    `known` needs customer_id, the facts that the parts are scaled from, and `columns`; `past` is customer_id and health
    as kept about 30 days ago. `fields` and `today` are needed for segments. Raises RuleError for a segment whose rule
    names no such field.
    """
    if not spec.segments:
        return _weighed(engine, known, spec, spec.parts, past)
    if fields is None or today is None:
        raise TypeError("segments need fields and today")
    cases = " ".join(
        f"WHEN {ruletrees.sql(rule, 'duckdb', today)} THEN {place}" for place, rule in enumerate(rules(spec, fields))
    )
    # The cases hold texts of people, in which braces mean nothing.
    placed = engine.query(f"SELECT *, CASE {cases} ELSE -1 END AS segment FROM known", known=known)  # noqa: S608  Literals are escaped by sqlglot.
    found = []
    for place in range(-1, len(spec.segments)):
        some = engine.query("SELECT * FROM placed WHERE segment = $place", {"place": place}, placed=placed)
        found.append(_weighed(engine, some, spec, weights_of(spec, place), past))
    return pa.concat_tables(found)


def _weighed(
    engine: Engine, known: pa.Table, spec: HealthSpec, given: Mapping[PartKey, HealthPart], past: pa.Table
) -> pa.Table:
    parts: dict[str, HealthPart] = {key: part for key in HEALTH_PARTS for name, part in given.items() if name == key}
    statement = filled(STATEMENT, **_expressions(parts))
    return engine.query(statement, {"healthy": spec.healthy_from, "warning": spec.warning_from}, known=known, past=past)


def rules(spec: HealthSpec, fields: Mapping[str, FieldType]) -> list[Rule]:
    """Return the parsed rule of each segment; raises RuleError with its place in the plan."""
    allowed = {
        name: field for name, field in fields.items() if name in HEALTH_RULE_INPUTS or name.startswith(f"{ATTRIBUTES}.")
    }
    return [
        ruletrees.parse(segment.where, allowed, at=f"health.segments[{place}].where")
        for place, segment in enumerate(spec.segments)
    ]


def inputs(spec: HealthSpec) -> set[str]:
    """Return the facts that the parts, those of segments included, are scaled from."""
    return {part.fact for place in range(-1, len(spec.segments)) for part in weights_of(spec, place).values()}


def columns(spec: HealthSpec, fields: Mapping[str, FieldType]) -> set[str]:
    """Return the columns that scoring reads: facts of the parts, and what the rules of segments ask about."""
    named = {name for rule in rules(spec, fields) for name in ruletrees.fields_of(rule)}
    return inputs(spec) | {ATTRIBUTES if name.startswith(f"{ATTRIBUTES}.") else name for name in named}


def segment_of(spec: HealthSpec, fields: Mapping[str, FieldType], row: Mapping[str, object], today: date) -> int:
    """Return the place of the segment that a row of facts is weighed by, -1 for none; attributes are a mapping."""
    holds = (place for place, rule in enumerate(rules(spec, fields)) if ruletrees.evaluate(rule, row, today))
    return next(holds, -1) if spec.segments else -1


def weights_of(spec: HealthSpec, place: int) -> Mapping[PartKey, HealthPart]:
    """Return the parts by which the customers of a segment are weighed; -1 is everybody else."""
    return spec.parts if place < 0 else spec.segments[place].parts


def _expressions(parts: Mapping[str, HealthPart]) -> dict[str, str]:
    keys = list(parts)
    return {
        "scaled": ", ".join(f"{_scaled(part)} AS s_{key}" for key, part in parts.items()),
        "weights": " + ".join(
            f"CASE WHEN s_{key} IS NULL THEN 0 ELSE {part.weight!r} END" for key, part in parts.items()
        ),
        "tenths": ", ".join(f"1000 * {part.weight!r} * s_{key} / weight AS t_{key}" for key, part in parts.items()),
        "floors": ", ".join(f"CAST(FLOOR(t_{key}) AS BIGINT) AS f_{key}" for key in keys),
        "rests": ", ".join(f"COALESCE(t_{key} - FLOOR(t_{key}), -1) AS r_{key}" for key in keys),
        "sum": " + ".join(f"COALESCE(t_{key}, 0)" for key in keys),
        "whole": " + ".join(f"COALESCE(f_{key}, 0)" for key in keys),
        "points": ", ".join(f"f_{key} + CAST({_place(key, keys)} < left_over AS BIGINT) AS p_{key}" for key in keys),
        "columns": ", ".join(_column(key, known=key in parts) for key in HEALTH_PARTS),
    }


def _scaled(part: HealthPart) -> str:
    low, high = part.zero_at, part.full_at
    share = f"(CAST({part.fact} AS DOUBLE) - {low!r}) / ({high!r} - {low!r})"
    # GREATEST and LEAST pass over NULL, which must stay NULL.
    return f"CASE WHEN {part.fact} IS NOT NULL THEN GREATEST(0, LEAST(1, {share})) END"


def _place(key: str, keys: list[str]) -> str:
    """Return SQL for how many parts come before this one when the tenths left over are handed out."""
    before = [
        f"CAST(r_{other} {'>=' if keys.index(other) < keys.index(key) else '>'} r_{key} AS BIGINT)"
        for other in keys
        if other != key
    ]
    return f"({' + '.join(before)})" if before else "0"


def _column(key: str, *, known: bool) -> str:
    points = f"p_{key} / 10.0" if known else "NULL"
    return f"CAST({points} AS DECIMAL(5, 1)) AS health_{key}"


@dataclass(frozen=True)
class PartPoints:
    """One part of a health score as a page explains it: `points` of at most `most`, from the value of a fact.

    `scaled` is 0 to 100: how good the fact is by the plan's scale. All are None when the fact is unknown.
    """

    key: str
    fact: str
    value: object
    weight: float
    most: Decimal | None
    scaled: int | None
    points: Decimal | None


def explain(spec: HealthSpec, facts: Mapping[str, object], segment: int = -1) -> list[PartPoints]:
    """Return the parts of one customer's health in the order of the plan's weights; `facts` is a row by name.

    `segment` is what `segment_of` says of the row.
    """
    parts = weights_of(spec, segment)
    known = {key: part for key, part in parts.items() if facts.get(f"health_{key}") is not None}
    total = sum(part.weight for part in known.values())
    found = [_explained(key, part, facts, total if key in known else 0) for key, part in parts.items()]
    return sorted(found, key=lambda part: (-part.weight, part.key))


def _explained(key: str, part: HealthPart, facts: Mapping[str, object], total: float) -> PartPoints:
    value = facts.get(part.fact)
    points = facts.get(f"health_{key}")
    if not total or not isinstance(points, Decimal) or not isinstance(value, int | float | Decimal):
        return PartPoints(key, part.fact, value, part.weight, None, None, None)
    most = Decimal(str(round(100 * part.weight / total, 1)))
    share = (float(value) - part.zero_at) / (part.full_at - part.zero_at)
    return PartPoints(key, part.fact, value, part.weight, most, round(100 * min(1, max(0, share))), points)
