"""How fast a churn score is learnt from 100,000 customers with 50 columns, and given to a million."""

from __future__ import annotations

import resource
import time

import numpy as np

from zhike.bench.say import Progress
from zhike.measure.churn import judging, learning, tables, trying
from zhike.measure.churn.tables import Column, Flags
from zhike.measure.churn.trying import Given

COLUMNS = 50
CATEGORIES = 8
LEARNT = 100_000


def measure(customers: int, say: Progress) -> dict[str, object]:
    """Return seconds to learn (columns checked, both models on folds, the better one kept) and to score.

    A tenth of `customers`, at most 100,000, is learnt from; `auc` is that of the score on all the others.
    """
    learnt = max(100, min(LEARNT, customers // 10))
    columns, positive = company(learnt, seed=1)
    say(f"{learnt:,} customers with {COLUMNS} columns, {positive.mean():.1%} of whom left")
    began = time.perf_counter()
    trial = trying.attempt(Given(columns, positive, "left"))
    trained = time.perf_counter() - began
    if trial.learned is None:
        raise RuntimeError("Nothing was learnt from simulated customers.")
    say(f"learnt in {trained:.1f} s: {trial.learned.kind}, AUC {trial.tried[trial.learned.kind]['auc']:.4f}")
    del columns, positive
    others, left = company(customers, seed=2)
    began = time.perf_counter()
    chance = trial.learned.scorer.chances(others, customers)
    scored = time.perf_counter() - began
    say(f"{customers:,} customers scored in {scored:.1f} s")
    return {
        "columns": COLUMNS,
        "train_rows": learnt,
        "train_seconds": round(trained, 2),
        "score_seconds": round(scored, 2),
        "model": trial.learned.kind,
        "auc": round(judging.plain_auc(left, chance), 4),
        "brier": round(judging.brier(left, chance), 4),
        "ece": round(judging.ece(left, chance), 4),
        "folds": learning.folds_of(learnt),
        "warnings": len(trial.findings),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def company(customers: int, seed: int) -> tuple[dict[str, Column], Flags]:
    """Return customers with numbers, some of them missing, and categories; leaving follows a few of them."""
    draw = np.random.default_rng(seed)
    columns: dict[str, Column] = {}
    pull = np.zeros(customers)
    for number in range(COLUMNS - CATEGORIES):
        name = f"number_{number:02d}"
        values = draw.gamma(1 + number % 5, 10.0, customers) if number % 2 else draw.normal(50, 15, customers)
        if number < 8:
            pull += (1 if number % 3 else -1) * 0.45 * (values - values.mean()) / values.std()
        values = np.round(values, 2)
        if number % 4 == 0:
            values[draw.random(customers) < 0.08] = np.nan
        columns[name] = tables.numbers(name, values)
    for number in range(CATEGORIES):
        name = f"category_{number}"
        codes = draw.integers(0, 3 + 4 * number, customers)
        if number < 2:
            pull += 0.5 * (codes % 3 - 1)
        columns[name] = tables.categories(name, codes, [f"value {one:02d}" for one in range(3 + 4 * number)])
    return columns, draw.random(customers) < judging.probability(pull - 2.2)
