"""Logs of help desks, as published: the next activity, and what a claim of ninety-eight per cent is made of."""

import pytest

from tests.published import desks, page
from tests.published.rows import Published, published

ROWS = {row.id: row for row in published(*desks.DATASETS)}
needs_data = pytest.mark.skipif(not ROWS, reason="the shared data are not beside the checkout")
pytestmark = [pytest.mark.slow, needs_data, pytest.mark.xdist_group("published desks")]


def row(key: str) -> Published:
    return ROWS[key]


def test_every_row_has_its_figure() -> None:
    assert set(ROWS) == set(desks.OURS)


def test_the_next_activity_is_foretold_as_well_as_by_a_network() -> None:
    assert row("P106").agrees([desks.next_activity()])


def test_a_claim_about_time_to_solution_is_a_leak() -> None:
    _far, squared, share = desks.by_a_leak()
    _published_far, published_squared, published_share = row("P107").numbers
    assert share == pytest.approx(published_share, abs=0.02)
    assert squared == pytest.approx(published_squared, rel=0.15)
    assert desks.beforehand()[2] < 0.5, "what is known at first does not tell how long it takes"


def test_promises_missed_are_foretold_and_what_moves_is_told() -> None:
    assert row("P108").numbers == [], "no figure was published, so none is compared"
    found = desks.promise(in_time=False)["models"]
    assert found["logistic"]["auc_low"] > 0.75
    assert found["boosting"]["auc"] > found["logistic"]["auc"] - 0.01
    later = desks.promise(in_time=True)
    assert later["auc_high"] < found["logistic"]["auc_low"], "folds flatter where the share missed falls in time"
    assert ("drift", "missed") in {(one["kind"], one["column"]) for one in later["warnings"]}


def test_the_page_holds_what_is_computed_today() -> None:
    told, found = page.part("desks"), page.desks_logged()
    assert page.words(told) == page.words(found)
    assert page.figures(told) == pytest.approx(page.figures(found), rel=0.02, abs=0.01)
