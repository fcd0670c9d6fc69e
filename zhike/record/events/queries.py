"""Questions to the lake that recording itself asks; computing on it is the business of measure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from django.conf import settings

from zhike.record.events.models import LakeFile

USAGE = "usage"
MEMORY, THREADS = "1GB", 2


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


def quoted(text: str) -> str:
    """Return a text of our own, such as a path, as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def customers_with_usage(ids: Collection[int]) -> set[int]:
    """Return those of these customers that live files of the lake hold usage of."""
    if not ids:
        return set()
    files = LakeFile.objects.filter(kind=USAGE, least_customer__lte=max(ids), most_customer__gte=min(ids))
    paths = ", ".join(quoted(str(Path(settings.LAKE) / path)) for path in files.values_list("path", flat=True))
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
    paths = ", ".join(quoted(str(Path(settings.LAKE) / file.path)) for file in files)
    if not paths:
        return []
    with engine() as lake:
        found = lake.execute(f"SELECT DISTINCT customer FROM read_parquet([{paths}])").fetchall()  # noqa: S608  Our own paths.
    return [row[0] for row in found]
