"""What differs between two plans, as a list of changes with the path to each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from zhike.decide.plans.rules.schema import Document

Op = Literal["+", "~", "−"]
Path = tuple[str, ...]
WHOLE = frozenset({"rule", "where", "when", "name", "title", "words"})
"""Parts that are shown as a whole when anything in them differs."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One change. `path` names sections and, for entries of lists, their keys; what was not there is None."""

    op: Op
    path: Path
    old: Any
    new: Any


def differences(old: Document, new: Document) -> list[Difference]:
    """Return the changes that lead from `old` to `new`, in the order of the document."""
    return list(_between((), _plain(old), _plain(new)))


def _plain(plan: Document) -> dict[str, Any]:
    return plan.model_dump(mode="json", exclude_none=True, exclude={"number"})


def _between(path: Path, old: Any, new: Any) -> Iterator[Difference]:
    if old == new:
        return
    if path[-1:] and path[-1] in WHOLE:
        yield Difference(_op(old, new), path, old, new)
        return
    before, after = _entries(old), _entries(new)
    if before is None or after is None:
        yield Difference(_op(old, new), path, old, new)
        return
    for key in [*before, *(key for key in after if key not in before)]:
        if key in before and key in after:
            yield from _between((*path, key), before[key], after[key])
        else:
            was, becomes = before.get(key), after.get(key)
            yield Difference(_op(was, becomes), (*path, key), was, becomes)


def _op(old: Any, new: Any) -> Op:
    if old is None:
        return "+"
    return "−" if new is None else "~"


def _entries(value: Any) -> Mapping[str, Any] | None:
    """Return what may be compared one by one: a section, or a list whose entries have keys; else None."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        if all(isinstance(each, Mapping) and "key" in each for each in value):
            return {str(each["key"]): each for each in value}
        return None
    return {} if value == [] else None
