"""Who is behind the names that clients send, and which customers they belong to; in bulk, one question per kind."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg
from django.db import connection


class Found(NamedTuple):
    """A person that is on record; 0 and "" stand for what is not known."""

    pk: int
    customer: int
    contact: int
    group: str
    email: str
    last_seen: int  # Microseconds since 1970.


class Hit(NamedTuple):
    """The customer that a person belongs to, and the contact that the person is, or 0."""

    customer: int
    contact: int = 0


@dataclass(slots=True)
class Match:
    """What names and addresses stand for; what stands for more than one is not in it."""

    customers: dict[str, int] = field(default_factory=dict)  # By customer number.
    contacts: dict[str, Hit] = field(default_factory=dict)  # By contact number.
    emails: dict[str, Hit] = field(default_factory=dict)

    def of(self, group: str, users: Sequence[str], email: str) -> Hit | None:
        """Return where a person belongs, by the first rule that gives exactly one answer."""
        if group in self.customers:
            return Hit(self.customers[group])
        found = {self.contacts[user] for user in users if user in self.contacts}
        if len(found) == 1:
            return found.pop()
        if email in self.emails:
            return self.emails[email]
        numbers = {self.customers[user] for user in users if user in self.customers}
        return Hit(numbers.pop()) if len(numbers) == 1 else None


def known_names(users: Collection[str], visitors: Collection[str]) -> Iterator[tuple[str, str, Found]]:
    """Yield kind, name and person of those names that are known."""
    # Each person is told once, and in binary: thousands of names come with every batch.
    with connection.wrap_database_errors, connection.cursor() as plain, psycopg.Cursor(plain.connection) as cursor:
        cursor.execute(
            """SELECT i.kind, i.value, i.person_id FROM tracking_identity i
            WHERE (i.kind = 'user' AND i.value = ANY(%s)) OR (i.kind = 'anonymous' AND i.value = ANY(%s))""",
            [list(users), list(visitors)],
            binary=True,
        )
        names = cursor.fetchall()
        cursor.execute(
            """SELECT id, coalesce(customer_id, 0), coalesce(contact_id, 0), "group", email,
                (extract(epoch FROM last_seen) * 1000000)::bigint
            FROM tracking_person WHERE id = ANY(%s)""",
            [list({row[2] for row in names})],
            binary=True,
        )
        people = {row[0]: Found(*row) for row in cursor.fetchall()}
    for kind, value, person in names:
        yield kind, value, people[person]


def identified(people: Collection[int]) -> set[int]:
    """Return those people who are known as a user."""
    if not people:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT person_id FROM tracking_identity WHERE kind = 'user' AND person_id = ANY(%s)",
            [list(people)],
        )
        return {row[0] for row in cursor.fetchall()}


def matches(users: Collection[str], emails: Collection[str], groups: Collection[str]) -> Match:
    """Return the customers and contacts that have these numbers and addresses."""
    found = Match()
    with connection.cursor() as cursor:
        if numbers := {*users, *groups}:
            cursor.execute("SELECT ref, id FROM customers_customer WHERE ref = ANY(%s)", [list(numbers)])
            found.customers = dict(cursor.fetchall())
        if users:
            cursor.execute(
                """SELECT ref, min(customer_id), min(id) FROM customers_contact WHERE ref = ANY(%s)
                GROUP BY ref HAVING count(*) = 1""",
                [list(users)],
            )
            found.contacts = {ref: Hit(*rest) for ref, *rest in cursor.fetchall()}
        if emails:
            cursor.execute(
                """SELECT lower(email), min(customer_id), min(id) FROM customers_contact
                WHERE lower(email) = ANY(%s) AND email <> '' GROUP BY lower(email) HAVING count(*) = 1""",
                [list(emails)],
            )
            found.emails = {email: Hit(*rest) for email, *rest in cursor.fetchall()}
    return found
