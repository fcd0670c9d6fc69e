"""From the lake to one row of usage per customer, in one pass over the files and without a count(distinct …).

Days and event names are kept as bits of whole numbers, so that different ones are counted by counting bits. Customers
are taken range by range: the files are sorted by customer, so a range reads its own parts of them, and what is being
counted stays small enough for the processor's cache.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from zhike.measure.lake import Engine, Value, as_date, day_number, filled
from zhike.measure.specs import MeasureSpec

DAYS_IN_WORD = 61  # Bit 0 of the first word is today, bit 0 of the next one the day 61 days ago.
NAMES_IN_WORD = 62
MOST_NAMES = 4 * NAMES_IN_WORD  # By bits; rows with rarer names than these are counted by grouping.
MOST_DAYS = 12 * DAYS_IN_WORD
ROWS_IN_RANGE = 6_000_000
WEEKS = 13

USED = """
SELECT customer, SUM(count) FILTER (ago <= 30) AS now_30, SUM(count) FILTER (ago BETWEEN 31 AND 60) AS before_30,
       SUM(count) FILTER (ago <= 90) AS now_90, SUM(count) FILTER (ago BETWEEN 91 AND 180) AS before_90,
       SUM(count) FILTER (ago <= $decline_days) AS fall_now,
       SUM(count) FILTER (ago > $decline_days AND ago <= 2 * $decline_days) AS fall_before,
       MAX(users) FILTER (ago <= 30) AS users_30,
       {logins} AS logins, {words},
       BIT_OR(CASE WHEN ago BETWEEN 0 AND 91 THEN 1::BIGINT << (GREATEST(ago - 1, 0) // 7) ELSE 0 END) AS weeks,
       MAX(ago) AS first_ago, MIN(ago) AS last_ago
FROM (SELECT customer, count, users, place, GREATEST({today} - {day}, 0) AS ago
      FROM (SELECT customer, us, count, users, LIST_POSITION($names, event) AS place FROM {usage})
      WHERE customer >= $least AND customer < $below)
GROUP BY customer
"""

PEOPLE = """
SELECT customer, COUNT(*) AS people
FROM (SELECT DISTINCT customer, {person} AS person FROM {usage} {merged}
      WHERE customer >= $least AND customer < $below AND us >= $since_30 AND usage.person <> 0)
GROUP BY customer
"""

# Names too rare for a bit of their own.
RARE = """
SELECT customer, COUNT(*) AS ever, COUNT(*) FILTER (late) AS late
FROM (SELECT customer, event, MAX(us) >= $since_30 AS late FROM {usage}
      WHERE customer >= $least AND customer < $below AND NOT LIST_CONTAINS($names, event)
      GROUP BY customer, event)
GROUP BY customer
"""

DAYS = """
SELECT customer, COUNT(*) AS seen_days
FROM (SELECT DISTINCT customer, {day} AS day FROM {usage}
      WHERE customer >= $least AND customer < $below AND us >= $since_window)
GROUP BY customer
"""

TOGETHER = """
SELECT customer, now_30, before_30, now_90, before_90, fall_now, fall_before,
       GREATEST(COALESCE(users_30, 0), COALESCE(people, 0)) AS users_30,
       COALESCE(logins, 0) AS logins,
       BIT_COUNT(days_0)::INTEGER + BIT_COUNT(days_1 & {mask_weeks})::INTEGER AS days_13w,
       BIT_COUNT(days_0 & {mask_month})::INTEGER AS days_30, BIT_COUNT(weeks)::INTEGER AS weeks_13w,
       {late} + COALESCE(rare.late, 0) AS features_30, {ever} + COALESCE(rare.ever, 0) AS features_ever,
       {seen_days} AS seen_days,
       CAST({today_date} - first_ago AS DATE) AS first_day, CAST({today_date} - last_ago AS DATE) AS last_day
FROM used LEFT JOIN people USING (customer) LEFT JOIN rare USING (customer) {more}
"""

SCHEMA = pa.schema(
    [
        ("customer", pa.int64()),
        *(
            (name, pa.int64())
            for name in ("now_30", "before_30", "now_90", "before_90", "fall_now", "fall_before", "users_30")
        ),
        *(
            (name, pa.int64())
            for name in ("logins", "days_13w", "days_30", "weeks_13w", "features_30", "features_ever", "seen_days")
        ),
        ("first_day", pa.date32()),
        ("last_day", pa.date32()),
    ]
)


@dataclass(frozen=True)
class Usage:
    """Where usage rows come from: a FROM item (`lake.usage_relation`), about how many rows and which customers it has,
    who became somebody else (`merged`: person, same), and how a row's day is told (SQL of `us`, in days since 1970).

    The relation may name the table `asked` of customers.
    """

    relation: str
    rows: int
    customers: tuple[int, int]
    merged: pa.Table
    day: str
    since_30: int
    since_window: int
    asked: pa.Table


def gather(engine: Engine, usage: Usage, spec: MeasureSpec, today: date) -> pa.Table:
    """Return one row per customer with usage (SCHEMA), in no order; rows dated after `today` count as today's.

    `users_30` is the number of different people seen within 30 days, or the largest number of people that an imported
    row gives, whichever is more. `logins` are the plan's log-in events of 13 weeks. `seen_days` are the days with
    usage within the plan's RFM window, None where RFM does not go by usage.
    """
    if not usage.rows:
        return SCHEMA.empty_table()
    names = _names(engine, usage, spec.login_events)
    asked = _Asked(usage, spec, today, names[:MOST_NAMES], has_rare=len(names) > MOST_NAMES)
    parts = [asked.of_range(engine, least, below) for least, below in ranges(usage)]
    return pa.concat_tables(parts).cast(SCHEMA)


def ranges(usage: Usage) -> list[tuple[int, int]]:
    """Return ranges of customers, each from its first up to but not including its last, of about equally many rows."""
    least, most = usage.customers
    number = max(1, min(-(-usage.rows // ROWS_IN_RANGE), most - least + 1))
    edges = [least + (most + 1 - least) * place // number for place in range(number + 1)]
    return list(itertools.pairwise(edges))


def _names(engine: Engine, usage: Usage, logins: Sequence[str]) -> list[str]:
    """Return all event names: log-ins, then the most frequent first."""
    question = (
        "SELECT event FROM {usage} GROUP BY event ORDER BY LIST_CONTAINS($logins, event) DESC, COUNT(*) DESC, event"
    )
    rows = engine.query(filled(question, usage=usage.relation), {"logins": list(logins)}, asked=usage.asked)
    found: list[str] = rows["event"].to_pylist()
    return found


@dataclass(frozen=True)
class _Asked:
    """The statements of one gathering."""

    usage: Usage
    spec: MeasureSpec
    today: date
    names: Sequence[str]
    has_rare: bool

    @property
    def by_usage(self) -> bool:
        return self.spec.rfm.source == "usage"

    @property
    def window(self) -> int | None:
        """The days of the RFM window that fit into bits; None when they do not."""
        days = self.spec.rfm.window_days
        return days if self.by_usage and days is not None and days < MOST_DAYS else None

    @property
    def day_words(self) -> int:
        return max(2, (self.window or 0) // DAYS_IN_WORD + 1)

    @property
    def name_words(self) -> int:
        return -(-len(self.names) // NAMES_IN_WORD)

    def of_range(self, engine: Engine, least: int, below: int) -> pa.Table:
        values: dict[str, Value] = {
            "names": list(self.names),
            "least": least,
            "below": below,
            "decline_days": self.spec.lifecycle.decline_days,
            "since_30": self.usage.since_30,
            "since_window": self.usage.since_window,
        }
        parts = {"usage": f"{self.usage.relation} AS usage", "day": self.usage.day}
        sources = {"asked": self.usage.asked, "merged": self.usage.merged}
        wanted = {"used": filled(USED, **self._bits()), "people": filled(PEOPLE, **self._who())}
        if self.has_rare:
            wanted["rare"] = RARE
        if self.by_usage and self.window is None:
            wanted["seen"] = DAYS
        tables = {
            name: engine.query(filled(statement, **parts), values, **sources) for name, statement in wanted.items()
        }
        tables.setdefault("rare", _NONE_RARE)
        return engine.query(filled(TOGETHER, **self._counts()), values, **tables)

    def _bits(self) -> dict[str, str]:
        words = [
            f"BIT_OR(CASE WHEN ago >= {low} AND ago < {low + DAYS_IN_WORD} THEN 1::BIGINT << (ago - {low}) ELSE 0 END) "
            f"AS days_{word}"
            for word, low in enumerate(range(0, self.day_words * DAYS_IN_WORD, DAYS_IN_WORD))
        ]
        for word, low in enumerate(range(0, len(self.names), NAMES_IN_WORD), start=0):
            bit = f"1::BIGINT << (place - {low + 1})"
            inside = f"place > {low} AND place <= {low + NAMES_IN_WORD}"
            words.append(f"BIT_OR(CASE WHEN {inside} THEN {bit} ELSE 0 END) AS ever_{word}")
            words.append(f"BIT_OR(CASE WHEN ago <= 30 AND {inside} THEN {bit} ELSE 0 END) AS late_{word}")
        return {"words": ", ".join(words), "logins": self._logins(), "today": str(day_number(self.today))}

    def _logins(self) -> str:
        wanted = set(self.spec.login_events)
        places = [str(place) for place, name in enumerate(self.names, start=1) if name in wanted]
        return f"SUM(count) FILTER (ago <= 91 AND place IN ({', '.join(places)}))" if places else "NULL::HUGEINT"

    def _who(self) -> dict[str, str]:
        if not self.usage.merged.num_rows:
            return {"person": "usage.person", "merged": ""}
        return {
            "person": "COALESCE(merged.same, usage.person)",
            "merged": "LEFT JOIN merged ON merged.person = usage.person",
        }

    def _counts(self) -> dict[str, str]:
        seen_days, more = "NULL::BIGINT", ""
        if self.window is not None:
            seen_days = " + ".join(self._days_of_word(word, self.window) for word in range(self.day_words))
        elif self.by_usage:
            seen_days, more = "COALESCE(seen.seen_days, 0)", "LEFT JOIN seen USING (customer)"
        return {
            "mask_weeks": str((1 << (91 - DAYS_IN_WORD + 1)) - 1),
            "mask_month": str((1 << 31) - 1),
            "late": " + ".join(f"BIT_COUNT(late_{word})::INTEGER" for word in range(self.name_words)),
            "ever": " + ".join(f"BIT_COUNT(ever_{word})::INTEGER" for word in range(self.name_words)),
            "seen_days": seen_days,
            "more": more,
            "today_date": as_date(str(day_number(self.today))),
        }

    def _days_of_word(self, word: int, window: int) -> str:
        """Return SQL for the days of a word that are at most `window` days ago."""
        bits = window - word * DAYS_IN_WORD + 1
        return f"BIT_COUNT(days_{word} & {(1 << min(bits, DAYS_IN_WORD)) - 1})::INTEGER" if bits > 0 else "0"


_NONE_RARE = pa.schema([("customer", pa.int64()), ("ever", pa.int64()), ("late", pa.int64())]).empty_table()
