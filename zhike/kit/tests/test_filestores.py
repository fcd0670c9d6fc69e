"""Both stores keep immutable files the same way: a folder, and a bucket behind a server of S3's protocol."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer
from pyarrow import fs

from zhike.kit.filestores import DRAFT, BucketStore, FileStore, FolderStore

PATH = "events/month=2026-03/a.parquet"


@pytest.fixture(scope="module")
def bucket() -> Iterator[fs.FileSystem]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    found = fs.S3FileSystem(
        access_key="key", secret_key="secret", endpoint_override=f"http://{host}:{port}", allow_bucket_creation=True
    )
    found.create_dir("lake-of-tests")
    yield found
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "lake")
    bucket = request.getfixturevalue("bucket")
    return BucketStore(bucket, f"lake-of-tests/{tmp_path.name}", tmp_path / "cache", 10_000)


def keep(store: FileStore, path: str, content: bytes) -> None:
    draft = store.draft(path)
    draft.write_bytes(content)
    store.publish([(draft, path)])


class TestBoth:
    def test_what_is_published_can_be_read(self, store: FileStore) -> None:
        keep(store, PATH, b"rows")
        assert store.place(PATH).read_bytes() == b"rows"
        assert [each.path for each in store.kept("events")] == [PATH]
        assert abs(next(iter(store.kept("events"))).written - time.time()) < 60

    def test_a_draft_is_no_file_yet_but_is_found_by_the_sweep(self, store: FileStore) -> None:
        store.draft(PATH).write_bytes(b"half")
        with pytest.raises(FileNotFoundError):
            store.place(PATH)
        assert [each.path for each in store.kept("events")] == [PATH + DRAFT]
        store.remove(PATH + DRAFT)
        assert list(store.kept("events")) == []

    def test_what_is_removed_is_gone_and_may_be_removed_again(self, store: FileStore) -> None:
        keep(store, PATH, b"rows")
        store.remove(PATH)
        store.remove(PATH)
        with pytest.raises(FileNotFoundError):
            store.place(PATH)
        assert list(store.kept("events")) == []

    def test_nothing_is_kept_under_a_prefix_that_nobody_used(self, store: FileStore) -> None:
        assert list(store.kept("waiting")) == []


class TestBucket:
    def test_another_machine_fetches_what_it_needs(self, bucket: fs.FileSystem, tmp_path: Path) -> None:
        here = BucketStore(bucket, "lake-of-tests/shared", tmp_path / "here", 10_000)
        there = BucketStore(bucket, "lake-of-tests/shared", tmp_path / "there", 10_000)
        keep(here, PATH, b"rows" * 100)
        assert there.place(PATH).read_bytes() == b"rows" * 100
        assert there.place(PATH).is_relative_to(tmp_path / "there")

    def test_the_least_recently_used_leave_but_not_what_is_in_use(self, bucket: fs.FileSystem, tmp_path: Path) -> None:
        store = BucketStore(bucket, "lake-of-tests/bound", tmp_path / "cache", 2_500)
        paths = [f"events/month=2026-03/{number}.parquet" for number in range(5)]
        for age, path in enumerate(reversed(paths)):
            keep(store, path, b"x" * 1_000)
            used = time.time() - 7_200 + age * 60
            os.utime(tmp_path / "cache" / path, (used, used))
        store.place(paths[4])  # The oldest of all is used again.
        assert store.make_room() == 3_000
        left = sorted(path.name for path in (tmp_path / "cache").rglob("*.parquet"))
        assert left == ["0.parquet", "4.parquet"]
        assert store.place(paths[2]).read_bytes() == b"x" * 1_000
