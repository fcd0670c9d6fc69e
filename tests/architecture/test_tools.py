"""Our own checks catch what they say they catch, and leave what they should leave."""

import ast
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import rules
import shape


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.name)
def test_a_rule_catches_its_bad_line_and_leaves_its_good_one(rule: rules.Rule) -> None:
    assert any(rule.catches(node) for node in ast.walk(ast.parse(rule.bad)))
    assert not any(rule.catches(node) for node in ast.walk(ast.parse(rule.good)))
    assert rule.why


def test_shape_measures_a_function_by_its_lines() -> None:
    (function,) = shape.functions(ast.parse("def f():\n    x = 1\n    return x\n"))
    assert shape.length(function) == 3
    assert shape.percentile([1, 2, 3, 4, 100], 0.9) == 100
