"""Sorting of texts as well as published and better than a plain model, and confidence that comes true."""

import pytest

from tests.published import page, texts
from tests.published.rows import DATA, published

needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not beside the checkout")
pytestmark = [pytest.mark.slow, needs_data]
LONG = {"shopping_topic"}  # Two minutes, beside nothing published: `python -m tests.published` alone computes it.
NEAR = 0.01  # Published figures come from other folds; of repeated texts some stand on both sides there.


def beside(name: str) -> pytest.MarkDecorator:
    """Keep tests of one trial in one process, which then tries it once."""
    return pytest.mark.xdist_group(f"published texts {name}")


@pytest.mark.parametrize("name", [pytest.param(one, marks=beside(one)) for one in sorted(set(texts.TRIALS) - LONG)])
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


@pytest.mark.parametrize("key", [pytest.param(key, marks=beside(one.trial)) for key, one in texts.ELSEWHERE.items()])
def test_ours_is_not_far_below_language_models_on_other_splits(key: str) -> None:
    theirs = texts.ELSEWHERE[key]
    found = texts.ours(theirs.trial)["accuracy"]
    assert found >= theirs.best - theirs.below
    (told,) = (line for line in page.part("texts elsewhere").splitlines() if line.startswith(f"| {key} |"))
    (row,) = (one for one in published(texts.TRIALS[theirs.trial].file.partition("/")[0]) if one.id == key)
    assert told.startswith(f"| {key} | {row.quantity} | {row.value} |")
    assert page.figures(told)[-1] == pytest.approx(found, abs=0.004)
    # A bound of accuracy says in its own row what the best of theirs was: as a share or in per cent.
    assert any(theirs.best in {one, round(one / 100, 5)} for one in row.numbers)
