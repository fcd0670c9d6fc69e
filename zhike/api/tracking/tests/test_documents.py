"""The pages about tracking say what the code does."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from zhike.api.tracking.routes import ADDRESSES
from zhike.api.tracking.tests.conftest import Given, in_inbox
from zhike.record.tracking import rules

ROOT = Path(__file__).resolve().parents[4]


def table(title: str) -> dict[str, str]:
    """Return the first two columns of the table below a heading of the reference."""
    page = (ROOT / "docs/reference/tracking-api.md").read_text(encoding="utf-8")
    part = page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+?) \|", part, re.MULTILINE))


def test_every_address_is_explained() -> None:
    assert set(table("Calls")) == set(ADDRESSES)


def test_every_reason_is_explained_in_its_own_words() -> None:
    assert table("Reasons") == rules.REASONS


def test_every_limit_is_the_one_in_force() -> None:
    kb = 1024
    assert table("Limits") == {
        "event": f"{rules.EVENT_LIMIT // kb} KB",
        "request": f"{rules.BATCH_LIMIT // kb} KB, unpacked",
        "messageId": f"{rules.MESSAGE_ID_LIMIT} characters",
        "names": f"{rules.NAME_LIMIT} characters",
        "depth": f"{rules.DEPTH_LIMIT} levels",
    }


@pytest.mark.slow
def test_the_first_event_of_the_guide_arrives(given: Given, served: Callable[..., str]) -> None:
    page = (ROOT / "docs/how-to/track-events.md").read_text(encoding="utf-8")
    found = re.search(r"```sh\n(curl .+?)```", page, re.DOTALL)
    assert found
    command = found.group(1).replace("\\\n", " ").replace("WRITE_KEY", given.key)
    command = command.replace("http://127.0.0.1:8000", served())
    done = subprocess.run([*shlex.split(command), "-s"], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == '{"success":true}'
    assert [event["event"] for event in in_inbox()] == ["Report opened"]
