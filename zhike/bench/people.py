"""Customers and contacts in great number: names, search terms and sort keys, made by several processes at once.

Everything follows from the customer's number, so that the readers know what to look for without asking the database.
"""

import random
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import psycopg

from zhike.demo import vocabulary
from zhike.kit.searchterms import sort_key, terms_of

PIECE = 10_000
STAGE = """
    CREATE UNLOGGED TABLE bench_people (n bigint, stratum int, ref text, name text, industry text, region text,
        sort_key text, terms text[], person text, email text, phone text, person_terms text[])
"""
COPY = """
    COPY bench_people (n, stratum, ref, name, industry, region, sort_key, terms, person, email, phone, person_terms)
    FROM STDIN
"""


@dataclass(frozen=True, slots=True)
class Somebody:
    """One customer and its first contact."""

    ref: str
    name: str
    industry: str
    region: str
    person: str
    email: str
    phone: str


def somebody(number: int) -> Somebody:
    """Return the customer with this number, always the same."""
    drawn = random.Random(number)  # noqa: S311  Seeded on purpose: the readers must know the names.
    industry = drawn.choice(tuple(vocabulary.INDUSTRIES))
    city = drawn.choice(vocabulary.CITIES)
    brand = drawn.choice(vocabulary.FIRST) + drawn.choice(vocabulary.SECOND) + drawn.choice(vocabulary.SECOND)
    name = brand + drawn.choice(vocabulary.INDUSTRIES[industry])
    name = name if drawn.random() < 0.5 else city + name
    person = drawn.choice(vocabulary.SURNAMES) + "".join(drawn.choices(vocabulary.GIVEN, k=drawn.choice((1, 2))))
    return Somebody(
        ref=f"C{number:08d}",
        name=name,
        industry=industry,
        region=city,
        person=person,
        email=f"p{number}@c{number:08d}.example",
        phone=f"+86 19{drawn.randrange(10**9):09d}",
    )


def stage(address: str, customers: int, processes: int) -> Iterator[int]:
    """Fill the staging table with customers 1 to `customers`; yields how many are done now and then."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(STAGE)
    pieces = [(address, start, min(start + PIECE, customers + 1)) for start in range(1, customers + 1, PIECE)]
    done = 0
    pool = ProcessPoolExecutor(processes, get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        for count in pool.map(_stage_piece, pieces):
            done += count
            yield done
    finally:
        pool.shutdown(cancel_futures=True)


def _stage_piece(piece: tuple[str, int, int]) -> int:
    address, start, end = piece
    with (
        psycopg.connect(address, autocommit=True) as connection,
        connection.cursor() as cursor,
        cursor.copy(COPY) as copy,
    ):
        for number in range(start, end):
            copy.write_row(_row(number))
    return end - start


def _row(number: int) -> tuple[object, ...]:
    one = somebody(number)
    terms = terms_of(one.name, codes=[one.ref])
    person_terms = terms_of(one.person, phones=[one.phone], emails=[one.email])
    found = (one.name, one.industry, one.region, sort_key(one.name), terms)
    return (number, stratum(number), one.ref, *found, one.person, one.email, one.phone, person_terms)


def stratum(number: int) -> int:
    """Return 0 for the one in twenty that is big, then 1, 2 and 3 for the smaller ones."""
    place = number % 20
    return 0 if place == 0 else 1 if place < 4 else 2 if place < 9 else 3
