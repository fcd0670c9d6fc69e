"""How fast RFM scores of a million customers are, beside pandas, on the same purchases; and whether both agree."""

from __future__ import annotations

import importlib
import time
from datetime import date, timedelta
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa

from zhike.bench.say import Progress
from zhike.measure.lab import rfm
from zhike.measure.lab.purchases import Purchases

BEGIN = date(2024, 1, 1)
DAYS = 720
ORDERS_EACH = 5
PEER = "pandas"
RUNS = 2  # The better one counts, for both.


def measure(customers: int, say: Progress) -> dict[str, float | bool | None]:
    """Return seconds from purchases in memory to scores of every customer, ours and the peer's, and if they are equal.

    Both compute recency, frequency (days with a purchase) and money, and fifths of each with ties alike. The peer's
    figures are None when it is not installed.
    """
    bought = purchases(customers)
    today = BEGIN + timedelta(days=DAYS)
    say(f"{customers:,} customers, {len(bought.who):,} purchases")
    ours, seconds = _best(lambda: rfm.scored(rfm.wide(bought, today), today))
    say(f"scored in {seconds:.2f} s")
    try:
        peer: ModuleType = importlib.import_module(PEER)
    except ModuleNotFoundError:
        say(f"{PEER} is not installed, so there is nothing to compare with: `uv sync --group bench` installs it")
        return {"seconds": round(seconds, 3), "pandas_seconds": None, "ratio": None, "equal": None}
    frame = peer.DataFrame({"customer": bought.who, "day": bought.day, "amount": bought.amount})
    theirs, taken = _best(lambda: _by_peer(frame, today.toordinal()))
    say(f"{PEER} {peer.__version__} in {taken:.2f} s")
    return {
        "seconds": round(seconds, 3),
        "pandas_seconds": round(taken, 3),
        "ratio": round(taken / seconds, 2),
        "equal": _equal(ours, theirs),
    }


def purchases(customers: int, seed: int = 1) -> Purchases:
    """Return purchases of customers who differ in how often and how much they buy; everybody bought at least once."""
    random = np.random.default_rng(seed)
    times = 1 + random.poisson(random.gamma(0.8, (ORDERS_EACH - 1) / 0.8, customers))
    who = np.repeat(np.arange(customers), times)
    day = BEGIN.toordinal() + random.integers(0, DAYS, len(who))
    # Whole cents: sums of them are exact whatever the order in which they are added.
    amount = np.round(random.gamma(2, 50, len(who))) / 4
    return Purchases([str(number) for number in range(customers)], who, day, amount, len(who), [])


def _best(work: Any) -> tuple[Any, float]:
    """Return the result and the seconds of the better of RUNS runs."""
    took = []
    for _run in range(RUNS):
        began = time.perf_counter()
        found = work()
        took.append(time.perf_counter() - began)
    return found, min(took)


def _by_peer(frame: Any, today: int) -> Any:
    """Return the scores by customer, the way they are written with the peer: one groupby, ranks, fifths."""
    rows = frame.groupby("customer").agg(last=("day", "max"), times=("day", "nunique"), money=("amount", "sum"))
    rows["money"] = rows["money"].round(2)
    rows["days"] = today - rows["last"]
    size = len(rows)
    for name, column, up in (("r_score", "days", True), ("f_score", "times", False), ("m_score", "money", False)):
        better = rows[column].rank(method="min", ascending=up).astype("int64") - 1
        rows[name] = (5 * (size - better) + size - 1) // size
    return rows


def _equal(ours: pa.Table, theirs: Any) -> bool:
    table = ours.sort_by("customer_id")
    names = ("r_score", "f_score", "m_score")
    return all(np.array_equal(table[name].to_numpy(), theirs.sort_index()[name].to_numpy()) for name in names)
