"""A small company to measure: customers with orders, subscriptions, usage and interactions, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from django.conf import settings
from pyarrow import parquet

from zhike.measure.lake import Engine
from zhike.measure.reading import Morning
from zhike.measure.specs import MeasureSpec
from zhike.org.models import Company
from zhike.record.commerce.models import Order, Product, Subscription
from zhike.record.customers.models import Customer
from zhike.record.events.models import ChangedCustomer, Event, EventKind, LakeFile
from zhike.record.events.rules import DIGEST, EVENT_SCHEMA
from zhike.record.interactions.models import Interaction

TODAY = date(2026, 3, 12)
NOW = datetime(2026, 3, 12, 2, 18, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
USAGE = pa.schema(
    [
        ("customer", pa.int64()),
        ("at", pa.timestamp("us")),
        ("event", pa.string()),
        ("count", pa.int64()),
        ("users", pa.int64()),
    ]
)

PLAN: dict[str, Any] = {
    "tiers": {
        "tiers": [
            {"key": "core", "name": {"zh": "核心", "en": "Core"}, "revenue_up_to": 0.5},
            {
                "key": "key",
                "name": {"zh": "重点", "en": "Key"},
                "revenue_up_to": 0.8,
                "where": {"any": [{"logins_per_week": {"at_least": 0.5}}, {"orders": {"above": 3}}]},
            },
            {"key": "potential", "name": {"zh": "潜力", "en": "Growth"}, "revenue_up_to": 0.95},
            {"key": "general", "name": {"zh": "一般", "en": "Standard"}},
        ]
    },
    "health": {
        "parts": {
            "usage": {"fact": "usage_30d", "weight": 35, "zero_at": 0, "full_at": 60},
            "breadth": {"fact": "features_30d", "weight": 20, "zero_at": 0, "full_at": 4},
            "relationship": {"fact": "days_since_touch", "weight": 25, "zero_at": 60, "full_at": 7},
            "commercial": {"fact": "days_to_renewal", "weight": 10, "zero_at": 0, "full_at": 180},
            "feedback": {"fact": "last_nps", "weight": 10, "zero_at": 0, "full_at": 10},
        }
    },
}


@pytest.fixture
def spec() -> MeasureSpec:
    return MeasureSpec.model_validate(PLAN)


def at(day: date, hour: int = 10) -> datetime:
    """The moment of an hour in Shanghai."""
    return datetime.combine(day, time(hour), SHANGHAI)


@dataclass
class Book:
    """Writes the record of a company, row by row, the way imports leave it."""

    customers: list[Customer] = field(default_factory=list)
    usage: list[tuple[int, datetime, str, int, int]] = field(default_factory=list)
    tracked: list[tuple[int, int, datetime, str, int]] = field(default_factory=list)
    number: int = 0

    def next(self) -> int:
        self.number += 1
        return self.number

    def customer(self, ref: str = "", **values: Any) -> Customer:
        made = Customer(ref=ref or f"K{self.next():04d}", created_at=NOW, updated_at=NOW, terms="", **values)
        made.name = made.name or made.ref
        made.save(force_insert=True)
        self.customers.append(made)
        return made

    def order(self, customer: Customer, day: date, bought: float | str, **values: Any) -> Order:
        values.setdefault("currency", "CNY")
        hour = values.pop("hour", 10)
        return Order.objects.create(
            ref=f"O{self.next()}", customer=customer, placed_at=at(day, hour), bought=Decimal(str(bought)), **values
        )

    def subscription(self, customer: Customer, start: date, end: date | None, mrr: float | str, **values: Any) -> None:
        product = Product.objects.get_or_create(ref="P1", defaults={"name": "Suite"})[0]
        values.setdefault("currency", "CNY")
        Subscription.objects.create(
            customer=customer,
            product=product,
            start=start,
            end=end,
            mrr=Decimal(str(mrr)),
            key=str(self.next()),
            **values,
        )

    def used(
        self, customer: Customer, day: date, event: str = "login", count: int = 1, users: int = 1, hour: int = 10
    ) -> None:
        moment = at(day, hour).astimezone(UTC).replace(tzinfo=None)
        self.usage.append((customer.pk, moment, event, count, users))

    def talk(self, customer: Customer, day: date, outcome: str = "reached") -> None:
        Interaction.objects.create(
            customer=customer, at=at(day), channel="phone", outcome=outcome, key=str(self.next()), created_at=NOW
        )

    def answer(self, customer: Customer, day: date, nps: int) -> None:
        Event.append(customer.pk, EventKind.SURVEY_ANSWERED, at=at(day), nps=nps)

    def track(self, customer: Customer, at: datetime, event: str = "login", person: int = 1, call: int = 1) -> None:
        """Note an event of a tracking client, by a person numbered within all customers; 0 is nobody."""
        self.tracked.append((customer.pk, person, at.astimezone(UTC), event, call))

    def file_usage(self) -> None:
        """Write what was used since the last call as files of the lake: imported usage, and tracked events."""
        if self.usage:
            rows, self.usage = sorted(self.usage), []
            table = pa.Table.from_pydict(dict(zip(USAGE.names, map(list, zip(*rows, strict=True)), strict=True)), USAGE)
            self._file("usage", table, [row[1].replace(tzinfo=UTC) for row in rows])
        if self.tracked:
            events, self.tracked = sorted(self.tracked, key=lambda row: (row[0], row[2])), []
            columns = dict(zip(("customer", "person", "at", "event", "call"), zip(*events, strict=True), strict=True))
            more = {
                "source": [1] * len(events),
                "received": columns["at"],
                "message": [self.next().to_bytes(DIGEST, "big") for _event in events],
                "properties": ["{}"] * len(events),
            }
            self._file("events", pa.Table.from_pydict(columns | more, EVENT_SCHEMA), list(columns["at"]))

    def _file(self, kind: str, table: pa.Table, moments: list[datetime]) -> None:
        path = f"{kind}/{self.next()}.parquet"
        place = Path(settings.LAKE) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(table, place)
        customers = table["customer"].to_pylist()
        LakeFile.objects.create(
            path=path,
            kind=kind,
            month=moments[0].date().replace(day=1),
            rows=table.num_rows,
            bytes=place.stat().st_size,
            first_at=min(moments),
            last_at=max(moments),
            least_customer=min(customers),
            most_customer=max(customers),
            created_at=NOW,
        )
        ChangedCustomer.note(sorted(set(customers)))

    def fill(self, seed: int, customers: int = 30, until: date = TODAY) -> None:
        """Draw a company's history of 500 days from a seed."""
        draw = random.Random(seed)

        def day(back: int = 500) -> date:
            return until - timedelta(days=draw.randint(1, back))

        for _ in range(customers):
            joined = day() if draw.random() < 0.7 else None
            customer = self.customer(
                joined=joined,
                industry=draw.choice(["", "零售", "制造"]),
                attributes={"vip": True} if draw.random() < 0.2 else {},
            )
            for _ in range(draw.choice([0, 0, 1, 3, 8])):
                money = {"returned": draw.randint(0, 30)} if draw.random() < 0.3 else {}
                self.order(customer, day(), draw.choice([0, 10, 99.99, 250.5]), hour=draw.randint(0, 23), **money)
            for _ in range(draw.choice([0, 0, 1, 2])):
                start = day()
                end = None if draw.random() < 0.2 else start + timedelta(days=draw.randint(0, 400))
                self.subscription(customer, start, end, draw.choice([100, 333.33]), quantity=draw.randint(1, 50))
            for _ in range(draw.choice([0, 5, 40])):
                event = draw.choice(["login", "report", "export", "share"])
                self.used(customer, day(200), event, draw.randint(1, 5), draw.randint(1, 9), hour=draw.randint(0, 23))
            for _ in range(draw.choice([0, 0, 30])):
                event, person = draw.choice(["login", "page", "share", "invite"]), draw.choice([0, 1, 2, 3])
                moment = at(day(draw.choice([40, 400])), draw.randint(0, 23))
                self.track(customer, moment, event, person and 10 * customer.pk + person, draw.choice([1, 1, 2, 4]))
            for _ in range(draw.choice([0, 1, 4])):
                self.talk(customer, day(120), draw.choice(["reached", "no_answer"]))
            if draw.random() < 0.3:
                self.answer(customer, day(90), draw.randint(0, 10))
        self.file_usage()


@pytest.fixture
def book(db: None) -> Book:
    Company.objects.update_or_create(id=1, defaults={"name": "云舟科技", "currency": "CNY"})
    return Book()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine without a lake, for measures of tables."""
    folder = tmp_path_factory.mktemp("engine")
    with Engine(lake=folder / "lake", temporary=folder / "temporary", memory_mb=200, threads=1) as made:
        yield made


@pytest.fixture(scope="session")
def when() -> Morning:
    return Morning(TODAY, SHANGHAI)
