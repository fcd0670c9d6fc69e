"""The file of refused rows: line, reason and the cells as they were, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import os
import secrets
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from zhike.kit.refusal import Place, Refusal
from zhike.kit.refusal import gettext_noop as _
from zhike.kit.textfiles import neutralise
from zhike.record.imports.models import Import
from zhike.record.imports.operations.running import Run
from zhike.record.imports.operations.sentences import REASON_NAMES, sentence
from zhike.record.imports.rules.cells import plain_text
from zhike.record.imports.rules.problems import Reason


class TooManyRefused(Refusal):
    """`outcome` holds the counts and the file of refused rows, which are kept although nothing else is."""

    outcome: dict[str, Any]
    message = _(
        "%(refused)s of %(rows)s rows were refused (%(reasons)s), which is more than half, so nothing was imported. "
        "First: line %(line)s, %(why)s."
    )


def folder() -> Path:
    path = Path(settings.MEDIA_ROOT) / "imports"
    path.mkdir(parents=True, exist_ok=True)
    return path


def new_name(ending: str) -> str:
    """Return a name that nobody can guess."""
    return secrets.token_urlsafe(24) + ending


def refused_path(given: Import) -> Path | None:
    """Return where the refused rows of an import lie, or None when there are none."""
    path = folder() / Path(given.refused_file).name
    return path if given.refused_file and path.is_file() else None


class _Once(dict[Any, str]):
    """Works out the text of each distinct cell or reason once; refused rows repeat theirs by the thousand."""

    MOST = 100_000

    def __init__(self, make: Callable[[Any], str]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, key: Any) -> str:
        text = self.make(key)
        if len(self) < self.MOST:
            self[key] = text
        return text


def safe_cell(value: object) -> str:
    """Return a cell as text that no spreadsheet program takes for a formula."""
    return neutralise(plain_text(value).replace("\x00", ""))


def write(run: Run) -> str:
    """Write the refused rows of a run and return the file's name, or "" when no row was refused."""
    if not run.refused:
        return ""
    name, safe = new_name(".csv"), _Once(safe_cell)
    reasons = _Once(lambda bad: safe_cell(sentence(bad)))
    with open(folder() / name, "x", encoding="utf-8-sig", newline="", opener=private) as file:
        writer = csv.writer(file)
        writer.writerow([gettext("line"), gettext("reason"), *map(safe_cell, run.source.columns)])
        for batch in run.source.batches():
            found = [place for place, line in enumerate(batch.lines) if line in run.refused]
            columns = [batch.columns[column] for column in run.source.columns]
            writer.writerows(
                [
                    batch.lines[place],
                    reasons[run.refused[batch.lines[place]]],
                    *(safe[cells[place]] for cells in columns),
                ]
                for place in found
            )
    return name


def private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def by_reason(run: Run) -> dict[str, int]:
    """Return how many rows each reason refused, the most frequent first."""
    return {reason.value: times for reason, times in Counter(bad.reason for bad in run.refused.values()).most_common()}


def check_share(run: Run) -> None:
    """Refuse the whole import when more than half of its rows were refused."""
    rows, refused = run.counts["rows"], len(run.refused)
    if refused * 2 <= rows:
        return
    line = min(run.refused)
    reasons = ", ".join(
        f"{gettext(str(REASON_NAMES[Reason(key)]))}: {times:,}" for key, times in by_reason(run).items()
    )
    raise TooManyRefused(
        place=Place(file=getattr(run.source, "name", None), line=line),
        refused=f"{refused:,}",
        rows=f"{rows:,}",
        reasons=reasons,
        line=line,
        why=sentence(run.refused[line]),
    )
