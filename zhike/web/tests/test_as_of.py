"""A past day on the pages: told as it was kept, within today's rights, and with what was corrected since."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from zhike.conftest import Person
from zhike.measure import snapshots, turns
from zhike.measure.models import CustomerFacts, FactsDay
from zhike.measure.specs import MeasureSpec
from zhike.measure.tests.conftest import PLAN, SHANGHAI
from zhike.org.models import Company
from zhike.record.commerce.models import Order
from zhike.record.customers import operations
from zhike.record.customers.models import Customer
from zhike.record.interactions.models import Interaction

Make = Callable[..., Customer]
SPEC = MeasureSpec.model_validate(PLAN)


@pytest.fixture
def then(db: None) -> date:
    """A day two months ago that was kept; nothing was the days after."""
    Company.objects.create(id=1, name="云舟科技", currency="CNY", language="en")
    return now().astimezone(SHANGHAI).date() - timedelta(days=60)


def keep(day: date) -> None:
    turns.measure(SPEC, today=day, now=datetime.combine(day, time(6), SHANGHAI), plan_number=None)


def order(customer: Customer, day: date, amount: int) -> None:
    at = datetime.combine(day, time(10), SHANGHAI)
    ref = f"O{Order.objects.count()}"
    Order.objects.create(ref=ref, customer=customer, placed_at=at, bought=Decimal(amount), currency="CNY")


def talk(customer: Customer, day: date) -> None:
    at = datetime.combine(day, time(10), SHANGHAI)
    key = str(Interaction.objects.count())
    Interaction.objects.create(customer=customer, at=at, channel="phone", outcome="reached", key=key, created_at=now())


def shown(person: Any, url: str, **given: str) -> str:
    response = person.get(url, given)
    assert response.status_code == 200, response.status_code
    return str(response.content.decode())


def names(page: str) -> list[str]:
    return re.findall(r'<b class="trunc" title="([^"]+)"', page)


@pytest.fixture
def lanting(then: date, customer: Make, mei: Person) -> Customer:
    made = customer("澜庭家居", mei.staff, industry="家居", region="杭州", joined=then - timedelta(days=300))
    order(made, then - timedelta(days=40), 500)
    talk(made, then - timedelta(days=20))
    keep(then)
    return made


def change(customer: Customer, **fields: Any) -> None:
    operations.change_customer(customer, fields, by=None, now=now())


def test_the_list_tells_the_day_as_it_was_kept(lanting: Customer, then: date, mei: Person, jun: Person) -> None:
    change(lanting, name="澜庭集团", industry="酒店")
    page = shown(mei, "/customers", as_of=then.isoformat())
    assert names(page) == ["澜庭家居"]
    assert "as it was known that morning" in page
    assert "later corrected to Customer: 澜庭集团, Industry: 酒店" in page
    assert f"/customers/{lanting.pk}?as_of={then.isoformat()}" in page
    assert shown(mei, "/customers").count("as it was known") == 0
    assert names(shown(jun, "/customers", as_of=then.isoformat())) == []


def test_the_list_holds_what_is_shown_while_a_day_is_fetched(lanting: Customer, then: date, mei: Person) -> None:
    keep(then - timedelta(days=1))
    keep(then)
    for given in ({}, {"as_of": (then - timedelta(days=1)).isoformat()}, {"as_of": then.isoformat()}):
        page = shown(mei, "/customers", **given)
        (form,) = re.findall(r"<form[^>]* data-as-of.*?</form>", page, re.DOTALL)
        (place,) = re.findall(r'data-wait="#(\w+)"', form)
        assert page.count(f'id="{place}"') == 1
        assert re.search(r'<template>.*aria-busy="true" role="status".*class="skel.*</template>', form, re.DOTALL)
    # The page of a customer is quick, and keeps what it shows.
    assert "data-wait" not in shown(mei, f"/customers/{lanting.pk}")


def test_a_day_that_was_not_kept_is_told_by_the_one_before(lanting: Customer, then: date, mei: Person) -> None:
    page = shown(mei, "/customers", as_of=(then + timedelta(days=9)).isoformat())
    assert names(page) == ["澜庭家居"]
    assert "nothing was kept; this is the nearest day before" in page
    early = shown(mei, "/customers", as_of=(then - timedelta(days=1)).isoformat())
    assert "Nothing was kept by that day" in early
    assert f"as_of={then.isoformat()}" in early
    for today_or_nonsense in (now().date() + timedelta(days=5), "yesterday", "2026-02-31"):
        assert "as it was known" not in shown(mei, "/customers", as_of=str(today_or_nonsense))


def test_in_the_past_nothing_can_be_changed(lanting: Customer, then: date, lead: Person) -> None:
    for url in ("/customers", f"/customers/{lanting.pk}"):
        today, past = shown(lead, url), shown(lead, url, as_of=then.isoformat())
        body = past[past.index("<main") :]
        assert "/customers/new" not in body
        assert "hand-over" not in body
        assert 'method="post"' not in body
        assert 'type="checkbox"' not in body
        assert "/edit" not in body
        assert "/interactions/" not in body
        assert "/customers/new" in today or "/edit" in today


def test_filters_and_views_count_as_of_the_day(lanting: Customer, then: date, mei: Person) -> None:
    change(lanting, industry="酒店")
    keep(now().astimezone(SHANGHAI).date() - timedelta(days=1))
    day = then.isoformat()
    assert names(shown(mei, "/customers", as_of=day, f="industry:is:家居")) == ["澜庭家居"]
    assert names(shown(mei, "/customers", as_of=day, f="industry:is:酒店")) == []
    assert names(shown(mei, "/customers", f="industry:is:酒店")) == ["澜庭家居"]
    # Relative days count from that day: the order was 40 days before it.
    assert names(shown(mei, "/customers", as_of=day, f="last_order:at_least:-41d")) == ["澜庭家居"]
    assert names(shown(mei, "/customers", as_of=day, f="last_order:at_least:-39d")) == []
    assert names(shown(mei, "/customers", as_of=day, q="ltjj")) == ["澜庭家居"]
    assert names(shown(mei, "/customers", as_of=day, q="家居")) == ["澜庭家居"]
    assert re.search(r'aria-current="true">My customers <span class="n">1<', shown(mei, "/customers", as_of=day))


def test_scope_and_field_permissions_hold_for_the_past(
    lanting: Customer, then: date, mei: Person, jun: Person, viewer: Person
) -> None:
    day = then.isoformat()
    assert jun.get(f"/customers/{lanting.pk}", {"as_of": day}).status_code == 404
    assert jun.get(f"/customers/{lanting.pk}/corrected", {"as_of": day}).status_code == 404
    assert jun.get(f"/customers/{lanting.pk}/changed", {"as_of": day}).status_code == 404
    assert "500" in shown(mei, f"/customers/{lanting.pk}", as_of=day)
    page = shown(viewer, f"/customers/{lanting.pk}", as_of=day)
    assert "500" not in page[page.index("<main") :]
    order(lanting, then - timedelta(days=3), 777)
    assert "777" not in shown(viewer, f"/customers/{lanting.pk}/corrected", as_of=day)
    assert names(shown(viewer, "/customers", as_of=day, f="revenue:above:1")) == ["澜庭家居"]
    assert "cannot be read" in shown(viewer, "/customers", as_of=day, f="revenue:above:1")
    # Handed over since: whose it is now decides.
    operations.hand_over([lanting], jun.staff, by=None, now=now())
    assert names(shown(jun, "/customers", as_of=day, view="mine")) == []  # It was not Jun's that day.
    assert names(shown(mei, "/customers", as_of=day, view="mine")) == []  # It was hers, but is not any more.
    assert mei.get(f"/customers/{lanting.pk}", {"as_of": day}).status_code == 404


def test_an_order_is_as_old_as_it_was_that_day(lanting: Customer, then: date, mei: Person) -> None:
    order(lanting, then - timedelta(days=3), 777)
    assert re.search("777.*3 d ago</time>", shown(mei, f"/customers/{lanting.pk}", as_of=then.isoformat()))


def test_whoever_was_erased_does_not_come_back(lanting: Customer, then: date, viewer: Person) -> None:
    assert names(shown(viewer, "/customers", as_of=then.isoformat())) == ["澜庭家居"]
    lanting.delete()
    assert names(shown(viewer, "/customers", as_of=then.isoformat())) == []


def test_pages_of_a_long_past_list_hold_everybody_once(then: date, customer: Make, mei: Person, viewer: Person) -> None:
    for place in range(120):
        made = customer(f"客户{place:03d}", mei.staff, joined=then - timedelta(days=100 + place % 7))
        if place % 3:
            talk(made, then - timedelta(days=1 + place % 5))
    keep(then)
    for sort in ("health", "-health", "customer", "tenure_days", "-last_touch"):
        url, seen, pages = f"/customers?as_of={then}&sort={sort}&cols=health,tenure_days,last_touch", [], []
        while url:
            page = shown(viewer, url)
            pages.append(names(page))
            seen += pages[-1]
            older = re.findall(r'href="([^"]*[?&;]after=[^"]*)"', page)
            url = older[0].replace("&amp;", "&") if older else ""
        assert len(seen) == len(set(seen)) == 120, sort
        newer = re.findall(r'href="([^"]*[?&;]before=[^"]*)"', page)[0].replace("&amp;", "&")
        assert names(shown(viewer, newer)) == pages[-2], sort


def test_the_page_of_a_customer_tells_the_day(lanting: Customer, then: date, mei: Person) -> None:
    change(lanting, name="澜庭集团")
    keep(now().astimezone(SHANGHAI).date() - timedelta(days=1))
    talk(lanting, then + timedelta(days=5))
    page = shown(mei, f"/customers/{lanting.pk}", as_of=then.isoformat(), list="view=mine")
    assert "<h1>澜庭家居</h1>" in page
    assert "20 d ago" in page  # The last touch, seen from that day.
    assert "澜庭集团" not in page[page.index("<main") :]
    assert f"/customers/{lanting.pk}/corrected?as_of={then}" in page
    assert f"/customers/{lanting.pk}/changed?as_of={then}" in page
    assert "as_of=" in re.findall(r'class="crumb"><a href="([^"]+)"', page)[0]


def test_what_was_corrected_later_carries_a_mark(lanting: Customer, then: date, mei: Person, jun: Person) -> None:
    address, day = f"/customers/{lanting.pk}/corrected", then.isoformat()
    assert "Nothing about that day has been corrected since" in shown(mei, address, as_of=day)
    order(lanting, then - timedelta(days=3), 250)  # Imported later.
    talk(lanting, then - timedelta(days=2))
    change(lanting, industry="酒店")
    order(lanting, then + timedelta(days=3), 999)  # After that day: no correction of it.
    page = shown(mei, address, as_of=day)
    rows = dict(
        re.findall(r"<tr><td>([^<]+?)\s*(?:<small.*?</small>)?</td><td>.*?</td><td><b>(.*?)</b></td></tr>", page)
    )
    assert rows["Industry"] == "酒店"
    assert "750" in rows["Revenue"]
    assert rows["Orders"] == "2"
    assert "later corrected to 2 d ago" in page  # The cell of the last touch.
    assert "999" not in page
    assert "1,749" not in page


def test_time_travel_never_sees_the_future(lanting: Customer, then: date, customer: Make, mei: Person) -> None:
    """Whatever happens after a kept day, its pages stay as they are."""

    def pages() -> list[str]:
        urls = [
            "/customers",
            f"/customers/{lanting.pk}",
            f"/customers/{lanting.pk}/usage",
            f"/customers/{lanting.pk}/worth",
            f"/customers/{lanting.pk}/leaving",
            f"/customers/{lanting.pk}/changed",
        ]
        found = [shown(mei, url, as_of=then.isoformat()) for url in urls]
        return [re.sub(r"csrf[^>]*>|<nav.*?</nav>|value=\"[A-Za-z0-9]{64}\"", "", page, flags=re.S) for page in found]

    before = pages()
    order(lanting, then + timedelta(days=1), 12_345)
    talk(lanting, then)
    talk(lanting, then + timedelta(days=30))
    customer("后来者", mei.staff, joined=then + timedelta(days=2))
    keep(then + timedelta(days=40))
    for one, other in zip(before, pages(), strict=True):
        assert "12,345" not in other
        assert "后来者" not in other
        assert _main(one) == _main(other)


def _main(page: str) -> str:
    return page[page.index("<main") :] if "<main" in page else page


def test_a_customer_who_came_later_was_not_known(lanting: Customer, then: date, customer: Make, mei: Person) -> None:
    later = customer("后来者", mei.staff, joined=then + timedelta(days=2))
    assert "was not known that morning" in shown(mei, f"/customers/{later.pk}", as_of=then.isoformat())
    assert f"Customer {later.name} was not known on" in shown(
        mei, f"/customers/{later.pk}/changed", since=then.isoformat()
    )


def test_the_past_list_costs_as_many_queries_whatever_its_length(
    lanting: Customer, then: date, customer: Make, mei: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    shown(mei, "/customers", as_of=then.isoformat())
    with django_assert_max_num_queries(24):
        shown(mei, "/customers", as_of=then.isoformat())


def test_what_changed_is_told_on_the_page(lanting: Customer, then: date, mei: Person) -> None:
    talk(lanting, then + timedelta(days=50))
    keep(now().astimezone(SHANGHAI).date())
    page = shown(mei, f"/customers/{lanting.pk}/changed", since=then.isoformat())
    assert "What changed since" in page
    bars = re.findall(r'<td class="n[^"]*">([^<]+)</td>', page)
    numbers = [float(each.replace("−", "-").replace("+", "").replace("±", "")) for each in bars]
    first, *causes, last, change_ = numbers
    assert round(first + sum(causes), 1) == last
    assert round(last - first, 1) == change_
    early = shown(mei, f"/customers/{lanting.pk}/changed", since="2020-01-01")
    assert "the first kept day is" in early


def test_the_usual_span_tells_the_same_change_as_the_figures_above_it(
    lanting: Customer, then: date, mei: Person
) -> None:
    today = now().astimezone(SHANGHAI).date()
    keep(today - timedelta(days=35))
    talk(lanting, today - timedelta(days=28))
    keep(today - timedelta(days=27))
    keep(today)
    page = shown(mei, f"/customers/{lanting.pk}/changed")
    assert f'value="{today - timedelta(days=27)}"' in page
    told = re.search(r'<tfoot>.*<td class="n">([^<]+)</td>', page)
    change = CustomerFacts.objects.get(pk=lanting.pk).health_change_30d
    assert change
    assert told is not None
    assert Decimal(told[1].replace("−", "-").replace("+", "")) == change


def test_value_voice_and_churn_are_told_as_they_were_kept(
    lanting: Customer, then: date, mei: Person, viewer: Person
) -> None:
    said = {"clv": Decimal(4_321), "churn_probability": 0.37, "negative_feedback_90d": 2, "last_sentiment": "negative"}
    kept(then, lanting, **said, need_orientation="price", next_offer="seats")
    keep(now().astimezone(SHANGHAI).date() - timedelta(days=1))
    CustomerFacts.objects.filter(pk=lanting.pk).update(clv=Decimal(9_999), churn_probability=0.91, last_sentiment=None)
    day = then.isoformat()
    page = shown(mei, f"/customers/{lanting.pk}", as_of=day)
    assert f"/customers/{lanting.pk}/worth?as_of={then}" in page
    assert f"/customers/{lanting.pk}/leaving?as_of={then}" in page
    worth = shown(mei, f"/customers/{lanting.pk}/worth", as_of=day)
    assert "4,321" in worth
    assert "More seats" in worth
    assert "Price" in worth
    assert "Negative" in worth
    assert "<form" not in worth
    assert "9,999" not in worth
    assert "4,321" not in shown(viewer, f"/customers/{lanting.pk}/worth", as_of=day)
    leaving = shown(mei, f"/customers/{lanting.pk}/leaving", as_of=day)
    assert "37" in leaving
    assert "91" not in leaving
    columns = "clv,churn_probability,negative_feedback_90d,last_sentiment,need_orientation"
    listed = shown(mei, "/customers", as_of=day, cols=columns, sort="-churn_probability")
    assert "4,321" in listed
    assert "37" in listed
    assert names(shown(mei, "/customers", as_of=day, f="churn_probability:above:0.3")) == ["澜庭家居"]
    assert names(shown(mei, "/customers", as_of=day, f="churn_probability:above:0.5")) == []
    assert names(shown(mei, "/customers", as_of=day, f="last_sentiment:is:negative")) == ["澜庭家居"]


def kept(day: date, customer: Customer, **facts: Any) -> None:
    """Put what models said that morning into the kept row of a customer."""
    row = FactsDay.objects.get(day=day)
    table = snapshots.read(row)
    at = table["customer_id"].to_pylist().index(customer.pk)
    for name, value in facts.items():
        values = table[name].to_pylist()
        values[at] = value
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array(values, table.schema.field(place).type))
    FactsDay.objects.filter(pk=row.pk).update(path=snapshots.write(table, day))
