"""`zhike bench rfm`: figures for programs, and scores that agree with the peer where there is one."""

import importlib.util
from datetime import timedelta

import numpy as np

from zhike.bench import rfm
from zhike.bench.say import Progress
from zhike.measure.lab import rfm as ours


def test_figures_have_their_keys() -> None:
    found = rfm.measure(2000, Progress())
    assert set(found) == {"seconds", "pandas_seconds", "ratio", "equal"}
    there = importlib.util.find_spec(rfm.PEER) is not None
    assert found["equal"] is (True if there else None)


def test_scores_are_those_of_a_plain_count() -> None:
    bought = rfm.purchases(300)
    today = rfm.BEGIN + timedelta(days=rfm.DAYS)
    rows = ours.scored(ours.wide(bought, today), today).sort_by("customer_id")
    money = np.round(np.bincount(bought.who, weights=bought.amount), 2)
    at_most = (money[None, :] <= money[:, None]).sum(axis=1)
    assert rows["m_score"].to_pylist() == [-(-5 * count // 300) for count in at_most.tolist()]
    days = [
        len({day for who, day in zip(bought.who, bought.day, strict=True) if who == number}) for number in range(300)
    ]
    assert rows["frequency"].to_pylist() == days
