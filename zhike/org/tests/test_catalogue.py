"""Our own words do not change what the framework says with the same ones."""

from datetime import date

import pytest
from django.utils.formats import date_format
from django.utils.translation import override


@pytest.mark.parametrize("month", range(1, 13))
def test_months_are_months_in_chinese(month: int) -> None:
    with override("zh-hans"):
        assert date_format(date(2026, month, 1), "F").endswith("月")
