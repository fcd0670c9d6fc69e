"""What every laboratory answers: figures for programs, and sections of words, tables and drawings for people."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning: `kind` is for programs, `column` the column of the file it concerns (or ""), `text` for people."""

    kind: str
    column: str
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts; the first column names the row."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report; `drawing` is an SVG element of our own, shown in HTML only."""

    title: str
    words: Sequence[str] = ()
    table: Table | None = None
    drawing: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The answer of a laboratory. `figures` must be plain enough for JSON; `warnings` are added to them."""

    title: str
    figures: Mapping[str, Any]
    sections: Sequence[Section]
    warnings: Sequence[Warned] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return what --json prints."""
        told = [{"kind": one.kind, "column": one.column, "text": one.text} for one in self.warnings]
        return {**self.figures, "warnings": told}


class Lab(Protocol):
    """What a module of a laboratory offers to the command."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add its options; FILE and those of every laboratory are there already."""

    def run(self, options: Mapping[str, Any]) -> Report:
        """Read the file and answer, in the language in force. Raises Refusal, with the place, for a bad file."""
