"""Customer value as published: every row of the table about these data is met, or said not to be covered."""

import pytest

from tests.published import page
from tests.published.customer_value import DATASETS, NOT_COVERED, OURS
from tests.published.rows import Published, published

ROWS = published(*DATASETS)
needs_data = pytest.mark.skipif(not ROWS, reason="the shared data are not beside the checkout")


@needs_data
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_published_number_is_ours_too(row: Published) -> None:
    if row.id in NOT_COVERED:
        pytest.skip(f"{row.quantity}: {NOT_COVERED[row.id]}")
    ours = OURS[row.id]()
    assert row.agrees(ours), f"{row.quantity}: published {row.value} ± {row.tolerance}, ours {ours}"


@needs_data
def test_the_page_holds_what_is_computed_today() -> None:
    assert page.part("customer value") == page.customer_value()


def test_a_tolerance_is_kept() -> None:
    row = Published("P", "d", "q", "2930.1 / 1.0237", "0.001")
    assert row.agrees([2930.14, 1.0245])
    assert not row.agrees([2930.2, 1.0237])
    assert not row.agrees([2930.1, 1.0249])
    assert not row.agrees([2930.1])
    share = Published("P", "d", "q", "-200.0", "2 %")
    assert share.agrees([-203.9])
    assert not share.agrees([-204.1])
    assert not Published("P", "d", "q", "1411 439", "0").agrees([1411, 438])
