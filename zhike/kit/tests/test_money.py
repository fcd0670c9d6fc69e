from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhike.kit.money import (
    AmountMissing,
    AmountTooLarge,
    AmountUnreadable,
    Language,
    UnknownCurrency,
    check_currency,
    format_money,
    full_money,
    minor_digits,
    parse_amount,
    short_number,
)
from zhike.kit.refusal import Refusal


@pytest.mark.parametrize(
    ("amount", "currency", "zh", "en"),
    [
        ("386000", "CNY", "¥38.6 万", "CN¥386K"),
        ("86400000", "CNY", "¥8,640 万", "CN¥86.4M"),
        ("16800", "GBP", "£16,800", "£16,800"),
        ("41000", "EUR", "€41,000", "€41,000"),
        ("410000", "EUR", "€41 万", "€410K"),
        ("528", "CNY", "¥528", "CN¥528"),
        ("9800.5", "CNY", "¥9,801", "CN¥9,801"),
        ("999.96", "CNY", "¥999.96", "CN¥999.96"),
        ("52000", "CNY", "¥5.2 万", "CN¥52K"),
        ("4100000", "CNY", "¥410 万", "CN¥4.1M"),
        ("99999999", "CNY", "¥1 亿", "CN¥100M"),
        ("123456789", "CNY", "¥1.23 亿", "CN¥123M"),
        ("999999", "CNY", "¥100 万", "CN¥1M"),
        ("2500000000", "CNY", "¥25 亿", "CN¥2.5B"),
        ("-386000", "CNY", "−¥38.6 万", "−CN¥386K"),
        ("-0.001", "CNY", "¥0", "CN¥0"),
        ("1234.5", "JPY", "JP¥1,235", "JP¥1,235"),
        ("1.2345", "KWD", "KWD 1.235", "KWD 1.235"),
        ("NaN", "CNY", "—", "—"),
    ],
)
def test_money_as_lists_show_it(amount: str, currency: str, zh: str, en: str) -> None:
    assert format_money(Decimal(amount), currency, "zh") == zh
    assert format_money(float(amount), currency, "en") == en


def test_exact_money() -> None:
    assert full_money(Decimal("386000"), "CNY", "zh") == "¥386,000"
    assert full_money(1234567.891, "USD", "en") == "$1,234,567.89"
    assert full_money(float("inf"), "USD", "en") == "—"
    assert (minor_digits("CNY"), minor_digits("JPY"), minor_digits("KWD")) == (2, 0, 3)


@pytest.mark.parametrize(
    ("number", "zh", "en"),
    [
        (0, "0", "0"),
        (1204, "1,204", "1,204"),
        (7.25, "7.3", "7.3"),
        (-3, "−3", "−3"),
        (-0.01, "0", "0"),
        (9999.96, "1 万", "10K"),
        (386_000, "38.6 万", "386K"),
        (120_000_000, "1.2 亿", "120M"),
        (float("nan"), "—", "—"),
    ],
)
def test_numbers_in_few_digits(number: float, zh: str, en: str) -> None:
    assert short_number(number, "zh") == zh
    assert short_number(number, "en") == en


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1,234.50", "1234.50"),
        ("￥１，２３４．５０", "1234.50"),
        ("¥ 1234", "1234"),
        ("CNY 1,234", "1234"),
        ("1234 元", "1234"),
        ("(123)", "-123"),
        ("（123.4）", "-123.4"),
        ("-¥12", "-12"),
        ("¥-12", "-12"),
        ("−12", "-12"),
        ("38.6万", "386000"),
        ("1.2 亿元", "120000000"),
        ("1 234 567.5", "1234567.5"),
        (".5", "0.5"),
        ("12.", "12"),
        ("US$5", "5"),
        ("RMB 300", "300"),
        ("300 EUR", "300"),
        ("+12", "12"),
        ("1.2E+05", "120000"),
        ("-5e-1", "-0.5"),
    ],
)
def test_amounts_as_people_write_them(text: str, amount: str) -> None:
    assert parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", AmountMissing),
        ("　", AmountMissing),
        ("n/a", AmountUnreadable),
        ("1.234,50", AmountUnreadable),
        ("12,34", AmountUnreadable),
        ("1 2", AmountUnreadable),
        ("(-1)", AmountUnreadable),
        ("--1", AmountUnreadable),
        ("(1", AmountUnreadable),
        ("SKU123", AmountUnreadable),
        ("1e400", AmountUnreadable),
        ("12%", AmountUnreadable),
        ("1" + " " * 80 + "2", AmountUnreadable),
        ("٣", AmountUnreadable),
        ("9" * 16, AmountTooLarge),
        ("9" * 14 + "亿", AmountTooLarge),
        ("1e15", AmountTooLarge),
    ],
)
def test_what_is_not_an_amount_is_refused(text: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal) as caught:
        parse_amount(text)
    assert str(caught.value)


@given(st.decimals(-(10**14), 10**14, places=2), st.sampled_from(["CNY", "USD", "EUR"]), st.sampled_from(["zh", "en"]))
def test_an_exact_amount_reads_back(amount: Decimal, currency: str, language: Language) -> None:
    assert parse_amount(full_money(amount, currency, language)) == amount


@given(st.decimals(0, 10**13, places=2))
def test_a_short_amount_is_within_half_a_per_cent(amount: Decimal) -> None:
    shown = parse_amount(format_money(amount, "CNY", "zh"))
    assert abs(shown - amount) <= amount / 200


@given(st.text(max_size=100))
def test_any_text_gives_an_amount_or_a_refusal(text: str) -> None:
    with suppress(AmountMissing, AmountUnreadable, AmountTooLarge):
        assert parse_amount(text).is_finite()


def test_currencies() -> None:
    assert check_currency(" cny ") == "CNY"
    with pytest.raises(UnknownCurrency):
        check_currency("RMB")
