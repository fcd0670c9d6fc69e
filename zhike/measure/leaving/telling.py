"""What pages show of a score: how it comes about for one customer, and how good the model is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from pyarrow import parquet

from zhike.measure import lake, snapshots
from zhike.measure.churn import judging
from zhike.measure.churn.tables import Column
from zhike.measure.facts import FACTS, Unit
from zhike.measure.leaving import gathering, saying
from zhike.measure.leaving.saying import Fitted
from zhike.measure.models import ChurnModel, FactsDay
from zhike.measure.specs import ChurnSpec

TOP = 6


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
    kept = FactsDay.objects.filter(day__lte=day).order_by("-day").first()
    if kept is None:
        return None
    model = card(kept.day, spec)
    if model is None or model.scorer is None:
        return None
    names = dict.fromkeys([*gathering.FEATURES, gathering.SIGNS[spec.by]])
    held = [name for name in names if name in snapshots.columns_of(kept.path)]
    wanted = [("customer_id", "=", customer_id)]
    place = lake.present(kept.path)
    table = parquet.read_table(place, columns=["customer_id", *held], filters=wanted, partitioning=None)
    if not table.num_rows:
        return None
    for name in set(names) - set(held):
        table = table.append_column(name, snapshots.unknown(name, table.num_rows))
    if not gathering.with_us(table, kept.day, spec)[0]:
        return None
    columns = gathering.features(table)
    base, added = model.scorer.explain(columns, 1)
    # Against what the fact adds in the mean, so that a driver is what sets this customer apart.
    usual = model.card.get("usual", {})
    apart = {name: float(added[0, at]) - usual.get(name, 0.0) for at, name in enumerate(model.scorer.design.names)}
    centre = base + sum(usual.get(name, 0.0) for name in apart)
    order = sorted(apart, key=lambda name: -abs(apart[name]))[:TOP]
    drivers = [_driver(name, columns[name], apart[name], language) for name in order if apart[name]]
    others = sum(apart.values()) - sum(one.log_odds for one in drivers)
    chance = float(judging.probability(np.array([base + added[0].sum()]))[0])
    return Told(kept.day, model.day, spec.horizon_days, chance, centre, drivers, others)


def _driver(name: str, column: Column, log_odds: float, language: str) -> Driver:
    fact, value = FACTS[name], column.shown(0)
    if value and column.kind == "number" and fact.unit is Unit.SHARE:
        value = f"{100 * column.values[0]:+.0f} %"
    return Driver(name, fact.label(language), value, log_odds)
