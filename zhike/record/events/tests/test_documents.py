"""The page about the lake says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from zhike.record.events.rules import EVENT_SCHEMA, KINDS, USAGE_SCHEMA

PAGE = (Path(settings.PACKAGE).parent / "docs/reference/lake.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[tuple[str, str]]:
    part = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [(name, kind.strip()) for name, kind in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", part, re.M)]


def test_the_columns_are_those_of_the_files() -> None:
    assert rows("Columns of `events` and `waiting`") == [(field.name, str(field.type)) for field in EVENT_SCHEMA]
    assert rows("Columns of `usage`") == [(field.name, str(field.type)) for field in USAGE_SCHEMA]


def test_every_kind_is_explained() -> None:
    assert [name for name, _what in rows("Kinds")] == list(KINDS)
