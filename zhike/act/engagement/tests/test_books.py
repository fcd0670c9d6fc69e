"""A touch knows whose customer it is about: the database keeps that up, and who may see it is answered from it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from zhike.act.engagement import operations as acting
from zhike.act.engagement import queries
from zhike.act.engagement.models import Touch
from zhike.act.engagement.operations import writing
from zhike.conftest import NOW, Person
from zhike.org.models import Staff
from zhike.org.roles import Scope
from zhike.org.scopes import owned_by
from zhike.record.customers import operations
from zhike.record.customers.models import Customer

TODAY = date(2026, 3, 12)
Make = Callable[..., Customer]


@dataclass(frozen=True)
class Reader:
    """A reader of any scope, whether or not somebody like that could log in."""

    scope: str
    pk: int | None
    team_id: int | None
    sees_personal: bool = True
    sees_revenue: bool = True

    def may(self, permission: str) -> bool:
        return True


def touch_of(customer: Customer, owner: Person | None = None, key: str = "one") -> Touch:
    return Touch.objects.create(
        customer=customer, owner=owner.staff if owner else None, kind="manual", key=key, due_on=TODAY, created_on=TODAY
    )


def book_of(customer: Customer) -> set[int | None]:
    return set(Touch.objects.filter(customer=customer).values_list("book_id", flat=True))


def test_a_touch_made_for_a_customer_is_of_its_owner(customer: Make, mei: Person, jun: Person) -> None:
    mine, nobodys = customer("C1"), customer("C2", owner=None)
    touch_of(mine, jun)
    touch_of(nobodys, jun)
    acting.plan_by_hand(nobodys, due_on=TODAY, title="Ask", now=NOW, by=jun.staff)
    Touch.objects.bulk_create(
        Touch(customer=mine, kind="cadence", key=f"more {n}", due_on=TODAY, created_on=TODAY, book_id=jun.staff.pk)
        for n in range(3)
    )
    assert (book_of(mine), book_of(nobodys)) == ({mei.staff.pk}, {None})


def test_touches_that_planning_adds_are_of_the_owner_of_their_customer(customer: Make, mei: Person) -> None:
    columns = ["customer_id", "owner_id", "kind", "key", "reason", "content", "channel", "minutes", "stake"]
    columns += ["urgency", "priority", "due_on", "state", "created_on", "note"]
    one = customer("C1")
    row: tuple[object, ...] = (one.pk, None, "cadence", "key", {}, {}, "", 15, 0, 1, 1.0, TODAY, "open", TODAY, "")
    with transaction.atomic():
        writing.append_new(Touch, columns, [row], returning=["id"])
    assert book_of(one) == {mei.staff.pk}


def test_touches_follow_a_customer_to_another_owner(customer: Make, mei: Person, jun: Person) -> None:
    given, kept = customer("C1"), customer("C2")
    for number, state in enumerate(("open", "done", "superseded")):
        touch_of(given, mei, key=str(number))
        Touch.objects.filter(key=str(number)).update(state=state)
    touch_of(kept, mei)
    operations.change_customer(given, {"owner": jun.staff}, by=None, now=NOW)
    assert (book_of(given), book_of(kept)) == ({jun.staff.pk}, {mei.staff.pk})
    operations.change_customer(given, {"name": "Renamed"}, by=None, now=NOW)
    assert book_of(given) == {jun.staff.pk}
    Customer.objects.filter(pk=given.pk).update(owner=None)
    assert book_of(given) == {None}


def test_many_customers_handed_over_take_their_touches_along_and_back(customer: Make, mei: Person, jun: Person) -> None:
    made = [customer(f"C{number}", owner=owner) for number, owner in enumerate([mei, mei, jun, None] * 5)]
    for one in made:
        touch_of(one, mei)
    owners = {one.pk: one.owner_id for one in made}
    before = operations.hand_over(made, jun.staff, by=None, now=NOW)
    assert set(Touch.objects.values_list("book_id", flat=True)) == {jun.staff.pk}
    operations.take_back(before, by=None, now=NOW)
    assert dict(Touch.objects.values_list("customer_id", "book_id")) == owners


def test_touches_of_a_colleague_who_is_removed_are_nobodys(customer: Make, jun: Person) -> None:
    one = customer("C1", owner=jun)
    touch_of(one, jun)
    jun.staff.delete()
    assert book_of(one) == {None}


def test_a_touch_moved_to_another_customer_is_of_the_owner_of_that_one(
    customer: Make, mei: Person, jun: Person
) -> None:
    touch, other = touch_of(customer("C1"), mei), customer("C2", owner=jun)
    Touch.objects.filter(pk=touch.pk).update(customer=other)
    assert book_of(other) == {jun.staff.pk}


def test_a_touch_written_during_a_hand_over_is_put_right_by_the_turn_that_follows(
    customer: Make, mei: Person, jun: Person
) -> None:
    one = customer("C1", owner=jun)
    touch = touch_of(one, mei)
    Touch.objects.filter(pk=touch.pk).update(book_id=mei.staff.pk)
    Touch.objects.filter(pk=touch.pk).update(owner=jun.staff)
    assert book_of(one) == {jun.staff.pk}


def test_each_reader_sees_the_touches_of_the_customers_they_see(
    customer: Make, mei: Person, jun: Person, lead: Person
) -> None:
    for number, owner in enumerate([mei, mei, jun, lead, None]):
        for to in (mei, jun, None):
            touch_of(customer(f"C{number}{to and to.staff.pk}", owner=owner), to)
    Customer.objects.filter(ref__startswith="C1").update(owner=jun.staff)
    seen = set()
    for person in Staff.objects.all():
        for scope in Scope:
            for team in (person.team_id, None):
                for pk in (person.pk, None):
                    reader = Reader(scope, pk, team)
                    by_customer = set(Touch.objects.filter(owned_by(reader, "customer__")).values_list("pk", flat=True))
                    found = set(Touch.objects.visible_to(reader).values_list("pk", flat=True))
                    assert found == by_customer, reader
                    seen.add(len(found))
    assert {0, 3, 6, 9, 15} >= seen > {0, 15}


def test_a_queue_holds_what_the_join_would_give(customer: Make, mei: Person, jun: Person, lead: Person) -> None:
    for number, owner in enumerate([mei, jun, lead, None]):
        for to in (mei, jun, None):
            touch_of(customer(f"C{number}{to and to.staff.pk}", owner=owner), to)
    for person in (mei, jun, lead):
        for scope in Scope:
            reader = Reader(scope, person.staff.pk, person.staff.team_id)
            expected = Touch.objects.filter(owned_by(reader, "customer__"))
            if scope == Scope.OWN or person is not lead:
                expected = expected.filter(owner=person.staff)
            queue = queries.today_queue(reader, TODAY)
            assert {row.id for section in queue.sections for row in section.rows} == {each.pk for each in expected}
            assert queue.count == queue.all == queries.load_of(reader, TODAY, NOW).due == len(expected), reader
