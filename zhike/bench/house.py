"""A data folder for one benchmark: new, with its own PostgreSQL, and gone afterwards, however the benchmark ends."""

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from zhike import home

PREFIX = "zhike-bench-"
ENVIRONMENT = ("ZHIKE_HOME", "DATABASE_URL", "ZHIKE_SECRET_KEY", "ZHIKE_LOG")


@contextlib.contextmanager
def own_home() -> Iterator[Path]:
    """Keep a fresh data folder with a running server inside the block; must be entered before settings are read."""
    sweep()
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    former = signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    os.environ["ZHIKE_HOME"] = str(folder)
    os.environ["ZHIKE_LOG"] = "ERROR"
    os.environ.pop("DATABASE_URL", None)
    try:
        with home.using_server():
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for name, value in before.items():
            _restore(name, value)
        signal.signal(signal.SIGTERM, former)


def sweep() -> None:
    """Remove what benchmarks left that were killed before they could clear up: servers nobody uses, and folders."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = folder / "postgres.lock"
        if not lock.exists() or not _is_free(lock):
            continue
        before = os.environ.get("ZHIKE_HOME")
        os.environ["ZHIKE_HOME"] = str(folder)
        try:
            with contextlib.suppress(home.ServerDoesNotStart), home.using_server():
                pass  # Whoever leaves last stops the server.
        finally:
            _restore("ZHIKE_HOME", before)
        shutil.rmtree(folder, ignore_errors=True)


def _is_free(lock: Path) -> bool:
    with lock.open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
