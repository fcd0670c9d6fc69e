"""The published clients of Segment and RudderStack, unmodified, against the application as it is really served."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zhike.api.tracking.tests.conftest import Given, wait_for

ROOT = Path(__file__).resolve().parents[4]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients")]

PYTHON = """
import sys
from segment.analytics.client import Client
key, host, packed = sys.argv[1:]
failed = []
client = Client(key, host=host, gzip=packed == "1", on_error=lambda error, items: failed.append(error))
client.identify("u1", {"email": "someone@company.example"})
client.track("u1", "Report opened", {"pages": 3}, message_id="m-1")
client.track("u1", "Report opened", {"pages": 3}, message_id="m-1")
client.page("u1", "Docs", "Prices")
client.screen("u1", name="Start")
client.group("u1", "C-1", {"plan": "pro"})
client.alias("a1", "u1")
client.flush()
client.join()
assert not failed, failed
"""

SEGMENT = """
const { Analytics } = require("@segment/analytics-node")
const [writeKey, host] = process.argv.slice(2)
const client = new Analytics({ writeKey, host, flushInterval: 50 })
client.on("error", error => { console.error(error); process.exit(3) })
client.identify({ userId: "u1", traits: { email: "someone@company.example" } })
client.track({ userId: "u1", event: "Report opened", properties: { pages: 3 }, messageId: "m-1" })
client.page({ userId: "u1", category: "Docs", name: "Prices" })
client.screen({ anonymousId: "a1", name: "Start" })
client.group({ userId: "u1", groupId: "C-1", traits: { plan: "pro" } })
client.alias({ userId: "u1", previousId: "a1" })
client.closeAndFlush({ timeout: 15000 })
"""

RUDDER = """
const Analytics = require("@rudderstack/rudder-sdk-node")
const [key, host, packed] = process.argv.slice(2)
const client = new Analytics(key, { dataPlaneUrl: host, flushInterval: 50, gzip: packed === "1" })
client.identify({ userId: "u1", traits: { email: "someone@company.example" } })
client.track({ userId: "u1", event: "Report opened", properties: { pages: 3 } })
client.page({ userId: "u1", category: "Docs", name: "Prices" })
client.screen({ anonymousId: "a1", name: "Start" })
client.group({ userId: "u1", groupId: "C-1", traits: { plan: "pro" } })
client.alias({ userId: "u1", previousId: "a1" })
client.flush(error => { if (error) { console.error(error); process.exit(3) } setTimeout(() => process.exit(0), 500) })
"""


@pytest.fixture(scope="session")
def modules() -> Path:
    """Install the Node clients by lock file, once for each state of it; running the product does not need them."""
    lock = (ROOT / "package-lock.json").read_bytes()
    place = ROOT / ".cache" / f"clients-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not (place / "node_modules").is_dir():
        draft = place.with_suffix(f".{os.getpid()}")
        draft.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(ROOT / name, draft)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=draft, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        try:
            draft.rename(place)
        except OSError:
            # Another process of this run was first with the same.
            assert (place / "node_modules").is_dir()
            shutil.rmtree(draft)
    return place


def run(command: list[str], folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def by_type(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {event["type"]: event for event in events}


def ensure_all_came(events: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = by_type(events)
    assert set(found) == {"identify", "track", "page", "screen", "group", "alias"}
    assert found["track"]["event"] == "Report opened"
    assert found["track"]["properties"]["pages"] == 3
    assert found["identify"]["traits"] == {"email": "someone@company.example"}
    assert found["page"]["name"] == "Prices"
    assert (found["group"]["groupId"], found["alias"]["previousId"]) == ("C-1", "a1")
    assert all(event["messageId"] and event["timestamp"] for event in events)
    return found


@pytest.mark.parametrize("packed", ["0", "1"])
def test_segment_analytics_python(given: Given, served: Callable[..., str], packed: str) -> None:
    run([sys.executable, "-c", PYTHON, given.key, served(), packed])
    events = wait_for(7)
    ensure_all_came(events)
    assert [event["messageId"] for event in events].count("m-1") == 2  # The drain leaves one of them out.


def test_segment_analytics_node(given: Given, served: Callable[..., str], modules: Path) -> None:
    (modules / "segment.cjs").write_text(SEGMENT, encoding="utf-8")
    run(["node", "segment.cjs", given.key, served()], modules)
    assert ensure_all_came(wait_for(6))["track"]["messageId"] == "m-1"


@pytest.mark.parametrize("packed", ["0", "1"])
def test_rudder_sdk_node(given: Given, served: Callable[..., str], modules: Path, packed: str) -> None:
    (modules / "rudder.cjs").write_text(RUDDER, encoding="utf-8")
    run(["node", "rudder.cjs", given.key, served(), packed], modules)
    assert ensure_all_came(wait_for(6))["track"]["userId"] == "u1"


def test_a_wrong_key_is_told_to_the_client(given: Given, served: Callable[..., str]) -> None:
    command = [sys.executable, "-c", PYTHON, "wrong", served(), "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode != 0
    assert "401" in done.stderr
    assert wait_for(1, within=1) == []
