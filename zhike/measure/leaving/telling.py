"""What pages show of a score: how it comes about for one customer, and how good the model is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from zhike.measure import lake, snapshots
from zhike.measure.churn import judging, tables
from zhike.measure.churn.tables import Floats
from zhike.measure.facts import FACTS, Unit
from zhike.measure.leaving import gathering, saying
from zhike.measure.leaving.saying import Fitted
from zhike.measure.models import ChurnModel, FactsDay
from zhike.measure.specs import ChurnSpec

TOP = 6
RAISING = 3
LEAST = 0.3
"""What raises the odds by less than a third is no reason to call."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A fact of a customer and what it adds to the log-odds, beside what it adds for customers in the mean."""

    fact: str
    label: str
    value: str
    log_odds: float

    @property
    def times(self) -> float:
        """By how much it multiplies the odds."""
        return float(np.exp(self.log_odds))


@dataclass(frozen=True, slots=True)
class Told:
    """A customer's churn probability taken apart: base + drivers + others is its log-odds, to rounding."""

    day: date
    learnt: date
    horizon: int
    chance: float
    base: float
    drivers: list[Driver]
    others: float

    @property
    def usual(self) -> float:
        """The probability of a customer in the mean, from which the drivers set out."""
        return float(judging.probability(np.array(self.base)))


def card(day: date, spec: ChurnSpec) -> Fitted | None:
    """Return the model in force on a day, published or not."""
    return saying.in_force(day, saying.digest(spec))


def cards(limit: int) -> list[ChurnModel]:
    """Return the models learnt last, the latest first, without their numbers."""
    return list(ChurnModel.objects.order_by("-day", "-pk").defer("scorer")[:limit])


def told(customer_id: int, spec: ChurnSpec, day: date, language: str) -> Told | None:
    """Return how a customer's score of the latest kept day up to `day` comes about; None without a score."""
    kept, model = _standing(spec, day)
    if kept is None or model is None:
        return None
    table = _rows([customer_id], spec, kept)
    if not table.num_rows:
        return None
    centre, apart = _apart(model, table, spec)
    row = apart[0]
    names = model.scorer.design.names if model.scorer else []
    order = np.argsort(-np.abs(row), kind="stable")[:TOP]
    drivers = [_driver(names[at], table, 0, float(row[at]), language) for at in order if row[at]]
    chance = float(judging.probability(np.array([centre + row.sum()]))[0])
    others = float(row.sum()) - sum(one.log_odds for one in drivers)
    return Told(kept.day, model.day, spec.horizon_days, chance, centre, drivers, others)


def raising(customer_ids: Sequence[int], spec: ChurnSpec, day: date, language: str) -> dict[int, list[Driver]]:
    """Return what raises the score of these customers most, the strongest first; nobody without a score is in it."""
    kept, model = _standing(spec, day)
    if kept is None or model is None or model.scorer is None or not customer_ids:
        return {}
    table = _rows(customer_ids, spec, kept)
    _centre, apart = _apart(model, table, spec)
    names = model.scorer.design.names
    found = {}
    for row, customer in enumerate(table["customer_id"].to_pylist()):
        order = np.argsort(-apart[row], kind="stable")[:RAISING]
        added = ((names[at], float(apart[row, at])) for at in order)
        found[customer] = [_driver(name, table, row, much, language) for name, much in added if much > LEAST]
    return found


def _standing(spec: ChurnSpec, day: date) -> tuple[FactsDay | None, Fitted | None]:
    """Return the kept day that tells, and the model in force on it if it gives a score."""
    kept = FactsDay.objects.filter(day__lte=day).order_by("-day").first()
    model = card(kept.day, spec) if kept else None
    return kept, model if model is not None and model.scorer is not None else None


def _rows(customer_ids: Sequence[int], spec: ChurnSpec, kept: FactsDay) -> pa.Table:
    """Return the facts of a kept day of those among these customers who could still leave."""
    names = dict.fromkeys([*gathering.FEATURES, gathering.SIGNS[spec.by]])
    held = [name for name in names if name in snapshots.columns_of(kept.path)]
    wanted = [("customer_id", "in", list(customer_ids))]
    place = lake.present(kept.path)
    table = parquet.read_table(place, columns=["customer_id", *held], filters=wanted, partitioning=None)
    for name in set(names) - set(held):
        table = table.append_column(name, snapshots.unknown(name, table.num_rows))
    return table.filter(pa.array(gathering.with_us(table, kept.day, spec)))


def _apart(model: Fitted, table: pa.Table, spec: ChurnSpec) -> tuple[float, Floats]:
    """Return the log-odds of a customer in the mean, and what each fact adds to it in each row.

    Against what the fact adds in the mean, so that a driver is what sets this customer apart.
    """
    if model.scorer is None:
        return 0.0, np.zeros((table.num_rows, 0))
    base, added = model.scorer.explain(gathering.features(table, spec), table.num_rows)
    usual = model.card.get("usual", {})
    mean = np.array([usual.get(name, 0.0) for name in model.scorer.design.names])
    return base + float(mean.sum()), added - mean


def _driver(name: str, table: pa.Table, row: int, log_odds: float, language: str) -> Driver:
    fact, column = FACTS[name], tables.column(name, table[name].slice(row, 1))
    value = column.shown(0)
    if value and column.kind == "number" and fact.unit is Unit.SHARE:
        value = f"{100 * column.values[0]:+.0f} %"
    return Driver(name, fact.label(language), value, log_odds)
