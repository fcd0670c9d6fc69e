"""Attribute values and masks, by their properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhike.record.customers import rules


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", "1,234.5", 1234.5),
        ("money", "¥1,000", 1000.0),
        ("money", "-3.5万", -35000.0),
        ("date", "2026/03/12", "2026-03-12"),
        ("boolean", "是", True),
        ("multi", "乙、甲,乙", ["乙", "甲"]),
        ("link", "https://a.example/x", "https://a.example/x"),
        ("text", "  ", None),
    ],
)
def test_a_text_means_what_its_kind_says(kind: str, text: str, value: object) -> None:
    assert rules.attribute_value(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "many"),
        ("date", "soon"),
        ("boolean", "maybe"),
        ("link", "javascript:alert(1)"),
        ("number", "nan"),
        ("number", "1,2,3"),
    ],
)
def test_a_text_that_cannot_be_meant_is_refused(kind: str, text: str) -> None:
    with pytest.raises(rules.NotThatKind):
        rules.attribute_value(kind, text)


def test_a_choice_is_one_of_the_choices() -> None:
    assert rules.attribute_value("choice", "金", ["金", "银"]) == "金"
    with pytest.raises(rules.NotThatKind):
        rules.attribute_value("choice", "铜", ["金", "银"])


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["1", "2.5"], "number"), (["007"], "text"), (["2026-01-01"], "date"), (["是", "否"], "boolean"), ([], "text")],
)
def test_the_narrowest_kind_is_guessed(values: list[str], kind: str) -> None:
    assert rules.guessed_kind(values) == kind


@given(st.from_regex(r"\+?[0-9][0-9 -]{6,18}[0-9]", fullmatch=True))
def test_a_masked_phone_keeps_its_length_and_hides_at_least_a_digit(phone: str) -> None:
    masked = rules.masked_phone(phone)
    assert len(masked) == len(phone)
    assert "*" in masked


def test_masks_read_as_people_expect() -> None:
    assert rules.masked_phone("13812341234") == "138****1234"
    assert rules.masked_email("zhou.min@lanting.example") == "z***@lanting.example"
    assert rules.masked_email("") == ""
