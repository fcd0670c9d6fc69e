"""Figures out of many measurements, and the machine they were taken on."""

import os
import platform
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MEBIBYTE = 2**20


@dataclass(frozen=True)
class Spread:
    """How long requests of one kind took, in milliseconds."""

    count: int
    p50: float
    p95: float
    p99: float
    worst: float

    def __str__(self) -> str:
        return f"n={self.count}  p50={self.p50:.0f}  p95={self.p95:.0f}  p99={self.p99:.0f}  worst={self.worst:.0f} ms"


def spread(seconds: Sequence[float]) -> Spread:
    """Return the percentiles of durations given in seconds: each the smallest that so many of them do not exceed."""
    ordered = sorted(1000 * value for value in seconds)
    p50, p95, p99 = (_percentile(ordered, share) for share in (0.50, 0.95, 0.99))
    return Spread(len(ordered), p50, p95, p99, ordered[-1])


def _percentile(ordered: Sequence[float], share: float) -> float:
    place = -(-len(ordered) * share // 1)  # Rounded up: the nearest-rank percentile.
    return ordered[max(0, int(place) - 1)]


def machine() -> str:
    """Return the machine in words: processor, cores, memory, system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def family(root: int) -> list[int]:
    """Return a process and everything it has started that still runs."""
    found = [root]
    for process in found:
        for listed in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += [int(child) for child in listed.read_text(encoding="ascii").split()]
            except OSError:
                continue  # It ended while we looked.
    return found


def resident(process: int) -> int:
    """Return the bytes of memory that a process holds; 0 when it has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


class Beside(ABC):
    """Something that goes on in a thread of its own while the block runs."""

    def __enter__(self) -> Self:
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._thread.join()

    @abstractmethod
    def watch(self) -> None:
        """Do it until `over` is set."""


class Memory(Beside):
    """Watches a process and its children and remembers the most memory they held at one moment.

    PostgreSQL is not among them: its server is started by whoever holds the data folder, not by the process watched.
    """

    def __init__(self, root: int, every: float = 0.05) -> None:
        self.root, self.every, self.peak = root, every, 0

    def watch(self) -> None:
        while not self.over.is_set():
            self.peak = max(self.peak, sum(map(resident, family(self.root))))
            self.over.wait(self.every)


@dataclass(frozen=True)
class Watched:
    """What a process said, how it ended, and the most bytes that it and its children held at one moment."""

    output: str
    errors: str
    returncode: int
    peak: int


def watched(command: Sequence[str]) -> Watched:
    """Run a command of ours to its end; whoever interrupts this ends it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603  Ours.
        try:
            with Memory(process.pid) as memory:
                output, errors = process.communicate()
        except BaseException:
            process.kill()
            raise
    return Watched(output, errors, process.returncode, memory.peak)
