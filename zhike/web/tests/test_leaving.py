"""The churn score on pages: its drivers beside the customer, its card under Review, and a word where there is none."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from zhike.conftest import Person
from zhike.measure.leaving import saying
from zhike.measure.models import ChurnModel
from zhike.measure.specs import ChurnSpec
from zhike.record.customers.models import Customer

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

FIGURES: dict[str, Any] = {
    "auc": 0.812,
    "auc_low": 0.78,
    "auc_high": 0.84,
    "brier": 0.07,
    "log_loss": 0.2,
    "ece": 0.012,
    "average_precision": 0.4,
}
CARD: dict[str, Any] = {
    **FIGURES,
    "published": True,
    "from": "2025-08-01",
    "until": "2026-01-02",
    "days": 9,
    "rows": 4200,
    "customers": 510,
    "left": 260,
    "judged": 2100,
    "judged_left": 120,
    "model": "logistic",
    "lead_days": 28.0,
    "findings": [],
    "excluded": {"last_nps": "empty"},
    "calibration": [{"rows": 210, "said": 0.01, "happened": 0.02, "low": 0.0, "high": 0.04}] * 10,
    "lift": [{"share": 0.1, "rows": 210, "caught": 0.42, "lift": 4.2}],
    "drivers": [{"fact": "usage_change_30d", "share": 0.4}],
}


def model(day: date, **card: Any) -> None:
    made_by = saying.digest(ChurnSpec())
    ChurnModel.objects.create(day=day, made_by=made_by, card={**CARD, **card})


def test_the_card_says_how_good_the_score_is(lead: Person, django_assert_max_num_queries: Any) -> None:
    model(date(2026, 3, 5))
    lead.get(reverse("churn-model"))
    with django_assert_max_num_queries(12):
        page = lead.get(reverse("churn-model")).content.decode()
    assert "0.812" in page
    assert "0.780–0.840" in page
    assert "42.0%" in page


def test_a_withheld_score_says_why(lead: Person) -> None:
    finding = {"kind": "few_rows", "column": "", "message": saying.NO_DAYS, "details": {"horizon": 61}}
    plain = {name: value for name, value in CARD.items() if name not in FIGURES}
    ChurnModel.objects.create(
        day=date(2026, 3, 5), made_by="x", card={**plain, "published": False, "findings": [finding]}
    )
    page = lead.get(reverse("churn-model")).content.decode()
    assert "61" in page
    assert "<dt>AUC</dt>" not in page


def test_without_a_model_the_page_says_where_one_comes_from(lead: Person) -> None:
    assert "churn" in lead.get(reverse("churn-model")).content.decode()


def test_a_customer_without_a_score_shows_nothing_and_a_strangers_is_not_there(
    mei: Person, jun: Person, customer: Callable[..., Customer]
) -> None:
    hers = customer("澜庭家居", mei.staff, health=58)
    found = mei.get(reverse("customer-leaving", args=[hers.pk]))
    assert found.status_code == 200
    assert "h-leaving" not in found.content.decode()
    assert jun.get(reverse("customer-leaving", args=[hers.pk])).status_code == 404


def test_how_long_before_leaving_customers_were_named_is_drawn(lead: Person) -> None:
    weeks = [{"days": 7 * week, "left": 10 - week, "named": 9 - week} for week in range(1, 9)]
    model(date(2026, 3, 5), lead=weeks)
    page = lead.get(reverse("churn-model")).content.decode()
    assert 'id="ch-leads"' in page
    assert "Named before" in page
    assert '<th scope="row">56</th><td class="n">2</td><td class="n">1</td>' in page
    ChurnModel.objects.all().delete()
    model(date(2026, 3, 5), lead=[])
    assert 'id="ch-leads"' not in lead.get(reverse("churn-model")).content.decode()
