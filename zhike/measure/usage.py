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

from zhike.measure.lake import NO_USAGE, Engine, Value, as_date, day_number, filled
from zhike.measure.specs import MeasureSpec

DAYS_IN_WORD = 61  # Bit 0 of the first word is today, bit 0 of the next one the day 61 days ago.
NAMES_IN_WORD = 62
MOST_NAMES = 4 * NAMES_IN_WORD  # By bits; rows with rarer names than these are counted by grouping.
MOST_DAYS = 12 * DAYS_IN_WORD
ROWS_IN_RANGE = 12_000_000
MOST_BACK = 63  # Days that a part of the rows may span: as many bits as a whole number has without its sign.
WEEKS = 13
SUMS = ("now_30", "before_30", "now_90", "before_90", "fall_now", "fall_before")

# Two months: days are bits, too, the last one of them first. The fewer columns a group has, the faster it is.
MONTH = """
SELECT customer, BIT_OR(1::BIGINT << back) AS days, {columns}
FROM (SELECT customer, count, users, LIST_POSITION($names, event) AS place, {last} - {day} AS back
      FROM {usage} WHERE customer >= $least AND customer < $below {slice})
GROUP BY customer
"""

# The highest and the lowest of the bits are the first and the last day. A logarithm is exact for 32 bits.
PLACED = """
SELECT customer, {columns}, {least_ago} + CAST(FLOOR(CASE WHEN days >= 1::BIGINT << 32 THEN 32 + LOG2(days >> 32)
                                                    ELSE LOG2(days) END) AS INTEGER) AS first_ago,
       {least_ago} + BIT_COUNT((days & -days) - 1)::INTEGER AS last_ago
FROM ({month})
"""

USED = """
SELECT customer, {sums}, MAX(users_30) AS users_30, CAST(SUM(CAST(logins AS DOUBLE)) AS BIGINT) AS logins, {words},
       MAX(first_ago) AS first_ago,
       MIN(last_ago) AS last_ago
FROM ({months}) GROUP BY customer
"""

PEOPLE = """
SELECT customer, COUNT(*) AS people
FROM (SELECT DISTINCT customer, {person} AS person FROM {recent} AS usage {merged}
      WHERE customer >= $least AND customer < $below AND us >= $since_month AND usage.person <> 0)
GROUP BY customer
"""

# Names too rare for a bit of their own.
RARE = """
SELECT customer, COUNT(*) AS ever, COUNT(*) FILTER (late) AS late
FROM (SELECT customer, event, MAX(us) >= $since_month AS late FROM {usage}
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
       COALESCE(logins, 0) AS logins, {days_quarter} AS days_13w, {days_month} AS days_30, {weeks} AS weeks_13w,
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
class Part:
    """Usage rows of at most MOST_BACK days: a FROM item (`lake.usage_relation`), and which days it holds, counted from
    1970 in the company's time zone. `day` is SQL for the day of a row. Of tracked rows each is one time.
    """

    relation: str
    is_tracked: bool
    first: int
    last: int
    day: str
    slice: str = ""


@dataclass(frozen=True)
class Usage:
    """Where usage rows come from: in `parts` by month, or all of them as one FROM item, which may name the table
    `asked` of customers; `named` is the same with rows that do not count yet, for what is only named.

    `rows` are about as many, of customers from the first to the second of `customers`. `merged` tells who became
    somebody else (person, same), `day` how a row's day is told. `since_…` are microseconds since 1970.
    """

    parts: Sequence[Part]
    relation: str
    named: str
    rows: int
    customers: tuple[int, int]
    merged: pa.Table
    day: str
    since_month: int
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
    asked = Asked(usage, spec, day_number(today), names[:MOST_NAMES], has_rare=len(names) > MOST_NAMES)
    parts = [_of_range(engine, asked, least, below) for least, below in ranges(usage)]
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
    rows = engine.query(filled(question, usage=usage.named), {"logins": list(logins)}, asked=usage.asked)
    found: list[str] = rows["event"].to_pylist()
    return found


def _of_range(engine: Engine, asked: Asked, least: int, below: int) -> pa.Table:
    usage = asked.usage
    values: dict[str, Value] = {
        "names": list(asked.names),
        "least": least,
        "below": below,
        "since_month": usage.since_month,
        "since_window": usage.since_window,
    }
    wanted = {"used": asked.used(), "people": asked.people()}
    if asked.has_rare:
        wanted["rare"] = filled(RARE, usage=usage.relation)
    if asked.by_usage and asked.window is None:
        wanted["seen"] = filled(DAYS, usage=usage.relation, day=usage.day)
    sources = {"asked": usage.asked, "merged": usage.merged}
    tables = {name: engine.query(statement, values, **sources) for name, statement in wanted.items()}
    tables.setdefault("rare", _NONE_RARE)
    return engine.query(filled(TOGETHER, **asked.counts()), values, **tables)


_NONE_RARE = pa.schema([("customer", pa.int64()), ("ever", pa.int64()), ("late", pa.int64())]).empty_table()


@dataclass(frozen=True)
class Asked:
    """The statements of one gathering; `today` is a number of days since 1970, and so many days ago is `ago`."""

    usage: Usage
    spec: MeasureSpec
    today: int
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
    def name_words(self) -> range:
        return range(-(-len(self.names) // NAMES_IN_WORD))

    @property
    def spans(self) -> dict[str, tuple[int, int]]:
        """The first and last day, in days ago, of each sum."""
        fall = self.spec.lifecycle.decline_days
        ends = ((0, 30), (31, 60), (0, 90), (91, 180), (0, fall), (fall + 1, 2 * fall))
        return dict(zip(SUMS, ends, strict=True))

    def used(self) -> str:
        """Return the statement for what is counted by adding up and by bits."""
        words = [f"days_{word}" for word in range(self.day_words)]
        words += [f"{name}_{word}" for name in ("ever", "late") for word in self.name_words]
        return filled(
            USED,
            # Whole numbers below 2^53 are exact as DOUBLE, and much faster added.
            sums=", ".join(f"CAST(SUM(CAST({name} AS DOUBLE)) AS BIGINT) AS {name}" for name in SUMS),
            words=", ".join(f"BIT_OR({word}) AS {word}" for word in words),
            months=" UNION ALL ".join(self._placed(part) for part in self.usage.parts),
        )

    def _placed(self, part: Part) -> str:
        """Return the statement for one month, its days among all days. What is nothing all month long is no column."""
        least_ago, counted = self.today - part.last, self._counted(part)
        shown = [f"{name if value else 'NULL::BIGINT'} AS {name}" for name, value in counted.items()]
        shown += [f"{_bits_in_word(least_ago, word)} AS days_{word}" for word in range(self.day_words)]
        month = filled(
            MONTH,
            columns=", ".join(f"{value} AS {name}" for name, value in counted.items() if value),
            last=str(part.last),
            day=part.day,
            usage=part.relation,
            slice=part.slice,
        )
        return filled(PLACED, columns=", ".join(shown), least_ago=str(least_ago), month=month)

    def _counted(self, part: Part) -> dict[str, str]:
        """Return an aggregate for each column of a month, empty where it would count nothing."""
        times = "" if part.is_tracked else "count"
        found = {name: _added(self._within(part, *span, times or "1"), part) for name, span in self.spans.items()}
        users = "" if part.is_tracked else self._within(part, 0, 30, "users")
        found["users_30"] = f"MAX({users})" if users else ""
        logins = [str(place) for place, name in enumerate(self.names, 1) if name in set(self.spec.login_events)]
        login = f"CASE WHEN place IN ({', '.join(logins)}) THEN {times or '1'} END"
        found["logins"] = _added(self._within(part, 0, 91, login), part) if logins else ""
        for word in self.name_words:
            bit = self._name_bit(word)
            late = self._within(part, 0, 30, bit)
            found[f"ever_{word}"] = f"BIT_OR({bit})"
            found[f"late_{word}"] = f"BIT_OR({late})" if late else ""
        return found

    def _name_bit(self, word: int) -> str:
        low = word * NAMES_IN_WORD
        if len(self.names) <= NAMES_IN_WORD:
            return "1::BIGINT << (place - 1)"
        inside = f"place > {low} AND place <= {low + NAMES_IN_WORD}"
        return f"CASE WHEN {inside} THEN 1::BIGINT << (place - {low + 1}) ELSE 0 END"

    def _within(self, part: Part, least_ago: int, most_ago: int, value: str) -> str:
        """Return the value for rows of a span of days and 0 for others; empty when all are others.

        Mostly a whole month is in it, or out.
        """
        first, last = self.today - most_ago, self.today - least_ago
        if part.first >= first and part.last <= last:
            return value
        if part.last < first or part.first > last:
            return ""
        # A day is `back` days before the part's last one.
        return f"CASE WHEN back >= {part.last - last} AND back <= {part.last - first} THEN {value} END"

    def people(self) -> str:
        """Return the statement for different people."""
        recent = [
            filled("SELECT customer, us, person FROM {usage} WHERE true {slice}", usage=part.relation, slice=part.slice)
            for part in self.usage.parts
            if part.is_tracked and part.last >= self.today - 30
        ]
        merged = "LEFT JOIN merged ON merged.person = usage.person" if self.usage.merged.num_rows else ""
        return filled(
            PEOPLE,
            person="COALESCE(merged.same, usage.person)" if merged else "usage.person",
            recent=f"({' UNION ALL '.join(recent)})" if recent else NO_USAGE,
            merged=merged,
        )

    def counts(self) -> dict[str, str]:
        """Return the parts of the statement that counts bits."""
        seen_days, more = "NULL::BIGINT", ""
        if self.window is not None:
            seen_days = self._days_among(0, self.window)
        elif self.by_usage:
            seen_days, more = "COALESCE(seen.seen_days, 0)", "LEFT JOIN seen USING (customer)"
        weeks = [
            f"({self._days_among(7 * week + 1 if week else 0, 7 * week + 7)} > 0)::INTEGER" for week in range(WEEKS)
        ]
        return {
            "days_quarter": self._days_among(0, 91),
            "days_month": self._days_among(0, 30),
            "weeks": " + ".join(weeks),
            "late": " + ".join(f"COALESCE(BIT_COUNT(late_{word}), 0)::INTEGER" for word in self.name_words),
            "ever": " + ".join(f"COALESCE(BIT_COUNT(ever_{word}), 0)::INTEGER" for word in self.name_words),
            "seen_days": seen_days,
            "more": more,
            "today_date": as_date(str(self.today)),
        }

    def _days_among(self, least_ago: int, most_ago: int) -> str:
        """Return SQL for how many days of a span have usage."""
        terms = []
        for word in range(self.day_words):
            low = word * DAYS_IN_WORD
            bits = [bit for bit in range(DAYS_IN_WORD) if least_ago <= low + bit <= most_ago]
            if bits:
                terms.append(f"BIT_COUNT(days_{word} & {sum(1 << bit for bit in bits)})::INTEGER")
        return f"({' + '.join(terms)})"


def _added(value: str, part: Part) -> str:
    """Return the sum of a value, which of tracked rows is a number of rows."""
    if not value:
        return ""
    return f"COUNT({value})" if part.is_tracked else f"CAST(SUM({value}) AS BIGINT)"


def _bits_in_word(least_ago: int, word: int) -> str:
    """Return SQL for a month's days as bits of a word of all days; bit 0 of the month is `least_ago` days ago."""
    shift = least_ago - word * DAYS_IN_WORD
    if shift <= -MOST_BACK or shift >= DAYS_IN_WORD:
        return "0"
    if shift < 0:
        return f"(days >> {-shift}) & {(1 << DAYS_IN_WORD) - 1}"
    return f"(days & {(1 << (DAYS_IN_WORD - shift)) - 1}) << {shift}"
