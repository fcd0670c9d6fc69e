"""The book of customers: who they are, what they pay, how well the product fits them; drawn before anything happens.

Everything here is invented. `fit`, `calm` and `response` are hidden truth: no file that the product imports holds them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from zhike.demo import story, vocabulary

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

STRATA_SHARES = (0.05, 0.151, 0.25)  # The rest is general.
# What a customer of each stratum pays a year: (median, spread of the logarithm, least, most), in CNY.
PRICES = (
    (415_000, 0.38, 300_000, 1_500_000),
    (110_000, 0.28, 84_000, 240_000),
    (38_000, 0.34, 22_000, 84_000),
    (7_000, 0.45, 2_400, 22_000),
)
SEAT_PRICES = (7_000.0, 5_000.0, 3_600.0, 2_400.0)
NEW_SHARES = (0.05, 0.28, 0.42, 0.5)  # Joined during the last 18 months.
MONTHLY_SHARES = (0.0, 0.02, 0.12, 0.4)
FOREIGN_SHARES = (0.02, 0.05, 0.02, 0.0)
RESPONSES = ("sure_thing", "persuadable", "lost_cause", "sleeping_dog")
RESPONSE_SHARES = (0.28, 0.47, 0.15, 0.10)
RESPONSE_LIFTS = (
    0.08,
    0.75,
    0.0,
    -0.30,
)  # What one touch adds to satisfaction, on its hidden scale, by kind of customer.


@dataclass(frozen=True)
class Size:
    """How big a company to simulate: `months` of history that end with the day `until`."""

    customers: int
    months: int
    seed: int
    until: date

    @property
    def first(self) -> date:
        months = self.until.year * 12 + self.until.month - 1 - self.months
        return date(months // 12, months % 12 + 1, min(self.until.day, 28)) + timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.until - self.first).days + 1

    def day(self, number: int) -> date:
        """Return the date of a day of the history, counted from 0; earlier days are negative."""
        return self.first + timedelta(days=int(number))


@dataclass(frozen=True)
class Book:
    """One entry per customer in every field; days count from the first day of the history."""

    refs: list[str]
    names: list[str]
    industries: list[str]
    cities: list[str]
    currencies: list[str]
    owners: list[str]
    known: list[story.Known | None]
    stratum: Counts
    yearly: Numbers
    seats: Counts
    joined: Counts
    renews_on: Counts
    monthly: Flags
    weekends: Flags
    fit: Numbers
    calm: Numbers
    response: Counts

    def __len__(self) -> int:
        return len(self.refs)


def draw(size: Size, random: Generator) -> Book:
    """Return the book of a company of this size; the same generator state gives the same book."""
    stratum, known = _strata(size.customers, random)
    joined, renews_on, monthly = _contracts(size, stratum, known, random)
    order = np.argsort(joined, kind="stable")  # Customer numbers rise with the day a customer joined.
    stratum, joined, renews_on, monthly = stratum[order], joined[order], renews_on[order], monthly[order]
    known = [known[index] for index in order]
    names, industries, cities = _identities(stratum, known, random)
    fit = random.beta(5, 2.6, size.customers) * 0.75 + np.array([0.22, 0.19, 0.16, 0.15])[stratum]
    calm = random.normal(0, 0.45, size.customers)
    yearly = _yearly(stratum, random)
    for index, one in enumerate(known):
        if one:
            yearly[index], calm[index] = one.yearly, 0.25 + one.calm
    return Book(
        refs=[f"C{number:05d}" for number in range(1, size.customers + 1)],
        names=names,
        industries=industries,
        cities=cities,
        currencies=[currency_of(city) for city in cities],
        owners=_owners(stratum, known, random),
        known=known,
        stratum=stratum,
        yearly=yearly,
        seats=np.maximum(2, np.rint(_in_yuan(yearly, cities) / np.array(SEAT_PRICES)[stratum])).astype(np.int64),
        joined=joined,
        renews_on=renews_on,
        monthly=monthly,
        weekends=np.array([industry in vocabulary.OPEN_AT_WEEKENDS for industry in industries]),
        fit=np.clip(fit, 0.05, 0.99),
        calm=calm,
        response=random.choice(len(RESPONSES), size.customers, p=RESPONSE_SHARES),
    )


def currency_of(city: str) -> str:
    country = vocabulary.FOREIGN_CITIES.get(city)
    return vocabulary.COUNTRIES[country][0] if country else "CNY"


def _in_yuan(yearly: Numbers, cities: list[str]) -> Numbers:
    rates = np.array([vocabulary.RATES.get(currency_of(city), 1.0) for city in cities])
    return np.asarray(yearly * rates, dtype=np.float64)


def _strata(customers: int, random: Generator) -> tuple[Counts, list[story.Known | None]]:
    """Return every customer's stratum, and which of them are known from the story, as far as there is room."""
    counts = [round(customers * share) for share in STRATA_SHARES]
    stratum = np.repeat(np.arange(4), [*counts, customers - sum(counts)])
    known: list[story.Known | None] = [None] * customers
    for level in range(4):
        places = np.flatnonzero(stratum == level)
        for place, one in zip(places, (one for one in story.KNOWN if one.stratum == level), strict=False):
            known[int(place)] = one
    order = random.permutation(customers)
    return stratum[order], [known[index] for index in order]


def _contracts(
    size: Size, stratum: Counts, known: list[story.Known | None], random: Generator
) -> tuple[Counts, Counts, Flags]:
    """Return the day each customer joined, its first renewal inside the history, and who pays by the month."""
    new = random.random(size.customers) < np.array(NEW_SHARES)[stratum]
    ago = np.where(new, random.uniform(4, 540, size.customers), random.uniform(540, 1_850, size.customers))
    joined = size.days - ago.astype(np.int64)
    monthly = random.random(size.customers) < np.array(MONTHLY_SHARES)[stratum]
    for index, one in enumerate(known):
        if one:
            ends = size.days + one.renews_in
            joined[index] = ends - 365 * max(1, round((one.renews_in / 30.4 + one.months_with_us) / 12))
            monthly[index] = False
    term = np.where(monthly, 30, 365)
    passed = np.maximum(0, -joined) // term
    return joined, joined + term * (passed + 1), monthly


def _yearly(stratum: Counts, random: Generator) -> Numbers:
    median, spread, least, most = np.array(PRICES).T[:, stratum]
    drawn = median * np.exp(random.normal(0, 1, len(stratum)) * spread)
    return np.asarray(np.rint(np.clip(drawn, least, most) / 100) * 100, dtype=np.float64)


def _owners(stratum: Counts, known: list[story.Known | None], random: Generator) -> list[str]:
    loads = np.array([one.load for one in story.CSMS], dtype=np.float64)
    chosen = np.zeros(len(stratum), dtype=np.int64)
    for level in range(4):
        places = np.flatnonzero(stratum == level)
        chosen[places] = random.choice(len(story.CSMS), len(places), p=loads[:, level] / loads[:, level].sum())
    emails = {one.key: one.email for one in story.CSMS}
    return [emails[one.owner] if one else story.CSMS[int(at)].email for one, at in zip(known, chosen, strict=True)]


def _identities(
    stratum: Counts, known: list[story.Known | None], random: Generator
) -> tuple[list[str], list[str], list[str]]:
    """Return names (each once), industries and cities."""
    taken = {one.name for one in known if one}
    home, abroad = _home_companies(taken, random), _foreign_companies(taken, random)
    foreign = random.random(len(stratum)) < np.array(FOREIGN_SHARES)[stratum]
    drawn = [
        (one.name, one.industry, one.city) if one else next(abroad if foreign[index] else home)
        for index, one in enumerate(known)
    ]
    names, industries, cities = zip(*drawn, strict=True) if drawn else ((), (), ())
    return list(names), list(industries), list(cities)


def _home_companies(taken: set[str], random: Generator) -> Iterator[tuple[str, str, str]]:
    industries = tuple(vocabulary.INDUSTRIES)
    while True:
        city, industry = _one(vocabulary.CITIES, random), _one(industries, random)
        brand = _one(vocabulary.FIRST, random) + _one(vocabulary.SECOND, random)
        name = brand + _one(vocabulary.INDUSTRIES[industry], random)
        for candidate in (name, city + name, city + name + "集团", f"{city}{name}{random.integers(2, 10**6)}店"):
            if candidate not in taken:
                taken.add(candidate)
                yield candidate, industry, city
                break


def _foreign_companies(taken: set[str], random: Generator) -> Iterator[tuple[str, str, str]]:
    countries = tuple(vocabulary.COUNTRIES)
    while True:
        _, cities, endings, _ = vocabulary.COUNTRIES[_one(countries, random)]
        name = f"{_one(vocabulary.FOREIGN_STEMS, random)} {_one(endings, random)}"
        name = name if name not in taken else f"{_one(vocabulary.FOREIGN_LAST, random)} & {name}"
        if name not in taken:
            taken.add(name)
            yield name, _one(("家居零售", "制造", "物流", "贸易"), random), _one(cities, random)


def _one(choices: tuple[str, ...] | str, random: Generator) -> str:
    return choices[int(random.integers(len(choices)))]
