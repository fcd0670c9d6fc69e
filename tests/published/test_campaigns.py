"""The effect of a campaign drawn by lot, as published: every row of the table is met."""

import pytest

from tests.published import campaigns, page
from tests.published.rows import Published, published

ROWS = published(*campaigns.DATASETS)
needs_data = pytest.mark.skipif(not ROWS, reason="the shared data are not beside the checkout")
pytestmark = [pytest.mark.slow, needs_data, pytest.mark.xdist_group("published campaigns")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_published_number_is_ours_too(row: Published) -> None:
    ours = campaigns.OURS[row.id]()
    if row.id in campaigns.NOT_SEEN:
        assert ours[1] == pytest.approx(row.numbers[1], abs=campaigns.NOT_SEEN[row.id])
        return
    if row.id in campaigns.LEAST:
        assert all(one >= theirs for one, theirs in zip(ours, row.numbers, strict=True)), ours
        return
    assert row.agrees(ours), f"{row.quantity}: published {row.value} {row.tolerance}, ours {ours}"


def test_the_lot_was_fair_and_every_effect_is_proven() -> None:
    found = campaigns.told()
    assert found["lot"] == pytest.approx(0.90, abs=0.005)  # The chance that the data's own notes give.
    assert all(one["proven"] for outcome in found["outcomes"] for one in outcome["effects"])


def test_only_the_answer_to_the_womens_mail_can_be_ranked() -> None:
    women, men = campaigns.folds(campaigns.WOMEN), campaigns.folds(campaigns.MEN)
    effect = {arm: campaigns.of(arm, "visit")["difference"] for arm in (campaigns.WOMEN, campaigns.MEN)}
    assert women[2] > 1.4 * effect[campaigns.WOMEN]
    assert men[2] < 1.2 * effect[campaigns.MEN]
    assert women[0] > 3 * men[0]


def test_the_page_holds_what_is_computed_today() -> None:
    told, found = page.part("campaigns"), page.campaigns_drawn()
    assert page.words(told) == page.words(found)
    assert page.figures(told) == pytest.approx(page.figures(found), rel=0.02, abs=0.004)
