"""`zhike init`: a data folder made ready once, with somebody who can sign in."""

import io
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from zhike.kit.money import UnknownCurrency
from zhike.org.models import AuditLine, Company, Staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def static_files_of_its_own(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"


def init(**options: str) -> str:
    out = io.StringIO()
    call_command("init", stdout=out, **options)
    return out.getvalue()


def signs_in(email: str, said: str) -> bool:
    password = re.search(r"password: (\S+)", said)
    assert password
    answer = Client().post("/sign-in", {"email": email, "password": password[1]})
    return answer.status_code == 302


def test_a_company_is_set_up_once_and_its_administrator_signs_in() -> None:
    said = init(company="青禾科技", email="su@qinghe.example", currency="eur")
    assert signs_in("su@qinghe.example", said)
    company = Company.objects.get()
    assert (company.name, company.currency) == ("青禾科技", "EUR")
    lines = AuditLine.objects.count()
    assert "nothing changed" in init(company="别的", email="other@qinghe.example", currency="usd")
    assert Company.objects.get().name == "青禾科技"
    assert list(Staff.objects.values_list("email", flat=True)) == ["su@qinghe.example"]
    assert AuditLine.objects.count() == lines


def test_a_currency_that_there_is_not_is_named_and_nothing_is_set_up() -> None:
    with pytest.raises(UnknownCurrency, match="RMB"):
        init(company="青禾科技", currency="RMB")
    assert not Staff.objects.exists()


def test_who_forgot_a_password_gets_another() -> None:
    first = init(email="su@qinghe.example")
    second = init(new_password="SU@qinghe.example")
    assert signs_in("su@qinghe.example", second)
    assert not signs_in("su@qinghe.example", first)
    with pytest.raises(CommandError, match=r"nobody@qinghe\.example"):
        init(new_password="nobody@qinghe.example")
