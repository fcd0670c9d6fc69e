"""Our own checks catch what they say they catch, and leave what they should leave."""

import ast
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import rules
import shape
import slow


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_a_rule_catches_its_bad_line_and_leaves_its_good_one(rule: rules.Rule) -> None:
    assert any(rule.catches(node) for node in ast.walk(ast.parse(rule.bad)))
    assert not any(rule.catches(node) for node in ast.walk(ast.parse(rule.good)))
    assert rule.why


def test_shape_measures_a_function_by_its_lines() -> None:
    (function,) = shape.functions(ast.parse("def f():\n    x = 1\n    return x\n"))
    assert shape.length(function) == 3
    assert shape.percentile([1, 2, 3, 4, 100], 0.9) == 100


def test_what_takes_long_is_slow_but_the_quickest_of_a_file_stays() -> None:
    little, much, far = slow.LIMIT * 0.6, (slow.LIMIT + slow.MOST) / 2, slow.MOST * 2
    seconds = slow.measured(
        [
            f"{little:.2f}s call     a/test_a.py::test_long[x]",
            f"{little:.2f}s setup    a/test_a.py::test_long[y z]",
            f"{little:.2f}s teardown a/test_a.py::test_short",
            f"{much:.2f}s call     b/test_b.py::test_alone",
            f"{far:.2f}s call     c/test_c.py::test_hopeless@storms",
            "===== slowest durations =====",
        ]
    )
    assert seconds["a/test_a.py::test_long"] == pytest.approx(2 * little, abs=0.02)
    assert slow.slow(seconds) == ["a/test_a.py::test_long", "c/test_c.py::test_hopeless"]
