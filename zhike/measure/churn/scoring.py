"""A score that can be kept as plain numbers, given to any rows, and taken apart into what each column adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhike.measure.churn.design import Design
from zhike.measure.churn.judging import probability
from zhike.measure.churn.models import KINDS, Linear, Trees
from zhike.measure.churn.tables import Column, Floats

AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Scorer:
    """Design, model, and the straight line that calibrates its log-odds."""

    design: Design
    model: Linear | Trees
    slope: float = 1.0
    shift: float = 0.0

    def log_odds(self, columns: Mapping[str, Column], rows: int) -> Floats:
        """Return the calibrated log-odds of each row."""
        parts = [np.zeros(0)]
        for start in range(0, rows, AT_ONCE):
            held, size = _slice(columns, start, rows)
            parts.append(self.model.log_odds(self.design.transform(held, size)))
        found: Floats = self.slope * np.concatenate(parts) + self.shift
        return found

    def chances(self, columns: Mapping[str, Column], rows: int) -> Floats:
        """Return the probability of each row."""
        return probability(self.log_odds(columns, rows))

    def explain(self, columns: Mapping[str, Column], rows: int) -> tuple[float, Floats]:
        """Return the base and what each column of `design.names` adds: base + sum is the log-odds of the row."""
        base, parts = 0.0, [np.zeros((0, len(self.design.parts)))]
        for start in range(0, rows, AT_ONCE):
            held, size = _slice(columns, start, rows)
            base, found = self.model.contributions(self.design.transform(held, size), self.design.source)
            wide = np.zeros((size, len(self.design.parts)))
            wide[:, : found.shape[1]] = found
            parts.append(self.slope * wide)
        return self.slope * base + self.shift, np.concatenate(parts)

    def as_plain(self) -> dict[str, Any]:
        """Return the score as plain values, for JSON."""
        return {
            "design": self.design.as_plain(),
            "model": self.model.as_plain(),
            "slope": self.slope,
            "shift": self.shift,
        }

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Scorer:
        """Return what `as_plain` wrote."""
        model = KINDS[plain["model"]["kind"]].of_plain(plain["model"])
        return cls(Design.of_plain(plain["design"]), model, float(plain["slope"]), float(plain["shift"]))


def _slice(columns: Mapping[str, Column], start: int, rows: int) -> tuple[Mapping[str, Column], int]:
    size = min(AT_ONCE, rows - start)
    if size == rows:
        return columns, rows
    at = np.arange(start, start + size)
    return {name: column.taken(at) for name, column in columns.items()}, size
