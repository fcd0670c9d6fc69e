"""What can be wrong with a plan: the place, and a sentence that a door shows in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. Line and column count from 1; `path` is like `tiers.tiers[0].name`.

    `message` is an English msgid with %(name)s details.
    """

    line: int
    column: int
    path: str
    message: str
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def english(self) -> str:
        return self.message % self.details if self.details else self.message


class PlanErrors(Exception):
    """The document is not a plan; `problems` are in the order of the lines."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        super().__init__("; ".join(f"{each.line}:{each.column}: {each.english}" for each in self.problems))
