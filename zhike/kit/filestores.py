"""Where immutable files are kept: a folder, or an S3-compatible bucket with a folder as its cache.

A path is relative, with `/`; a file is written once as a draft in the local folder, published under its path, and
never changed after that. Both stores pass the same contract test.
"""

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from pyarrow import fs

from zhike.kit.failpoints import failpoint, register

register("files.drafted", "files.synced", "files.renamed", "files.published", "files.uploaded", "files.fetched")
DRAFT = ".writing"  # The ending of a file that is not published yet.
STILL_IN_USE = 900.0  # Seconds after its last use for which a cached file is not removed.
PART = 8 * 2**20  # Bytes of an upload or download at a time.


class Kept(NamedTuple):
    """A file that a store holds: its path, and when it was written in seconds since 1970."""

    path: str
    written: float


class FileStore(Protocol):
    """Keeps immutable files; safe to share between threads and processes."""

    folder: Path

    def draft(self, path: str) -> Path:
        """Return where to write a file that will be published as `path`; its folder exists."""

    def publish(self, drafts: Iterable[tuple[Path, str]]) -> None:
        """Put written drafts under their paths, safe against a loss of power; raises OSError."""

    def place(self, path: str) -> Path:
        """Return a local place to read a published file from; raises FileNotFoundError when it is gone."""

    def remove(self, path: str) -> None:
        """Remove a published file everywhere; a file that is gone already is no mistake."""

    def kept(self, prefix: str) -> Iterator[Kept]:
        """Yield the files under a prefix, drafts that nobody finished included."""


class FolderStore:
    """Files in a folder of this machine, or of one that all machines share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def draft(self, path: str) -> Path:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        return place.with_name(f"{place.name}{DRAFT}")

    def publish(self, drafts: Iterable[tuple[Path, str]]) -> None:
        folders = set()
        for draft, path in drafts:
            failpoint("files.drafted")
            to_disk(draft)
            failpoint("files.synced")
            place = self.folder / path
            draft.rename(place)
            failpoint("files.renamed")
            folders.add(place.parent)
        for folder in folders:
            to_disk(folder)
            failpoint("files.published")

    def place(self, path: str) -> Path:
        place = self.folder / path
        if not place.is_file():
            raise FileNotFoundError(path)
        return place

    def remove(self, path: str) -> None:
        (self.folder / path).unlink(missing_ok=True)

    def kept(self, prefix: str) -> Iterator[Kept]:
        yield from _files(self.folder, prefix)


class BucketStore:
    """Files in a bucket, which alone counts, and a folder that keeps those used lately.

    `most_bytes` bounds the folder; the least recently used files leave it, except those of the last quarter of an
    hour, which somebody may still be reading.
    """

    def __init__(self, bucket: fs.FileSystem, root: str, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._bucket = bucket
        self._root = root.strip("/")
        self._most_bytes = most_bytes
        self._fetched = 0

    def draft(self, path: str) -> Path:
        return FolderStore(self.folder).draft(path)

    def publish(self, drafts: Iterable[tuple[Path, str]]) -> None:
        for draft, path in drafts:
            # The object appears whole when the upload is closed; the local copy may be lost at any time.
            with draft.open("rb") as source, self._bucket.open_output_stream(self._key(path)) as target:
                shutil.copyfileobj(source, target, PART)
            failpoint("files.uploaded")
            draft.rename(self.folder / path)

    def place(self, path: str) -> Path:
        place = self.folder / path
        if place.is_file():
            with contextlib.suppress(FileNotFoundError):  # Another process may just have made room.
                os.utime(place)
                return place
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f"{place.name}.{uuid.uuid4().hex}{DRAFT}")
        try:
            with self._bucket.open_input_stream(self._key(path)) as source, draft.open("wb") as target:
                shutil.copyfileobj(source, target, PART)
            failpoint("files.fetched")
            self._fetched += draft.stat().st_size
            draft.rename(place)
        finally:
            draft.unlink(missing_ok=True)
        if self._fetched > self._most_bytes // 10:
            self._fetched = 0
            self.make_room()
        return place

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._bucket.delete_file(self._key(path))
        (self.folder / path).unlink(missing_ok=True)

    def kept(self, prefix: str) -> Iterator[Kept]:
        chosen = fs.FileSelector(self._key(prefix), recursive=True, allow_not_found=True)
        for found in self._bucket.get_file_info(chosen):
            if found.type == fs.FileType.File:
                yield Kept(found.path.removeprefix(f"{self._root}/"), found.mtime_ns / 1e9)
        for each in _files(self.folder, prefix):
            if each.path.endswith(DRAFT):
                yield each

    def make_room(self) -> int:
        """Remove the least recently used files until the folder keeps its bound; returns the bytes removed."""
        found = []
        for path in self.folder.glob("*/*/*"):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, path))
        surplus, removed = sum(size for _used, size, _path in found) - self._most_bytes, 0
        for used, size, path in sorted(found):
            if removed >= surplus or used > time.time() - STILL_IN_USE:
                break
            path.unlink(missing_ok=True)
            removed += size
        return removed

    def _key(self, path: str) -> str:
        return f"{self._root}/{path}"


def _files(folder: Path, prefix: str) -> Iterator[Kept]:
    for path in (folder / prefix).glob("**/*"):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file():
                yield Kept(path.relative_to(folder).as_posix(), path.stat().st_mtime)


def to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
