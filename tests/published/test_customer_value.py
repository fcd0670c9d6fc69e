"""Customer value as published: every row of the table about these data is met, or said not to be covered."""

import pytest

from tests.published import covariates, page
from tests.published.customer_value import DATASETS, OURS
from tests.published.rows import Published, published

ROWS = [row for row in published(*DATASETS) if row.id not in covariates.OURS]
KNOWN = [
    pytest.param(row, id=row.id, marks=[pytest.mark.slow] if row.id in covariates.DRAWN else [])
    for row in published(*covariates.DATASETS)
    if row.id in covariates.OURS
]
needs_data = pytest.mark.skipif(not ROWS, reason="the shared data are not beside the checkout")


@needs_data
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_published_number_is_ours_too(row: Published) -> None:
    ours = OURS[row.id]()
    assert row.agrees(ours), f"{row.quantity}: published {row.value} ± {row.tolerance}, ours {ours}"


@needs_data
def test_the_page_holds_what_is_computed_today() -> None:
    assert page.part("customer value") == page.customer_value()


@needs_data
@pytest.mark.parametrize("row", KNOWN)
def test_a_published_number_of_a_model_with_covariates_is_ours_too(row: Published) -> None:
    ours = covariates.OURS[row.id]()
    wanted = row.within("10 %" if row.tolerance == "sampling" else None)
    assert wanted.agrees(ours), f"{row.quantity}: published {row.value} {row.tolerance}, ours {ours}"


@needs_data
@pytest.mark.slow
def test_the_page_holds_what_is_computed_today_with_covariates() -> None:
    told, found = page.part("covariates"), page.with_covariates()
    assert page.words(told) == page.words(found)
    assert page.figures(told) == pytest.approx(page.figures(found), rel=1e-3)


def test_a_tolerance_is_kept() -> None:
    row = Published("P", "d", "q", "2930.1 / 1.0237", "0.001")
    assert row.agrees([2930.14, 1.0245])
    assert not row.agrees([2930.2, 1.0237])
    assert not row.agrees([2930.1, 1.0249])
    assert not row.agrees([2930.1])
    share = Published("P", "d", "q", "-200.0", "2 %")
    assert share.agrees([-203.9])
    assert not share.agrees([-204.1])
    magnitude = Published("P", "d", "q", "1.1e-06", "order of magnitude")
    assert magnitude.agrees([2e-6])
    assert not magnitude.agrees([4e-6])
    assert not magnitude.agrees([3e-7])
    assert not Published("P", "d", "q", "1411 439", "0").agrees([1411, 438])
