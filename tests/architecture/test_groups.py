"""Tests that share something dear, or time each other out, run one after the other in one process."""

import pytest

pytestmark = pytest.mark.xdist_group("groups")


def test_groups_of_tests_are_heard(request: pytest.FixtureRequest, worker_id: str) -> None:
    if worker_id == "master":
        pytest.skip("one process runs them all")
    assert request.node.nodeid.endswith("@groups"), "pytest and pytest-xdist do not understand each other"
