"""Every storm in small, and each once against a product that is broken on purpose: then it must fail."""

import pytest

from tests.storms.__main__ import SABOTAGES, STORMS, run
from tests.storms.system import StormFailed

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("storms")]  # One after the other: they time each other out.


@pytest.mark.parametrize("name", STORMS)
def test_nothing_is_lost_and_nothing_is_there_twice(name: str) -> None:
    found = run(name, seed=1, full=False)
    assert found.get("lost", 0) == found.get("duplicated", 0) == found.get("missing", 0) == 0


@pytest.mark.parametrize("name", ["T01", "T30"])
def test_a_broken_product_does_not_pass(name: str) -> None:
    assert any(_fails(name, seed) for seed in range(1, 1 + SABOTAGES))


def _fails(name: str, seed: int) -> bool:
    try:
        run(name, seed=seed, full=False, sabotage=True)
    except StormFailed:
        return True
    return False
