"""A book of customers with facts written by hand, so that planning is tested without measuring."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from zhike.conftest import NOW, Person
from zhike.decide.plans.rules.schema import Plan
from zhike.measure.models import CustomerFacts
from zhike.org.models import Company
from zhike.record.customers.models import Customer

TODAY = date(2026, 3, 12)
EARLY = datetime(2026, 3, 11, 22, 10, tzinfo=UTC)  # 06:10 in Shanghai, when the nightly turn runs.

DOCUMENT: dict[str, Any] = {
    "name": {"zh": "测试方案", "en": "Test plan"},
    "company_kind": "saas",
    "tiers": {
        "tiers": [
            {"key": "core", "name": {"zh": "核心", "en": "Core"}, "revenue_up_to": 0.5},
            {"key": "general", "name": {"zh": "一般", "en": "Standard"}},
        ]
    },
    "health": {"parts": {"usage": {"fact": "active_days_30d", "weight": 100, "zero_at": 0, "full_at": 20}}},
    "cadence": {
        "core": {
            "times": 1,
            "per": "month",
            "at_most": {"touches": 2, "days": 30},
            "contents": [{"title": {"zh": "回访 {customer}", "en": "Review with {customer}"}}],
        },
        "general": {"times": 1, "per": "year", "contents": [{"title": {"zh": "节日问候", "en": "Greetings"}}]},
    },
    "alerts": {
        "fell": {
            "name": {"zh": "健康分骤降", "en": "Health fell"},
            "when": {"health_drop": {"points": 10}},
            "urgency": 3,
            "within_workdays": 0,
            "content": {
                "title": {"zh": "致电 {contact}", "en": "Call {contact}"},
                "words": {"zh": "健康分 {health}", "en": "Health is {health}, it was {health_before}."},
            },
        },
        "silent": {
            "name": {"zh": "30 天没有使用", "en": "Silent"},
            "when": {"silence": {"days": 30}},
            "urgency": 2,
            "within_workdays": 2,
            "content": {"title": {"zh": "问候", "en": "Ask"}},
        },
    },
    "onboarding": [
        {"key": "welcome", "after_workdays": 1, "urgency": 3, "content": {"title": {"zh": "欢迎", "en": "Welcome"}}}
    ],
    "channels": {"fallbacks": ["wecom", "email"], "tiers": {"core": ["phone"]}},
}


@pytest.fixture
def plan() -> Plan:
    return Plan.model_validate(DOCUMENT).model_copy(update={"number": 3})


@pytest.fixture
def company(db: None) -> Company:
    return Company.objects.create(id=1, name="Yunzhou", currency="CNY")


@pytest.fixture
def customer(company: Company, mei: Person) -> Callable[..., Customer]:
    """Make a customer of Mei with facts: `customer("C1", tier="core", health=58)`."""

    def make(ref: str, *, owner: Person | None = mei, joined: date | None = None, **facts: Any) -> Customer:
        made = Customer.objects.create(
            ref=ref,
            name=f"Name {ref}",
            owner=owner.staff if owner else None,
            joined=joined,
            sort_key=ref,
            terms="",
            created_at=NOW,
            updated_at=NOW,
        )
        plain: dict[str, Any] = {"tier": "core", "stage": "maturity", "revenue_12m": Decimal(1000)}
        CustomerFacts.objects.create(customer=made, **{**plain, **facts})
        return made

    return make
