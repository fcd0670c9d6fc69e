"""Questions about facts: one meaning of a rule everywhere, scope and hidden fields kept, one customer's past."""

import json
import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from zhike.conftest import Person
from zhike.kit import ruletrees
from zhike.kit.ruletrees import Kind, Rule, parse
from zhike.measure import lake, queries, snapshots, turns
from zhike.measure.facts import FACTS, fields
from zhike.measure.models import CustomerFacts, FactsDay
from zhike.measure.queries import RevenueIsHidden
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import NOW, TODAY, Book
from zhike.org.principals import SYSTEM
from zhike.record.customers.models import AttributeDefinition, Customer

DAY = timedelta(days=1)
TREES: list[dict[str, Any]] = [
    {"revenue": {"above": 500}},
    {"not": {"health": {"at_least": 40.5}}},
    {"all": [{"stage": {"in": ["growth", "maturity"]}}, {"tier": {"is_not": "core"}}]},
    {"any": [{"last_touch": {"below": {"days_ago": 30}}}, {"last_touch": {"known": False}}]},
    {"industry": {"is": "零售"}},
    {"name": {"contains": "K0%' OR 1=1 --{x}$today"}},
    {"attributes.vip": {"is": True}},
    {"not": {"attributes.vip": {"is": True}}},
    {"joined": {"between": ["2025-01-01", "2025-12-31"]}},
    {"usage_change_30d": {"at_most": -0.25}},
    {"health_change_30d": {"known": False}},
]


def drawn(seed: int) -> dict[str, Any]:
    """Draw a rule over facts whose limits are values that occur."""
    draw = random.Random(seed)
    row = draw.choice(list(queries.facts_of(CustomerFacts.objects.values_list("pk", flat=True)).values()))
    leaves = []
    for name in draw.sample([name for name, fact in FACTS.items() if fact.kind is not Kind.TEXT], 4):
        value = row[name]
        value = value.isoformat() if isinstance(value, date) else value
        value = round(float(value), 6) if isinstance(value, Decimal | float) else value
        ops = ["is", "is_not"] if FACTS[name].kind is Kind.CHOICE else ["is", "is_not", "above", "at_least", "below"]
        leaves.append({name: {"known": False} if value is None else {draw.choice(ops): value}})
    return {"any": [{"all": leaves[:2]}, {"not": {"any": leaves[2:]}}]}


def in_duckdb(rule: Rule) -> set[int]:
    table = snapshots.read(FactsDay.objects.latest("day"))
    condition = ruletrees.sql(rule, "duckdb", TODAY)
    return set(lake.reader().query(f"SELECT customer_id FROM t WHERE {condition}", t=table)["customer_id"].to_pylist())


def in_python(rule: Rule) -> set[int]:
    rows = queries.facts_of(CustomerFacts.objects.values_list("pk", flat=True))
    return {pk for pk, row in rows.items() if ruletrees.evaluate(rule, row, TODAY)}


def test_a_rule_finds_the_same_customers_everywhere(book: Book, spec: MeasureSpec) -> None:
    AttributeDefinition.objects.create(name="vip", title="VIP", kind="boolean")
    book.fill(11, customers=40)
    turns.measure(spec, today=TODAY, now=NOW)
    known = fields()
    found = set()
    for tree in TREES + [drawn(seed) for seed in range(25)]:
        rule = parse(tree, known)
        here = set(queries.matching(rule, SYSTEM, today=TODAY).values_list("pk", flat=True))
        assert here == in_duckdb(rule) == in_python(rule), json.dumps(tree)
        assert queries.count(rule, SYSTEM, today=TODAY).number == len(here)
        found.add(len(here))
    assert len(found) > 5


def test_a_rule_may_stand_in_a_larger_question(book: Book, spec: MeasureSpec) -> None:
    book.fill(12, customers=20)
    turns.measure(spec, today=TODAY, now=NOW)
    rule = parse({"all": [{"revenue": {"above": 10}}, {"name": {"contains": "0"}}]}, fields())
    found = queries.matching(rule, SYSTEM, today=TODAY)
    pks = set(found.values_list("pk", flat=True))
    assert pks
    assert set(CustomerFacts.objects.filter(pk__in=found.values("pk")).values_list("pk", flat=True)) == pks
    assert set(Customer.objects.exclude(pk__in=found).values_list("pk", flat=True)).isdisjoint(pks)
    first = found.filter(facts__orders__gt=0).order_by("-facts__revenue").select_related("facts").first()
    assert first is not None
    assert first.facts.revenue == max(row.revenue for row in CustomerFacts.objects.filter(pk__in=pks, orders__gt=0))


def test_a_rule_over_the_record_alone_also_finds_the_unmeasured(book: Book) -> None:
    customer = book.customer("A", industry="零售")
    assert list(queries.matching(parse({"industry": {"is": "零售"}}, fields()), SYSTEM, today=TODAY)) == [customer]
    assert not queries.matching(parse({"not": {"orders": {"above": 1}}}, fields()), SYSTEM, today=TODAY).exists()
    assert queries.matching(None, SYSTEM, today=TODAY).count() == 1


def test_everybody_finds_only_customers_in_view(
    book: Book, spec: MeasureSpec, mei: Person, jun: Person, lead: Person
) -> None:
    for person in (mei, mei, jun):
        book.order(book.customer(owner=person.staff, joined=date(2025, 1, 1)), TODAY - DAY, 100)
    turns.measure(spec, today=TODAY, now=NOW)
    rule = parse({"revenue": {"above": 1}}, fields())
    counts = [queries.count(rule, person.staff, today=TODAY).number for person in (mei, jun, lead)]
    assert counts == [2, 1, 2]
    totals = [queries.totals(person.staff)[0] for person in (mei, jun, lead)]
    assert [total.customers for total in totals] == [2, 1, 2]
    assert [total.revenue for total in totals] == [200, 100, 200]
    assert queries.totals(SYSTEM)[0].customers == 3


def test_who_may_not_see_revenue_may_not_ask_about_it_either(book: Book, spec: MeasureSpec, viewer: Person) -> None:
    customer = book.customer("A", joined=date(2025, 1, 1))
    book.order(customer, TODAY - DAY, 100)
    turns.measure(spec, today=TODAY, now=NOW)
    known = fields()
    for name in ("revenue", "arr", "revenue_rank", "m_score", "acquisition_cost"):
        with pytest.raises(RevenueIsHidden):
            queries.matching(parse({"any": [{name: {"above": 1}}]}, known), viewer.staff, today=TODAY)
    assert queries.count(parse({"orders": {"above": 0}}, known), viewer.staff, today=TODAY).number == 1
    row = queries.facts_of([customer.pk], principal=viewer.staff)[customer.pk]
    assert (row["revenue"], row["mrr"], row["orders"], row["tier"]) == (None, None, 1, "core")
    assert queries.facts_of([customer.pk])[customer.pk]["revenue"] == 100


def test_counting_stops_at_the_cap(book: Book, spec: MeasureSpec) -> None:
    book.fill(13, customers=6)
    assert queries.count(None, SYSTEM, today=TODAY, cap=5) == queries.Counted(5, True)
    assert queries.count(None, SYSTEM, today=TODAY, cap=6) == queries.Counted(6, False)


def test_totals_by_health_band(book: Book, spec: MeasureSpec) -> None:
    book.fill(14)
    turns.measure(spec, today=TODAY, now=NOW)
    whole, bands = queries.totals(SYSTEM)
    assert whole.customers == sum(band.customers for band in bands.values()) == 30
    assert whole.arr == 12 * whole.mrr
    known = [row.health for row in CustomerFacts.objects.exclude(health=None)]
    assert whole.health == (sum(known) / len(known)).quantize(Decimal("0.1"))
    core, _bands = queries.totals(SYSTEM, tier="core")
    assert core.customers == CustomerFacts.objects.filter(tier="core").count()
    assert queries.totals(SYSTEM, tier="nobody")[0].customers == 0


def test_one_customer_s_usage_by_week_and_by_feature(book: Book) -> None:
    customer, other = book.customer("A"), book.customer("B")
    for back, event, number in ((1, "login", 2), (7, "login", 3), (8, "report", 5), (40, "report", 8), (91, "old", 9)):
        book.used(customer, TODAY - back * DAY, event, number, hour=23)
        book.used(other, TODAY - back * DAY, event, 100)
    book.used(customer, TODAY, "login", 1000, hour=0)
    book.file_usage()
    weeks = queries.usage_weekly(customer.pk, 6, today=TODAY)
    assert weeks == [
        (TODAY - 42 * DAY, 8),
        (TODAY - 35 * DAY, 0),
        (TODAY - 28 * DAY, 0),
        (TODAY - 21 * DAY, 0),
        (TODAY - 14 * DAY, 5),
        (TODAY - 7 * DAY, 5),
    ]
    report, login = queries.usage_by_event(customer.pk, today=TODAY)
    assert (report.event, report.now, report.before, report.change) == ("report", 5, 8, -0.375)
    assert (login.event, login.now, login.before, login.change, login.last) == ("login", 5, 0, None, TODAY - DAY)


def test_the_facts_of_some_customers_are_one_question(
    book: Book, spec: MeasureSpec, django_assert_num_queries: Any
) -> None:
    book.fill(15, customers=5)
    turns.measure(spec, today=TODAY, now=NOW)
    with django_assert_num_queries(1):
        rows = queries.facts_of([customer.pk for customer in book.customers])
    assert len(rows) == 5
    assert set(rows[book.customers[0].pk]) == {*FACTS, "customer_id", "attributes", "health_weeks"}
