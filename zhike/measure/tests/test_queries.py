from zhike.kit.ruletrees import parse
from zhike.measure import queries, turns
from zhike.measure.facts import fields
from zhike.measure.models import CustomerFacts
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import NOW, TODAY, Book
from zhike.org.principals import SYSTEM
from zhike.record.customers.models import Customer


def test_x(book: Book, spec: MeasureSpec) -> None:
    book.fill(1)
    turns.measure(spec, today=TODAY, now=NOW)
    rule = parse({"all": [{"revenue": {"above": 10}}, {"industry": {"is": "零售"}}, {"any": [{"attributes.vip": {"known": False}}] if 0 else [{"name": {"contains": "K%"}}, {"not": {"health": {"below": 20}}}]}]}, fields())
    found = queries.matching(rule, SYSTEM, today=TODAY)
    print(found.query)
    ids = [c.pk for c in found]
    print(ids, queries.count(rule, SYSTEM, today=TODAY))
    print(CustomerFacts.objects.filter(pk__in=found.values("pk")).query)
    print(list(CustomerFacts.objects.filter(pk__in=found.values("pk")).values_list("pk", flat=True)))
    print(list(found.filter(facts__revenue__gt=0).order_by("-facts__revenue").values_list("id","facts__revenue")[:3]))
    print(queries.totals(SYSTEM), queries.tier_counts(SYSTEM))
    c = Customer.objects.filter(facts__usage_90d__gt=10).first()
    print(queries.usage_weekly(c.pk, 13, today=TODAY))
    print(queries.usage_by_event(c.pk, today=TODAY))
    print(queries.health_history(c.pk, 90, until=TODAY))
    print(queries.facts_of([c.pk]))
