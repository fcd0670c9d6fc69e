"""What the customers did in the product: log-ins and features, per customer, day and event."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from zhike.demo.book import Book, Counts, Flags, Numbers, Size
from zhike.demo.life import WORKDAYS, Life
from zhike.demo.vocabulary import FEATURES, LOGIN

# Of a customer's seats, how many work with the product on a normal day when engagement is full.
PRESENCE = np.array([0.6, 0.5, 0.46, 0.55])
# Below this engagement nobody comes any more; big customers, with many seats, feel it late but all at once.
LEAST_ENGAGED = np.array([0.4, 0.4, 0.34, 0.12])
WEEKEND, SHOP_WEEKEND = 0.2, 0.85  # On days off, festivals included.


def table(book: Book, life: Life, size: Size, random: Generator) -> pa.Table:
    """Return one row per customer, day and event with its `count` and the `users` behind it, by day and customer."""
    users = _users(book, life, size, random)
    parts = [_part(0, users + random.poisson(0.25 * users), users)]
    adopted = _adoption(book, life, random)
    for number, (_, rhythm, share, rate) in enumerate(FEATURES.values()):
        comes_up = adopted[number] & (random.random(users.shape) < rhythm)
        some = random.binomial(users * comes_up, share)
        parts.append(_part(number + 1, random.poisson(rate * some) + some, some))
    customer, day, event, count, people = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((event, customer, day))
    first = np.datetime64(size.first, "D")
    return pa.table(
        {
            "customer": _words(customer[order], book.refs),
            "day": pa.array(first + day[order].astype("timedelta64[D]")),
            "event": _words(event[order], [LOGIN, *FEATURES]),
            "count": pa.array(count[order], pa.int64()),
            "users": pa.array(people[order], pa.int64()),
        }
    )


def _words(numbers: Counts, words: list[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int32()), pa.array(words)).cast(pa.string())


def _part(event: int, count: Counts, users: Counts) -> tuple[Counts, Counts, Counts, Counts, Counts]:
    customer, day = np.nonzero(count)
    return customer, day, np.full(len(customer), event), count[customer, day], users[customer, day]


def _users(book: Book, life: Life, size: Size, random: Generator) -> Counts:
    """Return how many people of each customer worked with the product on each day."""
    days = [size.first + timedelta(days=number) for number in range(size.days)]
    off = np.array([not WORKDAYS.is_workday(day) for day in days])
    open_share = np.where(off, np.where(book.weekends[:, None], SHOP_WEEKEND, WEEKEND), 1.0)
    age = np.arange(size.days) - book.joined[:, None]
    ramp = 1 - np.exp(-np.maximum(age, 0) / 20.0)
    chance = PRESENCE[book.stratum][:, None] * life.engagement * open_share * ramp
    # Where the product is dying, whole days go by without anybody: few seats or many.
    alive = (life.engagement - LEAST_ENGAGED[book.stratum][:, None]) / 0.42
    used_at_all = random.random(chance.shape) < np.clip(alive, 0.02, 1)
    return random.binomial(book.seats[:, None], np.clip(chance, 0, 1) * (life.active & used_at_all))


def _adoption(book: Book, life: Life, random: Generator) -> list[Flags]:
    """Return, feature by feature, on which days each customer had taken it up.

    A customer that the product fits takes up more of it, and sooner. The champion's leaving puts an end to reports for
    half a year: nobody is left who may set them up.
    """
    length = life.active.shape[1]
    days = np.arange(length)
    orphaned = _orphaned(life, len(book), length)
    wide = np.array([1.15, 1.05, 0.95, 0.92])[book.stratum] * (0.55 + 0.7 * book.fit)
    result = []
    for name, (share, *_) in FEATURES.items():
        takes = random.random(len(book)) < np.clip(share * wide, 0, 0.97)
        delay: Numbers = random.exponential(25 + 120 * (1 - book.fit))
        since = book.joined + np.where(takes, delay, 10**6)
        adopted = days >= since[:, None]
        result.append(adopted & ~orphaned if name == "门店报表" else adopted)
    return result


def _orphaned(life: Life, customers: int, length: int) -> Flags:
    orphaned = np.zeros((customers, length), dtype=bool)
    for customer, day, kind, size in life.blow_log:
        if kind == "champion_left" and size > 0.8:
            orphaned[customer, day : day + 180] = True
    return orphaned
