"""What customers bought beside their subscription: going live, training, reports made to measure, scanners."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

import numpy as np
from numpy.random import Generator

from zhike.demo import vocabulary
from zhike.demo.book import Book, Size
from zhike.demo.life import Life

SERVICES_A_YEAR = (2.6, 1.1, 0.4, 0.04)
SCANNERS_A_YEAR = (0.9, 0.4, 0.12, 0.0)
RETURNED = 0.06
GOING_LIVE, TRAINING, REPORTS, SCANNER = range(4)


@dataclass(frozen=True)
class Line:
    order: str
    customer: str
    at: datetime
    product: str
    description: str
    quantity: int
    price: float
    currency: str


def draw(book: Book, life: Life, size: Size, random: Generator) -> list[Line]:
    """Return the lines of all orders by time; what is given back has an order of its own with negative quantity."""
    wanted = sorted(_wanted(book, life, size, random))
    lines: list[Line] = []
    for day, customer, kind, quantity in wanted:
        product, description, price = vocabulary.EXTRAS[kind]
        currency = book.currencies[customer]
        at = datetime.combine(size.day(day), time(9)) + timedelta(minutes=int(random.integers(0, 540)))
        lines.append(
            Line(
                order=f"SO{len(lines) + 1:06d}",
                customer=book.refs[customer],
                at=at,
                product=product,
                description=description,
                quantity=quantity,
                price=round(price / vocabulary.RATES.get(currency, 1.0), 2),
                currency=currency,
            )
        )
    return lines


def _wanted(book: Book, life: Life, size: Size, random: Generator) -> list[tuple[int, int, int, int]]:
    """Return (day, customer, kind, quantity) of everything bought or given back."""
    wanted: list[tuple[int, int, int, int]] = []
    paying = book.stratum < 3
    for customer in np.flatnonzero((book.joined >= 0) & paying & (book.joined < size.days)).tolist():
        wanted.append((int(book.joined[customer]), customer, GOING_LIVE, 1))
    for kind, yearly in ((TRAINING, SERVICES_A_YEAR), (REPORTS, SERVICES_A_YEAR), (SCANNER, SCANNERS_A_YEAR)):
        chance = np.array(yearly)[book.stratum][:, None] / (365 if kind == SCANNER else 730)
        bought = (random.random(life.active.shape) < chance * (0.4 + life.engagement)) & life.active
        for customer, day in zip(*(axis.tolist() for axis in np.nonzero(bought)), strict=True):
            quantity = int(random.integers(2, 21)) if kind == SCANNER else 1
            wanted.append((day, customer, kind, quantity))
            back = day + int(random.integers(3, 20))
            if kind == SCANNER and back < size.days and random.random() < RETURNED:
                wanted.append((back, customer, kind, -max(1, quantity // 4)))
    return wanted
