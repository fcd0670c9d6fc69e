"""What a fact is: one thing known of a customer on a day, declared once and used everywhere."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from zhike.kit.ruletrees import FieldType, Kind


class Unit(StrEnum):
    """What a fact counts. The value is the key of `UNIT_NAMES`."""

    NONE = ""
    DAY = "day"
    DAYS = "days"
    WEEKS = "weeks"
    MONEY = "money"
    SHARE = "share"
    TIMES = "times"
    PEOPLE = "people"
    SEATS = "seats"
    FEATURES = "features"
    RANK = "rank"
    SCORE = "score"
    POINTS = "points"
    RATIO = "ratio"


UNIT_NAMES: dict[Unit, tuple[str, str]] = {
    Unit.NONE: ("", ""),
    Unit.DAY: ("日期", "date"),
    Unit.DAYS: ("天", "days"),
    Unit.WEEKS: ("周", "weeks"),
    Unit.MONEY: ("记账货币", "reporting currency"),
    Unit.SHARE: ("比例，1 即 100%", "share, 1 is 100%"),
    Unit.TIMES: ("次", "times"),
    Unit.PEOPLE: ("人", "people"),
    Unit.SEATS: ("席", "seats"),
    Unit.FEATURES: ("项功能", "features"),
    Unit.RANK: ("名次", "rank"),
    Unit.SCORE: ("1–5 分", "1 to 5"),
    Unit.POINTS: ("分，共 100", "points of 100"),
    Unit.RATIO: ("倍", "times as much"),
}


class Source(StrEnum):
    """Where a fact comes from, in the order in which they are computed."""

    CUSTOMER = "customer"
    ORDERS = "orders"
    SUBSCRIPTIONS = "subscriptions"
    USAGE = "usage"
    INTERACTIONS = "interactions"
    ANSWERS = "answers"
    GIVEN = "given"
    WIDE = "wide"
    RFM = "rfm"
    SHARES = "shares"
    LIFECYCLE = "lifecycle"
    HEALTH = "health"
    TIERS = "tiers"
    NIGHTLY = "nightly"


STANDING = (Source.GIVEN, Source.NIGHTLY)
"""Sources whose facts stand all day as the night left them: planning's wishes, and what models say."""

AGGREGATED = (Source.ORDERS, Source.SUBSCRIPTIONS, Source.USAGE, Source.INTERACTIONS, Source.ANSWERS, Source.GIVEN)
"""Sources with rows of their own, gathered to one row per customer by `Fact.sql` before anything else."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known of a customer on a day.

    `sql` is a DuckDB expression: an aggregate over the rows of its source (relations in `zhike.measure.wide`), or, for
    the source `wide`, over the aggregates of all sources. Facts of the later sources are computed by the module named
    after the source and have no `sql`. `otherwise` is the value of a customer without any row in the source. `length`
    is the most signs that a text may have.
    """

    name: str
    kind: Kind
    unit: Unit
    zh: str
    en: str
    meaning_zh: str
    meaning_en: str
    source: Source
    sql: str = ""
    otherwise: str = "NULL"
    choices: tuple[str, ...] = ()
    length: int = 40
    named: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict, hash=False)
    """What each choice is called, in Chinese and in English; the tiers are named by the plan."""

    @property
    def field(self) -> FieldType:
        """The type that rule trees see."""
        return FieldType(self.kind, self.choices)

    def said(self, value: str, language: str) -> str:
        """Return what a value is called in the language; a value without a name is called as it is."""
        return self.named[value][0 if language.startswith("zh") else 1] if value in self.named else value

    @property
    def stored(self) -> bool:
        """Whether it is a column of the facts row; the others are columns of the customer itself."""
        return self.source is not Source.CUSTOMER

    @property
    def counts_days(self) -> tuple[str, bool] | None:
        """The fact whose day it counts the days to, True where that day lies ahead; None where it counts none."""
        found = _DAYS.fullmatch(self.sql)
        return (found["until"] or found["since"], found["until"] is not None) if found else None

    @property
    def is_revenue(self) -> bool:
        """Whether only people who may see revenue may see it or ask about it."""
        return self.unit is Unit.MONEY or self.name in REVENUE_LIKE

    @property
    def duckdb_type(self) -> str:
        """The column type in the engine and in the snapshot."""
        if self.unit is Unit.POINTS:
            return "DECIMAL(5, 1)"
        return _DUCKDB_TYPES[self.kind]

    def label(self, language: str) -> str:
        """Return its name in the language, such as `zh-hans` or `en`."""
        return self.zh if language.startswith("zh") else self.en

    def meaning(self, language: str) -> str:
        """Return the sentence that says how it is computed."""
        return self.meaning_zh if language.startswith("zh") else self.meaning_en

    def unit_name(self, language: str) -> str:
        """Return the name of its unit, empty for texts."""
        return UNIT_NAMES[self.unit][0 if language.startswith("zh") else 1]


_DAYS = re.compile(r"\$today - (?P<since>\w+)|(?P<until>\w+) - \$today")
REVENUE_LIKE = frozenset({"revenue_share", "cumulative_share", "revenue_rank", "m_score", "rfm", "clv_to_cac"})

_DUCKDB_TYPES: dict[Kind, str] = {
    Kind.NUMBER: "DOUBLE",
    Kind.INTEGER: "BIGINT",
    Kind.MONEY: "DECIMAL(18, 2)",
    Kind.TEXT: "VARCHAR",
    Kind.CHOICE: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.BOOLEAN: "BOOLEAN",
}
