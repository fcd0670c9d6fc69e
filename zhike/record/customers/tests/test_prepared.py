"""A prepared question finds what its queryset finds, for each reader and each value, whoever asked before."""

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from weakref import ref

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from zhike.conftest import NOW, Person
from zhike.org.models import Staff
from zhike.org.once import once, remembering
from zhike.org.prepared import Prepared, Slot, Slots
from zhike.org.principals import SYSTEM
from zhike.org.roles import Scope
from zhike.org.statements import KEPT, answered
from zhike.record.customers.models import Customer

NAMED: Prepared[Customer] = Prepared(
    lambda viewer: (
        Customer.objects.visible_to(viewer).filter(name__gte=Slot("name")).select_related("owner").order_by("name")
    )
)
PAIRS: Prepared[tuple[str, str]] = Prepared(
    lambda viewer: (
        Customer.objects.visible_to(viewer)
        .filter(pk__in=Slots("ids"))
        .order_by("-name")
        .values_list("name", "owner__name")
    )
)


@pytest.fixture
def crowd(mei: Person, jun: Person) -> list[Customer]:
    return [
        Customer.objects.create(
            ref=f"{name}{one.staff.pk}", name=name, owner=one.staff, sort_key=name, created_at=NOW, updated_at=NOW
        )
        for name in "abcd"
        for one in (mei, jun)
    ]


def test_each_reader_finds_what_the_queryset_finds(
    crowd: list[Customer],
    mei: Person,
    jun: Person,
    lead: Person,
    admin: Person,
    django_assert_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    for person in (mei, jun, lead, admin, mei):
        for name in "bd":
            expected = list(Customer.objects.visible_to(person.staff).filter(name__gte=name).order_by("name", "pk"))
            with django_assert_num_queries(1):
                found = NAMED.list(person.staff, name=name)
                owners = [one.owner for one in found]
            assert sorted(found, key=lambda one: (one.name, one.pk)) == expected
            assert owners == [Staff.objects.get(customer=one) for one in found]
    assert {one.owner_id for one in NAMED.list(jun.staff, name="a")} == {jun.staff.pk}


def test_a_list_of_numbers_is_a_slot_too(crowd: list[Customer], mei: Person) -> None:
    ids = [one.pk for one in crowd[:6]]
    assert PAIRS.list(mei.staff, ids=ids) == [(name, mei.staff.name) for name in "cba"]
    assert PAIRS.list(mei.staff, ids=[]) == []
    assert PAIRS.first(mei.staff, ids=ids[4:]) == ("c", mei.staff.name)


def test_a_value_is_no_part_of_the_statement(crowd: list[Customer], mei: Person) -> None:
    assert NAMED.list(mei.staff, name="' OR 1=1 --%s") == NAMED.list(mei.staff, name="'")
    assert NAMED.list(mei.staff, name="z'; DROP TABLE customers_customer; --") == []
    assert len(NAMED.list(mei.staff, name="a")) == 4


def test_a_forgotten_value_is_an_error(crowd: list[Customer], mei: Person) -> None:
    with pytest.raises(KeyError, match="name"):
        NAMED.list(mei.staff)


def test_a_scoped_question_is_never_answered_without_a_reader(crowd: list[Customer], admin: Person) -> None:
    NAMED.list(admin.staff, name="a")
    with pytest.raises(TypeError, match="without a reader"):
        NAMED.list(name="a")


def test_who_has_no_team_sees_the_own_customers_alone(crowd: list[Customer], mei: Person, lead: Person) -> None:
    alone = replace(SYSTEM, scope=Scope.TEAM, pk=mei.staff.pk, team_id=None)
    NAMED.list(lead.staff, name="a")
    expected = list(Customer.objects.visible_to(alone).filter(name__gte="a").order_by("name"))
    assert NAMED.list(alone, name="a") == expected
    assert len(expected) == 4


def test_a_reading_request_asks_once_and_others_each_time() -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.append(len(asked))
        return asked[-1]

    assert [once("q", ask), once("q", ask)] == [0, 1]
    with remembering():
        assert [once("q", ask), once("q", ask), once("other", lambda: 9)] == [2, 2, 9]
    with remembering():
        assert once("q", ask) == 3
    assert once("q", ask) == 4


def test_a_number_that_no_column_holds_finds_nothing_and_asks_nothing(
    crowd: list[Customer], django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    one: Prepared[Customer] = Prepared(lambda _viewer: Customer.objects.filter(pk=Slot("customer")))
    assert one.first(customer=crowd[0].pk) == crowd[0]
    with django_assert_num_queries(0):
        assert one.list(customer=2**63) == one.list(customer=10**30) == []


def test_postgresql_keeps_a_statement_with_what_never_changes_written_into_it(
    crowd: list[Customer], mei: Person
) -> None:
    def ask(**named: bool) -> list[str]:
        question: Prepared[Customer] = Prepared(
            lambda _viewer: Customer.objects.filter(ref__endswith=f"{mei.staff.pk}", name=Slot("name"), kind="100%s"),
            **named,
        )
        for name in ("a", "b", "a"):
            assert question.list(name=name) == []
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_prepared_statements WHERE strpos(statement, '''100') > 0")
            return [statement for (statement,) in cursor.fetchall()]

    assert ask(is_kept=False) == []
    (kept,) = ask()
    assert "'100%s'" in kept
    assert f"'%{mei.staff.pk}'" in kept
    assert "$1" in kept
    assert "$2" not in kept
    assert Customer.objects.filter(kind="100%s").count() == 0


def test_moments_and_models_are_read_as_django_reads_them(crowd: list[Customer]) -> None:
    moments = [
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 7, 1, 12, 0, 0, 120_000, tzinfo=timezone(timedelta(hours=8))),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ]
    for one, moment in zip(crowd, moments, strict=False):
        Customer.objects.filter(pk=one.pk).update(created_at=moment)
    whole: Prepared[Customer] = Prepared(lambda _viewer: Customer.objects.filter(pk__in=Slots("ids")).order_by("pk"))
    ids = [one.pk for one in crowd[:5]]
    for _twice in range(2):
        found, expected = whole.list(ids=ids), list(Customer.objects.filter(pk__in=ids).order_by("pk"))
        assert [one.created_at for one in found] == [*moments, NOW]
        assert {one.created_at.tzinfo for one in found} == {UTC}
        assert [vars(one) | {"_state": None} for one in found] == [vars(one) | {"_state": None} for one in expected]
        assert {(one._state.db, one._state.adding) for one in found} == {("default", False)}


def test_a_question_that_failed_is_answered_the_next_time(crowd: list[Customer]) -> None:
    asked: Prepared[Customer] = Prepared(lambda _viewer: Customer.objects.filter(name=Slot("name")).order_by("pk"))
    assert len(asked.list(name="a")) == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        asked.list(name="a\0")
    with pytest.raises(DatabaseError), transaction.atomic():
        answered("SELECT 1 / %s::bigint", [0])
    assert len(asked.list(name="a")) == 2
    assert answered("SELECT 6 / %s::bigint", [3]) == [(2,)]


def test_a_connection_that_was_closed_leaves_nothing_behind(transactional_db: None) -> None:
    assert answered("SELECT %s::text", ["here"]) == [("here",)]
    used = ref(connection.connection)
    assert used() is not None
    gc.disable()
    try:
        connection.close()
        assert used() is None
    finally:
        gc.enable()
    assert answered("SELECT %s::text", ["there"]) == [("there",)]


def test_a_transaction_may_begin_with_a_kept_statement(transactional_db: None) -> None:
    for _twice in range(2):
        with transaction.atomic():
            answered("SELECT set_config(%s, %s, true)", ["zhike.tried", "inside"])
            assert answered("SELECT current_setting(%s)", ["zhike.tried"]) == [("inside",)]
        assert answered("SELECT current_setting(%s)", ["zhike.tried"]) == [("",)]


def test_a_connection_that_postgresql_ended_is_told_and_made_anew(transactional_db: None) -> None:
    (one,) = answered("SELECT pg_backend_pid() WHERE %s", [True])
    with psycopg.connect(**{**connection.get_connection_params(), "cursor_factory": None}) as other:
        other.execute("SELECT pg_terminate_backend(%s)", one)
    with pytest.raises(OperationalError, match="terminat"):
        answered("SELECT pg_backend_pid() WHERE %s", [True])
    connection.close_if_unusable_or_obsolete()
    assert answered("SELECT pg_backend_pid() WHERE %s", [True]) != [one]


def test_more_statements_than_are_kept_begin_anew(transactional_db: None) -> None:
    def kept() -> int:
        return int(answered("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE %s", ["kept%"])[0][0])

    kept()
    for number in range(KEPT):
        assert answered(f"SELECT {number} + %s", [1]) == [(number + 1,)]
    assert 0 < kept() < 10
    assert answered("SELECT 0 + %s", [1]) == [(1,)]
    connection.close()


def test_numbers_of_every_size_share_a_statement(crowd: list[Customer]) -> None:
    question: Prepared[Customer] = Prepared(
        lambda _viewer: Customer.objects.filter(pk=Slot("pk"), name__lt="of every size")
    )
    for number in (1, 1, 2**20, 2**20, 2**40, 2**40):
        question.list(pk=number)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%of every size%%'")
        assert cursor.fetchone() == (1,)
