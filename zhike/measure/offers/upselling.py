"""Whether more seats are bought where people fill them: judged by a kept day of some weeks ago against this one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zhike.measure import snapshots
from zhike.measure.models import FactsDay
from zhike.measure.offers.reading import RECENT
from zhike.measure.offers.together import LEAST_JUDGED
from zhike.measure.reading import Morning

NEAR_LIMIT = 0.9  # People seen in 30 days, over the seats paid for.
GROWING, FILLED = 0.3, 0.7
LEAST_DAYS = 20
COLUMNS = ("customer_id", "seats", "users_30d", "usage_change_90d")


def short_of_seats(seats: float, users: float, change: float) -> bool:
    """Say whether people fill their seats, or use grows towards it."""
    return bool(_short(*(np.array([one]) for one in (seats, users, change)))[0])


def short(known: pa.Table) -> npt.NDArray[np.bool_]:
    """Say of each customer whether people fill the seats."""
    return _short(*_floats(known))


def _short(
    seats: npt.NDArray[np.float64], users: npt.NDArray[np.float64], change: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    near, growing = users >= NEAR_LIMIT * seats, (users >= FILLED * seats) & (change >= GROWING)
    return np.asarray((seats > 0) & (near | growing))


def _floats(known: pa.Table) -> list[npt.NDArray[np.float64]]:
    columns = (known[name].cast(pa.float64()).to_numpy() for name in COLUMNS[1:])
    return [np.nan_to_num(np.asarray(column, dtype=np.float64)) for column in columns]


def judge(known: pa.Table, when: Morning) -> dict[str, Any]:
    """Return the share of those short of seats then who have more now, beside that of all others with seats.

    The kept day nearest to RECENT days ago is asked; the bar are customers to whom nothing would have been offered.
    """
    wanted = when.today - timedelta(days=RECENT)
    kept = FactsDay.objects.filter(day__lte=when.today - timedelta(days=LEAST_DAYS))
    day = min(kept, key=lambda one: (abs(one.day - wanted), one.day), default=None)
    if day is None:
        return {"use": "rule", "reason": "few_to_judge_by"}
    then = snapshots.read(day, COLUMNS)
    who, now_who = then["customer_id"].to_numpy(), known["customer_id"].to_numpy()
    place = np.searchsorted(now_who, who)
    here = (place < len(now_who)) & (now_who[np.minimum(place, max(0, len(now_who) - 1))] == who)
    before, after = _floats(then)[0], np.zeros(len(who))
    after[here] = _floats(known)[0][place[here]]
    had, offered = before > 0, short(then)
    more = after > before
    told: dict[str, Any] = {"use": "rule", "held_days": (when.today - day.day).days, "customers": int(offered.sum())}
    others = had & ~offered
    if offered.sum() < LEAST_JUDGED or others.sum() < LEAST_JUDGED:
        return {**told, "reason": "few_to_judge_by"}
    return {**told, "hit_rate": round(float(more[offered].mean()), 4), "others": round(float(more[others].mean()), 4)}
