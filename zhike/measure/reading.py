"""The record as Arrow tables: what PostgreSQL holds of the days before one morning, and nothing later."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.db import connection, models
from psycopg import sql
from pyarrow import csv

from zhike.measure import lake, snapshots
from zhike.measure.lake import UsageFiles
from zhike.measure.models import CustomerFacts, StageMove, TierMove
from zhike.measure.usage import MOST_BACK, Part, Usage
from zhike.org import company
from zhike.org.models import ExchangeRate
from zhike.record.commerce.models import Order, Subscription
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import CONTACTS, Interaction, Outcome
from zhike.record.tracking.models import Person

Ids = list[int] | None  # Some customers, in order; None is all of them.
NEVER = 2**62  # Microseconds: later than any moment of a day that is measured.

MONEY = pa.decimal128(18, 4)
ID, TEXT, DAY, YES_NO = pa.int64(), pa.string(), pa.date32(), pa.bool_()

CUSTOMERS = pa.schema(
    [
        ("customer_id", ID),
        ("ref", TEXT),
        ("name", TEXT),
        ("kind", TEXT),
        ("industry", TEXT),
        ("region", TEXT),
        ("size", TEXT),
        ("joined", DAY),
        ("owner_id", ID),
        ("acquisition_cost", pa.decimal128(16, 2)),
        ("attributes", TEXT),
    ]
)
ORDERS = pa.schema(
    [("customer", ID), ("day", DAY), ("currency", TEXT), ("bought", MONEY), ("returned", MONEY), ("fees", MONEY)]
)
SUBSCRIPTIONS = pa.schema(
    [("customer", ID), ("start", DAY), ("end", DAY), ("mrr", MONEY), ("quantity", MONEY), ("currency", TEXT)]
)
INTERACTIONS = pa.schema([("customer", ID), ("day", DAY), ("reached", YES_NO)])
ANSWERS = pa.schema([("customer", ID), ("id", ID), ("at", pa.timestamp("us")), ("nps", ID)])
RATES = pa.schema([("currency", TEXT), ("from_day", DAY), ("rate", pa.decimal128(18, 8))])
NEXT_TOUCHES = pa.schema([("customer_id", ID), ("next_touch", DAY)])
LATER = pa.schema([("customer", ID), ("us", ID)])
MERGED = pa.schema([("person", ID), ("same", ID)])
ASKED = pa.schema([("customer_id", ID)])
LAST_MOVES = pa.schema([("customer_id", ID), ("after", TEXT), ("day", DAY)])


@dataclass(frozen=True)
class Morning:
    """The moment up to which is measured: the beginning of `today` in the company's time zone, or `moment` after it.

    What happened between the two counts as today's, also when it is past midnight already.
    """

    today: date
    zone: ZoneInfo
    moment: datetime | None = None

    @property
    def cut_off(self) -> datetime:
        """The first moment, in UTC, that is not measured any more."""
        begin = lake.midnight(self.today, self.zone)
        return max(begin, self.moment) if self.moment else begin

    def day_of(self, us: str) -> str:
        """Return SQL for the company's day, in days since 1970, of microseconds since 1970, today at the latest.

        Rows of the last thirty years fall on the exact day.
        """
        first = self.today - timedelta(days=30 * 366)
        day = lake.local_day(us, self.zone, first=first, last=self.today + timedelta(days=2))
        return f"LEAST({day}, {lake.day_number(self.today)})"

    def since(self, days: int) -> int:
        """Return the moment, in microseconds since 1970, at which the day so many days ago began."""
        return lake.microseconds(lake.midnight(self.today - timedelta(days=days), self.zone))


@dataclass(frozen=True)
class Record:
    """Everything that one morning's facts are made from.

    `later` holds the customers with rows after the morning, and from which moment on, in microseconds since 1970, the
    first of them will count.
    """

    customers: pa.Table
    orders: pa.Table
    subscriptions: pa.Table
    interactions: pa.Table
    answers: pa.Table
    rates: pa.Table
    later: pa.Table
    currency: str
    usage: Usage


@dataclass(frozen=True)
class History:
    """What earlier mornings left: the last stage of each customer, and its health 30 days ago."""

    stages: pa.Table
    health: pa.Table

    @classmethod
    def before(cls, today: date, *, only: Collection[int] | None = None) -> History:
        """Read it, of all customers or of some."""
        among = None if only is None else sorted(only)
        return cls(last_moves(StageMove, today, among), snapshots.health_near(today - timedelta(days=30)))

    @classmethod
    def none(cls) -> History:
        """Return the history of a company that never measured."""
        return cls(LAST_MOVES.empty_table(), snapshots.HEALTH.empty_table())


def morning(today: date, moment: datetime | None = None) -> Morning:
    """Return the morning of a day in the company's time zone, or a moment of that day."""
    return Morning(today, company.zone(), moment)


def record(when: Morning, window_days: int | None = None, *, only: Collection[int] | None = None) -> Record:
    """Read what was known at that moment, of all customers or of `only` some.

    `window_days` is the RFM window, as far as days with usage are counted in it.
    """
    among = None if only is None else sorted(only)
    return Record(
        customers=_customers(among),
        orders=_orders(when, among),
        subscriptions=_subscriptions(when, among),
        interactions=_interactions(when, among),
        answers=_answers(when, among),
        rates=_rates(when),
        later=_later(when, among),
        currency=reporting_currency(),
        usage=_usage(when, window_days, among),
    )


def _usage(when: Morning, window_days: int | None, among: Ids) -> Usage:
    files = lake.usage_files(until=when.cut_off)

    def relation(some: UsageFiles, until: datetime | None = when.cut_off) -> str:
        found = lake.usage_relation(some, until=until)
        if among is None:
            return found
        return lake.filled("(SELECT * FROM {all} SEMI JOIN asked ON customer = customer_id)", all=found)

    return Usage(
        parts=[part for month in files.months for part in _parts(when, month, relation(month, _needed(when, month)))],
        relation=relation(files),
        named=relation(files, None),
        # Nobody asked for is nobody to gather; for some, one pass over the files is enough.
        rows=files.rows if among is None else min(files.rows, len(among)),
        customers=files.customers,
        merged=_merged() if files.tracked else MERGED.empty_table(),
        day=when.day_of("us"),
        since_month=when.since(30),
        since_window=when.since(window_days) if window_days else 0,
        asked=_asked(among),
    )


def _needed(when: Morning, month: UsageFiles) -> datetime | None:
    """Return the moment up to which rows count, None when none of these is later."""
    return None if month.last_at < when.cut_off else when.cut_off


def _parts(when: Morning, month: UsageFiles, relation: str) -> Iterator[Part]:
    """Yield the rows of some files by stretches of days that fit into the bits of a number; a month is one."""
    first, last = (
        min(lake.day_number(moment.astimezone(when.zone).date()), lake.day_number(when.today))
        for moment in (month.first_at, min(month.last_at, when.cut_off))
    )
    is_tracked, whole = bool(month.tracked), last - first < MOST_BACK
    day = when.day_of("us")
    if whole:
        day = lake.local_day("us", when.zone, first=month.first_at.date(), last=month.last_at.date())
        # Only what is dated after today needs to be looked at twice.
        day = f"LEAST({day}, {last})" if month.last_at >= lake.midnight(when.today, when.zone) else day
    for begin in range(first, last + 1, MOST_BACK):
        end = min(begin + MOST_BACK - 1, last)
        yield Part(relation, is_tracked, begin, end, day, "" if whole else f"AND {day} BETWEEN {begin} AND {end}")


def _asked(among: Ids) -> pa.Table:
    return pa.table({"customer_id": pa.array(among or [], ID)}, ASKED)


def _merged() -> pa.Table:
    """Return who turned out to be somebody else, with whom that is in the end."""
    return rows(
        "WITH RECURSIVE chain (person, same) AS (SELECT id, merged_into_id FROM {people} "
        "WHERE merged_into_id IS NOT NULL UNION ALL SELECT chain.person, next.merged_into_id FROM chain "
        "JOIN {people} AS next ON next.id = chain.same WHERE next.merged_into_id IS NOT NULL) "
        "SELECT person, same FROM chain JOIN {people} AS last ON last.id = chain.same "
        "WHERE last.merged_into_id IS NULL",
        MERGED,
        people=Person,
    )


def _among(among: Ids, column: str = "customer_id") -> sql.Composable:
    """Return the condition that a row is of one of these customers; no customers mean all."""
    if among is None:
        return sql.SQL("true")
    return sql.SQL("{} = ANY({}::bigint[])").format(sql.Identifier(column), sql.Literal(among))


def rows(query: str, schema: pa.Schema, **values: object) -> pa.Table:
    """Return the rows of a PostgreSQL statement; `{name}` in it is a table (its model) or a value, escaped as such."""
    parts = {name: _part(value) for name, value in values.items()}
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(sql.SQL(query).format(**parts))
    buffer = pa.BufferOutputStream()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in copy:
            buffer.write(chunk)
    content = buffer.getvalue()
    if not content.size:
        return schema.empty_table()
    return csv.read_csv(
        pa.BufferReader(content),
        csv.ReadOptions(column_names=schema.names, use_threads=False),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _part(value: object) -> sql.Composable:
    if isinstance(value, sql.Composable):
        return value
    if isinstance(value, type) and issubclass(value, models.Model):
        return sql.Identifier(value._meta.db_table)
    return sql.Literal(str(value) if isinstance(value, ZoneInfo) else value)


def reporting_currency() -> str:
    """Return the company's currency; while none is set, that of the first order or subscription on record."""
    if chosen := company.current().currency:
        return chosen
    found = Order.objects.exclude(currency="").order_by("id").values_list("currency", flat=True).first()
    return (
        found
        or Subscription.objects.exclude(currency="").order_by("id").values_list("currency", flat=True).first()
        or ""
    )


def next_touches() -> pa.Table:
    """Return the next touches that stand in today's rows: customer_id, next_touch."""
    return rows(
        "SELECT customer_id, next_touch FROM {facts} WHERE next_touch IS NOT NULL", NEXT_TOUCHES, facts=CustomerFacts
    )


def last_moves(model: type[StageMove] | type[TierMove], today: date, among: Ids = None) -> pa.Table:
    """Return the class of every customer before the day and since when: customer_id, after, day."""
    return rows(
        "SELECT DISTINCT ON (customer_id) customer_id, after, day FROM {moves} "
        "WHERE day < {today} AND {among} ORDER BY customer_id, day DESC",
        LAST_MOVES,
        moves=model,
        among=_among(among),
        today=today,
    )


def _customers(among: Ids) -> pa.Table:
    return rows(
        "SELECT id, ref, name, kind, industry, region, size, joined, owner_id, acquisition_cost, attributes "
        "FROM {customers} WHERE {among}",
        CUSTOMERS,
        customers=Customer,
        among=_among(among, "id"),
    )


def _orders(when: Morning, among: Ids) -> pa.Table:
    return rows(
        "SELECT customer_id, least((placed_at AT TIME ZONE {zone})::date, {today}), currency, bought, returned, fees "
        "FROM {orders} WHERE placed_at < {cut_off} AND {among}",
        ORDERS,
        among=_among(among),
        orders=Order,
        zone=when.zone,
        today=when.today,
        cut_off=when.cut_off,
    )


def _subscriptions(when: Morning, among: Ids) -> pa.Table:
    return rows(
        'SELECT customer_id, start, "end", mrr, quantity, currency FROM {subscriptions} '
        "WHERE start < {today} AND {among}",
        SUBSCRIPTIONS,
        among=_among(among),
        subscriptions=Subscription,
        today=when.today,
    )


def _interactions(when: Morning, among: Ids) -> pa.Table:
    return rows(
        "SELECT customer_id, least((at AT TIME ZONE {zone})::date, {today}), outcome = {reached} "
        "FROM {interactions} WHERE at < {cut_off} AND outcome = ANY({contacts}) AND {among}",
        INTERACTIONS,
        among=_among(among),
        interactions=Interaction,
        zone=when.zone,
        today=when.today,
        cut_off=when.cut_off,
        reached=str(Outcome.REACHED),
        contacts=[str(outcome) for outcome in CONTACTS],
    )


def _answers(when: Morning, among: Ids) -> pa.Table:
    return rows(
        "SELECT customer_id, id, at AT TIME ZONE 'UTC', (payload ->> 'nps')::int FROM {events} "
        "WHERE kind = {kind} AND at < {cut_off} AND payload ->> 'nps' ~ '^[0-9]{{1,2}}$' AND {among}",
        ANSWERS,
        among=_among(among),
        events=Event,
        kind=str(EventKind.SURVEY_ANSWERED),
        cut_off=when.cut_off,
    )


def _rates(when: Morning) -> pa.Table:
    return rows(
        "SELECT currency, from_day, rate FROM {rates} WHERE from_day <= {today}",
        RATES,
        rates=ExchangeRate,
        today=when.today,
    )


def _later(when: Morning, among: Ids) -> pa.Table:
    """Return the customers with rows after the morning; on the latest day there are none, or few.

    Subscriptions count by whole days: one that begins today counts from tomorrow morning, not from a moment of today.
    """
    moment = "(extract(epoch FROM min({column})) * 1000000)::bigint"
    later = rows(
        lake.filled(
            "SELECT customer_id, {placed} FROM {orders} WHERE placed_at >= {cut_off} AND {among} GROUP BY 1 UNION ALL "
            "SELECT customer_id, {began} FROM {subscriptions} WHERE start >= {today} AND {among} GROUP BY 1 UNION ALL "
            "SELECT customer_id, {talked} FROM {interactions} WHERE at >= {cut_off} AND {among} GROUP BY 1 UNION ALL "
            "SELECT customer_id, {talked} FROM {events} WHERE kind = {kind} AND at >= {cut_off} AND {among} GROUP BY 1",
            placed=moment.replace("{column}", "placed_at"),
            began=str(NEVER),
            talked=moment.replace("{column}", "at"),
        ),
        LATER,
        orders=Order,
        subscriptions=Subscription,
        interactions=Interaction,
        events=Event,
        kind=str(EventKind.SURVEY_ANSWERED),
        among=_among(among),
        cut_off=when.cut_off,
        today=when.today,
    )
    return pa.concat_tables([later, _later_users(when, among)])


def _later_users(when: Morning, among: Ids) -> pa.Table:
    files = lake.usage_files(since=when.cut_off)
    if not files.rows:
        return LATER.empty_table()
    question = lake.filled(
        "SELECT customer, MIN(us) AS us FROM {usage} {asked} GROUP BY customer",
        usage=lake.usage_relation(files, since=when.cut_off),
        asked="" if among is None else "SEMI JOIN asked ON customer = customer_id",
    )
    return lake.reader().query(question, asked=_asked(among)).cast(LATER)
