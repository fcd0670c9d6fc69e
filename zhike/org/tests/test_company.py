"""What a company says of itself: name, seal, currency, time zone, language."""

import pytest

from zhike.conftest import Person
from zhike.org.models import Company

ADDRESS = "/settings/company"
GIVEN = {"name": "青禾科技", "seal": "青", "currency": "cny", "time_zone": "Asia/Shanghai", "language": "zh-hans"}


def test_the_company_is_renamed_by_an_administrator_alone(admin: Person, mei: Person) -> None:
    assert mei.post(ADDRESS, GIVEN).status_code == 403
    assert admin.post(ADDRESS, GIVEN).status_code == 302
    company = Company.objects.get()
    assert (company.name, company.seal, company.currency) == ("青禾科技", "青", "CNY")
    assert "青禾科技" in admin.get(ADDRESS).content.decode()


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [("currency", "RMB", "RMB"), ("currency", "XYZ", "XYZ"), ("time_zone", "Asia/Hangzhou", "Asia/Shanghai")],
)
def test_what_there_is_not_is_named_and_changes_nothing(admin: Person, field: str, text: str, said: str) -> None:
    admin.post(ADDRESS, GIVEN)
    before = list(Company.objects.values())
    answer = admin.post(ADDRESS, {**GIVEN, "name": "别的", field: text})
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert list(errors) == [field]
    assert said in errors[field][0]
    assert list(Company.objects.values()) == before
