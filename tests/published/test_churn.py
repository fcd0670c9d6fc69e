"""Who leaves, as published: every row of the table about these data is met, or said why not."""

import pytest

from tests.published import churn, page
from tests.published.rows import Published, published

ROWS = published(*churn.DATASETS)
needs_data = pytest.mark.skipif(not ROWS, reason="the shared data are not beside the checkout")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("published churn")]


@needs_data
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_published_number_is_ours_too(row: Published) -> None:
    wanted = row.first(churn.COVERED.get(row.id)).within(churn.TOLERANCES.get(row.id))
    ours = churn.OURS[row.id]()
    assert wanted.agrees(ours), f"{row.quantity}: published {row.value} {row.tolerance}, ours {ours}"


@needs_data
def test_the_page_holds_what_is_computed_today() -> None:
    told, found = page.part("churn"), page.churn()
    assert page.words(told) == page.words(found)
    assert page.figures(told) == pytest.approx(page.figures(found), rel=0.02, abs=0.004)


def test_a_figure_outside_its_tolerance_does_not_agree() -> None:
    row = Published("P", "d", "q", "0.8434 / 0.842 / 0.8336", "±0.02")
    assert row.first(2).agrees([0.85, 0.86])
    assert not row.first(2).agrees([0.85, 0.8625])
