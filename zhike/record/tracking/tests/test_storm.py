"""Killed anywhere on the way: nothing is lost, nothing is there twice, nothing is left over."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from zhike.kit.failpoints import registered
from zhike.record.events import queries
from zhike.record.events.models import LakeFile
from zhike.record.events.operations import compact, sweep
from zhike.record.events.queries.reading import events_of
from zhike.record.tracking.models import Inbox
from zhike.record.tracking.operations import drain
from zhike.record.tracking.tests.flow import NOW, customer, digest, event, live, messages, put_in
from zhike.record.tracking.tests.lake_storm import points, storm

PACKAGE = Path(__file__).parents[3]


def empty() -> None:
    tables = (
        "tracking_inbox, tracking_person, tracking_source, customers_customer, events_lakefile, events_erasurereceipt"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} CASCADE")
    sweep(grace=-1)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_kill_at_any_fail_point_loses_nothing_and_doubles_nothing() -> None:
    toll = storm([1], empty=empty)
    assert toll.kills == toll.points == len(points()), "a fail point was not reached"
    assert (toll.missing, toll.twice) == (0, 0)


def test_every_fail_point_is_registered_and_reached_somewhere() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint":
                assert isinstance(node.args[0], ast.Constant), f"{path}: a fail point's name is written out"
                found.add(node.args[0].value)
    assert {name for name in registered() if re.match(r"(?!test\.)[a-z]+\.[a-z_]+$", name)} <= found
    assert set(points()) <= found


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  Only this test needs it, and it is slow to import.
    from pyarrow import fs  # noqa: PLC0415  Only the bucket's test needs it.

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setattr(settings, "LAKE_BUCKET", "lake-end-to-end/zhike")
    monkeypatch.setattr(settings, "LAKE_ENDPOINT", f"http://{host}:{port}")
    monkeypatch.setattr(settings, "LAKE_KEY", "key")
    monkeypatch.setattr(settings, "LAKE_SECRET", "secret")
    fs.S3FileSystem(
        access_key="key", secret_key="secret", endpoint_override=settings.LAKE_ENDPOINT, allow_bucket_creation=True
    ).create_dir("lake-end-to-end")
    yield
    server.stop()


@pytest.mark.django_db(transaction=True)
def test_a_bucket_alone_holds_the_lake(bucket: None) -> None:
    acme = customer("C1")
    for row in range(10):
        put_in(event(f"m{row}", context={"groupId": "C1"}), event("again"))
        drain(NOW, limit=1)
    while compact(NOW):
        pass
    for path in settings.LAKE.rglob("*"):  # The folder is only a cache.
        if path.is_file():
            path.unlink()
    queries._store.cache_clear()
    assert messages(live()) == sorted(digest(name) for name in [*(f"m{row}" for row in range(10)), "again"])
    assert len(events_of(acme.pk)) == 10
    put_in(event("m3"))
    assert drain(NOW).duplicates == 1
    assert sweep(grace=-5) > 0
    kept = {each.path for kind in ("events", "waiting", "seen") for each in queries.store().kept(kind)}
    assert kept == set(LakeFile.objects.values_list("path", flat=True))
    assert not Inbox.objects.exists()
