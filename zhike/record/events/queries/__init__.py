"""Questions to the lake that recording itself asks; computing on it is the business of measure."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from django.conf import settings
from pyarrow import fs

from zhike.kit.filestores import BucketStore, FileStore, FolderStore
from zhike.record.events.models import LakeFile
from zhike.record.events.rules import USAGE

MEMORY, THREADS = "1GB", 2
Numbers = np.ndarray[tuple[int], np.dtype[np.uint64]]


def store() -> FileStore:
    """Return where the files of the lake are kept."""
    return _store(Path(settings.LAKE), settings.LAKE_BUCKET, settings.LAKE_ENDPOINT)


@functools.lru_cache(maxsize=4)
def _store(folder: Path, bucket: str, endpoint: str) -> FileStore:
    if not bucket:
        return FolderStore(folder)
    access = {"access_key": settings.LAKE_KEY, "secret_key": settings.LAKE_SECRET} if settings.LAKE_KEY else {}
    return BucketStore(
        fs.S3FileSystem(
            endpoint_override=endpoint or None,
            region=settings.LAKE_REGION,
            connect_timeout=10,
            request_timeout=60,
            **access,
        ),
        bucket,
        folder,
        settings.LAKE_CACHE_BYTES,
    )


@contextmanager
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine that reaches the lake's folder and nothing else."""
    folder = Path(settings.LAKE)
    spill = folder / "staging"
    spill.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {"memory_limit": MEMORY, "threads": THREADS, "temp_directory": str(spill / "spill")}
    with duckdb.connect(config=config) as lake:
        lake.execute(f"SET allowed_directories = [{quoted(str(folder))}]")
        lake.execute("SET enable_external_access = false")
        lake.execute("SET lock_configuration = true")
        yield lake


def halves(path: str) -> tuple[Numbers, Numbers]:
    """Return the upper and lower halves of the digests in a file of the kind `seen`, mapped, not read."""
    content = np.memmap(store().place(path), np.uint64, mode="r")
    middle = len(content) // 2
    return content[:middle], content[middle:]


def quoted(text: str) -> str:
    """Return a text of our own, such as a path, as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def customers_with_usage(ids: Collection[int]) -> set[int]:
    """Return those of these customers that live files of the lake hold usage of."""
    if not ids:
        return set()
    files = LakeFile.objects.filter(kind=USAGE, least_customer__lte=max(ids), most_customer__gte=min(ids))
    paths = ", ".join(quoted(str(store().place(path))) for path in files.values_list("path", flat=True))
    if not paths:
        return set()
    with engine() as lake:
        lake.register("asked", pa.table({"customer": pa.array(list(ids), pa.int64())}))
        found = lake.execute(
            f"SELECT DISTINCT customer FROM read_parquet([{paths}]) SEMI JOIN asked USING (customer)"  # noqa: S608  Our own paths.
        ).fetchall()
    return {row[0] for row in found}


def customers_in(files: Iterable[LakeFile]) -> list[int]:
    """Return the customers of whom these live files hold rows."""
    paths = ", ".join(quoted(str(store().place(file.path))) for file in files)
    if not paths:
        return []
    with engine() as lake:
        found = lake.execute(f"SELECT DISTINCT customer FROM read_parquet([{paths}])").fetchall()  # noqa: S608  Our own paths.
    return [row[0] for row in found]
