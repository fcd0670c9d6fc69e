"""The review through its page: figures against goals, how each came about, and a company without any."""

from datetime import date, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from zhike.conftest import NOW, Person
from zhike.decide.plans import operations as plans
from zhike.org.models import Company
from zhike.review.kpis.models import KpiValue

DAY = date(2026, 3, 12)


@pytest.fixture
def firm(db: None) -> Company:
    firm = Company.objects.create(id=1, name="Yunzhou", currency="CNY", language="en")
    plans.ensure_ready_plan("saas", now=NOW)
    return firm


def take(name: str, *values: float | None) -> None:
    """Keep values of a figure a week apart, the last one on the day."""
    for back, value in enumerate(reversed(values)):
        KpiValue.objects.create(day=DAY - timedelta(weeks=back), name=name, value=value, basis=1000)


def test_a_company_that_was_never_measured_is_told_so(firm: Company, mei: Person) -> None:
    assert "No figures yet" in mei.get("/review").content.decode()


def test_figures_stand_against_the_goals_of_the_plan(firm: Company, mei: Person) -> None:
    take("retention_year", 0.79, 0.80, 0.81, 0.82, 0.83)
    take("nps", 44, 43, 42, 41, 31.5)
    take("csat", None)
    page = mei.get("/review").content.decode()
    assert "1 of 2 figures reaches" not in page
    assert "1 of 2 figures reach their goal." in page
    assert ">+3<" in page  # 83 % against 80 %.
    assert ">−18.5<" in page  # 31.5 against 50.
    assert "Nothing to measure yet" in page
    assert page.count('<svg class="spark') == 2
    assert "count(kept.customer_id)" in page  # The statement behind the figure.
    assert "Keep 80% of customers over a year" in page


def test_the_most_pressing_figure_is_named(firm: Company, mei: Person) -> None:
    take("retention_month", 0.2)
    assert "Most pressing: Monthly retention at 20%." in mei.get("/review").content.decode()


def test_old_values_do_not_add_questions(
    firm: Company, mei: Person, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    take("nps", 1, 2)
    mei.get("/review")
    for values in ([3], [4] * 20):
        KpiValue.objects.all().delete()
        take("nps", *values)
        with django_assert_num_queries(10):
            mei.get("/review")
