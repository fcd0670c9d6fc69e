"""What can be wrong with a plan: the place, and a sentence that a door shows in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zhike.kit.refusal import Place, Refusal
from zhike.kit.refusal import gettext_noop as _


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


class PlanErrors(Refusal):
    """The document is not a plan; `problems` are in the order of the lines."""

    message = _("Line %(line)d: the plan cannot be used as it stands; %(count)d things are wrong in all.")

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        first = self.problems[0].line
        super().__init__(place=Place(line=first), line=first, count=len(problems))
