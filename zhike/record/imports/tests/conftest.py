"""Bringing in files the way people do: by the command, with real files."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from zhike.org import company

Command = Callable[..., dict[str, Any]]


@pytest.fixture
def bring_in(db: None) -> Command:
    """Run `zhike import … --json` and return what it printed."""
    company.current()

    def run(kind: str, path: Path, *options: str) -> dict[str, Any]:
        out = io.StringIO()
        call_command("bring_in", kind, str(path), *options, "--json", stdout=out)
        found: dict[str, Any] = json.loads(out.getvalue())
        return found

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a text file: `write("a.csv", "id,name\\n…", encoding="gb18030")`."""

    def make(name: str, text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return make
