"""T04 with a bucket: killed between an upload and its row, and while a file is fetched."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import connection
from pyarrow import fs

from zhike.record.events import queries
from zhike.record.events.operations import sweep
from zhike.record.tracking.models import Inbox
from zhike.record.tracking.operations import drain
from zhike.record.tracking.tests import lake_storm
from zhike.record.tracking.tests.flow import NOW, live, messages

TABLES = "tracking_inbox, tracking_person, tracking_source, customers_customer, events_lakefile, events_erasurereceipt"


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")
    sweep(grace=-1)


def strike(folder: Path, seeds: Iterable[int]) -> dict[str, int]:
    """Kill at the fail points that only a bucket has; returns rounds and kills."""
    server, port = _serve()
    kept = settings.LAKE
    try:
        settings.LAKE_BUCKET, settings.LAKE_ENDPOINT = "storms/zhike", f"http://127.0.0.1:{port}"
        settings.LAKE_KEY, settings.LAKE_SECRET = "key", "secret"
        settings.LAKE = folder / "cache"
        rounds = kills = 0
        for place, seed in enumerate(seeds):
            for point in sorted(lake_storm.OF_BUCKETS):
                kills += _once(port, point, f"{0.2 if place else 1}/{seed}")
                rounds += 1
    finally:
        server.terminate()
        server.wait()
        settings.LAKE_BUCKET, settings.LAKE = "", kept
    if not kills:
        raise AssertionError("no fail point of a bucket was reached")
    return {"rounds": rounds, "kills": kills}


def _once(port: int, point: str, chance: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLES} CASCADE")
    bucket = fs.S3FileSystem(
        access_key="key", secret_key="secret", endpoint_override=f"127.0.0.1:{port}", scheme="http",
        allow_bucket_creation=True, allow_bucket_deletion=True,
    )  # fmt: skip
    bucket.create_dir("storms")
    bucket.delete_dir_contents("storms/zhike", missing_dir_ok=True)
    shutil.rmtree(settings.LAKE, ignore_errors=True)
    queries._store.cache_clear()
    sent, gone = lake_storm.prepare()
    if point == "files.fetched":
        while drain(NOW, limit=1).rows:
            pass
        shutil.rmtree(settings.LAKE)  # What is brought together must be fetched first.
    was_killed = lake_storm.in_child(f"{point}:kill:{chance}")
    lake_storm.look(point, sent - gone, lake_storm.Toll())
    shutil.rmtree(settings.LAKE, ignore_errors=True)  # The cache may be lost at any time.
    if lake_storm.in_child(""):
        raise AssertionError(f"{point}: killed although nothing was armed")
    queries._store.cache_clear()
    found = messages(live())
    if set(found) != sent - gone or len(set(found)) != len(found) or Inbox.objects.exists():
        raise AssertionError(f"{point}:{chance}: {len(sent - gone)} events went in, {len(found)} came out")
    return was_killed


def _serve() -> tuple[subprocess.Popen[bytes], int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server, port
        time.sleep(0.1)
    raise AssertionError("the bucket's server does not answer")
