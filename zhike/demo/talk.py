"""What was said between the company and its customers, and how customers answered the quarterly question."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import numpy as np
from numpy.random import Generator

from zhike.demo import sentences, story
from zhike.demo.book import Book, Size
from zhike.demo.life import Life
from zhike.demo.people import Person
from zhike.demo.vocabulary import FEATURES

QUESTIONS_A_MONTH = (1.1, 0.5, 0.25, 0.05)
COMPLAINS = 0.75
ASKED_EVERY = 91
HEAVY, ANSWER_AFTER_BLOW = 1.5, 0.5
ANSWER_SHARE = (0.75, 0.62, 0.48, 0.22)
NAMES = {one.email: one.name for one in story.COLLEAGUES}


@dataclass(frozen=True, order=True)
class Said:
    """One exchange; `at` is local time."""

    at: datetime
    customer: str
    channel: str
    direction: str
    by: str
    text: str


@dataclass(frozen=True, order=True)
class Answer:
    """An answer to "how likely would you recommend us", 0 to 10."""

    at: datetime
    customer: str
    score: int
    comment: str


class Speaker:
    """Puts words to what happened in the history."""

    def __init__(self, book: Book, life: Life, people: list[list[Person]], size: Size, random: Generator) -> None:
        self.book, self.life, self.people, self.size, self.random = book, life, people, size, random
        self.features = tuple(FEATURES)
        self.recent = {(customer, day // 45): kind for customer, day, kind, _ in life.blow_log}

    def interactions(self) -> list[Said]:
        """Return every exchange of the history in the order of time."""
        return sorted([*self._touches(), *self._complaints(), *self._questions()])

    def answers(self) -> list[Answer]:
        """Return what customers answered; each is asked once a quarter, and after something bad has happened."""
        z = self.life.satisfaction
        asked = [*self._asked_quarterly(), *self._asked_after_blows()]
        present = [(customer, day) for customer, day in asked if self.life.active[customer, day]]
        return sorted(self._answer(customer, day, float(z[customer, day])) for customer, day in present)

    def _asked_quarterly(self) -> Iterator[tuple[int, int]]:
        for customer in range(len(self.book)):
            first = int(self.book.joined[customer]) + 45
            first += max(0, -(first // ASKED_EVERY)) * ASKED_EVERY
            share = ANSWER_SHARE[int(self.book.stratum[customer])]
            for day in range(first, self.size.days, ASKED_EVERY):
                if self.random.random() < share:
                    yield customer, day

    def _asked_after_blows(self) -> Iterator[tuple[int, int]]:
        for customer, day, _kind, weight in self.life.blow_log:
            later = day + int(self.random.integers(6, 20))
            known = self.book.known[customer] is not None
            if weight > HEAVY and later < self.size.days and (known or self.random.random() < ANSWER_AFTER_BLOW):
                yield customer, later

    def _answer(self, customer: int, day: int, z: float) -> Answer:
        score = int(np.clip(np.rint(10 / (1 + np.exp(-(z + 0.9) * 0.8)) + self.random.normal(0, 1.0)), 0, 10))
        mood = "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
        return Answer(self._at(day), self.book.refs[customer], score, self._pick(sentences.ANSWERS[mood]))

    def _touches(self) -> list[Said]:
        touches = self.life.touches
        made = np.flatnonzero(~touches.withheld)
        return [self._touch(int(touches.customer[at]), int(touches.day[at])) for at in made]

    def _touch(self, customer: int, day: int) -> Said:
        stratum = int(self.book.stratum[customer])
        channel = self._weighted(sentences.CHANNELS[stratum])
        person = self.people[customer][0]
        text = self._fill(self._pick(self._templates(customer, day)), person)
        by = NAMES[self.book.owners[customer]]
        return Said(self._at(day), self.book.refs[customer], channel, "out", by, text)

    def _templates(self, customer: int, day: int) -> tuple[str, ...]:
        """Return what a colleague would talk about with this customer on this day."""
        if not self.people[customer][0].is_chinese:
            return sentences.ABROAD
        if day - int(self.book.joined[customer]) < 90:
            return sentences.ONBOARDING
        blow = self.recent.get((customer, day // 45)) or self.recent.get((customer, day // 45 - 1))
        if blow and self.life.blows[customer, day] < -0.4:
            return sentences.CARE[blow]
        if self.life.due[customer, day : day + 75].any() and not self.book.monthly[customer]:
            return sentences.RENEWAL
        return sentences.REGULAR[int(self.book.stratum[customer])]

    def _complaints(self) -> list[Said]:
        said = []
        for customer, day, kind, weight in self.life.blow_log:
            later = day + int(self.random.integers(0, 6))
            if weight < 0.3 or later >= self.size.days or self.random.random() > COMPLAINS:
                continue
            if self.life.active[customer, later]:
                templates = sentences.COMPLAINTS[kind]
                said.append(self._from_customer(customer, later, templates))
        return said

    def _questions(self) -> list[Said]:
        chance = np.array(QUESTIONS_A_MONTH)[self.book.stratum][:, None] / 30.4
        asked = (self.random.random(self.life.active.shape) < chance * self.life.engagement) & self.life.active
        return [
            self._from_customer(customer, day, sentences.QUESTIONS)
            for customer, day in zip(*(axis.tolist() for axis in np.nonzero(asked)), strict=True)
        ]

    def _from_customer(self, customer: int, day: int, templates: tuple[str, ...]) -> Said:
        person = self.people[customer][int(self.random.integers(len(self.people[customer])))]
        texts = templates if person.is_chinese else sentences.QUESTIONS_ABROAD
        channel = self._weighted(sentences.CHANNELS_IN)
        by = NAMES[self.book.owners[customer]]
        return Said(self._at(day), self.book.refs[customer], channel, "in", by, self._fill(self._pick(texts), person))

    def _fill(self, template: str, person: Person) -> str:
        feature = int(self.random.integers(len(self.features)))
        other = feature - int(self.random.integers(1, len(self.features)))
        number = int(self.random.integers(2, 9))
        return template.format(who=person.called, feature=self.features[feature], other=self.features[other], n=number)

    def _at(self, day: int) -> datetime:
        minutes = int(self.random.integers(9 * 60, 18 * 60))
        return datetime.combine(self.size.day(day), time()) + timedelta(minutes=minutes)

    def _pick(self, choices: tuple[str, ...]) -> str:
        return choices[int(self.random.random() * len(choices))]

    def _weighted(self, choices: tuple[tuple[str, float], ...]) -> str:
        drawn = self.random.random()
        for choice, share in choices:
            drawn -= share
            if drawn < 0:
                return choice
        return choices[-1][0]
