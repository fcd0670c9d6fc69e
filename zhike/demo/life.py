"""What befell the customers, day by day: the hidden model behind the demo, whose truth is known.

Each customer has a satisfaction z on a logarithmic scale (0 is indifferent; 1/(1+e^-z) lies between 0 and 1). It is

    z = temper + blows + touches

where `temper` drifts around a level given by how well the product fits (an Ornstein-Uhlenbeck walk), `blows` are bad
things (a missing feature, slow service, the champion leaving, a price rise, a rival, a cut budget) whose weight halves
every 75 days, and `touches` is what colleagues' contacts added, halving every 45 days. Engagement follows z with a
delay of weeks, and usage follows engagement. The yearly hazard of leaving is

    hazard = BASE_HAZARD * exp(-HAZARD_SLOPE * z)

at the time a contract comes up, and is therefore falling in z everywhere. What one touch adds depends on the kind of
customer (book.RESPONSE_LIFTS) and is a third of it when the last touch is less than ten days old. Colleagues touch
unhappy customers more, so that touched and untouched customers cannot be compared naively; a random part of the wished
touches was withheld, so that they can be compared honestly.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from zhike.demo.book import RESPONSE_LIFTS, Book, Counts, Flags, Numbers, Size
from zhike.kit.calendars import WorkCalendar

BLOWS = ("product", "service", "champion_left", "price", "competitor", "budget")
BLOWS_A_YEAR = np.array([0.28, 0.36, 0.16, 0.0, 0.12, 0.12])  # Price rises come with renewals instead.
BLOW_SIZE = 0.85
BLOW_HALF_LIFE, TOUCH_HALF_LIFE = 75.0, 45.0
PRICE_RISE_SHARE, PRICE_RISE_NOTICE = 0.25, 60
BASE_HAZARD, HAZARD_SLOPE = 0.13, 1.25
TOUCHES_A_MONTH = np.array([3.0, 1.2, 0.6, 0.16])
WELCOME_DAYS = (1, 3, 7, 30, 80)  # After joining.
RENEWAL_DAYS = (85, 55, 20)  # Before a contract ends.
NOTICED = 0.10  # A day, of an unhappy customer.
WITHHELD = 0.15
RETURN_SHARE = 0.12
WORKDAYS = WorkCalendar()
FORESEEABLE = 0.25  # A blow weaker than this on the day of leaving explains nothing.


@dataclass(frozen=True)
class Touches:
    """Contacts that colleagues made or, `withheld`, wanted to make; `effect` is what each added to z."""

    customer: Counts
    day: Counts
    reactive: Flags
    withheld: Flags
    effect: Numbers


@dataclass(frozen=True)
class Contract:
    """A customer's contract from the day `start` up to, not including, `end`; None runs on from month to month."""

    customer: int
    start: int
    end: int | None
    yearly: float
    seats: int


@dataclass
class Life:
    """The history: one row per customer and one column per day in every matrix."""

    temper: NDArray[np.float32]
    blows: NDArray[np.float32]
    lift: NDArray[np.float32]
    engagement: NDArray[np.float32]
    worst: NDArray[np.int8]
    """Which of BLOWS weighs most on that day, -1 where none would explain leaving."""
    active: Flags
    due: Flags
    touches: Touches
    contracts: list[Contract]
    left_on: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Customer → the day it left (the last time) and the cause."""
    blow_log: list[tuple[int, int, str, float]] = field(default_factory=list)
    """Customer, day, kind, size of every blow."""

    @property
    def satisfaction(self) -> NDArray[np.float32]:
        return self.temper + self.blows + self.lift


def hazard(satisfaction: NDArray[np.float32] | Numbers) -> Numbers:
    """Return the yearly rate at which customers with this satisfaction z leave."""
    return np.asarray(BASE_HAZARD * np.exp(-HAZARD_SLOPE * satisfaction), dtype=np.float64)


def live(book: Book, size: Size, random: Generator) -> Life:
    """Let the days of the history pass for every customer of the book."""
    days = _Days(book, size, random)
    for day in range(size.days):
        days.pass_one(day)
    return days.life()


class _Days:
    """The state of all customers on one day, and the matrices it is written into."""

    def __init__(self, book: Book, size: Size, random: Generator) -> None:
        many, length = len(book), size.days
        self.book, self.size, self.random = book, size, random
        self.level = 0.6 + 2.4 * (book.fit - 0.6) + book.calm
        self.temper = self.level + random.normal(0, 0.3, many)
        self.blow = np.zeros((len(BLOWS), many))
        self.lift = np.zeros(many)
        self.engagement = np.where(book.joined < 0, _sigmoid(self.temper), 0.05)
        self.active = book.joined < 0
        self.renews_on, self.yearly, self.seats = book.renews_on.copy(), book.yearly.copy(), book.seats.copy()
        self.term = np.where(book.monthly, 30, 365)
        self.started = np.where(book.monthly, book.joined, book.renews_on - 365)
        self.returns_on = np.full(many, length + 1)
        self.last_touch = np.full(many, -999)
        self.welcome = np.zeros(many, dtype=bool)
        self.contracts = [contract for index in range(many) for contract in _before(book, index)]
        self.left_on: dict[int, tuple[int, str]] = {}
        self.blow_log: list[tuple[int, int, str, float]] = []
        self.touch_log: list[tuple[Counts, int, Flags, Flags, Numbers]] = []
        self.matrices = {
            name: np.zeros((many, length), np.float32) for name in ("temper", "blows", "lift", "engagement")
        }
        self.worst = np.full((many, length), -1, np.int8)
        self.actives, self.dues = np.zeros((many, length), bool), np.zeros((many, length), bool)
        self.scripted = _Script(book, size)
        self.working = [WORKDAYS.is_workday(size.day(day)) for day in range(length)]

    def pass_one(self, day: int) -> None:
        self._join(day)
        self._drift()
        self._strike(day)
        self.welcome |= np.isin(day - self.book.joined, WELCOME_DAYS)
        if self.working[day]:
            self._touch(day)
        self._renew(day)
        self._note(day)

    def _join(self, day: int) -> None:
        self.active |= self.book.joined == day
        back = np.flatnonzero(self.returns_on == day)
        self.active[back] = True
        self.blow[:, back] *= 0.2
        self.started[back], self.renews_on[back] = day, day + self.term[back]

    def _drift(self) -> None:
        many = len(self.book)
        self.temper += (self.level - self.temper) / 60 + self.random.normal(0, 0.06, many)
        self.blow *= 0.5 ** (1 / BLOW_HALF_LIFE)
        self.lift *= 0.5 ** (1 / TOUCH_HALF_LIFE)
        wished = _sigmoid(1.1 * (self.temper - self.blow.sum(0) + self.lift) - 0.35 * self.blow[2] + 0.3)
        pace = np.where(wished < self.engagement, 18.0, 28.0)
        self.engagement += np.where(self.active, (wished - self.engagement) / pace, -self.engagement / 5)

    def _strike(self, day: int) -> None:
        many = len(self.book)
        struck = self.random.random((len(BLOWS), many)) < (BLOWS_A_YEAR / 365)[:, None]
        sizes = self.random.gamma(2.5, BLOW_SIZE / 2.5, (len(BLOWS), many))
        struck[3] = (self.renews_on - PRICE_RISE_NOTICE == day) & (self.random.random(many) < PRICE_RISE_SHARE)
        struck &= self.active & ~self.scripted.calm(day)
        for kind, customer in zip(*np.nonzero(struck), strict=True):
            self._hit(day, int(customer), int(kind), float(sizes[kind, customer]))
        for customer, kind, weight in self.scripted.on(day):
            self._hit(day, customer, kind, weight)

    def _hit(self, day: int, customer: int, kind: int, weight: float) -> None:
        self.blow[kind, customer] += weight
        self.blow_log.append((customer, day, BLOWS[kind], weight))

    def _touch(self, day: int) -> None:
        """Let colleagues touch by rhythm, before renewals, and when they notice that something is wrong."""
        chance = TOUCHES_A_MONTH[self.book.stratum] / 21.0
        regular = self.random.random(len(self.book)) < chance
        unhappy = (self.temper - self.blow.sum(0) + self.lift < -0.4) & (self.book.stratum < 3)
        reactive = unhappy & (self.random.random(len(self.book)) < NOTICED)
        nearing = np.isin(self.renews_on - day, RENEWAL_DAYS) & (self.book.stratum < 3) & ~self.book.monthly
        wished = (regular | reactive | nearing | self.welcome) & self.active & ~self.scripted.silent(day)
        self.welcome[:] = False
        withheld = wished & (self.random.random(len(self.book)) < WITHHELD)
        soon = day - self.last_touch < 10
        effect = np.array(RESPONSE_LIFTS)[self.book.response] * np.where(soon, 0.33, 1.0)
        effect = np.where(withheld, 0.0, effect)
        made = wished & ~withheld
        self.lift += np.where(made, effect, 0.0)
        self.last_touch[made] = day
        who = np.flatnonzero(wished)
        self.touch_log.append((who, day, reactive[who], withheld[who], effect[who]))

    def _renew(self, day: int) -> None:
        due = self.active & (self.renews_on == day)
        self.dues[:, day] = due
        if not due.any():
            return
        z = self.temper - self.blow.sum(0) + self.lift
        leaves = (
            due & (self.random.random(len(self.book)) < 1 - np.exp(-hazard(z) * self.term / 365)) & ~self.scripted.safe
        )
        change = np.clip(self.random.normal(0.03, 0.07, len(self.book)) + 0.06 * z, -0.35, 0.5)
        change[self.scripted.safe] = 0.0  # The story says what these pay today.
        returns = np.where(
            self.random.random(len(self.book)) < RETURN_SHARE, self.random.integers(40, 200, len(self.book)), 10**6
        )
        for customer in np.flatnonzero(due).tolist():
            if leaves[customer]:
                self._leave(day, customer, int(returns[customer]))
            elif not self.book.monthly[customer]:
                self._close(customer, day)
                self.yearly[customer] = round(self.yearly[customer] * (1 + change[customer]), -2)
                self.seats[customer] = max(2, round(self.seats[customer] * (1 + change[customer])))
            self.renews_on[customer] = day + self.term[customer]

    def _leave(self, day: int, customer: int, returns_after: int) -> None:
        self._close(customer, day)
        self.active[customer] = False
        worst = int(self.blow[:, customer].argmax())
        known = self.blow[worst, customer] >= FORESEEABLE
        cause = BLOWS[worst] if known else "poor_fit" if self.book.fit[customer] < 0.6 else "unexplained"
        self.left_on[customer] = (day, cause)
        self.returns_on[customer] = day + returns_after

    def _close(self, customer: int, day: int | None) -> None:
        self.contracts.append(
            Contract(
                customer, int(self.started[customer]), day, float(self.yearly[customer]), int(self.seats[customer])
            )
        )
        if day is not None:
            self.started[customer] = day

    def _note(self, day: int) -> None:
        self.matrices["temper"][:, day] = self.temper
        self.matrices["blows"][:, day] = -self.blow.sum(0)
        self.matrices["lift"][:, day] = self.lift
        self.matrices["engagement"][:, day] = np.clip(self.engagement, 0, 1)
        self.worst[:, day] = np.where(self.blow.max(0) >= FORESEEABLE, self.blow.argmax(0), -1)
        self.actives[:, day] = self.active

    def life(self) -> Life:
        for customer in np.flatnonzero(self.active).tolist():
            self._close(customer, None if self.book.monthly[customer] else int(self.renews_on[customer]))
        self.contracts.sort(key=lambda one: (one.customer, one.start))
        log = [(who, np.full(len(who), day), *rest) for who, day, *rest in self.touch_log] or [
            (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, bool), np.zeros(0))
        ]
        touches = Touches(*(np.concatenate(column) for column in zip(*log, strict=True)))
        return Life(
            **self.matrices, worst=self.worst, active=self.actives, due=self.dues, touches=touches,
            contracts=self.contracts, left_on=self.left_on, blow_log=self.blow_log,
        )  # fmt: skip


class _Script:
    """What the story says of its customers; nothing else bad befalls them in the last four months."""

    def __init__(self, book: Book, size: Size) -> None:
        self.blows: dict[int, list[tuple[int, int, float]]] = {}
        self.safe = np.array([one is not None for one in book.known], dtype=bool)
        self.quiet_from = size.days - 120
        self.silent_from = np.full(len(book), size.days + 1)
        self.nobody = np.zeros(len(book), dtype=bool)
        for customer, one in enumerate(book.known):
            for kind, days_ago, weight in one.blows if one else ():
                day = size.days - days_ago
                self.blows.setdefault(day, []).append((customer, BLOWS.index(kind), weight))
                if kind == "champion_left":
                    self.silent_from[customer] = day + 1  # Whoever used to answer has gone.

    def on(self, day: int) -> list[tuple[int, int, float]]:
        return self.blows.get(day, [])

    def calm(self, day: int) -> Flags:
        return self.safe if day >= self.quiet_from else self.nobody

    def silent(self, day: int) -> Flags:
        return np.asarray(self.silent_from <= day)


def _before(book: Book, customer: int) -> list[Contract]:
    """Return the yearly contracts that ran out before the history begins; each was some 8 % smaller than the next."""
    if book.monthly[customer]:
        return []
    start, first = int(book.joined[customer]), int(book.renews_on[customer]) - 365
    years = range((first - start) // 365)
    return [
        Contract(
            customer,
            start + 365 * year,
            start + 365 * (year + 1),
            round(float(book.yearly[customer]) * 0.92 ** (len(years) - year), -2),
            max(2, round(float(book.seats[customer]) * 0.92 ** (len(years) - year))),
        )
        for year in years
    ]


def _sigmoid(value: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-value)), dtype=np.float64)
