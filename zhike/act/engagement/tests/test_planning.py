"""A turn's part in act: touches, alerts, events, and nothing twice."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from zhike.act.engagement.models import Alert, Touch, TouchState
from zhike.act.engagement.operations import Planned, plan_touches
from zhike.act.engagement.tests.conftest import EARLY, TODAY
from zhike.conftest import NOW, Person
from zhike.decide.plans.rules.schema import Plan
from zhike.kit.calendars import CHINA
from zhike.measure.models import CustomerFacts
from zhike.org.models import AuditLine
from zhike.org.works import Silent
from zhike.record.customers.models import Consent, Contact, Customer
from zhike.record.events.models import Event, EventKind
from zhike.record.interactions.models import Interaction, Outcome

Make = Callable[..., Customer]


def planned(plan: Plan, today: date = TODAY) -> Planned:
    return plan_touches(plan, today=today, now=EARLY + (today - TODAY), progress=Silent())


def contact_of(customer: Customer, name: str = "周敏", **given: object) -> Contact:
    plain = {"phone": "13800000000", "email": "a@b.example", "role": "decision_maker", "ref": name}
    return Contact.objects.create(
        customer=customer, name=name, terms="", created_at=NOW, updated_at=NOW, **{**plain, **given}
    )


def interaction(customer: Customer, at: datetime) -> Interaction:
    return Interaction.objects.create(
        customer=customer, at=at, channel="phone", key=f"{customer.pk}{at}", created_at=at
    )


def test_a_month_of_calls_lies_on_workdays_and_is_level(plan: Plan, customer: Make) -> None:
    for number in range(60):
        customer(f"C{number}")
    found = planned(plan)
    touches = list(Touch.objects.all())
    assert found.created["cadence"] == len(touches) > 50
    assert all(CHINA.is_workday(touch.due_on) and touch.due_on >= TODAY for touch in touches)
    weeks = Counter(touch.due_on.isocalendar().week for touch in touches)
    assert max(weeks.values()) <= 25
    assert Event.objects.filter(kind=EventKind.TOUCH_PLANNED).count() == len(touches)


def test_around_the_spring_festival_calls_use_the_worked_saturdays(plan: Plan, customer: Make) -> None:
    for number in range(120):
        customer(f"C{number}")
    planned(plan, today=date(2026, 2, 1))
    days = set(Touch.objects.values_list("due_on", flat=True))
    assert {date(2026, 2, 14), date(2026, 2, 28)} <= days
    assert not {date(2026, 2, 15) + timedelta(days=offset) for offset in range(9)} & days


def test_an_alert_has_its_person_channel_figures_and_stake(plan: Plan, customer: Make, mei: Person) -> None:
    silver = customer("C1", health=Decimal("58.0"), health_30d_ago=Decimal("71.0"), health_usage=Decimal("8.4"))
    CustomerFacts.objects.filter(pk=silver.pk).update(arr=Decimal("386000"))
    contact_of(silver, "刘会计", role="finance")
    boss = contact_of(silver)
    planned(plan)
    touch = Touch.objects.get()
    assert (touch.kind, touch.contact_id, touch.channel, touch.due_on) == ("alert", boss.pk, "phone", TODAY)
    assert (touch.stake, touch.reason["stake"], touch.owner_id) == (Decimal("386000.00"), "arr", mei.staff.pk)
    assert touch.reason["from"] == 71
    assert touch.reason["parts"] == {"usage": 8.4}
    assert touch.plan_number == 3
    alert = Alert.objects.get()
    assert (alert.rule, alert.day, alert.touch_id) == ("fell", TODAY, touch.pk)
    assert Event.objects.get(kind=EventKind.ALERT_RAISED).payload["rule"] == "fell"


def test_the_same_day_again_changes_nothing(plan: Plan, customer: Make) -> None:
    customer("C1", health=58, health_30d_ago=71)
    customer("C2")
    customer("C3", stage="onboarding", joined=TODAY)
    planned(plan)
    before = list(Touch.objects.order_by("pk").values()), Event.objects.count(), AuditLine.objects.count()
    again = planned(plan)
    assert (list(Touch.objects.order_by("pk").values()), Event.objects.count(), AuditLine.objects.count()) == before
    assert not again.created
    assert not again.alerts
    assert not again.superseded


def test_the_next_days_do_not_repeat_an_alert_while_it_is_open_or_fresh(plan: Plan, customer: Make) -> None:
    customer("C1", days_since_usage=40, tier="general")
    planned(plan)
    assert not planned(plan, TODAY + timedelta(days=60)).alerts
    Touch.objects.update(state=TouchState.DONE)
    assert not planned(plan, TODAY + timedelta(days=29)).alerts
    assert planned(plan, TODAY + timedelta(days=30)).alerts == {"silent": 1}


def test_who_refused_a_channel_is_not_asked_on_it(plan: Plan, customer: Make) -> None:
    for ref in ("C1", "C2"):
        contact = contact_of(customer(ref))
        refused = ["phone"] if ref == "C1" else ["phone", "wecom", "email"]
        for channel in refused:
            Consent.objects.create(
                contact=contact, purpose="service", channel=channel, granted=False, source="form", at=NOW
            )
    found = planned(plan)
    assert list(Touch.objects.values_list("customer__ref", "channel")) == [("C1", "wecom")]
    assert found.held_back == 1


def test_limits_count_every_contact_of_any_kind(plan: Plan, customer: Make) -> None:
    near = customer("C1", days_since_usage=40)
    for day in (1, 2):
        interaction(near, NOW - timedelta(days=day))
    planned(plan)
    touch = Touch.objects.get()
    assert touch.kind == "alert"
    assert touch.due_on == date(2026, 4, 9)  # 30 days after the older of the two.


def test_a_contact_meanwhile_satisfies_the_cadence_and_owners_are_followed(
    plan: Plan, customer: Make, jun: Person
) -> None:
    called, given = customer("C1"), customer("C2")
    planned(plan)
    touch = Touch.objects.get(customer=called)
    later = touch.due_on
    CustomerFacts.objects.filter(pk=called.pk).update(last_touch=later, days_since_touch=0)
    Customer.objects.filter(pk=given.pk).update(owner=jun.staff)
    found = planned(plan, later)
    touch.refresh_from_db()
    assert (touch.state, touch.reason["superseded"]["code"]) == ("superseded", "contact_made")
    assert found.superseded["contact_made"] == 1
    assert set(Touch.objects.filter(customer=given, state="open").values_list("owner_id", flat=True)) == {jun.staff.pk}


def test_priority_follows_the_book_of_the_owner_and_lateness(plan: Plan, customer: Make, jun: Person) -> None:
    for number, value in enumerate([100, 5000, 90000]):
        customer(f"C{number}", health=58, health_30d_ago=71, revenue_12m=value)
    customer("J1", owner=jun, health=58, health_30d_ago=71, revenue_12m=7)
    planned(plan)
    ranked = dict(Touch.objects.values_list("customer__ref", "priority"))
    assert ranked == {"C0": 3.0, "C1": 6.0, "C2": 9.0, "J1": 3.0}
    planned(plan, TODAY + timedelta(days=1))
    assert Touch.objects.get(customer__ref="C2").priority == 9.3


def test_every_customer_of_the_plan_has_a_next_touch(plan: Plan, customer: Make) -> None:
    made = [customer(f"C{number}", tier="general" if number % 2 else "core") for number in range(20)]
    gone = customer("X", stage="churned")
    found = planned(plan)
    assert set(found.next_touch) == {each.pk for each in made}
    assert all(day >= TODAY for day in found.next_touch.values())
    assert gone.pk not in found.next_touch


def test_a_dense_part_of_the_customers_leaves_their_neighbours_alone(plan: Plan, customer: Make) -> None:
    """Sixty of sixty-one: asked for as a range, which holds the one in their midst as well."""
    everybody = [customer(f"C{number}", health=58, arr=Decimal(1 + number % 9)) for number in range(61)]
    for one in everybody:
        contact_of(one)
    planned(plan)
    neighbour = Touch.objects.order_by("customer_id")[20].customer
    interaction(neighbour, EARLY + timedelta(hours=3))
    Interaction.objects.update(outcome=Outcome.REACHED)
    touches = list(Touch.objects.filter(customer=neighbour).values())
    assert touches
    some = [one.pk for one in everybody if one != neighbour]
    places = dict(Touch.objects.values_list("pk", "priority"))
    plan_touches(plan, today=TODAY, now=EARLY + timedelta(hours=4), progress=Silent(), only=some)
    assert list(Touch.objects.filter(customer=neighbour).values()) == touches
    assert dict(Touch.objects.filter(pk__in=places).values_list("pk", "priority")) == places
    assert len(set(places.values())) > 5


def test_a_thousand_customers_are_planned_in_a_few_statements(
    plan: Plan, customer: Make, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(40):
        customer(f"C{number}", health=58, health_30d_ago=71)
    with django_assert_max_num_queries(30):
        planned(plan)
