"""The state of the customer list, all of it in the address: view, conditions, words, order, columns, place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from zhike.kit.ruletrees import FieldType
from zhike.web.rules import filters
from zhike.web.rules.filters import Tree

LONGEST_WORDS = 80
MINE, ALL = "mine", "all"


@dataclass(frozen=True, slots=True)
class ListState:
    """What the address of the list says. `conditions` is None as long as the view's own hold unchanged."""

    view: str = ""
    conditions: tuple[Tree, ...] | None = None
    words: str = ""
    sort: str = ""
    columns: str = ""
    after: str = ""
    before: str = ""
    start: int = 1
    as_of: str = ""

    def query(self, **changes: Any) -> str:
        """Return the query of the address with these changes; any change but of place begins at the first page."""
        if not {"after", "before", "start"} & set(changes):
            changes |= {"after": "", "before": "", "start": 1}
        state = replace(self, **changes)
        pairs = [("view", state.view), ("q", state.words), ("sort", state.sort), ("cols", state.columns)]
        pairs.append(("as_of", state.as_of))
        if state.conditions is not None:
            # An empty condition says that the view's own were all taken away.
            pairs += [("f", filters.to_text(each)) for each in state.conditions] or [("f", "-")]
        pairs += [("after", state.after), ("before", state.before), ("at", str(state.start) if state.start > 1 else "")]
        return urlencode([(name, value) for name, value in pairs if value])

    def without(self, index: int, own: Sequence[Tree]) -> str:
        """Return the query with one condition taken away; `own` are the conditions that hold now."""
        return self.query(conditions=tuple(own[:index]) + tuple(own[index + 1 :]))


def read(given: Mapping[str, Sequence[str]], fields: Mapping[str, FieldType]) -> tuple[ListState, list[str]]:
    """Return the state that an address describes, and the conditions in it that cannot be read."""

    def one(name: str) -> str:
        values = given.get(name) or [""]
        return values[-1].replace("\0", "").strip()

    conditions, wrong = _conditions(given.get("f"), fields)
    at = one("at")
    state = ListState(
        view=one("view")[:20],
        conditions=conditions,
        words=one("q")[:LONGEST_WORDS],
        sort=one("sort")[:60],
        columns=one("cols")[:600],
        after=one("after")[:400],
        before=one("before")[:400],
        as_of=one("as_of")[:10],
        start=int(at) if at.isdigit() and len(at) < 9 else 1,
    )
    return state, wrong


def _conditions(
    texts: Sequence[str] | None, fields: Mapping[str, FieldType]
) -> tuple[tuple[Tree, ...] | None, list[str]]:
    if texts is None:
        return None, []
    found, wrong = [], []
    for text in texts[: filters.MOST_CONDITIONS]:
        if text in {"", "-"}:
            continue
        try:
            found.append(filters.from_text(text.replace("\0", ""), fields))
        except filters.Unreadable:
            wrong.append(text[:60])
    return tuple(found), wrong
