"""What the product does not get to see: satisfaction, hazard, what touches did, why customers left."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from zhike.demo.book import RESPONSES, Book, Size
from zhike.demo.life import BLOWS, Life, hazard


def monthly(book: Book, life: Life, size: Size) -> pa.Table:
    """Return one row per customer and calendar month in which it was a customer for at least a day.

    `satisfaction`, `engagement` and `lift` (what touches added to satisfaction) are means over its days; `hazard` is
    the yearly rate of leaving when a contract comes up, `hazard_untouched` the same if nobody had ever touched this
    customer; `blows` is what the bad things that befell it took from satisfaction, `worst` the one that weighs most on
    its last day of the month, if it would explain leaving; `due` says whether a contract came up, `left` whether the
    customer left, and `cause` why.
    """
    months = np.array([np.datetime64(size.day(day), "M") for day in range(size.days)])
    starts = np.flatnonzero(np.r_[True, months[1:] != months[:-1]])
    days = np.add.reduceat(life.active, starts, axis=1, dtype=np.int64)
    who, which = np.nonzero(days)
    month = months[starts][which]
    z = life.satisfaction

    def mean(matrix: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.add.reduceat(np.where(life.active, matrix, 0), starts, axis=1, dtype=np.float64)
        return np.asarray(np.round(total[who, which] / days[who, which], 6))

    last = np.maximum.reduceat(np.where(life.active, np.arange(size.days), 0), starts, axis=1)[who, which]
    worst = [BLOWS[kind] if kind >= 0 else None for kind in life.worst[who, last]]
    left = {(customer, months[day]): cause for customer, (day, cause) in life.left_on.items()}
    present = list(zip(who.tolist(), month, strict=True))
    causes = [left.get(key) for key in present]
    # Whoever left on the first of a month was not a customer for a day of it; the month before is then the last one.
    for customer, gone in left.keys() - set(present):
        before = np.flatnonzero((who == customer) & (month == gone - 1))
        for row in before.tolist():
            causes[row] = left[customer, gone]
    due = np.add.reduceat(life.due, starts, axis=1, dtype=np.int64)
    return pa.table(
        {
            "customer": [book.refs[index] for index in who],
            "month": pa.array(month.astype("datetime64[D]")),
            "days": days[who, which],
            "fit": np.round(book.fit[who], 6),
            "response": [RESPONSES[index] for index in book.response[who]],
            "satisfaction": mean(z),
            "engagement": mean(life.engagement),
            "lift": mean(life.lift),
            "hazard": mean(hazard(z)),
            "hazard_untouched": mean(hazard(z - life.lift)),
            "blows": mean(life.blows),
            "worst": pa.array(worst, pa.string()),
            "due": due[who, which] > 0,
            "left": [cause is not None for cause in causes],
            "cause": pa.array(causes, pa.string()),
        }
    )


def touches(book: Book, life: Life, size: Size) -> pa.Table:
    """Return every touch that was made or, drawn at random, withheld, with what it added to satisfaction."""
    log = life.touches
    return pa.table(
        {
            "customer": [book.refs[index] for index in log.customer],
            "day": pa.array([size.day(day) for day in log.day], pa.date32()),
            "reactive": log.reactive,
            "withheld": log.withheld,
            "effect": np.round(log.effect, 6),
        }
    )
