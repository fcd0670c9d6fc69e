"""A company with very many customers, loaded set by set: the same tables as by import, only faster.

Proportions follow the demo: one customer in twenty is big, one in seven middling, the others small; every customer has
a contact and most a running subscription; there are orders, talks and, in the lake, usage.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection

from zhike import home
from zhike.bench import people
from zhike.org import operations
from zhike.org.models import Role, Staff

PASSWORD = "measured, not guessed"  # noqa: S105  Of accounts that live as long as one benchmark.
CUSTOMERS_OF_A_CSM = 25_000
LEAST_CSMS, MOST_CSMS = 6, 40
TEAMS = 3
TABLES = (
    "customers_customer",
    "customers_contact",
    "commerce_subscription",
    "commerce_order",
    "commerce_orderline",
    "interactions_interaction",
    "events_event",
    "measure_voicetext",
)

CUSTOMERS = """
    INSERT INTO customers_customer (id, ref, name, kind, industry, region, size, joined, owner_id, acquisition_cost,
        attributes, sort_key, terms, created_at, updated_at)
    SELECT n, ref, name, 'organisation', industry, region,
        (ARRAY['200 人以上', '50–200 人', '10–50 人', '10 人以下'])[1 + stratum],
        %(today)s::date - (random() * 1500)::int, (%(owners)s::bigint[])[1 + (hashint8(n) & 2147483647) %% %(many)s],
        round((random() * 9000)::numeric, 2), jsonb_build_object('seats_bought', (random() * 200)::int),
        sort_key, array_to_tsvector(terms), %(now)s, %(now)s
    FROM bench_people
"""
CONTACTS = """
    INSERT INTO customers_contact (customer_id, ref, name, title, role, email, phone, language, birthday,
        birthday_is_lunar, preferred_channel, reachable, terms, created_at, updated_at)
    SELECT n, ref || '-1', person, '运营总监', 'decision_maker', email, phone, '',
        date '1965-01-01' + (random() * 12000)::int, false,
        (ARRAY['wecom', 'phone', 'email', ''])[1 + n %% 4], '', array_to_tsvector(person_terms), %(now)s, %(now)s
    FROM bench_people
"""
PRODUCTS = """
    INSERT INTO commerce_product (ref, name, category, is_fee)
    SELECT 'P' || n, (ARRAY['旗舰版', '专业版', '标准版', '基础版', '门店复训'])[n], '', false
    FROM generate_series(1, 5) n
"""
# Nine in ten contracts run; the others ended within the last year. Ends lie level over the year.
SUBSCRIPTIONS = """
    INSERT INTO commerce_subscription (customer_id, product_id, start, "end", mrr, quantity, currency, key)
    SELECT c.id, p.id, greatest(c.joined, e.day - 365), e.day,
        round(((ARRAY[36000, 9500, 3200, 560])[1 + b.stratum]
            * exp((random() + random() + random() - 1.5) * 0.9))::numeric, 2),
        1 + (random() * (ARRAY[80, 30, 12, 4])[1 + b.stratum])::int, 'CNY', 'bench-' || c.id
    FROM bench_people b
    JOIN customers_customer c ON c.id = b.n
    JOIN commerce_product p ON p.ref = 'P' || (1 + b.stratum),
    LATERAL (SELECT greatest(c.joined + 30, %(today)s::date - 36 + (random() * 365)::int) AS day) e
"""
ORDERS = """
    INSERT INTO commerce_order (id, ref, customer_id, placed_at, currency, bought, returned, fees)
    SELECT n, 'SO' || n, 1 + (random() * (%(customers)s - 1))::bigint, %(now)s - random() * interval '540 days', 'CNY',
        (1 + (random() * 4)::int) * 3800, 0, 0
    FROM generate_series(1, %(orders)s) n
"""
ORDER_LINES = """
    INSERT INTO commerce_orderline (order_id, product_id, kind, description, quantity, price, amount, key)
    SELECT o.id, p.id, 'sale', p.name, o.bought / 3800, 3800, o.bought, 'bench-' || o.id
    FROM commerce_order o JOIN commerce_product p ON p.ref = 'P5'
"""
INTERACTIONS = """
    INSERT INTO interactions_interaction (customer_id, at, channel, direction, outcome, by_name, text, key, created_at)
    SELECT 1 + (power(random(), 1.6) * (%(customers)s - 1))::bigint, %(now)s - random() * interval '540 days',
        (ARRAY['phone', 'wecom', 'email', 'meeting'])[1 + n %% 4], (ARRAY['out', 'in'])[1 + n %% 2], 'reached', '周砚',
        '例行沟通，使用稳定；客户提到明年要扩 ' || n %% 9 || ' 家店，扩容可以提前谈。', 'bench-' || n, %(now)s
    FROM generate_series(1, %(talks)s) n
"""
EVENTS = """
    INSERT INTO events_event (customer_id, kind, at, payload)
    SELECT id, 'customer.created', %(now)s - interval '30 days', jsonb_build_object('name', name)
    FROM customers_customer
    UNION ALL
    SELECT c.id, 'survey.answered', %(now)s - random() * interval '200 days',
        jsonb_build_object('kind', 'nps', 'score', s.score, 'nps', s.score)
    FROM customers_customer c, LATERAL (SELECT c.id * 0 + 3 + (random() * 7)::int AS score) s WHERE c.id %% 3 = 0
"""
# What customers said has long been read: the worker has nothing to catch up with while pages are measured.
VOICES = """
    INSERT INTO measure_voicetext (customer_id, interaction_id, at, sentiment, sentiment_confidence, sentiment_origin,
        kind, kind_confidence, kind_origin, topic, topic_confidence, topic_origin, unsure, judged_by)
    SELECT customer_id, id, at, (ARRAY['neutral', 'positive', 'negative'])[1 + id %% 3], 0.9, 'model',
        'experience', 0.8, 'model', '', 0.8, 'model', false, 'local'
    FROM interactions_interaction WHERE direction = 'in'
"""


@dataclass(frozen=True)
class Fill:
    """What was filled in: how many customers, and who may sign in with `PASSWORD`."""

    customers: int
    today: date
    owners: list[int]
    people: list[str]


def fill(customers: int, *, today: date, now: datetime, processes: int, say: Callable[[str], None]) -> Fill:
    """Fill the fresh database of this data folder with this many customers."""
    owners, emails = _colleagues(customers, now)
    say(f"{len(emails)} colleagues")
    for done in people.stage(home.database_url(), customers, processes):
        if done % 200_000 == 0 or done == customers:
            say(f"{done:,} customers named")
    _insert(customers, owners, today=today, say=say)
    return Fill(customers, today, owners, emails)


def _colleagues(customers: int, now: datetime) -> tuple[list[int], list[str]]:
    """Hire CSMs who share the customers, a lead for each team and an administrator; return owners and sign-ins."""
    count = min(MOST_CSMS, max(LEAST_CSMS, customers // CUSTOMERS_OF_A_CSM))
    teams = [operations.add_team(f"组 {number}", by=None, now=now) for number in range(TEAMS)]
    roles = {role.key: role for role in Role.objects.all()}
    wanted = [("csm", number) for number in range(count)] + [("lead", number) for number in range(TEAMS)]
    owners, emails = [], []
    for role, number in [*wanted, ("admin", 0)]:
        staff, _password = operations.add_staff(
            email=f"{role}{number}@bench.example",
            name=f"{role} {number}",
            role=roles[role],
            team=teams[number % TEAMS],
            by=None,
            now=now,
            password=PASSWORD,
        )
        emails.append(staff.email)
        if role == "csm":
            owners.append(staff.pk)
    Staff.objects.filter(email__endswith="@bench.example").update(language="zh-hans")
    return owners, emails


def _insert(customers: int, owners: Sequence[int], *, today: date, say: Callable[[str], None]) -> None:
    # Nothing may lie in the future: everything happened before the day that is measured began.
    now = datetime.combine(today, time(), UTC) - timedelta(hours=12)
    values: dict[str, Any] = {
        "customers": customers,
        "orders": max(1, customers // 3),
        "talks": customers * 2,
        "owners": list(owners),
        "many": len(owners),
        "today": today,
        "now": now,
    }
    with connection.cursor() as cursor:  # Each statement commits by itself: nobody keeps half of this.
        cursor.execute("SELECT setseed(0.42)")
        indexes = _drop_indexes()
        for statement in (
            CUSTOMERS,
            CONTACTS,
            PRODUCTS,
            SUBSCRIPTIONS,
            ORDERS,
            ORDER_LINES,
            INTERACTIONS,
            EVENTS,
            VOICES,
        ):
            cursor.execute(statement, values)
            say(f"{cursor.rowcount:,} rows of {statement.split()[2].partition('_')[2]}")
        for definition in indexes:
            cursor.execute(definition)
        say(f"{len(indexes)} indexes")
        for table in ("customers_customer", "commerce_order"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")  # noqa: S608  Ours.
        cursor.execute("DROP TABLE bench_people")
        cursor.execute("VACUUM ANALYZE")
    say("statistics")


def _drop_indexes() -> list[str]:
    """Drop the indexes that no constraint needs, and return how to make them again."""
    with connection.cursor() as reading:
        reading.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN "
            "(SELECT conname FROM pg_constraint)",
            [list(TABLES)],
        )
        found = reading.fetchall()
        for name, _definition in found:
            reading.execute(f'DROP INDEX "{name}"')
    return [definition for _name, definition in found]
