"""The record as Arrow tables: what PostgreSQL holds of the days before one morning, and nothing later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
from django.db import connection, models
from psycopg import sql
from pyarrow import csv

from zhike.measure import lake
from zhike.measure.models import StageMove, TierMove
from zhike.org import company
from zhike.org.models import ExchangeRate
from zhike.record.commerce.models import Order, Subscription
from zhike.record.customers.models import Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import CONTACTS, Interaction, Outcome

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
LATER = pa.schema([("customer", ID)])
LAST_MOVES = pa.schema([("customer_id", ID), ("after", TEXT), ("day", DAY)])


@dataclass(frozen=True)
class Morning:
    """The moment up to which is measured: the beginning of `today` in the company's time zone."""

    today: date
    zone: ZoneInfo

    @property
    def cut_off(self) -> datetime:
        """The first moment, in UTC, that is not measured any more."""
        return lake.midnight(self.today, self.zone)


@dataclass(frozen=True)
class Record:
    """Everything that one morning's facts are made from.

    `usage` is a FROM item of the engine with the columns customer, at (UTC), event, count and users; it may hold later
    rows, which the reader leaves out. `later` holds the customers with rows after the morning.
    """

    customers: pa.Table
    orders: pa.Table
    subscriptions: pa.Table
    interactions: pa.Table
    answers: pa.Table
    rates: pa.Table
    later: pa.Table
    currency: str
    usage: str


def morning(today: date) -> Morning:
    """Return the morning of a day in the company's time zone."""
    return Morning(today, company.zone())


def record(when: Morning) -> Record:
    """Read what was known on that morning."""
    until = lake.quoted(str(lake.plain_utc(when.cut_off)))
    usage = lake.usage_relation(lake.usage_files(until=when.cut_off))
    return Record(
        customers=_customers(),
        orders=_orders(when),
        subscriptions=_subscriptions(when),
        interactions=_interactions(when),
        answers=_answers(when),
        rates=_rates(when),
        later=_later(when),
        currency=reporting_currency(),
        usage=lake.filled('(SELECT * FROM {usage} WHERE "at" < TIMESTAMP {until})', usage=usage, until=until),
    )


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


def last_moves(model: type[StageMove] | type[TierMove], today: date) -> pa.Table:
    """Return the class of every customer before the day and since when: customer_id, after, day."""
    return rows(
        "SELECT DISTINCT ON (customer_id) customer_id, after, day FROM {moves} WHERE day < {today} "
        "ORDER BY customer_id, day DESC",
        LAST_MOVES,
        moves=model,
        today=today,
    )


def _customers() -> pa.Table:
    return rows(
        "SELECT id, ref, name, kind, industry, region, size, joined, owner_id, acquisition_cost, attributes "
        "FROM {customers}",
        CUSTOMERS,
        customers=Customer,
    )


def _orders(when: Morning) -> pa.Table:
    return rows(
        "SELECT customer_id, (placed_at AT TIME ZONE {zone})::date, currency, bought, returned, fees "
        "FROM {orders} WHERE placed_at < {cut_off}",
        ORDERS,
        orders=Order,
        zone=when.zone,
        cut_off=when.cut_off,
    )


def _subscriptions(when: Morning) -> pa.Table:
    return rows(
        'SELECT customer_id, start, "end", mrr, quantity, currency FROM {subscriptions} WHERE start < {today}',
        SUBSCRIPTIONS,
        subscriptions=Subscription,
        today=when.today,
    )


def _interactions(when: Morning) -> pa.Table:
    return rows(
        "SELECT customer_id, (at AT TIME ZONE {zone})::date, outcome = {reached} "
        "FROM {interactions} WHERE at < {cut_off} AND outcome = ANY({contacts})",
        INTERACTIONS,
        interactions=Interaction,
        zone=when.zone,
        cut_off=when.cut_off,
        reached=str(Outcome.REACHED),
        contacts=[str(outcome) for outcome in CONTACTS],
    )


def _answers(when: Morning) -> pa.Table:
    return rows(
        "SELECT customer_id, id, at AT TIME ZONE 'UTC', (payload ->> 'nps')::int FROM {events} "
        "WHERE kind = {kind} AND at < {cut_off} AND payload ->> 'nps' ~ '^[0-9]{{1,2}}$'",
        ANSWERS,
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


def _later(when: Morning) -> pa.Table:
    """Return the customers with rows after the morning; on the latest day there are none, or few."""
    later = rows(
        "SELECT DISTINCT customer_id FROM {orders} WHERE placed_at >= {cut_off} UNION "
        "SELECT DISTINCT customer_id FROM {subscriptions} WHERE start >= {today} UNION "
        "SELECT DISTINCT customer_id FROM {interactions} WHERE at >= {cut_off}",
        LATER,
        orders=Order,
        subscriptions=Subscription,
        interactions=Interaction,
        cut_off=when.cut_off,
        today=when.today,
    )
    return pa.concat_tables([later, _later_users(when)])


def _later_users(when: Morning) -> pa.Table:
    distant = datetime.max.replace(tzinfo=lake.UTC)
    files = lake.usage_files(since=when.cut_off, until=distant)
    if not files:
        return LATER.empty_table()
    question = lake.filled(
        'SELECT DISTINCT customer FROM {usage} WHERE "at" >= $cut_off', usage=lake.usage_relation(files)
    )
    return lake.reader().query(question, {"cut_off": lake.plain_utc(when.cut_off)}).cast(LATER)
