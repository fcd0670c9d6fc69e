"""The shape of the code in figures, and its budgets: fails when a file or function is past the maximum."""

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_MAX, FUNCTION_MAX = 400, 60
PLACES = ("zhike", "tools", "tests")
NOT_OURS = {"migrations", "node_modules", "vendor"}


def sources() -> Iterator[Path]:
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*.py")):
            if not NOT_OURS & set(path.parts):
                yield path


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def percentile(values: Sequence[int], share: float) -> int:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def is_test(path: Path) -> bool:
    return "tests" in path.parts or path.name == "conftest.py"


def main() -> int:
    files, lengths, faults = [], [], []
    lines = {True: 0, False: 0}
    for path in sources():
        text = path.read_text(encoding="utf-8")
        count = text.count("\n")
        files.append(count)
        lines[is_test(path)] += count
        if count > FILE_MAX:
            faults.append(f"{path.relative_to(ROOT)}: {count} lines, at most {FILE_MAX}")
        for function in functions(ast.parse(text)):
            size = length(function)
            lengths.append(size)
            if size > FUNCTION_MAX:
                place = f"{path.relative_to(ROOT)}:{function.lineno}"
                faults.append(f"{place} {function.name}: {size} lines, at most {FUNCTION_MAX}")
    print(
        f"files {len(files)}, lines p50/p90/max {percentile(files, 0.5)}/{percentile(files, 0.9)}/{max(files)}; "
        f"functions {len(lengths)}, p50/p90/p99/max {percentile(lengths, 0.5)}/{percentile(lengths, 0.9)}/"
        f"{percentile(lengths, 0.99)}/{max(lengths)}; source {lines[False]}, tests {lines[True]} "
        f"({lines[True] / max(1, lines[False]):.2f} per line)"
    )
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
