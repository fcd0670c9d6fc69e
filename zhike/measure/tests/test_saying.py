from decimal import Decimal

import pytest
from django.utils import translation

from zhike.kit.ruletrees import describe, parse
from zhike.measure.facts import fact_fields
from zhike.measure.saying import number


@pytest.mark.parametrize(
    ("field", "value", "zh", "en"),
    [
        ("tenure_days", 365, "365 天", "365 days"),
        ("tenure_days", Decimal(1), "1 天", "1 day"),
        ("logins_per_week", Decimal("0.077"), "0.077 次", "0.077"),
        ("seats", 1, "1 席", "1 seat"),
        ("usage_change_30d", -0.7, "−70%", "−70%"),
        ("usage_change_30d", 0, "0%", "0%"),
        ("revenue", 1e6, "1,000,000", "1,000,000"),
        ("attributes.level", -1.5, "−1.5", "−1.5"),
    ],
)
def test_a_number_is_told_exactly_and_with_its_unit(field: str, value: float | Decimal, zh: str, en: str) -> None:
    for language, said in (("zh-hans", zh), ("en", en)):
        with translation.override(language):
            assert number(field, value) == said


def test_a_rule_in_words_tells_units() -> None:
    rule = parse(
        {"all": [{"tenure_days": {"at_least": 365}}, {"usage_change_30d": {"at_most": -0.7}}]}, fact_fields([])
    )
    names = {"tenure_days": "合作时长", "usage_change_30d": "使用变化"}
    with translation.override("zh-hans"):
        assert describe(rule, names, "zh", number) == "合作时长不低于 365 天且使用变化不高于 −70%"
