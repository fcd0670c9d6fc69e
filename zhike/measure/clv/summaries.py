"""From purchases to histories: what the models learn from, and what happened afterwards to hold them to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from zhike.measure.clv.histories import Floats

DAYS_A_WEEK = 7
Days = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Summary:
    """Histories in weeks up to the end of calibration, one per customer who had bought by then, and what came later.

    `who` are the customers' places in the input; `x`, `t_x`, `T` as in the models; `mean_spend` the average of the
    repeat purchases (0 without any); `later` purchases after the calibration; `first` the day of the first purchase.
    `repeat_days` are the days of all repeat purchases of these customers, in order. Days are ordinals.
    """

    who: Days
    x: Floats
    t_x: Floats
    T: Floats
    mean_spend: Floats
    later: Floats
    first: Days
    repeat_days: Days


def summarise(who: Days, day: Days, amount: Floats, *, until: int, calibration_end: int) -> Summary:
    """Return the histories of purchases on or before the day `until`; what a customer buys on one day is one purchase.

    `who` is a number per customer, `day` an ordinal, `amount` money; shape (n,) each. Customers whose first purchase
    is after `calibration_end` are left out, as are purchases after `until`.
    """
    seen = day <= until
    who, day, amount = who[seen], day[seen], amount[seen]
    order = np.lexsort((day, who))
    who, day, amount = who[order], day[order], amount[order]
    new = np.ones(len(who), dtype=bool)
    new[1:] = (who[1:] != who[:-1]) | (day[1:] != day[:-1])
    amount = np.add.reduceat(amount, np.flatnonzero(new)) if len(who) else amount
    who, day = who[new], day[new]
    begins = np.flatnonzero(np.r_[True, who[1:] != who[:-1]]) if len(who) else np.zeros(0, dtype=np.int64)
    first = day[begins]
    of = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(who)]))
    repeat = np.ones(len(who), dtype=bool)
    repeat[begins] = False
    early = repeat & (day <= calibration_end)
    size = len(begins)
    x = np.bincount(of[early], minlength=size).astype(np.float64)
    last = first.copy()
    np.maximum.at(last, of[early], day[early])
    spent = np.bincount(of[early], weights=amount[early], minlength=size)
    later = np.bincount(of[repeat & ~early], minlength=size).astype(np.float64)
    ours = first <= calibration_end
    return Summary(
        who=who[begins][ours],
        x=x[ours],
        t_x=(last - first)[ours] / DAYS_A_WEEK,
        T=(calibration_end - first)[ours] / DAYS_A_WEEK,
        mean_spend=(spent / np.maximum(x, 1))[ours],
        later=later[ours],
        first=first[ours],
        repeat_days=np.sort(day[repeat & ours[of]]),
    )
