"""Sorting of texts as well as published and better than a plain model, and confidence that comes true."""

import pytest

from tests.published import page, texts
from tests.published.rows import DATA

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not beside the checkout")
pytestmark = [pytest.mark.slow, needs_data]
LONG = {"shopping_topic"}  # Two minutes, beside nothing published: `python -m tests.published` alone computes it.
NEAR = 0.01  # Published figures come from other folds; of repeated texts some stand on both sides there.


@pytest.mark.parametrize("name", sorted(set(texts.TRIALS) - LONG))
def test_texts_are_sorted_as_well_as_published_and_as_a_plain_model_does(name: str) -> None:
    trial, found, plain = texts.TRIALS[name], texts.ours(name), texts.plain(name)
    assert found["accuracy"] >= plain[0] - NEAR / 2
    for figure, bar in zip((found["accuracy"], found["macro_f1"]), trial.published, strict=False):
        assert figure >= bar - NEAR
    assert found["ece"] < 0.03
    if found["answered_accuracy"] is not None:
        assert found["answered_accuracy"] > 0.89
    (told,) = (line for line in page.part("texts").splitlines() if line.startswith(f"| {trial.title} |"))
    assert page.figures(told) == pytest.approx(page.figures(texts.row(name)), rel=0.02, abs=0.004)
